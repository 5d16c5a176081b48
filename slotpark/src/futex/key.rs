//! What futex waits are keyed by, and the words they compare.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU32, AtomicU64};

use slotpark_core::word;

use crate::{EventCounter, Semaphore};

/// What a futex wait is keyed by: a word of this process, or an address in a space of the caller's
/// (a guest process, a wasm memory, an isolate). The two kinds never meet, nor do two spaces.
///
/// ```
/// use slotpark::FutexKey;
/// use std::sync::atomic::AtomicU32;
/// let word = AtomicU32::new(0);
/// assert_eq!(FutexKey::of(&word), FutexKey::of(&word));
/// assert_ne!(FutexKey::new(1, 0x1000), FutexKey::new(2, 0x1000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FutexKey {
    kind: Kind,
    space: u64,
    address: u64,
}

/// What an address is an address of. Primitives that keep their words in the process-wide table add
/// their own kinds, so that a semaphore and a futex at one address never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Word,
    Guest,
    Semaphore,
    EventCounter,
}

impl FutexKey {
    /// The key of an address in a space of the caller's.
    ///
    /// ```
    /// use slotpark::FutexKey;
    /// assert_ne!(FutexKey::new(1, 0x1000), FutexKey::new(1, 0x1004));
    /// ```
    #[must_use]
    pub const fn new(space: u64, address: u64) -> Self {
        Self {
            kind: Kind::Guest,
            space,
            address,
        }
    }

    /// The key of a word of this process.
    ///
    /// ```
    /// use slotpark::FutexKey;
    /// use std::sync::atomic::AtomicU32;
    /// let words = [AtomicU32::new(0), AtomicU32::new(0)];
    /// assert_ne!(FutexKey::of(&words[0]), FutexKey::of(&words[1]));
    /// ```
    #[must_use]
    pub fn of<W: FutexWord>(word: &W) -> Self {
        Self::of_object(Kind::Word, word)
    }
}

/// Keys of the library's own objects, whose address is a place of this process.
impl FutexKey {
    pub(crate) fn of_semaphore(semaphore: &Semaphore) -> Self {
        Self::of_object(Kind::Semaphore, semaphore)
    }

    pub(crate) fn of_counter(counter: &EventCounter) -> Self {
        Self::of_object(Kind::EventCounter, counter)
    }

    fn of_object<T>(kind: Kind, object: &T) -> Self {
        Self {
            kind,
            space: 0,
            address: std::ptr::from_ref(object).addr() as u64,
        }
    }
}

impl Hash for FutexKey {
    /// A word of this process costs one round of the hash. That a guest's address may hash like a
    /// word costs a comparison at most: `Eq` tells them apart.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.kind == Kind::Guest {
            state.write_u64(self.space);
        }
        state.write_u64(self.address);
    }
}

/// A word that waits can compare: [`AtomicU32`] and [`AtomicU64`].
///
/// ```
/// use slotpark::FutexWord;
/// assert_eq!(std::sync::atomic::AtomicU64::new(1 << 40).value(), 1 << 40);
/// ```
pub trait FutexWord: sealed::Sealed {
    /// The word's value.
    type Value: Copy + PartialEq;

    /// Reads the word, relaxed: the engine's fences order it.
    fn value(&self) -> Self::Value;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for std::sync::atomic::AtomicU32 {}
    impl Sealed for std::sync::atomic::AtomicU64 {}
}

impl FutexWord for AtomicU32 {
    type Value = u32;

    fn value(&self) -> u32 {
        word::load(self)
    }
}

impl FutexWord for AtomicU64 {
    type Value = u64;

    fn value(&self) -> u64 {
        word::load_u64(self)
    }
}
