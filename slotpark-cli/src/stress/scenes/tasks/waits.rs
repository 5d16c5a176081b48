//! How permits of a pool are waited for.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use slotpark::{Clock, Order, ParkOptions, WaitOutcome};

use super::{Pool, Tasks};
use crate::stress::actor::{Actor, Ended};
use crate::stress::drive::{Course, Driven};
use crate::stress::planned::{Key, panic_as_planned};
use crate::stress::scenes::{book, try_take};
use crate::stress::stage::Place;
use crate::stress::tally::Operation;

impl Tasks {
    /// Takes a permit; false if there was none in time, or if the phase is over.
    pub(super) fn acquire(&self, actor: &mut Actor<'_>, at: Place) -> bool {
        let (pool, lane) = (&self.pools[at.key], at.lanes.trailing_zeros() as usize);
        loop {
            if try_take(&pool.counts[lane]) {
                return true;
            }
            if actor.is_sealed() {
                return false;
            }
            let taken = Cell::new(false);
            let ended = match actor.below(0..4) {
                0 => self.park(actor, at, lane),
                1 => self.prepare(actor, at, lane, &taken),
                _ => self.wait_async(actor, at, lane),
            };
            book(actor, ended, at.key, &pool.ledger);
            if !matches!(ended, Ended::Woken { .. } | Ended::Stale) {
                self.wake_moved(actor, pool, lane);
                return taken.get();
            }
        }
    }

    fn options(actor: &mut Actor<'_>, pool: &Pool, lane: usize) -> ParkOptions {
        let order = match actor.below(0..6) {
            0 => Order::Lifo,
            1 | 2 => Order::Priority(actor.below(0..4)),
            _ => Order::Fifo,
        };
        let tag = u64::from(pool.bits(lane));
        ParkOptions::new().tag(tag).order(order)
    }

    fn park(&self, actor: &mut Actor<'_>, at: Place, lane: usize) -> Ended {
        let (pool, numbers) = (&self.pools[at.key], self.ground.numbers);
        let patience = actor.patience();
        let deadline = patience.deadline(Clock::Monotonic);
        let options = Self::options(actor, pool, lane).deadline(deadline);
        let hash = numbers.hash(pool.key);
        actor.wait(Operation::Park, at, patience, || {
            let none_left = || pool.count(lane) == 0;
            let table = numbers.table();
            table.park(hash, &pool.key, options, none_left).into()
        })
    }

    /// Queues first and looks then. Who finds a permit leaves, and so do some who find none.
    fn prepare(&self, actor: &mut Actor<'_>, at: Place, lane: usize, taken: &Cell<bool>) -> Ended {
        let (pool, patience) = (&self.pools[at.key], actor.patience());
        let deadline = patience.deadline(Clock::Monotonic);
        let options = Self::options(actor, pool, lane).deadline(deadline);
        let (fickle, panics) = (actor.one_in(4), actor.one_in(64));
        let waits = &self.ground.numbers.waits;
        actor.wait_in_steps(Operation::Prepare, at, patience, |settle| {
            let ended = waits.prepare(&pool.key, options, |prepared| {
                taken.set(try_take(&pool.counts[lane]));
                if taken.get() || fickle || panics {
                    pool.ledger.spent();
                    if panics && !taken.get() {
                        panic_as_planned();
                    }
                    return Ended::GivenUp;
                }
                settle();
                prepared.wait().into()
            });
            ended.unwrap_or_else(Ended::from)
        })
    }

    fn wait_async(&self, actor: &mut Actor<'_>, at: Place, lane: usize) -> Ended {
        let (pool, patience) = (&self.pools[at.key], actor.patience());
        let options = Self::options(actor, pool, lane);
        let course = Course::draw(actor, patience);
        let (plain, panics) = (actor.one_in(4), actor.below(0..64));
        let waits = &self.ground.numbers.waits;
        let mut runs = 0;
        let none_left = || {
            runs += 1;
            if panics == runs {
                panic_as_planned();
            }
            pool.count(lane) == 0
        };
        actor.wait(Operation::WaitAsync, at, patience, || {
            // Without a tag of its own it is in every lane: only where there is one.
            let wait = if plain && pool.lanes == 1 {
                waits.wait_async(pool.key, none_left)
            } else {
                waits.wait_async_with(pool.key, options, none_left)
            };
            match course.drive(pin!(wait)) {
                Driven::AtStart(outcome) | Driven::Ended(outcome) => outcome.into(),
                Driven::GivenUp { queued } => {
                    if queued {
                        pool.ledger.spent();
                    }
                    Ended::GivenUp
                }
            }
        })
    }

    /// This thread prepares to wait for a key of its own, is woken, and leaves without a look: then
    /// a future of its own is next.
    pub(super) fn hand_on(&self, actor: &mut Actor<'_>, key: Key) {
        let (waits, token) = (&self.ground.numbers.waits, actor.token(0));
        let mut next = pin!(waits.wait_async(key, || true));
        let woken = waits.prepare(&key, ParkOptions::new(), |_| {
            let queued = next.as_mut().enable().is_none();
            (queued, waits.wake_with_token(&key, 1, token))
        });
        self.relays.sent(1, token);
        self.relays.spent();
        let mut context = Context::from_waker(Waker::noop());
        let ended = next.poll(&mut context);
        if ended.is_ready() {
            self.relays.received(token);
        }
        let handed_on = Poll::Ready(WaitOutcome::Woken { token });
        if (woken, ended) != (Ok((true, 1)), handed_on) {
            actor.found(&format!(
                "who prepared to wait at {key:?} was woken and left: {woken:?}, and the next one \
                 is told {ended:?}"
            ));
        }
        actor.tally.row(Operation::RelayOfWake).calls += 1;
    }

    /// A wake that was passed on at the first key has not found who was moved since it was made.
    fn wake_moved(&self, actor: &mut Actor<'_>, pool: &Pool, lane: usize) {
        if let Some(back) = pool.back
            && pool.count(lane) > 0
        {
            let (waits, bits) = (&self.ground.numbers.waits, pool.bits(lane));
            let woken = waits.wake_bitset(&back, 1, bits, 0);
            pool.ledger.sent(woken, 0);
            actor.woke(Operation::WakeBits, woken);
        }
    }
}
