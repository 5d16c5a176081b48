//! From a key to a 64-bit hash whose every bit depends on every bit of the key and on a seed.
//!
//! Keys may be hostile (guest addresses): with a fixed hash a guest can put all its waiters into
//! one slot. The seed is per instance and secret; the finalizer is a bijection with full avalanche,
//! so that strided and aligned keys use as many slots as random ones.
//!
//! **States** of a seed: 0 = not seeded yet, else the seed for ever. Wait *and* wake seed it: a
//! waker must not take 0 for "nobody was ever here". The loser of the race uses the winner's.

use core::hash::{BuildHasher, Hasher};

use crate::platform::entropy;
use crate::sync::{AtomicU64, Ordering, const_unless_loom};

/// The default hasher of the tables: a few multiplications, seeded from the kernel on first use.
///
/// ```
/// use slotpark_core::Seeded;
/// use std::hash::BuildHasher;
/// let seeded = Seeded::with_seed(1);
/// assert_eq!(seeded.hash_one(5_u64), Seeded::with_seed(1).hash_one(5_u64));
/// assert_ne!(seeded.hash_one(5_u64), Seeded::with_seed(2).hash_one(5_u64));
/// ```
#[derive(Debug)]
pub struct Seeded {
    seed: AtomicU64,
    /// Whose seed to take.
    like: Option<&'static Seeded>,
}

impl Seeded {
    const_unless_loom! {
        /// Not seeded yet: the first hash draws the seed from the kernel, or from an address and
        /// the clock where there is no `getrandom`.
        ///
        /// ```
        /// use slotpark_core::Seeded;
        /// use std::hash::BuildHasher;
        /// // Two instances put one key into different slots.
        /// assert_ne!(Seeded::new().hash_one(1_u64), Seeded::new().hash_one(1_u64));
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { seed: AtomicU64::new(0), like: None }
        }
    }

    const_unless_loom! {
        /// A fixed seed, for tests that want the same slots in every run. 0 means "not seeded yet",
        /// as in [`new`](Self::new).
        ///
        /// ```
        /// use slotpark_core::Seeded;
        /// use std::hash::BuildHasher;
        /// assert_eq!(Seeded::with_seed(3).hash_one(5_u64), 3 ^ 5);
        /// ```
        #[must_use]
        pub fn with_seed(seed: u64) -> Self {
            Self { seed: AtomicU64::new(seed), like: None }
        }
    }

    /// One that has the seed of another, whoever of the two is asked first.
    ///
    /// ```
    /// use slotpark_core::Seeded;
    /// use std::hash::BuildHasher;
    /// static FIRST: Seeded = Seeded::new();
    /// let second = Seeded::like(&FIRST);
    /// assert_eq!(second.hash_one(5_u64), FIRST.hash_one(5_u64));
    /// ```
    #[cfg(not(slotpark_loom))]
    #[must_use]
    pub const fn like(other: &'static Self) -> Self {
        Self {
            seed: AtomicU64::new(0),
            like: Some(other),
        }
    }

    #[inline]
    fn seed(&self) -> u64 {
        // ORDERING: none, relaxed: the seed is one value, written once; nothing else is published.
        match self.seed.load(Ordering::Relaxed) {
            0 => self.draw(),
            seed => seed,
        }
    }

    #[cold]
    fn draw(&self) -> u64 {
        let candidate = match self.like {
            Some(other) => other.seed(),
            None => entropy(core::ptr::from_ref(self).addr()).max(1),
        };
        // ORDERING: none, relaxed: all contenders agree by the compare-exchange on one word.
        match self
            .seed
            .compare_exchange(0, candidate, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => candidate,
            Err(winner) => winner,
        }
    }
}

impl Default for Seeded {
    fn default() -> Self {
        Self::new()
    }
}

impl BuildHasher for Seeded {
    type Hasher = KeyHasher;

    #[inline]
    fn build_hasher(&self) -> KeyHasher {
        KeyHasher {
            state: self.seed(),
            fresh: true,
        }
    }
}

/// The hasher of [`Seeded`]: for a key that is one integer it is `seed ^ key`, which
/// [`finalize`] then spreads; for more it mixes between the parts.
///
/// ```
/// use slotpark_core::Seeded;
/// use std::hash::{BuildHasher, Hasher};
/// let mut hasher = Seeded::with_seed(1).build_hasher();
/// hasher.write_u64(5);
/// assert_eq!(hasher.finish(), 1 ^ 5);
/// ```
#[derive(Clone, Debug)]
pub struct KeyHasher {
    state: u64,
    /// Nothing written yet. Known at compile time once inlined.
    fresh: bool,
}

impl Hasher for KeyHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((word, behind)) = rest.split_first_chunk() {
            self.write_u64(u64::from_le_bytes(*word));
            rest = behind;
        }
        if !rest.is_empty() {
            self.write_u64(word_of_few(rest));
        }
        // The length tells "a" from "a\0" and ends the string.
        self.write_u64(bytes.len() as u64);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        let state = if self.fresh {
            self.state
        } else {
            finalize(self.state)
        };
        self.state = state ^ value;
        self.fresh = false;
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.write_u64(u64::from(value));
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    #[inline]
    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

/// Less than eight bytes, from the lowest on. Two or three of them are read at once, which may
/// overlap: what is read twice stands in the same place both times.
#[inline]
fn word_of_few(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return u64::from(first) | u64::from(last) << (8 * (len - 4));
    }
    let at = |index: usize| {
        bytes
            .get(index)
            .map_or(0, |byte| u64::from(*byte) << (8 * index))
    };
    at(0) | at(len / 2) | at(len.saturating_sub(1))
}

/// Spreads a hash over all 64 bits: a bijection in which every input bit flips every output bit
/// with a probability close to one half (xor-shift and multiply, constants of Pelle Evensen's
/// `moremur`). Applied to whatever hasher a table has.
///
/// ```
/// use slotpark_core::finalize;
/// assert_ne!(finalize(1) % 512, finalize(1 << 40) % 512);
/// ```
#[inline]
#[must_use]
pub const fn finalize(mut hash: u64) -> u64 {
    hash ^= hash >> 27;
    hash = hash.wrapping_mul(0x3C79_AC49_2BA7_B653);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0x1C69_B3F7_4AC4_AE35);
    hash ^ (hash >> 27)
}

#[cfg(all(test, not(slotpark_loom)))]
mod tests {
    use core::hash::{BuildHasher, Hasher};

    use super::Seeded;

    #[test]
    fn bytes_are_words_of_eight_filled_up_with_zeros_then_their_number() {
        let bytes: [u8; 40] = core::array::from_fn(|index| index as u8 + 1);
        for len in 0..=bytes.len() {
            let bytes = &bytes[..len];
            let (mut whole, mut by_words) =
                [(); 2].map(|()| Seeded::with_seed(3).build_hasher()).into();
            whole.write(bytes);
            for chunk in bytes.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                by_words.write_u64(u64::from_le_bytes(word));
            }
            by_words.write_u64(len as u64);
            assert_eq!(whole.finish(), by_words.finish(), "{len} bytes");
        }
    }
}
