//! The only door to atomics, fences and shared cells: real ones, loom's under `slotpark_loom`, or
//! shuttle's under `slotpark_shuttle`.
//!
//! **States**: none. **Orderings**: the tokens stand in the small wrapper types that use these
//! (`Announced`, `SlotLock`, `State`, `Sequence`, ..), never at call sites.

#[cfg(not(slotpark_loom))]
mod cell;
#[cfg(slotpark_loom)]
#[path = "loom.rs"]
mod imp;
#[cfg(slotpark_shuttle)]
#[path = "shuttle.rs"]
mod imp;
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
#[path = "real.rs"]
mod imp;
mod plain;

pub(crate) use imp::*;
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
pub(crate) use plain::Plain;
#[cfg(feature = "alloc")]
pub(crate) use plain::next_number;

/// A 32-bit atomic word: what threads sleep on. `core`'s, or that of a model checker.
pub use imp::AtomicU32;

/// Declares a function `const`, except under loom, whose atomics cannot be made in a constant.
macro_rules! const_unless_loom {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty
     $body:block) => {
        #[cfg(not(slotpark_loom))]
        $(#[$meta])*
        $visibility const fn $name($($argument: $type),*) -> $result $body

        #[cfg(slotpark_loom)]
        $(#[$meta])*
        $visibility fn $name($($argument: $type),*) -> $result $body
    };
}
pub(crate) use const_unless_loom;

/// The full fence of store-load handshakes: it stands between a thread's own write and its read
/// of what the other side wrote. Both sides need one; the accesses around it are relaxed.
#[inline]
pub(crate) fn full_fence() {
    // ORDERING: DEKKER both sides: of two threads that each write, fence and read, at least one
    // sees the other's write.
    fence(Ordering::SeqCst);
}

/// A number that only holders of one slot lock change, and that anybody may read at any time.
#[derive(Debug)]
pub(crate) struct Tally(AtomicU32);

impl Tally {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self(AtomicU32::new(0))
        }
    }

    /// Adds `n`, wrapping. The caller holds the slot lock: no read-modify-write is needed.
    #[inline]
    pub(crate) fn add_locked(&self, n: u32) {
        // ORDERING: none, relaxed: a statistic; it publishes nothing.
        let now = self.0.load(Ordering::Relaxed);
        self.0.store(now.wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u32 {
        // ORDERING: none, relaxed: a statistic; it publishes nothing.
        self.0.load(Ordering::Relaxed)
    }
}
