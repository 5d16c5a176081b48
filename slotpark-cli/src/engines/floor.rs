//! The least that a wake with nobody waiting can cost: a hash, a full fence, a load.
//!
//! slotpark's hash, on as many lines as it has slots. It is no engine: nobody can wait here, so it
//! is asked for wakes only.

use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use slotpark::Seeded;
use slotpark::core::finalize;

use crate::measure::{Deadline, Engine, Outcome, Place, Slots};

const SLOTS: usize = 512;
const MASK: usize = SLOTS - 1;

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line(AtomicU32);

/// The lines.
#[derive(Debug)]
pub(crate) struct Floor {
    hasher: Seeded,
    lines: Box<[Line]>,
}

impl Engine for Floor {
    const NAME: &'static str = "floor";

    fn new(slots: Slots) -> Option<Self> {
        let new = || Self {
            hasher: Seeded::new(),
            lines: (0..SLOTS).map(|_| Line::default()).collect(),
        };
        (slots == Slots::Default).then(new)
    }

    fn wait(&self, _at: Place<'_>, _expected: u32, _deadline: Option<&Deadline>) -> Outcome {
        unreachable!("the floor is asked for wakes only")
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "only the low bits are kept anyway"
        )]
        let hash = finalize(self.hasher.hash_one(at.key)) as usize;
        // ORDERING: nobody waits here; it is the fence that every waker pays, and the load.
        fence(Ordering::SeqCst);
        self.lines[hash & MASK].0.load(Ordering::Relaxed) as usize
    }

    #[inline]
    fn wake_all(&self, at: Place<'_>) -> usize {
        self.wake_one(at)
    }
}
