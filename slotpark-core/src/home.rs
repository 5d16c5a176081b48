//! Where threads sleep: the sequence word of a slot, each with a bit of its own, so that one
//! syscall wakes a whole group.
//!
//! The kernel's FUTEX_WAKE_BITSET walks all sleepers of a word, so their number is bounded: 32 own
//! a bit alone, 32 more share one each, the rest sleep on their own state word. A wrong bit costs a
//! sleeper a look and another sleep, never a wake. **Orderings**: SLEEP.

use core::marker::PhantomData;

use crate::platform::Platform;
use crate::sync::{AtomicU32, Ordering, const_unless_loom};

/// A counter that sleepers compare: it changes between a release and the syscall that tells of it.
#[derive(Debug)]
pub(crate) struct Sequence<P>(AtomicU32, PhantomData<fn() -> P>);

impl<P: Platform> Sequence<P> {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self(AtomicU32::new(0), PhantomData)
        }
    }

    /// Read *before* the state is looked at: a bump after this ends or prevents the sleep.
    #[inline]
    pub(crate) fn read(&self) -> u32 {
        // ORDERING: SLEEP acquire side: who sees the bump sees the state released before it.
        self.0.load(Ordering::Acquire)
    }

    /// Called after the last release of a run and before its wake.
    #[inline]
    pub(crate) fn bump(&self) {
        // ORDERING: SLEEP release side: the states released before are visible to who reads this.
        self.0.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.0
    }
}

/// A bit that one sleeper owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SleepBit {
    pub(crate) index: u32,
    /// The bit is owned a second time: somebody else may have it too.
    shared: bool,
}

impl SleepBit {
    pub(crate) fn mask(self) -> u32 {
        1 << self.index
    }
}

/// Which bits are owned once and which twice.
#[derive(Debug)]
pub(crate) struct SleepBits {
    once: AtomicU32,
    twice: AtomicU32,
}

impl SleepBits {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self { once: AtomicU32::new(0), twice: AtomicU32::new(0) }
        }
    }

    /// A bit for the caller until it gives it back, or `None` beyond 64 sleepers.
    pub(crate) fn take(&self) -> Option<SleepBit> {
        let own = take_from(&self.once).map(|index| SleepBit {
            index,
            shared: false,
        });
        own.or_else(|| {
            take_from(&self.twice).map(|index| SleepBit {
                index,
                shared: true,
            })
        })
    }

    /// Given back by the sleeper itself: a waker holds the lock of the node's slot, which need not
    /// be this one.
    pub(crate) fn give_back(&self, bit: SleepBit) {
        let map = if bit.shared { &self.twice } else { &self.once };
        // ORDERING: none, relaxed: a bit in two hands costs a look and another sleep, no more.
        map.fetch_and(!bit.mask(), Ordering::Relaxed);
    }

    /// Forgets sleepers that no longer exist: in the child of a fork.
    pub(crate) fn reset(&self) {
        for map in [&self.once, &self.twice] {
            // ORDERING: none, relaxed: only one thread exists.
            map.store(0, Ordering::Relaxed);
        }
    }
}

fn take_from(map: &AtomicU32) -> Option<u32> {
    loop {
        // ORDERING: none, relaxed: ownership of the bit is decided by the read-modify-write alone,
        // and nothing is published by it.
        let owned = map.load(Ordering::Relaxed);
        let index = owned.trailing_ones();
        if index >= u32::BITS {
            return None;
        }
        // ORDERING: none, relaxed: as above.
        if map.fetch_or(1 << index, Ordering::Relaxed) & (1 << index) == 0 {
            return Some(index);
        }
    }
}

#[cfg(all(test, not(slotpark_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_first_32_own_a_bit_the_next_32_share_one_and_the_rest_have_none() {
        let bits = SleepBits::new();
        let taken: [Option<SleepBit>; 65] = core::array::from_fn(|_| bits.take());
        for (index, bit) in taken.iter().enumerate() {
            let expected = (index < 64).then_some(SleepBit {
                index: index as u32 % 32,
                shared: index >= 32,
            });
            assert_eq!(*bit, expected);
        }
        for bit in taken.into_iter().flatten().filter(|bit| bit.index == 5) {
            bits.give_back(bit);
        }
        assert_eq!(
            bits.take(),
            Some(SleepBit {
                index: 5,
                shared: false
            }),
            "alone again first"
        );
        assert_eq!(
            bits.take(),
            Some(SleepBit {
                index: 5,
                shared: true
            })
        );
        assert_eq!(bits.take(), None);
    }
}
