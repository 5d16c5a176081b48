//! The seed's slot as it stands in its text: a counter per slot, and a queue at the slot's address.
//!
//! It is kept as it is: the waiter looks at the value before it parks but not under the lock, the
//! counter is relaxed, and a wake takes whoever is first at the slot, of whichever key. Waiters
//! recheck, as the text asks; a wake that went to another key's waiter is lost all the same. The
//! text names no hash function, so it is the standard library's.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot_core::{DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, ParkResult};

use crate::measure::{Deadline, Engine, Outcome, Place, Slots};

const SLOTS: usize = 512;
const MASK: usize = SLOTS - 1;

#[derive(Debug, Default)]
#[repr(C, align(64))]
struct Slot {
    // Relaxed on both sides, as in the text: one of the ways in which it loses wakes.
    waiters: AtomicUsize,
}

impl Slot {
    fn enter(&self) {
        self.waiters.fetch_add(1, Ordering::Relaxed);
    }

    fn leave(&self) {
        self.waiters.fetch_sub(1, Ordering::Relaxed);
    }

    fn empty(&self) -> bool {
        self.waiters.load(Ordering::Relaxed) == 0
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// The table of slots.
#[derive(Debug)]
pub(crate) struct SeedSlot {
    slots: Box<[Slot]>,
}

impl SeedSlot {
    /// The index of a key's slot, to find keys that collide.
    pub(crate) fn index(key: u64) -> usize {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "only the low bits are kept anyway"
        )]
        let hash = hasher.finish() as usize;
        hash & MASK
    }

    fn slot(&self, key: u64) -> &Slot {
        &self.slots[Self::index(key)]
    }
}

impl Engine for SeedSlot {
    const NAME: &'static str = "seed_slot";

    fn new(slots: Slots) -> Option<Self> {
        let new = || Self {
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
        };
        (slots == Slots::Default).then(new)
    }

    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        let slot = self.slot(at.key);
        slot.enter();
        if at.word.value() != expected {
            slot.leave();
            return Outcome::Stale;
        }
        // SAFETY: the address is that of our own slot, and the closures neither unwind nor call
        // back.
        let result = unsafe {
            parking_lot_core::park(
                slot.address(),
                || true,
                || {},
                |_, _| {},
                DEFAULT_PARK_TOKEN,
                deadline.map(|deadline| deadline.instant),
            )
        };
        slot.leave();
        if result == ParkResult::TimedOut {
            Outcome::TimedOut
        } else {
            Outcome::Woken
        }
    }

    fn wake_one(&self, at: Place<'_>) -> usize {
        let slot = self.slot(at.key);
        if slot.empty() {
            return 0;
        }
        // SAFETY: the address is that of our own slot, and the closure neither unwinds nor calls
        // back.
        let result =
            unsafe { parking_lot_core::unpark_one(slot.address(), |_| DEFAULT_UNPARK_TOKEN) };
        result.unparked_threads
    }

    fn wake_all(&self, at: Place<'_>) -> usize {
        let slot = self.slot(at.key);
        if slot.empty() {
            return 0;
        }
        // SAFETY: the address is that of our own slot.
        unsafe { parking_lot_core::unpark_all(slot.address(), DEFAULT_UNPARK_TOKEN) }
    }
}
