//! Which keys are wanted, and how much of each.

use alloc::vec::Vec;

/// What becomes of a key that is named more than once.
///
/// ```
/// use slotpark_core::{HoldOptions, KeyedLock, Merge, Wanted};
/// let lock = KeyedLock::<u64>::new(3);
/// let wanted = vec![Wanted::new(1, 7, 1), Wanted::new(1, 7, 2)];
/// let held = lock.hold_many(wanted, Merge::Sum, None).unwrap();
/// assert_eq!(lock.held(1, &7), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Merge {
    /// The largest amount: who reads and writes a key writes it.
    Max,
    /// All amounts together: permits.
    Sum,
}

/// One of many keys, and how much of it.
///
/// ```
/// let wanted = slotpark_core::Wanted::new(1, 7, 1);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Wanted<K> {
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) amount: u32,
}

impl<K> Wanted<K> {
    /// So much of a key with its hash.
    ///
    /// ```
    /// let wanted = slotpark_core::Wanted::new(1, 7, 1);
    /// ```
    pub const fn new(hash: u64, key: K, amount: u32) -> Self {
        Self { hash, key, amount }
    }
}

/// A list of keys, or of what is [`Wanted`]: an array, for which nothing is allocated, or a `Vec`.
///
/// ```
/// use slotpark_core::{KeyedLock, Merge, Wanted};
/// let lock = KeyedLock::<u64>::new(1);
/// let wanted: Vec<_> = (0..10).map(|key| Wanted::new(key, key, 1)).collect();
/// assert_eq!(lock.hold_many(wanted, Merge::Max, None).unwrap().keys().count(), 10);
/// ```
pub trait KeyList<T>: sealed::Sealed {
    /// The same kind of list, of something else.
    type Of<U>: KeyList<U>;

    #[doc(hidden)]
    fn map_all<U>(self, f: impl FnMut(T) -> U) -> Self::Of<U>;

    #[doc(hidden)]
    fn all(&self) -> &[T];

    #[doc(hidden)]
    fn all_mut(&mut self) -> &mut [T];
}

mod sealed {
    use super::Vec;

    pub trait Sealed {}
    impl<T, const N: usize> Sealed for [T; N] {}
    impl<T> Sealed for Vec<T> {}
}

impl<T, const N: usize> KeyList<T> for [T; N] {
    type Of<U> = [U; N];

    fn map_all<U>(self, f: impl FnMut(T) -> U) -> [U; N] {
        self.map(f)
    }

    fn all(&self) -> &[T] {
        self
    }

    fn all_mut(&mut self) -> &mut [T] {
        self
    }
}

impl<T> KeyList<T> for Vec<T> {
    type Of<U> = Vec<U>;

    fn map_all<U>(self, f: impl FnMut(T) -> U) -> Vec<U> {
        self.into_iter().map(f).collect()
    }

    fn all(&self) -> &[T] {
        self
    }

    fn all_mut(&mut self) -> &mut [T] {
        self
    }
}
