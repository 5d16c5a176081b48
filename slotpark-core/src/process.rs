//! The process-wide table: one array of slots for all words and locks of this process.
//!
//! A key says what it is an address of, so that a mutex, a semaphore and a futex word at one
//! address never meet; and what its waiters want, so that a wake ends no wait for a lock. The slots
//! are in `.bss`: usable before `main`, from any thread and from thread-local destructors. Whoever
//! makes a table over them (the crate `slotpark` has one for words and permits) shares the slots
//! with the locks, and a reset of either empties them.

mod describe;

use core::hash::{Hash, Hasher};

use crate::semaphore::RawSemaphore;
use crate::sync::{AtomicU8, AtomicU16, AtomicU32};
use crate::word;
#[cfg(target_has_atomic = "64")]
use crate::{counter::RawEventCounter, sync::AtomicU64};

/// What a futex wait is keyed by: a word of this process, or an address in a space of the caller's
/// (a guest process, a wasm memory, an isolate). The two kinds never meet, nor do two spaces.
///
/// ```
/// use slotpark_core::FutexKey;
/// use std::sync::atomic::AtomicU32;
/// let word = AtomicU32::new(0);
/// assert_eq!(FutexKey::of(&word), FutexKey::of(&word));
/// assert_ne!(FutexKey::new(1, 0x1000), FutexKey::new(2, 0x1000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FutexKey {
    kind: Kind,
    wants: Wants,
    space: u64,
    address: u64,
}

/// What a waiter at a futex word wants. Each has a queue of its own, in the one slot that the
/// address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    /// To be woken.
    Wake,
    /// The lock that the word is (FUTEX_LOCK_PI).
    Lock,
    /// To be moved to such a lock (FUTEX_WAIT_REQUEUE_PI).
    Move,
}

/// What an address is an address of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Guest,
    Semaphore,
    #[cfg(target_has_atomic = "64")]
    EventCounter,
    #[cfg(not(slotpark_loom))]
    Mutex,
    #[cfg(not(slotpark_loom))]
    RwLock,
    #[cfg(not(slotpark_loom))]
    Condvar,
    #[cfg(not(slotpark_loom))]
    Once,
}

impl FutexKey {
    /// The key of an address in a space of the caller's.
    ///
    /// ```
    /// use slotpark_core::FutexKey;
    /// assert_ne!(FutexKey::new(1, 0x1000), FutexKey::new(1, 0x1004));
    /// ```
    #[must_use]
    pub const fn new(space: u64, address: u64) -> Self {
        Self {
            kind: Kind::Guest,
            wants: Wants::Wake,
            space,
            address,
        }
    }

    /// The key of the word of this process that has this address, of whatever width: as
    /// [`of`](Self::of) such a word.
    ///
    /// ```
    /// use slotpark_core::FutexKey;
    /// use std::sync::atomic::AtomicU32;
    /// let word = AtomicU32::new(0);
    /// assert_eq!(FutexKey::at(word.as_ptr().addr() as u64), FutexKey::of(&word));
    /// ```
    #[must_use]
    pub const fn at(address: u64) -> Self {
        Self {
            kind: Kind::Word,
            wants: Wants::Wake,
            space: 0,
            address,
        }
    }

    /// The space and the address of a key made by [`new`](Self::new); `None` for an object of this
    /// process.
    ///
    /// ```
    /// use slotpark_core::FutexKey;
    /// use std::sync::atomic::AtomicU32;
    /// assert_eq!(FutexKey::new(1, 0x1000).guest(), Some((1, 0x1000)));
    /// assert_eq!(FutexKey::of(&AtomicU32::new(0)).guest(), None);
    /// ```
    #[must_use]
    pub const fn guest(&self) -> Option<(u64, u64)> {
        match self.kind {
            Kind::Guest => Some((self.space, self.address)),
            _ => None,
        }
    }

    /// The address of a word of this process, of a key made by [`of`](Self::of) or
    /// [`at`](Self::at); `None` for a guest's and for other objects.
    ///
    /// ```
    /// use slotpark_core::FutexKey;
    /// assert_eq!(FutexKey::at(0x1000).word(), Some(0x1000));
    /// assert_eq!(FutexKey::new(1, 0x1000).word(), None);
    /// ```
    #[must_use]
    pub const fn word(&self) -> Option<u64> {
        match self.kind {
            Kind::Word => Some(self.address),
            _ => None,
        }
    }

    /// The key of a word of this process.
    ///
    /// ```
    /// use slotpark_core::FutexKey;
    /// use std::sync::atomic::AtomicU32;
    /// let words = [AtomicU32::new(0), AtomicU32::new(0)];
    /// assert_ne!(FutexKey::of(&words[0]), FutexKey::of(&words[1]));
    /// ```
    #[must_use]
    pub fn of<W: FutexWord>(word: &W) -> Self {
        Self::of_object(Kind::Word, word)
    }

    /// The key of a semaphore of this process.
    ///
    /// ```
    /// use slotpark_core::{FutexKey, RawSemaphore};
    /// let semaphores = [RawSemaphore::new(1), RawSemaphore::new(1)];
    /// let keys = semaphores.each_ref().map(FutexKey::of_semaphore);
    /// assert_ne!(keys[0], keys[1]);
    /// ```
    #[must_use]
    #[inline]
    pub fn of_semaphore(semaphore: &RawSemaphore) -> Self {
        Self::of_object(Kind::Semaphore, semaphore)
    }

