//! A relay: several futures of one thread wait at keys that no other thread uses, in slots that
//! others do. Who is woken, and who is next when that one goes away, is known at every step; no
//! later wake can hide one that was lost.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use slotpark::{AnyOutcome, Order, ParkOptions, ShardedWait, WaitOutcome};

use crate::stress::actor::Actor;
use crate::stress::drive::Wait;
use crate::stress::ledger::Ledger;
use crate::stress::planned::Key;
use crate::stress::tally::Operation;

/// Where a relay takes place.
pub(super) struct Track<'t> {
    pub(super) waits: &'t ShardedWait<Key>,
    /// Each runner waits for all of them.
    pub(super) keys: &'t [Key],
    pub(super) woken: &'t Ledger,
    pub(super) closed: &'t Ledger,
}

/// One future. Runners are listed in the order of the queue.
struct Runner<W> {
    wait: Pin<Box<W>>,
    weight: u32,
    bits: u32,
    baton: Option<Baton>,
}

/// A wake, as its waiter is told of it.
#[derive(Clone, Copy)]
struct Baton {
    token: u64,
    entry: usize,
    bits: u32,
}

/// How a future's wait has ended, and by which key.
pub(super) trait Outcome {
    fn outcome(self) -> (WaitOutcome, Option<usize>);
}

impl Outcome for WaitOutcome {
    fn outcome(self) -> (WaitOutcome, Option<usize>) {
        let by_key = !matches!(self, Self::TimedOut | Self::Interrupted);
        (self, by_key.then_some(0))
    }
}

impl Outcome for AnyOutcome {
    fn outcome(self) -> (WaitOutcome, Option<usize>) {
        (self.parked, self.entry)
    }
}

impl Track<'_> {
    /// Wakes, ends and drops runners at random; what is wrong, if anything is.
    pub(super) fn run<W>(&self, actor: &mut Actor<'_>, make: impl Fn(ParkOptions) -> W)
    where
        W: Wait<Output: Outcome>,
    {
        let result = self.line_up(actor, make).and_then(|mut runners| {
            for _ in 0..actor.below(1..8) {
                match actor.below(0..4) {
                    0 | 1 => self.wake(actor, &mut runners)?,
                    2 => self.drop_one(actor, &mut runners),
                    _ => self.time_out(actor, &mut runners)?,
                }
            }
            self.close(runners)
        });
        actor.tally.row(Operation::RelayOfWake).calls += 1;
        if let Err(what) = result {
            actor.found(&format!("a relay at {:?}: {what}", self.keys));
        }
    }

    fn line_up<W: Wait>(
        &self,
        actor: &mut Actor<'_>,
        make: impl Fn(ParkOptions) -> W,
    ) -> Result<Vec<Runner<W>>, String> {
        // Waits on several keys take no options.
        let takes_options = self.keys.len() == 1;
        let mut runners: Vec<Runner<W>> = Vec::new();
        for _ in 0..actor.below(1..=5) {
            let (bits, weight) = (actor.below(1..=3_u32), actor.below(0..3));
            // Those of at least the same priority come first, or those of more.
            let (order, weight, behind) = match actor.below(0..3) {
                0 if takes_options => (Order::Lifo, 0, 1),
                1 if takes_options => (Order::Priority(weight), weight, weight),
                _ => (Order::Fifo, 0, 0),
            };
            let options = ParkOptions::new().tag(u64::from(bits)).order(order);
            let mut wait = Box::pin(make(options));
            if wait.as_mut().begin().is_some() {
                return Err("a future has not queued".to_owned());
            }
            let place = runners.partition_point(|runner| runner.weight >= behind);
            let runner = Runner {
                wait,
                weight,
                bits: if takes_options { bits } else { u32::MAX },
                baton: None,
            };
            runners.insert(place, runner);
        }
        Ok(runners)
    }

    fn wake<W>(&self, actor: &mut Actor<'_>, runners: &mut [Runner<W>]) -> Result<(), String> {
        let baton = Baton {
            token: actor.token(0),
            entry: actor.below(0..self.keys.len()),
            bits: actor.below(1..=3),
        };
        let key = &self.keys[baton.entry];
        let woken = self.waits.wake_bitset(key, 1, baton.bits, baton.token);
        self.woken.sent(woken, baton.token);
        let expected = usize::from(hand_on(runners, baton));
        if woken == expected {
            Ok(())
        } else {
            Err(format!("a wake of one woke {woken}, not {expected}"))
        }
    }

    /// What had woken the one that goes away goes on to the next.
    fn drop_one<W>(&self, actor: &mut Actor<'_>, runners: &mut Vec<Runner<W>>) {
        if runners.is_empty() {
            return;
        }
        let Runner { wait, baton, .. } = runners.remove(actor.below(0..runners.len()));
        drop(wait);
        self.woken.spent();
        if let Some(baton) = baton {
            hand_on(runners, baton);
        }
    }

    fn time_out<W>(&self, actor: &mut Actor<'_>, runners: &mut Vec<Runner<W>>) -> Result<(), String>
    where
        W: Wait<Output: Outcome>,
    {
        if runners.is_empty() {
            return Ok(());
        }
        let mut runner = runners.remove(actor.below(0..runners.len()));
        let outcome = runner.wait.as_mut().give_in().outcome();
        self.check(outcome, runner.baton, (WaitOutcome::TimedOut, None))
    }

    /// Closes one of the keys: that ends the waits that nothing has ended before.
    fn close<W>(&self, runners: Vec<Runner<W>>) -> Result<(), String>
    where
        W: Future<Output: Outcome>,
    {
        let waiting = runners
            .iter()
            .filter(|runner| runner.baton.is_none())
            .count();
        let entry = self.keys.len() - 1;
        let count = self.waits.close_key(&self.keys[entry]);
        self.closed.sent(count, 0);
        if count != waiting {
            return Err(format!("closing a key ended {count} waits, not {waiting}"));
        }
        let mut context = Context::from_waker(Waker::noop());
        for mut runner in runners {
            let Poll::Ready(ended) = runner.wait.as_mut().poll(&mut context) else {
                return Err("a wait goes on although it was woken or closed".to_owned());
            };
            if runner.baton.is_none() {
                self.closed.received(0);
            }
            let otherwise = (WaitOutcome::Closed, Some(entry));
            self.check(ended.outcome(), runner.baton, otherwise)?;
        }
        Ok(())
    }

    fn check(
        &self,
        outcome: (WaitOutcome, Option<usize>),
        baton: Option<Baton>,
        otherwise: (WaitOutcome, Option<usize>),
    ) -> Result<(), String> {
        let woken = |Baton { token, entry, .. }| (WaitOutcome::Woken { token }, Some(entry));
        let expected = baton.map_or(otherwise, woken);
        if let Some(Baton { token, .. }) = baton {
            self.woken.received(token);
        }
        if outcome == expected {
            Ok(())
        } else {
            Err(format!("a wait ended as {outcome:?}, not as {expected:?}"))
        }
    }
}

/// To the first whom it fits and who has none; whether there is one.
fn hand_on<W>(runners: &mut [Runner<W>], baton: Baton) -> bool {
    let mut fits = runners
        .iter_mut()
        .filter(|runner| runner.baton.is_none() && runner.bits & baton.bits != 0);
    let next = fits.next();
    let found = next.is_some();
    if let Some(runner) = next {
        runner.baton = Some(baton);
    }
    found
}
