//! A waiter: the thread or task that waits, how it is woken, and what it is told.
//!
//! ```text
//!              park                       release (one swap, the last touch by the waker)
//! WAITING -------------> PARKED(bit)  ------------------> RELEASED
//!    |                   PARKED_ALONE                        ^
//!    +-------------------------------------------------------+
//! ```
//!
//! **States** of the state word: WAITING (awake, maybe spinning) - PARKED with the bit that it
//! sleeps on at home - PARKED_ALONE (sleeps on the state word itself) - RELEASED. A task has no
//! state: its Waker is taken under the slot lock, and what ends it is its node's `slot` (see
//! `node`).
//!
//! **Invariants**
//! - W1 Only who detached the waiter's node, or won its claim, releases it, once; until then the
//!   frame lives, after that store it may be gone.
//! - W2 The verdict is written before the release and read after it.
//! - W3 The sleeper reads the sequence, then its state, then sleeps on that sequence; the waker
//!   releases the state, then bumps the sequence, then wakes. Any other order deadlocks.
//! - W4 A waiter with a claim (on several keys, or with an interrupter) is decided by the one
//!   compare-exchange that succeeds. Who loses touches nothing of it, but for a node of its own
//!   that is counted by itself.
//! - W5 The Waker of a task is accessed under the lock of the slot that its node is in; that of a
//!   task with a claim by whoever won the claim, or, before, under the locks of all its slots.
//!
//! **Orderings**: HANDOFF (verdict and frame), SLEEP (state before sequence).

mod sleeper;
mod state;

use core::task::Waker;

use crate::inspect::WaitEnd;
use crate::platform::Platform;
use crate::slot::Slot;
use crate::spin::Moment;
use crate::sync::{Guarded, spin_loop};
use crate::waiter::state::{Claim, State};

pub(crate) use sleeper::{GaveUp, Run, Sleeper, Until};

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Woken,
    Closed,
    Interrupted,
}

impl From<Ending> for WaitEnd {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Woken => Self::Woken,
            Ending::Closed => Self::Closed,
            Ending::Interrupted => Self::Interrupted,
        }
    }
}

impl From<GaveUp> for WaitEnd {
    fn from(gave_up: GaveUp) -> Self {
        match gave_up {
            GaveUp::TimedOut => Self::TimedOut,
            GaveUp::Interrupted => Self::Interrupted,
        }
    }
}

/// What a waiter is told by whoever chose it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) ending: Ending,
    /// The wake has no bitset: it fits waiters without bits, too.
    pub(crate) fits_all: bool,
    /// It was of the last in the queue, and goes on to who is the last then.
    pub(crate) to_last: bool,
    /// The bits of the wake that a chosen waiter passes on if it does not want it; 0 is none.
    pub(crate) passes_on: u32,
    pub(crate) token: u64,
}

impl Verdict {
    /// Of a wake that is not passed on.
    pub(crate) const fn woken(token: u64) -> Self {
        Self {
            ending: Ending::Woken,
            fits_all: false,
            to_last: false,
            passes_on: 0,
            token,
        }
    }

    /// Of a wake of the first `count`, which is passed on unless that is everybody: to whom it fits
    /// by its bitset, if it has one.
    #[inline]
    pub(crate) const fn of_first(count: usize, bits: Option<u32>, token: u64) -> Self {
        let (fits_all, bits) = match bits {
            Some(bits) => (false, bits),
            None => (true, u32::MAX),
        };
        Self {
            fits_all,
            passes_on: if count == usize::MAX { 0 } else { bits },
            ..Self::woken(token)
        }
    }

    /// Of a wake of the last in the queue.
    pub(crate) const fn of_last(token: u64) -> Self {
        Self {
            to_last: true,
            ..Self::of_first(1, None, token)
        }
    }

    pub(crate) const fn ended(ending: Ending) -> Self {
        Self {
            ending,
            ..Self::woken(0)
        }
    }
}

/// See the module. One cache line where the platform needs no handle.
#[repr(C, align(64))]
pub(crate) struct Waiter<P: Platform> {
    state: State,
    pub(crate) claim: Claim,
    /// The slot where it began and on whose sequence it sleeps, wherever its nodes are moved.
    home: *const Slot<P>,
    verdict: Guarded<Verdict>,
    waker: Guarded<Option<Waker>>,
    /// When and where it began to wait: a `Moment`, whose parts leave room for the handle.
    arrived_ticks: u64,
    arrived_cpu: u32,
    /// `None` for a task.
    handle: Option<P::Handle>,
}

impl<P: Platform> Waiter<P> {
    /// A thread that sleeps at `home`.
    pub(crate) fn thread(home: *const Slot<P>, arrived: Moment) -> Self {
        Self {
            handle: Some(P::handle()),
            arrived_ticks: arrived.ticks,
            arrived_cpu: arrived.cpu,
            ..Self::task(home, None)
        }
    }

    #[inline]
    pub(crate) fn task(home: *const Slot<P>, waker: Option<Waker>) -> Self {
        Self {
            state: State::new(),
            claim: Claim::new(),
            home,
            verdict: Guarded::new(Verdict::woken(0)),
            waker: Guarded::new(waker),
            arrived_ticks: Moment::UNKNOWN.ticks,
            arrived_cpu: Moment::UNKNOWN.cpu,
            handle: None,
        }
    }

    pub(crate) fn is_task(&self) -> bool {
        self.handle.is_none()
    }

    /// When and where it began to wait.
    pub(crate) fn arrived(&self) -> Moment {
        Moment {
            ticks: self.arrived_ticks,
            cpu: self.arrived_cpu,
        }
    }

    /// What the thread was told. Only after the release.
    pub(crate) fn verdict(&self) -> Verdict {
        debug_assert!(
            self.state.is_released(),
            "W2: the verdict is read after the release"
        );
        // SAFETY: W2: the waker wrote it before the release that this thread has seen.
        unsafe { self.verdict.get() }
    }

    /// What the task was told.
    ///
    /// # Safety
    /// The caller has seen that the node is in no slot (UNLINK), or holds the lock of its slot.
    pub(crate) unsafe fn verdict_of_task(&self) -> Verdict {
        // SAFETY: W2: it is written under the slot lock, and before the node leaves its slot.
        unsafe { self.verdict.get() }
    }

    /// # Safety
    /// The caller may write the verdict: it holds the slot lock, and has chosen the waiter.
    pub(crate) unsafe fn tell(&self, verdict: Verdict) {
        // SAFETY: W2: nobody reads or writes the verdict before the release.
        unsafe { self.verdict.set(verdict) };
    }

    /// Exchanges the task's Waker. The old one must not be dropped under a slot lock.
    ///
    /// # Safety
    /// W5 allows the caller to.
    pub(crate) unsafe fn exchange_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        // SAFETY: W5 is the caller's contract.
        unsafe { self.waker.replace(waker) }
    }

    /// Looks for the release for about `budget_ns`; true if it came.
    pub(crate) fn spin(&self, budget_ns: u64) -> bool {
        /// Looks between two readings of the clock, each of which costs about as much as a look.
        const LOOKS: u32 = 4;
        let begin = P::ticks();
        loop {
            for _ in 0..LOOKS {
                if self.state.is_released() {
                    return true;
                }
                spin_loop();
            }
            if P::ticks().wrapping_sub(begin) >= budget_ns {
                return false;
            }
        }
    }
}
