//! Conditions of a key: given up and awaited in one step, notified, granted in turn.

use std::pin::pin;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;
use slotpark_core::{
    Condition, ConditionOutcome, Deadline, HoldOptions, Holding, KeyedLock, KeyedOptions,
    Preference, WhenFull,
};

use crate::bell::{Bell, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, SOON, explore};

const FAIR: KeyedOptions = KeyedOptions::new().slots(1).pool(3, WhenFull::Fail);
const BARGING: KeyedOptions = FAIR.preference(Preference::Barging);

/// A key, a number that it guards, and a condition.
struct Site {
    lock: KeyedLock<u64, Host<OwnBit>>,
    changed: Condition,
    number: UnsafeCell<u32>,
}

// SAFETY: loom's cells check that nobody accesses them at the same time.
unsafe impl Sync for Site {}
// SAFETY: as above: loom's cells check it.
unsafe impl Send for Site {}

impl Site {
    fn new(options: KeyedOptions) -> Arc<Self> {
        Arc::new(Self {
            lock: KeyedLock::with_options(1, options).unwrap(),
            changed: Condition::new(),
            number: UnsafeCell::new(0),
        })
    }

    fn spawn<R: 'static>(
        self: &Arc<Self>,
        action: impl FnOnce(&Self) -> R + 'static,
    ) -> thread::JoinHandle<R> {
        let site = Arc::clone(self);
        thread::spawn(move || action(&site))
    }

    fn hold(&self) -> Holding<'_, u64, Host<OwnBit>> {
        self.lock.hold(A, A, HoldOptions::new(1)).unwrap()
    }

    fn number(&self) -> u32 {
        // SAFETY: the caller holds the key; loom checks it.
        self.number.with(|number| unsafe { *number })
    }

    fn set(&self, value: u32) {
        // SAFETY: the caller holds the key; loom checks it.
        self.number.with_mut(|number| unsafe { *number = value });
    }

    fn notify(&self, count: usize) -> usize {
        self.lock.notify(A, &A, &self.changed, count)
    }

    /// Waits until the number is not 0, takes one off; false if a deadline passed before.
    fn take(&self, deadline: Option<Deadline>) -> bool {
        let mut guard = self.hold();
        while self.number() == 0 {
            let notified;
            (guard, notified) = guard.wait(&self.changed, deadline);
            if notified == ConditionOutcome::TimedOut {
                break;
            }
        }
        let number = self.number();
        self.set(number.saturating_sub(1));
        drop(guard);
        number > 0
    }

    /// Adds to the number, with the key held or already released when it notifies.
    fn give(&self, value: u32, count: usize, holding: bool) -> usize {
        let guard = self.hold();
        self.set(self.number() + value);
        if holding {
            return self.notify(count);
        }
        drop(guard);
        self.notify(count)
    }

    #[track_caller]
    fn assert_free(&self, number: u32) {
        assert_eq!(self.lock.held(A, &A), 0);
        assert_eq!(self.lock.waiters(A, &A), 0);
        assert_eq!(self.lock.condition_waiters(A, &A, &self.changed), 0);
        assert_eq!(self.number(), number);
        assert_eq!(self.lock.pool_stats().taken, 0);
    }
}

/// One waits for what the other gives, notified with the key held and without.
#[test]
fn a_wait_against_a_notification() {
    for options in [FAIR, BARGING] {
        for holding in [false, true] {
            explore([0, 1], move || {
                let site = Site::new(options);
                let taker = site.spawn(|site| site.take(None));
                let notified = site.give(1, 1, holding);
                assert!(taker.join().unwrap());
                site.assert_free(0);
                notified
            });
        }
    }
}

/// The same with a deadline: what was given is taken, or left.
#[test]
fn a_deadline_against_a_notification() {
    for options in [FAIR, BARGING] {
        explore([(false, 0), (true, 0), (true, 1)], move || {
            let site = Site::new(options);
            let taker = site.spawn(|site| site.take(SOON));
            let notified = site.give(1, 1, true);
            let taken = taker.join().unwrap();
            site.assert_free(u32::from(!taken));
            (taken, notified)
        });
    }
}

/// Two wait, and both are notified at once: they go on one by one.
#[test]
fn two_waits_against_one_notification() {
    explore([0, 1, 2], || {
        let site = Site::new(FAIR);
        let takers = [(); 2].map(|()| site.spawn(|site| site.take(None)));
        let notified = site.give(2, usize::MAX, false);
        for taker in takers {
            assert!(taker.join().unwrap());
        }
        site.assert_free(0);
        notified
    });
}

/// A future that was notified is dropped: the notification goes on to the next.
#[test]
fn a_dropped_wait_passes_the_notification_on() {
    for options in [FAIR, BARGING] {
        explore([()], move || {
            let site = Site::new(options);
            let mut leaver = Box::pin(site.hold().wait_async(&site.changed));
            assert!(poll(leaver.as_mut(), &Bell::new()).is_pending());
            let bell = Bell::new();
            let mut second = pin!(site.hold().wait_async(&site.changed));
            assert!(poll(second.as_mut(), &bell).is_pending());
            let other = site.spawn(|site| assert_eq!(site.notify(1), 1));
            drop(leaver);
            bell.wait();
            // Barging: woken to try again.
            assert!(poll(second.as_mut(), &bell).is_ready());
            other.join().unwrap();
            site.assert_free(0);
        });
    }
}
