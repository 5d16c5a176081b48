//! A relay: a thread and several futures wait for a key that nobody else uses; the value that comes
//! goes from each that gives up to the next.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use slotpark::{DefaultPlatform, ParkOptions, Receive, ReceiveError};

use super::Mail;
use super::value::{Value, losses};
use crate::stress::actor::Actor;
use crate::stress::planned::Key;
use crate::stress::tally::Operation;

type Runner<'m> = Pin<Box<Receive<'m, Key, Value, DefaultPlatform>>>;

impl Mail {
    pub(super) fn relay(&self, actor: &mut Actor<'_>) {
        let key = self.private[actor.number()];
        let count = actor.below(1..=4);
        let mut runners: Vec<Runner<'_>> = (0..count)
            .map(|_| Box::pin(self.mailbox.receive_async(key)))
            .collect();
        let value = self.value(actor, key);
        let serial = value.serial();
        let result = if actor.one_in(2) {
            // This thread is the first, and gives up.
            let (mailbox, options) = (&self.mailbox, ParkOptions::new());
            let started = mailbox.subscribe(&key, options, |_| self.start(&mut runners, value));
            started.unwrap_or_else(|error| Err(format!("{error}")))
        } else {
            self.start(&mut runners, value)
        };
        let result = result.and_then(|()| self.run(actor, runners, serial));
        actor.tally.row(Operation::RelayOfValue).calls += 1;
        if let Err(what) = result {
            actor.found(&format!("a relay at {key:?}: {what}"));
        }
    }

    fn start(&self, runners: &mut [Runner<'_>], value: Value) -> Result<(), String> {
        for runner in runners {
            if let Some(error) = runner.as_mut().enable() {
                return Err(format!("{error}"));
            }
        }
        if self.deliver(value)? {
            Ok(())
        } else {
            Err("a value was given back by those who wait".to_owned())
        }
    }

    /// The first of those that are left has the value.
    fn run(
        &self,
        actor: &mut Actor<'_>,
        mut runners: Vec<Runner<'_>>,
        serial: u64,
    ) -> Result<(), String> {
        while runners.len() > 1 && !actor.one_in(3) {
            let leaver = runners.remove(actor.below(0..runners.len()));
            let ((), lost) = losses(|| drop(leaver));
            if lost.count > 0 {
                return Err("a value was lost with one who gave up, and another waits".to_owned());
            }
        }
        let key = self.private[actor.number()];
        let mut first = runners.remove(0);
        let received = match actor.below(0..3) {
            0 => first.as_mut().time_out().ok(),
            1 => first.as_mut().cancel(),
            _ => match first.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(received) => received.ok(),
                Poll::Pending => None,
            },
        };
        if received.and_then(|value| value.take(key)) != Some(serial) {
            return Err("the first has not received the value".to_owned());
        }
        for mut runner in runners {
            if !matches!(runner.as_mut().time_out(), Err(ReceiveError::TimedOut)) {
                return Err("another has received a value".to_owned());
            }
        }
        Ok(())
    }
}
