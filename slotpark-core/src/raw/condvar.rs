//! A condition variable in one word.
//!
//! **States**: null while nobody waits, else the mutex of those who do (it may stay behind when
//! their waits were ended from outside).
//!
//! **Invariants**: C1 under the slot lock of the condition variable: if somebody waits there, the
//! word points to the mutex of everybody who does, and that mutex lives, since they borrow it.
//!
//! A notification does not wake who could not go on: while the mutex is locked its waiters are
//! moved to the mutex, whose unlocks wake them one by one.
//!
//! **Lock order**: two slot locks in index order. **Orderings**: those of `requeue`; MUTEX tells a
//! notifier that somebody waits.

use core::cell::Cell;
use core::fmt;
use core::ptr;

use super::{HANDED_OVER, RawMutex, TRY_AGAIN, nap};
use crate::at::At;
use crate::choose::{Choice, Filter};
use crate::inspect::Caller;
use crate::options::{ParkOptions, Parked};
use crate::platform::{Deadline, Platform};
use crate::requeue::RequeueOptions;
use crate::sync::{AtomicPtr, Ordering, const_unless_loom};

/// A condition variable of one word, for waits that give up a [`RawMutex`]. All who wait at one
/// time use one mutex.
///
/// No wait ends without a notification or its deadline, except in a table that was closed. A
/// notification with nobody waiting is one load; it is not remembered.
///
/// With the feature `lock_api` it is a `lock_api::RawCondvar`, and `lock_api::Condvar` waits with
/// guards.
///
/// ```
/// use slotpark_core::{Deadline, RawCondvar, RawMutex};
/// let (mutex, changed) = (RawMutex::new(), RawCondvar::new());
/// assert!(mutex.lock_at(mutex.place(), None));
/// let place = (&mutex, mutex.place());
/// // SAFETY: the condition variable is used at its own place.
/// let notified = unsafe { changed.wait_at(changed.place(), place, Some(Deadline::PAST)) };
/// assert!(!notified);
/// assert!(mutex.is_locked());
/// ```
pub struct RawCondvar {
    word: Word,
}

#[derive(Debug)]
struct Word(AtomicPtr<RawMutex>);

impl Word {
    const_unless_loom! {
        fn new() -> Self {
            Self(AtomicPtr::new(ptr::null_mut()))
        }
    }

    #[inline]
    fn get(&self) -> *const RawMutex {
        // ORDERING: none, relaxed: a hint outside the slot lock, guarded by it inside.
        self.0.load(Ordering::Relaxed)
    }

    /// Under the slot lock.
    fn set(&self, mutex: *const RawMutex) {
        // ORDERING: none, relaxed: guarded by the slot lock.
        self.0.store(mutex.cast_mut(), Ordering::Relaxed);
    }
}

/// Others wait with another mutex.
struct OtherMutex;

