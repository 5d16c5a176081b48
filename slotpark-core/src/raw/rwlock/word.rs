//! The word of a reader-writer lock.
//!
//! **States**: the number of readers, UPGRADABLE (one more reader, who alone may become the
//! writer) and WRITER, with PARKED while somebody is queued (set without a waiter, it costs the
//! next release a look). The writer excludes all others.
//!
//! **Orderings**: RWLOCK.

use crate::inspect::Kind;
use crate::sync::{AtomicU32, Ordering, const_unless_loom};

const PARKED: u32 = 1;
const WRITER: u32 = 2;
const UPGRADABLE: u32 = 4;
const READER: u32 = 8;
const READERS: u32 = !(READER - 1);
const HOLDERS: u32 = READERS | UPGRADABLE | WRITER;

/// What is held, or wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::raw) enum Mode {
    Read,
    Upgradable,
    Write,
    /// To write instead of [`Upgradable`](Self::Upgradable), which is held.
    Upgrade,
}

impl Mode {
    pub(super) const fn from_tag(tag: u64) -> Self {
        match tag & 3 {
            0 => Self::Read,
            1 => Self::Upgradable,
            2 => Self::Write,
            _ => Self::Upgrade,
        }
    }

    /// What it is to those who look.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Read => Kind::Read,
            Self::Upgradable => Kind::Upgradable,
            Self::Write | Self::Upgrade => Kind::Lock,
        }
    }

    /// Who must be gone.
    const fn excludes(self) -> u32 {
        match self {
            Self::Read => WRITER,
            Self::Upgradable => WRITER | UPGRADABLE,
            Self::Write => HOLDERS,
            Self::Upgrade => READERS,
        }
    }

    /// What taking it adds to the word, wrapping.
    const fn adds(self) -> u32 {
        match self {
            Self::Read => READER,
            Self::Upgradable => UPGRADABLE,
            Self::Write => WRITER,
            Self::Upgrade => WRITER.wrapping_sub(UPGRADABLE),
        }
    }

    /// Whether who comes first may take it past those who are queued. The holder of an upgradable
    /// lock is before them in any case.
    const fn may_barge(self) -> bool {
        matches!(self, Self::Write | Self::Upgrade)
    }
}

/// A state of the word, looked at or decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State(u32);

impl State {
    /// With `mode` taken too, if it can be.
    pub(super) fn with(self, mode: Mode) -> Option<Self> {
        let is_free = self.0 & mode.excludes() == 0 && !self.is_full(mode);
        is_free.then(|| Self(self.0.wrapping_add(mode.adds())))
    }

    fn is_full(self, mode: Mode) -> bool {
        mode == Mode::Read && self.0 & READERS == READERS
    }

    /// Who comes to a full lock would wait for guards that somebody has forgotten.
    #[track_caller]
    fn check_room(self, mode: Mode) {
        assert!(
            !self.is_full(mode),
            "slotpark: more readers than a lock can count"
        );
    }

    /// With `mode` given back.
    pub(super) const fn without(self, mode: Mode) -> Self {
        Self(self.0.wrapping_sub(mode.adds()))
    }

    pub(super) const fn is_parked(self) -> bool {
        self.0 & PARKED != 0
    }

    pub(super) const fn with_parked(self, parked: bool) -> Self {
        Self(if parked {
            self.0 | PARKED
        } else {
            self.0 & !PARKED
        })
    }

    pub(super) const fn is_held(self) -> bool {
        self.0 & HOLDERS != 0
    }

    pub(super) const fn has_writer(self) -> bool {
        self.0 & WRITER != 0
    }

    pub(super) const fn readers(self) -> u32 {
        self.0 / READER
    }
}

#[derive(Debug)]
pub(super) struct Word(AtomicU32);

impl Word {
    const_unless_loom! {
        pub(super) fn new() -> Self {
            Self(AtomicU32::new(0))
        }
    }

    #[inline]
    pub(super) fn read(&self) -> State {
        // ORDERING: none, relaxed: a look; what follows from it is decided by compare-exchange.
        State(self.0.load(Ordering::Relaxed))
    }

    /// Between a look and what was decided by it.
    #[inline]
    fn take_from(&self, old: State, new: State) -> bool {
        // ORDERING: RWLOCK acquire side: what was done under the lock before comes before what is
        // done next. Relaxed on failure, which learns nothing.
        self.0
            .compare_exchange(old.0, new.0, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes `mode` if nobody is queued; what stood in the way if not.
    #[inline]
    #[track_caller]
    pub(super) fn take(&self, mode: Mode) -> Result<(), State> {
        loop {
            let old = self.read();
            old.check_room(mode);
            match old.with(mode) {
                Some(new) if !old.is_parked() => {
                    if self.take_from(old, new) {
                        return Ok(());
                    }
                }
                _ => return Err(old),
            }
        }
    }

    /// Under the slot lock: takes `mode`, or sets PARKED in the same step as the last look.
    #[track_caller]
    pub(super) fn take_or_queue(&self, mode: Mode) -> bool {
        loop {
            let old = self.read();
            old.check_room(mode);
            // Free while somebody is queued: a writer was woken to try, and whoever tries may win.
            let may_pass = mode.may_barge() || !old.is_parked() || !old.is_held();
            let new = old.with(mode).filter(|_| may_pass);
            if self.take_from(old, new.unwrap_or(old.with_parked(true))) {
                return new.is_some();
            }
        }
    }

    /// Under the slot lock: takes `mode` if it can be, whoever is queued.
    pub(super) fn take_locked(&self, mode: Mode) -> bool {
        loop {
            let old = self.read();
            match old.with(mode) {
                Some(new) if self.take_from(old, new) => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// From what `give` is given back to what is `kept` instead, if nobody is queued.
    #[inline]
    pub(super) fn give(&self, give: Mode, kept: Option<Mode>) -> bool {
        loop {
            let old = self.read();
            if old.is_parked() {
                return false;
            }
            let given = self.0.compare_exchange(
                old.0,
                old.changed(give, kept).0,
                // ORDERING: RWLOCK release side: what was done under the lock comes before what is
                // done by those who exclude it.
                Ordering::Release,
                Ordering::Relaxed,
            );
            if given.is_ok() {
                return true;
            }
        }
    }

    /// Under the slot lock, with PARKED set at the last look: nobody else changes the word.
    pub(super) fn set_locked(&self, new: State) {
        // ORDERING: RWLOCK release side: what was done under the lock comes before what is done by
        // those who exclude it; also what was done by others, who gave it back before PARKED was
        // set, with acquire, or under this slot lock.
        self.0.store(new.0, Ordering::Release);
    }

    /// Under the slot lock: nobody is queued any more.
    pub(super) fn clear_parked(&self) {
        // ORDERING: none, relaxed: a read-modify-write, which continues what a release began.
        self.0.fetch_and(!PARKED, Ordering::Relaxed);
    }
}

impl State {
    /// With `give` given back, and `kept` instead.
    pub(super) fn changed(self, give: Mode, kept: Option<Mode>) -> Self {
        let rest = self.without(give);
        kept.map_or(rest, |kept| rest.with(kept).unwrap_or(rest))
    }
}
