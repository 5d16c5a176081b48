//! Interrupters: ending a wait from outside, whatever it waits for.
//!
//! An interrupter is an object of the caller's, one for each thread or task that can be
//! interrupted. A wait names it, which gives that wait a claim (W4): a wake and an interrupt
//! compete for it by one compare-exchange, so the interrupt needs neither the key nor the slot, and
//! the waiter itself unlinks its nodes.
//!
//! **Invariants**
//! - I1 From its entry to its exit a waiter is the target, and its frame lives; both take the lock.
//! - I2 `pending` is set by an interrupt and taken back by the wait that returns Interrupted, or by
//!   `clear`; all under the lock.
//!
//! **Lock order**: the interrupter's lock, then slot locks. **Orderings**: LOCK, HANDOFF.

use core::fmt;
use core::ptr;

use crate::platform::{DefaultPlatform, Platform};
use crate::reentry;
use crate::slot_lock::SlotLock;
use crate::sync::{Guarded, const_unless_loom};
use crate::waiter::{Ending, Run, Verdict, Waiter};
use crate::wakers::Wakers;

/// Ends the wait that uses it with `Interrupted`: the one that does so now, or else the next one,
/// before it sleeps. One wait at a time can use it.
///
/// ```
/// use slotpark_core::{Interrupter, ParkOptions, Parked, Table};
/// let interrupter = Interrupter::new();
/// let table = Table::<u64>::new();
/// interrupter.interrupt();
/// let parked = table.park_interruptible(1, &7, ParkOptions::new(), &interrupter, || true);
/// assert_eq!(parked, Parked::Interrupted);
/// ```
pub struct Interrupter<P: Platform = DefaultPlatform> {
    lock: SlotLock<P>,
    state: Guarded<State<P>>,
}

/// Guarded by the interrupter's lock.
struct State<P: Platform> {
    pending: bool,
    target: *const Waiter<P>,
}

impl<P: Platform> Clone for State<P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for State<P> {}

// SAFETY: the state is accessed under the lock; the target is shared under the rules of `waiter`.
unsafe impl<P: Platform> Sync for Interrupter<P> {}
// SAFETY: as above; it is tied to no thread, and cannot be moved while a wait borrows it.
unsafe impl<P: Platform> Send for Interrupter<P> {}

impl Interrupter {
    const_unless_loom! {
        /// Nobody is interrupted yet.
        ///
        /// ```
        /// static MINE: slotpark_core::Interrupter = slotpark_core::Interrupter::new();
        /// assert!(!MINE.is_pending());
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self::on_platform()
        }
    }
}

impl<P: Platform> Interrupter<P> {
    const_unless_loom! {
        /// As [`new`](Interrupter::new), for waits on tables of another platform.
        ///
        /// ```
        /// use slotpark_core::{DefaultPlatform, Interrupter};
        /// assert!(!Interrupter::<DefaultPlatform>::on_platform().is_pending());
        /// ```
        #[must_use]
        pub fn on_platform() -> Self {
            Self {
                lock: SlotLock::new(),
                state: Guarded::new(State { pending: false, target: ptr::null() }),
            }
        }
    }

    /// Ends the wait that uses this interrupter now, and returns true. If there is none, or it was
    /// ended by something else before, the next one returns `Interrupted` at its start.
    ///
    /// # Panics
    /// In debug builds, if called from a closure that runs under a slot lock. Passes a panic of the
    /// task's Waker on.
    ///
    /// ```
    /// assert!(!slotpark_core::Interrupter::new().interrupt());
    /// ```
    pub fn interrupt(&self) -> bool {
        reentry::check();
        // Called when all else is dropped.
        let mut wakers = Wakers::<P>::of_one();
        let _critical = P::critical();
        let guard = self.lock();
        let State { target, .. } = guard.get();
        guard.set(State {
            pending: true,
            target,
        });
        // SAFETY: I1: the target's frame lives while the lock is held.
        let Some(waiter) = (unsafe { target.as_ref() }) else {
            return false;
        };
        if !waiter.claim.take(None) {
            return false;
        }
        let verdict = Verdict::ended(Ending::Interrupted);
        if waiter.is_task() {
            // SAFETY: W2: the claim is ours.
            unsafe { waiter.tell(verdict) };
            // SAFETY: W5: the claim is ours, and its future exchanges Wakers under our lock.
            wakers.push(unsafe { waiter.exchange_waker(None) });
        } else {
            let mut run = Run::new();
            // SAFETY: W1: the claim is ours; the waiter's table is borrowed by its wait, which does
            // not end before it has taken our lock.
            unsafe { run.release(target, verdict) };
            // Under the lock, since the home is known to live only while it is held.
            run.flush();
        }
        true
    }

    /// Forgets an interrupt that no wait has returned yet; true if there was one.
    ///
    /// ```
    /// let interrupter = slotpark_core::Interrupter::new();
    /// interrupter.interrupt();
    /// assert!(interrupter.clear());
    /// assert!(!interrupter.clear());
    /// ```
    pub fn clear(&self) -> bool {
        reentry::check();
        let guard = self.lock();
        let State { pending, target } = guard.get();
        guard.set(State {
            pending: false,
            target,
        });
        pending
    }

    /// Whether an interrupt waits for a wait to return it.
    ///
    /// ```
    /// assert!(!slotpark_core::Interrupter::new().is_pending());
    /// ```
    #[must_use]
    pub fn is_pending(&self) -> bool {
        reentry::check();
        self.lock().get().pending
    }
}

impl<P: Platform> Interrupter<P> {
    /// A wait begins; false if it has been interrupted already.
    ///
    /// # Safety
    /// The frame of `waiter` lives until [`exit`](Self::exit).
    pub(crate) unsafe fn enter(&self, waiter: *const Waiter<P>) -> bool {
        let _critical = P::critical();
        let guard = self.lock();
        let State { pending, target } = guard.get();
        assert!(
            target.is_null(),
            "slotpark: an interrupter is used by two waits at a time"
        );
        let target = if pending { ptr::null() } else { waiter };
        guard.set(State {
            pending: false,
            target,
        });
        !pending
    }

    /// The wait ends, as Interrupted or otherwise.
    pub(crate) fn exit(&self, interrupted: bool) {
        let _critical = P::critical();
        let guard = self.lock();
        let pending = guard.get().pending && !interrupted;
        guard.set(State {
            pending,
            target: ptr::null(),
        });
    }

    /// Keeps interrupts out.
    pub(crate) fn lock(&self) -> Locked<'_, P> {
        reentry::add();
        self.lock.lock();
        Locked(self)
    }
}

/// The lock of an interrupter, held.
pub(crate) struct Locked<'i, P: Platform>(&'i Interrupter<P>);

impl<P: Platform> Locked<'_, P> {
    fn get(&self) -> State<P> {
        // SAFETY: I2: the lock is held.
        unsafe { self.0.state.get() }
    }

    fn set(&self, state: State<P>) {
        // SAFETY: I2: the lock is held.
        unsafe { self.0.state.set(state) };
    }
}

impl<P: Platform> Drop for Locked<'_, P> {
    fn drop(&mut self) {
        self.0.lock.unlock();
        reentry::subtract();
    }
}

impl<P: Platform> Default for Interrupter<P> {
    fn default() -> Self {
        Self::on_platform()
    }
}

impl<P: Platform> fmt::Debug for Interrupter<P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupter").finish_non_exhaustive()
    }
}
