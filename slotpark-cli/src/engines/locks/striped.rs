//! Stripes: a key's hash chooses one of a fixed number of mutexes.
//!
//! It is no lock by key: two keys of one stripe exclude each other, so a thread that holds one and
//! locks the other waits for itself. It is here as the least that a lock found by hash can cost,
//! with slotpark's hash and its number of slots.

use std::hash::BuildHasher as _;

use parking_lot::Mutex;
use slotpark::Seeded;
use slotpark::core::finalize;

use crate::measure::locks::LockEngine;

const STRIPES: usize = 512;
const MASK: usize = STRIPES - 1;

/// A mutex alone on its cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Stripe(Mutex<()>);

/// The stripes.
#[derive(Debug)]
pub(crate) struct Striped512 {
    hasher: Seeded,
    stripes: Box<[Stripe]>,
}

impl LockEngine for Striped512 {
    const NAME: &'static str = "striped_512";

    fn new() -> Self {
        Self {
            hasher: Seeded::new(),
            stripes: (0..STRIPES).map(|_| Stripe::default()).collect(),
        }
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "only the low bits are kept anyway"
        )]
        let hash = finalize(self.hasher.hash_one(key)) as usize;
        self.stripes[hash & MASK].0.lock()
    }
}