    /// The key of an event counter of this process.
    ///
    /// ```
    /// use slotpark_core::{FutexKey, RawEventCounter};
    /// let counters = [RawEventCounter::new(), RawEventCounter::new()];
    /// let keys = counters.each_ref().map(FutexKey::of_counter);
    /// assert_ne!(keys[0], keys[1]);
    /// ```
    #[cfg(target_has_atomic = "64")]
    #[must_use]
    #[inline]
    pub fn of_counter(counter: &RawEventCounter) -> Self {
        Self::of_object(Kind::EventCounter, counter)
    }

    #[inline]
    pub(crate) fn of_object<T>(kind: Kind, object: *const T) -> Self {
        Self {
            kind,
            wants: Wants::Wake,
            space: 0,
            address: object.addr() as u64,
        }
    }

    /// Of those at the same address who wait for the lock that its word is.
    pub(crate) const fn for_lock(mut self) -> Self {
        self.wants = Wants::Lock;
        self
    }

    /// Of those at the same address who wait to be moved to a lock.
    pub(crate) const fn for_move(mut self) -> Self {
        self.wants = Wants::Move;
        self
    }

    /// The address of the lock that this key's waiters wait for, if it lies where `other` does.
    pub(crate) fn lock_beside(&self, other: &Self) -> Option<u64> {
        let is_beside = self.kind == other.kind && self.space == other.space;
        (is_beside && self.wants == Wants::Lock).then_some(self.address)
    }
}

impl Hash for FutexKey {
    /// What is wanted is left out: all who wait at an address are in one slot. An object of this
    /// process costs one round of the hash. That another kind's address may hash alike costs a
    /// comparison at most: `Eq` tells them apart.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.kind == Kind::Guest {
            state.write_u64(self.space);
        }
        state.write_u64(self.address);
    }
}

/// A word that waits can compare: [`AtomicU32`], `AtomicU8`, `AtomicU16`, and `AtomicU64` where
/// there is one.
///
/// ```
/// use slotpark_core::FutexWord;
/// use std::sync::atomic::{AtomicU8, AtomicU64};
/// assert_eq!(AtomicU64::new(1 << 40).value(), 1 << 40);
/// assert_eq!(AtomicU8::new(7).value(), 7);
/// ```
pub trait FutexWord: sealed::Sealed {
    /// The word's value.
    type Value: Copy + PartialEq;

    /// Reads the word, relaxed: the engine's fences order it.
    fn value(&self) -> Self::Value;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! words {
    ($($word:ty => $value:ty, $load:ident;)*) => {$(
        impl sealed::Sealed for $word {}

        impl FutexWord for $word {
            type Value = $value;

            fn value(&self) -> $value {
                word::$load(self)
            }
        }
    )*};
}
words! {
    AtomicU8 => u8, load_u8;
    AtomicU16 => u16, load_u16;
    AtomicU32 => u32, load;
}
#[cfg(target_has_atomic = "64")]
words! {
    AtomicU64 => u64, load_u64;
}

#[cfg(not(slotpark_loom))]
pub use shared::{PROCESS_HASHER, PROCESS_SLOTS, process_table};
#[cfg(not(slotpark_loom))]
pub(crate) use shared::{Place, place};

#[cfg(not(slotpark_loom))]
mod shared {
    use core::hash::BuildHasher;

    use super::{FutexKey, Kind};
    use crate::at::At;
    use crate::hash::{Seeded, finalize};
    use crate::platform::DefaultPlatform;
    use crate::slots::Slots;
    use crate::table::Table;

    /// The slots of the process-wide table: 512, in `.bss`.
    ///
    /// ```
    /// use slotpark_core::{PROCESS_SLOTS, Table};
    /// assert_eq!(Table::over(&PROCESS_SLOTS).slot_count(), 512);
    /// ```
    pub static PROCESS_SLOTS: Slots<FutexKey> = Slots::new();
    static TABLE: Table<FutexKey> = Table::over(&PROCESS_SLOTS).with_futex_text();

    /// The hasher of the process-wide table: who waits in it by a key, and is to meet others,
    /// hashes the key by this one, or by one made [`like`](Seeded::like) it.
    ///
    /// ```
    /// use slotpark_core::{FutexKey, PROCESS_HASHER, finalize, process_table};
    /// use std::hash::BuildHasher;
    /// let key = FutexKey::new(1, 0x1000);
    /// let hash = finalize(PROCESS_HASHER.hash_one(key));
    /// assert_eq!(process_table().waiters(hash, &key), 0);
    /// ```
    pub static PROCESS_HASHER: Seeded = Seeded::new();

    /// The process-wide table that the locks wait in. A child of a fork resets it, or any other
    /// table over [`PROCESS_SLOTS`] through which it waits: none but a thread's own waits are in
    /// it, and no closure of a user's runs in those.
    ///
    /// ```
    /// assert_eq!(slotpark_core::process_table().slot_count(), 512);
    /// ```
    #[inline]
    #[must_use]
    pub const fn process_table() -> &'static Table<FutexKey> {
        &TABLE
    }

    /// A place in the process-wide table.
    pub(crate) type Place = At<'static, FutexKey, DefaultPlatform>;

    /// Where the waiters of an object of this process wait.
    #[inline]
    pub(crate) fn place<T>(kind: Kind, object: *const T) -> Place {
        let key = FutexKey::of_object(kind, object);
        At {
            table: &TABLE,
            hash: finalize(PROCESS_HASHER.hash_one(key)),
            key,
        }
    }
}
