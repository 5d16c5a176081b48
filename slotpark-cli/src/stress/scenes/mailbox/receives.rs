//! How values are received, or not.

use std::cell::{Cell, RefCell};
use std::pin::pin;

use slotpark::{Clock, Order, ParkOptions, ReceiveError};

use super::Mail;
use super::value::{Value, losses};
use crate::stress::actor::{Actor, Ended, Patience};
use crate::stress::drive::{Course, Driven};
use crate::stress::planned::{Key, panic_as_planned};
use crate::stress::stage::Place;
use crate::stress::tally::Operation;

/// What a wait has brought: nothing if it was given up before it ended.
type Brought = Option<Result<Value, ReceiveError>>;

impl Mail {
    pub(super) fn receive(&self, actor: &mut Actor<'_>, number: usize) {
        let key = self.addresses[number].key;
        let at = Place {
            scene: self.index,
            key: number,
            ..Place::default()
        };
        let brought = Cell::new(None);
        let (ended, lost) = losses(|| match actor.below(0..4) {
            0 => self.by_thread(actor, at, key, &brought),
            1 => self.by_subscriber(actor, at, key, &brought),
            _ => self.by_task(actor, at, key, &brought),
        });
        let ledger = &self.addresses[number].ledger;
        match brought.take() {
            None if ended == Ended::Closed => {
                actor.found(&format!("{key:?} is closed, and nobody keeps it closed"));
            }
            Some(Ok(value)) => match value.take(key) {
                Some(serial) => ledger.received(serial),
                None => actor.found(&format!("a wait of {key:?} received a value of another")),
            },
            Some(Err(ReceiveError::Closed)) => self.closed.received(0),
            _ => {}
        }
        if matches!(ended, Ended::GivenUp | Ended::Panicked) {
            self.closed.spent();
            // One at most had come.
            if lost.count == 1 {
                ledger.received(lost.serials);
            }
        }
        if lost.count > u64::from(ended == Ended::GivenUp || ended == Ended::Panicked) {
            actor.found(&format!(
                "{} values of {key:?} were dropped by a wait that {ended:?}",
                lost.count
            ));
        }
    }

    fn options(actor: &mut Actor<'_>, patience: Patience) -> ParkOptions {
        let order = match actor.below(0..6) {
            0 => Order::Lifo,
            1 | 2 => Order::Priority(actor.below(0..4)),
            _ => Order::Fifo,
        };
        let deadline = patience.deadline(Clock::Monotonic);
        ParkOptions::new().order(order).deadline(deadline)
    }

    fn by_thread(
        &self,
        actor: &mut Actor<'_>,
        at: Place,
        key: Key,
        brought: &Cell<Brought>,
    ) -> Ended {
        let patience = actor.patience();
        let (options, plain) = (Self::options(actor, patience), actor.one_in(2));
        actor.wait(Operation::Receive, at, patience, || {
            let received = if plain && patience == Patience::Endless {
                self.mailbox.receive(&key)
            } else {
                self.mailbox.receive_with(&key, options)
            };
            bring(received, brought)
        })
    }

    /// Queued first: then it may send to itself, give up, or receive.
    fn by_subscriber(
        &self,
        actor: &mut Actor<'_>,
        at: Place,
        key: Key,
        brought: &Cell<Brought>,
    ) -> Ended {
        let patience = actor.patience();
        let (options, choice) = (Self::options(actor, patience), actor.below(0..16));
        let own = actor.one_in(4).then(|| self.value(actor, key));
        let serial = own.as_ref().map(Value::serial);
        let wrong = RefCell::new(None);
        let ended = actor.wait_in_steps(Operation::Subscribe, at, patience, |settle| {
            let subscribed = self.mailbox.subscribe(&key, options, |subscribed| {
                if let Some(own) = own {
                    match self.deliver(own) {
                        Ok(true) => self.addresses[at.key].ledger.sent(1, serial.unwrap_or(0)),
                        Ok(false) => {
                            // Only if it was chosen before, and nobody else waits.
                        }
                        Err(what) => *wrong.borrow_mut() = Some(what),
                    }
                }
                match choice {
                    0 => panic_as_planned(),
                    1 | 2 => Ended::GivenUp,
                    3 | 4 => {
                        brought.set(subscribed.cancel().map(Ok));
                        Ended::GivenUp
                    }
                    _ => {
                        settle();
                        let ended = bring(subscribed.receive(), brought);
                        if subscribed.receive().is_ok() {
                            *wrong.borrow_mut() = Some("a subscriber received twice".to_owned());
                        }
                        ended
                    }
                }
            });
            subscribed.unwrap_or(Ended::Closed)
        });
        if let Some(what) = wrong.take() {
            actor.found(&what);
        }
        ended
    }

    fn by_task(
        &self,
        actor: &mut Actor<'_>,
        at: Place,
        key: Key,
        brought: &Cell<Brought>,
    ) -> Ended {
        let patience = actor.patience();
        let (course, takes_back) = (Course::draw(actor, patience), actor.one_in(2));
        actor.wait(Operation::ReceiveAsync, at, patience, || {
            let mut receive = pin!(self.mailbox.receive_async(key));
            match course.drive(receive.as_mut()) {
                Driven::AtStart(received) | Driven::Ended(received) => bring(received, brought),
                Driven::GivenUp { .. } => {
                    if takes_back {
                        brought.set(receive.cancel().map(Ok));
                    }
                    Ended::GivenUp
                }
            }
        })
    }
}

fn bring(received: Result<Value, ReceiveError>, brought: &Cell<Brought>) -> Ended {
    let ended = match &received {
        Ok(_) => Ended::Woken { token: 0 },
        Err(ReceiveError::TimedOut) => Ended::TimedOut,
        Err(_) => Ended::Closed,
    };
    brought.set(Some(received));
    ended
}
