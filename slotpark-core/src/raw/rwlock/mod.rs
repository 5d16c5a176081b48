//! A reader-writer lock in one word of 4 bytes.
//!
//! **Invariants**
//! - R1 Under the slot lock: if somebody is queued, PARKED is set.
//! - R2 While PARKED is set the word changes only under the slot lock.
//! - R3 A release is one write of the word, and its last touch: who gets the lock next is part of
//!   what is written.
//! - R4 After every change that could serve somebody who is queued (a release, a head that leaves)
//!   the queue is served in the same hold of the slot lock, or in a later one by who has left.
//!
//! Readers, and who wants an upgradable lock, queue behind everybody who is queued, and are given
//! the lock by who releases it: all those at the head at once. A writer at the head is woken to try,
//! and may find that another writer was faster; too often, and it is given the lock as well. So
//! neither side starves.
//!
//! **Lock order**: one slot lock. **Orderings**: RWLOCK, and those of `park`.

mod change;
mod word;

use core::cell::Cell;
use core::fmt;

use super::{HANDED_OVER, LOST_MAX, TRY_AGAIN, nap, order, wait};
use crate::at::At;
use crate::choose::{Candidate, Choice, Filter};
use crate::options::{Order, ParkOptions, Parked};
use crate::platform::{Deadline, Platform};
use crate::sync::{LOCK_SPIN_COUNT_MAX, const_unless_loom, spin_loop};
pub(super) use word::Mode;
use word::{State, Word};

/// A reader-writer lock of 4 bytes. The caller keeps it, and says with each call where its waiters
/// wait: all calls on one lock name the same place, for which [`place`](Self::place) will do.
///
/// Readers who come while anybody waits queue behind; the readers at the head of the queue go in
/// together. A writer who comes while it is free takes it, also past those who wait, but who was
/// woken too late eight times is handed the lock next. One holder at a time may be *upgradable*:
/// beside readers, and able to become the writer without letting go. There is no poisoning, and a
/// thread that reads twice may wait for a writer that waits for it.
///
/// With the feature `lock_api` it is a `lock_api::RawRwLock`, and `lock_api::RwLock` puts a value
/// under it.
///
/// ```
/// use slotpark_core::RawRwLock;
/// static LOCK: RawRwLock = RawRwLock::new();
/// let place = LOCK.place();
/// assert!(LOCK.read_at(place, None) && LOCK.read_at(place, None));
/// assert!(!LOCK.try_write());
/// LOCK.unlock_read_at(place);
/// LOCK.unlock_read_at(place);
/// assert!(LOCK.write_at(place, None));
/// LOCK.unlock_write_at(place);
/// assert_eq!(size_of::<RawRwLock>(), 4);
/// ```
pub struct RawRwLock {
    word: Word,
}

impl RawRwLock {
    const_unless_loom! {
        /// A lock that is free.
        ///
        /// ```
        /// assert!(!slotpark_core::RawRwLock::new().is_locked());
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { word: Word::new() }
        }
    }

    /// Its place in the process-wide table.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert_eq!(lock.place().key, lock.place().key);
    /// ```
    #[cfg(not(slotpark_loom))]
    #[must_use]
    #[inline]
    pub fn place(&self) -> At<'static, crate::FutexKey, crate::DefaultPlatform> {
        crate::process::place(crate::process::Kind::RwLock, self)
    }

    /// Whether anybody holds it at this moment.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_read() && lock.is_locked());
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.word.read().is_held()
    }

    /// Whether a writer holds it at this moment.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_read() && !lock.is_locked_exclusive());
    /// ```
    #[must_use]
    pub fn is_locked_exclusive(&self) -> bool {
        self.word.read().has_writer()
    }

    /// Locks it for reading if that needs no waiting.
    ///
    /// # Panics
    /// If there are 2^29 - 1 readers.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_read() && lock.try_read());
    /// ```
    #[must_use]
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> bool {
        self.word.take(Mode::Read).is_ok()
    }

    /// Locks it for writing if it is free and nobody waits.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_write() && !lock.try_read());
    /// ```
    #[must_use]
    #[inline]
    pub fn try_write(&self) -> bool {
        self.word.take(Mode::Write).is_ok()
    }

    /// Locks it for reading, with the right to upgrade, if that needs no waiting.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_upgradable() && lock.try_read() && !lock.try_upgradable());
    /// ```
    #[must_use]
    #[inline]
    pub fn try_upgradable(&self) -> bool {
        self.word.take(Mode::Upgradable).is_ok()
    }

    /// Waits until it is locked for reading, or until the deadline; whether it is.
    ///
    /// # Panics
    /// If there are 2^29 - 1 readers.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.read_at(lock.place(), None));
    /// ```
    #[must_use = "at the deadline it is not locked"]
    #[inline]
    #[track_caller]
    pub fn read_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, Mode::Read, deadline)
    }

    /// Waits until it is locked for writing, or until the deadline; whether it is.
    ///
    /// ```
    /// use slotpark_core::{Deadline, RawRwLock};
    /// let lock = RawRwLock::new();
    /// assert!(lock.write_at(lock.place(), None));
    /// assert!(!lock.write_at(lock.place(), Some(Deadline::PAST)));
    /// ```
    #[must_use = "at the deadline it is not locked"]
    #[inline]
    pub fn write_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, Mode::Write, deadline)
    }

    /// Waits until it is locked for reading, with the right to upgrade, or until the deadline;
    /// whether it is.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.upgradable_at(lock.place(), None));
    /// ```
    #[must_use = "at the deadline it is not locked"]
    #[inline]
    pub fn upgradable_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, Mode::Upgradable, deadline)
    }
}

