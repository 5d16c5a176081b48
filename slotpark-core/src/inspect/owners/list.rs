//! The list: sixteen parts, each with a lock and room for 64 holds.
//!
//! **Invariants**: O1 what is in a part is touched under its lock only, which an [`Open`] holds.
//! **Lock order**: the lock of a part is the innermost: nothing is taken inside it. **Orderings**:
//! LOCK.

use crate::inspect::Kind;
use crate::inspect::owners::Lock;
use crate::inspect::trace::Trace;
use crate::platform::{DefaultPlatform, Platform};
use crate::slot_lock::SlotLock;
use crate::sync::{AtomicU32, Guarded, Ordering};

const PART_COUNT: usize = 16;
const HOLD_COUNT: usize = 64;

/// All there is. The locks of one slot are in one part.
static PARTS: [Part; PART_COUNT] = [const { Part::new() }; PART_COUNT];

/// How many holds are in the list.
pub(super) static COUNT: Count = Count(AtomicU32::new(0));

/// How many holds found no room, since the process began.
pub(super) static UNLISTED: Count = Count(AtomicU32::new(0));

/// A number that who takes and who gives back keep.
pub(super) struct Count(AtomicU32);

impl Count {
    /// Who gives a lock back reads what it added when it took it, or something later: until it has
    /// taken its hold out itself, that is not 0.
    #[inline(always)]
    pub(super) fn get(&self) -> u32 {
        // ORDERING: none, relaxed: it publishes nothing; what is in the list is told by its locks.
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self) {
        // ORDERING: none, relaxed: a counter.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn sub(&self) {
        // ORDERING: none, relaxed: a counter.
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn set(&self, count: u32) {
        // ORDERING: none, relaxed: only one thread exists.
        self.0.store(count, Ordering::Relaxed);
    }
}

/// One who holds a lock.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) lock: Lock,
    pub(super) kind: Kind,
    pub(super) hash: u64,
    pub(super) trace: Trace,
}

impl Held {
    /// What is in a place where there is room; all zero, so that the list is in `.bss`.
    const NOBODY: Self = Self {
        lock: Lock::Mutex,
        kind: Kind::Wait,
        hash: 0,
        trace: Trace::NONE,
    };
}

struct Part {
    lock: SlotLock<DefaultPlatform>,
    /// Of the locks that are held; 0 where there is room.
    addresses: [Guarded<usize>; HOLD_COUNT],
    holds: [Guarded<Held>; HOLD_COUNT],
}

// SAFETY: O1: what is not atomic is touched under the lock only, and may be sent.
unsafe impl Sync for Part {}

impl Part {
    const fn new() -> Self {
        Self {
            lock: SlotLock::new(),
            addresses: [const { Guarded::new(0) }; HOLD_COUNT],
            holds: [const { Guarded::new(Held::NOBODY) }; HOLD_COUNT],
        }
    }
}

/// A part whose lock is held.
pub(super) struct Open {
    part: &'static Part,
    _critical: <DefaultPlatform as Platform>::Critical,
}

impl Open {
    /// The part of the locks of a slot.
    pub(super) fn of(slot: usize) -> Self {
        let open = Self {
            _critical: DefaultPlatform::critical(),
            part: &PARTS[slot % PART_COUNT],
        };
        open.part.lock.lock();
        open
    }

    /// Where the holds of a lock are.
    pub(super) fn places(&self, address: usize) -> impl Iterator<Item = usize> {
        (0..HOLD_COUNT).filter(move |place| self.address(*place) == address)
    }

    /// All holds: where they are, of which address.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, usize)> {
        let all = (0..HOLD_COUNT).map(|place| (place, self.address(place)));
        all.filter(|(_, address)| *address != 0)
    }

    fn address(&self, place: usize) -> usize {
        // SAFETY: O1: the lock is held.
        unsafe { self.part.addresses[place].get() }
    }

    pub(super) fn get(&self, place: usize) -> Held {
        // SAFETY: O1: the lock is held.
        unsafe { self.part.holds[place].get() }
    }

    pub(super) fn change(&self, place: usize, held: Held) {
        // SAFETY: O1: the lock is held.
        unsafe { self.part.holds[place].set(held) };
    }

    /// Enters a hold, or counts it where there is no room.
    pub(super) fn enter(&self, address: usize, held: Held) {
        let room = self.places(0).next();
        let Some(place) = room else {
            UNLISTED.add();
            return;
        };
        // SAFETY: O1: the lock is held.
        unsafe { self.part.addresses[place].set(address) };
        self.change(place, held);
        COUNT.add();
    }

    pub(super) fn take_out(&self, place: usize) {
        // SAFETY: O1: the lock is held.
        unsafe { self.part.addresses[place].set(0) };
        COUNT.sub();
    }

    /// What tells a hold from others that are there at the time.
    pub(super) fn number(&self, place: usize) -> u64 {
        core::ptr::from_ref(&self.part.holds[place]).addr() as u64
    }

    /// In the child of a fork: keeps of all holds what `kept` makes of them. A part that another
    /// thread was writing is emptied, since what is there may be written by half.
    pub(super) fn reset_all(kept: impl Fn(Held) -> Option<Held>) {
        COUNT.set(0);
        for (index, part) in PARTS.iter().enumerate() {
            let is_whole = !part.lock.is_locked();
            part.lock.reset();
            let open = Self::of(index);
            for (place, address) in open.all() {
                // SAFETY: O1: the lock is held.
                unsafe { part.addresses[place].set(0) };
                if let Some(held) = is_whole.then(|| open.get(place)).and_then(&kept) {
                    open.enter(address, held);
                }
            }
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.part.lock.unlock();
    }
}
