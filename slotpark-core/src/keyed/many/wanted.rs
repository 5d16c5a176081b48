//! Which keys are wanted, and how much of each.

use alloc::vec::Vec;

use crate::keyed::many::each::Each;
use crate::platform::Platform;

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

/// A list of [`Wanted`] keys: an array, for which nothing is allocated, or a `Vec`.
///
/// ```
/// use slotpark_core::{KeyedLock, Merge, Wanted};
/// let lock = KeyedLock::<u64>::new(1);
/// let wanted: Vec<_> = (0..10).map(|key| Wanted::new(key, key, 1)).collect();
/// assert_eq!(lock.hold_many(wanted, Merge::Max, None).unwrap().keys().count(), 10);
/// ```
pub trait WantedKeys<K: Eq>: sealed::List<K> {}
impl<K: Eq, const N: usize> WantedKeys<K> for [Wanted<K>; N] {}
impl<K: Eq> WantedKeys<K> for Vec<Wanted<K>> {}

mod sealed {
    use super::{Each, Platform, Vec, Wanted};

    pub trait List<K: Eq> {
        type Held<'l, P: Platform>: AsRef<[Each<'l, K, P>]> + AsMut<[Each<'l, K, P>]>
        where
            K: 'l;

        fn held<'l, P: Platform>(self) -> Self::Held<'l, P>
        where
            K: 'l;
    }

    impl<K: Eq, const N: usize> List<K> for [Wanted<K>; N] {
        type Held<'l, P: Platform>
            = [Each<'l, K, P>; N]
        where
            K: 'l;

        fn held<'l, P: Platform>(self) -> [Each<'l, K, P>; N]
        where
            K: 'l,
        {
            self.map(Each::new)
        }
    }

    impl<K: Eq> List<K> for Vec<Wanted<K>> {
        type Held<'l, P: Platform>
            = Vec<Each<'l, K, P>>
        where
            K: 'l;

        fn held<'l, P: Platform>(self) -> Vec<Each<'l, K, P>>
        where
            K: 'l,
        {
            self.into_iter().map(Each::new).collect()
        }
    }
}