/// The queue.
impl RawRwLock {
    /// The place is asked for by who needs it.
    #[inline]
    #[track_caller]
    pub(super) fn lock_where<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        at: impl FnOnce() -> At<'t, K, P>,
        mode: Mode,
        deadline: Option<Deadline>,
    ) -> bool {
        self.word.take(mode).is_ok() || self.lock_contended(at(), mode, deadline)
    }

    #[cold]
    #[track_caller]
    fn lock_contended<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        mode: Mode,
        deadline: Option<Deadline>,
    ) -> bool {
        for _ in 0..LOCK_SPIN_COUNT_MAX {
            spin_loop();
            match self.word.take(mode) {
                Ok(()) => return true,
                // Others sleep: to look on would only hold the CPU that an owner may need.
                Err(state) if state.is_parked() => break,
                Err(_) => {}
            }
        }
        let mut lost = 0;
        loop {
            let options = Self::options(mode, lost).deadline(deadline);
            let take_or_queue = || self.word.take_or_queue(mode);
            let (parked, taken) = wait(at, options, take_or_queue, |left| {
                if left.last {
                    self.word.clear_parked();
                }
            });
            match parked {
                _ if taken => return true,
                Parked::Woken { token: HANDED_OVER } => return true,
                Parked::Woken { .. } => lost += 1,
                Parked::TimedOut => {
                    // Those behind may want less; and a wake that came before is for somebody else.
                    self.serve(at, |state| state, false);
                    return false;
                }
                // The table is closed.
                Parked::Stale | Parked::Closed | Parked::Interrupted => {
                    self.serve(at, |state| state, false);
                    if self.word.take(mode).is_ok() {
                        return true;
                    }
                    if nap::<P>(deadline) {
                        return false;
                    }
                }
            }
        }
    }

    fn options(mode: Mode, lost: u64) -> ParkOptions {
        let order = match mode {
            Mode::Upgrade => Order::Priority(2),
            _ => order(lost),
        };
        ParkOptions::new().tag(mode as u64 | lost << 2).order(order)
    }

    /// Gives `give` back and keeps `kept` instead; serves the queue. The place is asked for by who
    /// needs it.
    #[inline]
    pub(super) fn give_where<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        at: impl FnOnce() -> At<'t, K, P>,
        give: Mode,
        kept: Option<Mode>,
        fair: bool,
    ) {
        debug_assert!(
            self.is_locked(),
            "unlocked by somebody who has not locked it"
        );
        if !self.word.give(give, kept) {
            self.give_contended(at(), give, kept, fair);
        }
    }

    #[cold]
    fn give_contended<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        give: Mode,
        kept: Option<Mode>,
        fair: bool,
    ) {
        // Who was queued may have left meanwhile.
        while !self.serve(at, |state| state.changed(give, kept), fair)
            && !self.word.give(give, kept)
        {}
    }

    /// Under the slot lock, if PARKED is set: changes the word, and lets in those at the head of the
    /// queue, in one write. False if it is not set, and nothing was changed.
    #[cold]
    fn serve<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        change: impl Fn(State) -> State,
        fair: bool,
    ) -> bool {
        // What the word is to be, once it was read.
        let next: Cell<Option<State>> = Cell::new(None);
        let token = Cell::new(TRY_AGAIN);
        let decided = Cell::new(false);
        let begin = || {
            let state = next.get().or_else(|| {
                let state = self.word.read();
                state.is_parked().then(|| change(state))
            });
            next.set(state);
            state
        };
        let filter = |waiter: &Candidate| {
            let Some(state) = begin() else {
                debug_assert!(false, "R1: somebody is queued, and PARKED is not set");
                return Filter::Stop;
            };
            let (mode, lost) = (Mode::from_tag(waiter.tag), waiter.tag >> 2);
            match state.with(mode) {
                Some(new) if !decided.get() => {
                    if mode == Mode::Write && !fair && lost < LOST_MAX {
                        // It tries by itself, and is the only one.
                        decided.set(true);
                    } else {
                        next.set(Some(new));
                        token.set(HANDED_OVER);
                    }
                    Filter::Unpark
                }
                _ => Filter::Stop,
            }
        };
        let policy = |choice: Choice| {
            if let Some(state) = begin() {
                // R3: who gets the lock may free it from here on.
                self.word.set_locked(state.with_parked(choice.remain));
            }
            token.get()
        };
        let table = at.table;
        let _served = table.unpark_with(at.hash, &at.key, usize::MAX, filter, policy);
        next.get().is_some()
    }
}

#[cfg(not(slotpark_loom))]
impl Default for RawRwLock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RawRwLock {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.word.read();
        f.debug_struct("RawRwLock")
            .field("readers", &state.readers())
            .field("writer", &state.has_writer())
            .finish()
    }
}