impl RawCondvar {
    const_unless_loom! {
        /// Nobody waits.
        ///
        /// ```
        /// use slotpark_core::RawCondvar;
        /// assert_eq!(size_of_val(&RawCondvar::new()), size_of::<usize>());
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { word: Word::new() }
        }
    }

    /// Its place in the process-wide table.
    ///
    /// ```
    /// let condvar = slotpark_core::RawCondvar::new();
    /// assert_eq!(condvar.place().key, condvar.place().key);
    /// ```
    #[cfg(not(slotpark_loom))]
    #[must_use]
    pub fn place(&self) -> At<'static, crate::FutexKey, crate::DefaultPlatform> {
        crate::process::place(crate::process::Kind::Condvar, self)
    }

    /// Unlocks the mutex, which the caller has locked, and waits until notified or until the
    /// deadline, in one step for whoever notifies after locking the mutex; then locks it again.
    /// False if the deadline has passed and no notification has counted this wait.
    ///
    /// # Panics
    /// If others wait with another mutex; the mutex stays locked then.
    ///
    /// # Safety
    /// All calls on this object name the same place, at which nobody else waits; that of the mutex
    /// is in the same table.
    ///
    /// ```
    /// use slotpark_core::{RawCondvar, RawMutex};
    /// let (mutex, changed) = (RawMutex::new(), RawCondvar::new());
    /// assert!(mutex.lock_at(mutex.place(), None));
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         assert!(mutex.lock_at(mutex.place(), None));
    ///         // SAFETY: the condition variable is used at its own place.
    ///         let count = unsafe { changed.notify_at(changed.place(), 1, |_| mutex.place()) };
    ///         assert_eq!(count, 1);
    ///         mutex.unlock_at(mutex.place());
    ///     });
    ///     // SAFETY: the condition variable is used at its own place.
    ///     assert!(unsafe { changed.wait_at(changed.place(), (&mutex, mutex.place()), None) });
    /// });
    /// ```
    #[track_caller]
    pub unsafe fn wait_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        (mutex, mutex_at): (&RawMutex, At<'_, K, P>),
        deadline: Option<Deadline>,
    ) -> bool {
        let (unlocked, moved) = (Cell::new(false), Cell::new(false));
        let parked = loop {
            let options = ParkOptions::new().deadline(deadline).tag(0).validated();
            let unlock = || {
                unlocked.set(true);
                mutex.unlock_at(mutex_at);
            };
            let join = || self.join(mutex);
            let table = at.table;
            let parked = table.park_with(at.hash, &at.key, options, join, unlock, |left| {
                moved.set(left.moved);
                if left.last && !left.moved {
                    self.word.set(ptr::null());
                }
            });
            match parked {
                Ok(parked) => break parked,
                Err(OtherMutex) => assert!(
                    self.forget_the_gone(at),
                    "slotpark: a condition variable is waited on with two mutexes at one time"
                ),
            }
        };
        if !unlocked.get() {
            // There was no wait, but others may need the mutex to make the condition true.
            mutex.unlock_fair_at(mutex_at);
            if parked == Parked::Closed {
                nap::<P>(deadline);
            }
        }
        if parked == (Parked::Woken { token: HANDED_OVER }) {
            let _locked = mutex.seen_by(Caller::here(), true);
        } else {
            let _locked = mutex.lock_at(mutex_at, None);
        }
        match parked {
            // Who was moved has been counted.
            Parked::TimedOut => moved.get(),
            Parked::Closed => !deadline.is_some_and(Deadline::is_past::<P>),
            _ => true,
        }
    }

    /// Under the slot lock, by who will be queued in this hold of it.
    fn join(&self, mutex: &RawMutex) -> Result<bool, OtherMutex> {
        let others = self.word.get();
        if others.is_null() {
            self.word.set(mutex);
        } else if !ptr::eq(others, mutex) {
            return Err(OtherMutex);
        }
        Ok(true)
    }

    /// Whether nobody waits: those who set the word were ended from outside.
    #[cold]
    fn forget_the_gone<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) -> bool {
        let mut remain = false;
        let policy = |choice: Choice| {
            remain = choice.remain;
            if !remain {
                self.word.set(ptr::null());
            }
            0
        };
        let table = at.table;
        let _none = table.unpark_with(at.hash, &at.key, 0, |_| Filter::Stop, policy);
        !remain
    }

    /// Ends the waits of up to `count` threads, first come first served; how many. Those are waits
    /// that return true, each as soon as it has the mutex. `place` is where the waiters of that
    /// mutex wait; it may not look into it.
    ///
    /// # Safety
    /// As [`wait_at`](Self::wait_at).
    ///
    /// ```
    /// use slotpark_core::{RawCondvar, RawMutex};
    /// let (mutex, changed) = (RawMutex::new(), RawCondvar::new());
    /// // SAFETY: the condition variable is used at its own place.
    /// let count = unsafe { changed.notify_at(changed.place(), 1, |_| mutex.place()) };
    /// assert_eq!(count, 0);
    /// ```
    #[inline]
    pub unsafe fn notify_at<'t, K: Copy + Eq + Send, P: Platform>(
        &self,
        at: At<'t, K, P>,
        count: usize,
        place: impl Fn(*const RawMutex) -> At<'t, K, P>,
    ) -> usize {
        let mutex = self.word.get();
        if mutex.is_null() || count == 0 {
            return 0;
        }
        self.notify_waiters(at, count, mutex, place)
    }

    #[cold]
    fn notify_waiters<'t, K: Copy + Eq + Send, P: Platform>(
        &self,
        at: At<'t, K, P>,
        count: usize,
        mut mutex: *const RawMutex,
        place: impl Fn(*const RawMutex) -> At<'t, K, P>,
    ) -> usize {
        while !mutex.is_null() {
            let to = place(mutex);
            let validate = |anybody: &dyn Fn() -> bool| {
                if !anybody() {
                    self.word.set(ptr::null());
                }
                if !ptr::eq(self.word.get(), mutex) {
                    return Ok::<_, core::convert::Infallible>(None);
                }
                // SAFETY: C1: somebody waits, with this mutex, in the slot whose lock is held.
                let is_locked = unsafe { (*mutex).expect_waiters() };
                // Of those for whom the mutex is free, one can go on.
                let wake_max = usize::from(!is_locked);
                Ok(Some(RequeueOptions {
                    wake_max,
                    move_max: count - wake_max,
                    token: TRY_AGAIN,
                }))
            };
            let then = |anybody: &dyn Fn() -> bool| {
                if !anybody() {
                    self.word.set(ptr::null());
                }
            };
            let (from, to) = ((at.hash, &at.key), (to.hash, &to.key));
            let Ok(done) = at.table.requeue_with(from, to, TRY_AGAIN, validate, then);
            if let Some(done) = done {
                return done.woken + done.moved;
            }
            mutex = self.word.get();
        }
        0
    }
}

#[cfg(not(slotpark_loom))]
impl Default for RawCondvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RawCondvar {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCondvar")
            .field("waited_on", &!self.word.get().is_null())
            .finish()
    }
}
