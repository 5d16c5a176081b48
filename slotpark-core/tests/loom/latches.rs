//! Latches: counting down, abandoning and arming, while others wait and give up.

use std::pin::pin;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};
use slotpark_core::{ArmedLatch, Deadline, KeyedOptions, Latch, LatchOutcome, WhenFull};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, C, SOON, explore};

type Latches = Latch<u64, Host<OwnBit>>;
type Armed<'l> = ArmedLatch<'l, u64, Host<OwnBit>>;

/// A `LatchOutcome` in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    Opened,
    Abandoned,
    TimedOut,
}

impl From<LatchOutcome> for Ended {
    fn from(outcome: LatchOutcome) -> Self {
        match outcome {
            LatchOutcome::Opened => Self::Opened,
            LatchOutcome::Abandoned => Self::Abandoned,
            LatchOutcome::TimedOut => Self::TimedOut,
            _ => unreachable!("no wait here ends otherwise"),
        }
    }
}

/// A latch whose keys meet in one slot, and what is done before it opens.
struct Site {
    latch: Latches,
    done: UnsafeCell<u32>,
}

// SAFETY: loom's cell checks that nobody accesses it at the same time.
unsafe impl Sync for Site {}
// SAFETY: no contract of a thread: a site is tied to none.
unsafe impl Send for Site {}

impl Site {
    fn new() -> Arc<Self> {
        let options = KeyedOptions::new().slots(1).pool(2, WhenFull::Fail);
        Arc::new(Self {
            latch: Latch::with_options(options).unwrap(),
            done: UnsafeCell::new(0),
        })
    }

    fn spawn<R: 'static>(
        self: &Arc<Self>,
        action: impl FnOnce(&Self) -> R + 'static,
    ) -> JoinHandle<R> {
        let site = Arc::clone(self);
        thread::spawn(move || action(&site))
    }

    fn arm(&self, count: u32) -> Armed<'_> {
        self.latch.arm(A, A, count).unwrap()
    }

    /// Who waits sees what was done, if the latch was opened.
    fn wait(&self, deadline: Option<Deadline>) -> Ended {
        let ended = Ended::from(self.latch.wait(A, &A, deadline));
        if ended == Ended::Opened {
            // SAFETY: it is done; loom checks it.
            self.done.with(|done| assert_eq!(unsafe { *done }, 1));
        }
        ended
    }

    /// Does it.
    fn act(&self) {
        // SAFETY: nobody looks yet; loom checks it.
        self.done.with_mut(|done| unsafe { *done = 1 });
    }

    #[track_caller]
    fn assert_over(&self) {
        assert_eq!(self.latch.waiters(A, &A), 0);
        assert_eq!(self.latch.remaining(A, &A), 0);
        assert_eq!(self.latch.pool_stats().taken, 0);
    }
}

#[test]
fn a_wait_against_a_counting_down() {
    explore([Ended::Opened], || {
        let site = Site::new();
        let armed = site.arm(1);
        let other = site.spawn(|site| site.wait(None));
        site.act();
        assert_eq!(site.latch.count_down(A, &A, 1), Some(0));
        let ended = other.join().unwrap();
        drop(armed);
        site.assert_over();
        ended
    });
}

/// Two count down; the one that comes to 0 releases who waits.
#[test]
fn two_count_down() {
    explore([(Ended::Opened, 0), (Ended::Opened, 1)], || {
        let site = Site::new();
        let armed = site.arm(2);
        site.act();
        let other = site.spawn(|site| site.latch.count_down(A, &A, 1));
        let waiter = site.spawn(|site| site.wait(None));
        let left = armed.count_down(1);
        assert_eq!(other.join().unwrap(), Some(1 - left), "one is the last");
        let ended = waiter.join().unwrap();
        drop(armed);
        site.assert_over();
        (ended, left)
    });
}

/// Who waits is told that nobody will count down any more; who comes later finds it open.
#[test]
fn a_wait_against_an_abandoning() {
    explore([Ended::Opened, Ended::Abandoned], || {
        let site = Site::new();
        let armed = site.arm(1);
        let other = site.spawn(|site| Ended::from(site.latch.wait(A, &A, None)));
        drop(armed);
        let ended = other.join().unwrap();
        site.assert_over();
        ended
    });
}

/// It is counted down, or abandoned before: both sides say the same.
#[test]
fn a_counting_down_against_an_abandoning() {
    let counted = (Some(0), Ended::Opened);
    explore([counted, (None, Ended::Abandoned)], || {
        let (site, bell) = (Site::new(), Bell::new());
        let armed = site.arm(1);
        let mut wait = pin!(site.latch.wait_async(A, A));
        assert!(poll(wait.as_mut(), &bell).is_pending());
        let other = site.spawn(|site| site.latch.count_down(A, &A, 1));
        drop(armed);
        let ended = finish(wait, &bell).into();
        let left = other.join().unwrap();
        site.assert_over();
        (left, ended)
    });
}

#[test]
fn a_deadline_against_a_counting_down() {
    explore([Ended::Opened, Ended::TimedOut], || {
        let site = Site::new();
        let armed = site.arm(1);
        let other = site.spawn(|site| site.wait(SOON));
        // Not again after a wait that looked.
        site.act();
        armed.count_down(1);
        let ended = other.join().unwrap();
        drop(armed);
        site.assert_over();
        ended
    });
}

/// One of two tasks is dropped while both are released, in one wake: the other is.
#[test]
fn a_dropped_wait_against_a_counting_down() {
    explore([Ended::Opened], || {
        let (site, bell) = (Site::new(), Bell::new());
        let armed = site.arm(1);
        let mut first = Box::pin(site.latch.wait_async(A, A));
        assert!(poll(first.as_mut(), &Bell::new()).is_pending());
        let mut second = pin!(site.latch.wait_async(A, A));
        assert!(poll(second.as_mut(), &bell).is_pending());
        let other = site.spawn(|site| site.latch.count_down(A, &A, 3));
        drop(first);
        let ended = finish(second, &bell).into();
        assert_eq!(other.join().unwrap(), Some(0));
        drop(armed);
        site.assert_over();
        ended
    });
}

/// Two arm a key: one has its key back. Another key of the slot is another latch.
#[test]
fn two_arm_a_key() {
    explore([false, true], || {
        let site = Site::new();
        let other = site.spawn(|site| {
            let armed = site.latch.arm(A, A, 1);
            armed.is_ok()
        });
        let armed = site.latch.arm(A, A, 1);
        let is_armed = armed.is_ok();
        assert!(is_armed || armed.is_err());
        assert!(site.latch.is_open(C, &C));
        drop(armed);
        assert!(other.join().unwrap() || is_armed);
        site.assert_over();
        is_armed
    });
}
