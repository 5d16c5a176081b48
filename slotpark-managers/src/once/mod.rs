//! Values by key, each made once.
//!
//! What a key leads to is a *flight*: a value, or somebody who makes it while others wait. Those
//! who are in a flight without a value count themselves under the lock of the map's shard, and the
//! last one takes it out under the same. A flight that was taken out by others goes on for those
//! who are in it.
//!
//! **Lock order**: an entry of the map, then the lock of its flight.

mod flight;
mod make;
mod make_async;

use std::borrow::Borrow;
use std::error::Error;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use dashmap::DashMap;

use crate::{Errno, Waits};
use flight::Flight;

/// Values that are kept by key until they are removed, and made when somebody wants one that is not
/// there: by one, while others who want it wait. Threads and tasks alike.
///
/// ```
/// use slotpark_managers::{Block, Errno, OnceMap, Waits};
/// use std::sync::Arc;
/// let pages = OnceMap::<String, Arc<str>>::new(Arc::new(Waits::new()));
/// let page = pages.get_or_init("/".to_string(), Block::FOREVER, || "page".into())?;
/// let again = pages.get_or_init("/".to_string(), Block::FOREVER, || unreachable!())?;
/// assert!(Arc::ptr_eq(&page, &again));
/// assert_eq!(pages.remove("/"), Some(page)); // its time is over
/// assert!(pages.is_empty());
/// # Ok::<_, Errno>(())
/// ```
///
/// **Who makes it** is the first who wants it. If it fails, panics, or is a future that is dropped,
/// the next who waits makes it, by its own closure or future: nobody waits for ever, and an error
/// is for its own caller alone. If all give up, nothing stays.
///
/// **Removed while it is made**: those who had asked for it before get it, and it is not kept. Who
/// asks later never gets a value that was begun before: it makes a new one.
/// [`insert`](Self::insert) does the same to what is being made, and keeps its own value.
///
/// **What runs where.** What makes a value runs with no lock held and may use other keys; the same
/// key again waits for itself. `V::clone` and drops of values run with no lock held too: use an
/// `Arc` for what is dear to clone. [`retain`](Self::retain) says what holds in its closure.
pub struct OnceMap<K, V> {
    waits: Arc<Waits>,
    flights: DashMap<K, Arc<Flight<V>>>,
}

/// Why there is no value.
///
/// ```
/// use slotpark_managers::{Block, OnceError, OnceMap, Waits};
/// let map = OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new()));
/// let made = map.get_or_try_init(7, Block::FOREVER, || Err("no such thing"));
/// assert_eq!(made, Err(OnceError::Failed("no such thing")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnceError<E> {
    /// This call was to make it, and failed.
    Failed(E),
    /// The wait for who makes it has failed.
    Wait(Errno),
}

impl<E: fmt::Display> fmt::Display for OnceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Wait(errno) => write!(f, "waiting for who makes it: {errno}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for OnceError<E> {}

impl<K: Eq + Hash, V> OnceMap<K, V> {
    /// An empty one, whose calls block in `waits`.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// assert!(OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new())).is_empty());
    /// ```
    #[must_use]
    pub fn new(waits: Arc<Waits>) -> Self {
        Self {
            waits,
            flights: DashMap::new(),
        }
    }

    fn flight<Q>(&self, key: &Q) -> Option<Arc<Flight<V>>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let flight = self.flights.get(key)?;
        Some(Arc::clone(&flight))
    }

    /// Keeps only the values that `keep` says yes to: the caller's way to let them expire. What is
    /// being made stays.
    ///
    /// `keep` runs under a lock of a part of the map, and is to call nothing of this map. Values
    /// are dropped there too, unless somebody else has a share in them.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// let map = OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new()));
    /// map.insert(7, 70);
    /// map.insert(8, 80);
    /// map.retain(|key, _value| *key > 7);
    /// assert_eq!(map.len(), 1);
    /// ```
    pub fn retain(&self, mut keep: impl FnMut(&K, &V) -> bool) {
        self.flights
            .retain(|key, flight| flight.value().is_none_or(|value| keep(key, value)));
    }

    /// How many keys have a value, or somebody who makes it.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// assert_eq!(OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new())).len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.flights.len()
    }

    /// Whether no key has anything.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// assert!(OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new())).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    /// How many wait for who makes the value of `key` now.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// assert_eq!(OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new())).waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let flight = self.flight(key);
        flight.map_or(0, |flight| flight.event.waiters(&self.waits))
    }
}

impl<K: Eq + Hash, V: Clone> OnceMap<K, V> {
    /// The value of `key`, if it has one now. Waits for nobody.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// let map = OnceMap::<String, u32>::new(std::sync::Arc::new(Waits::new()));
    /// map.insert("seven".to_string(), 7);
    /// assert_eq!((map.get("seven"), map.get("eight")), (Some(7), None));
    /// ```
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.flight(key)?.value().cloned()
    }

    /// Removes and returns the value of `key`. If it is being made, it is not kept: see the type.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// let map = OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new()));
    /// map.insert(7, 70);
    /// assert_eq!((map.remove(&7), map.remove(&7)), (Some(70), None));
    /// ```
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (_, flight) = self.flights.remove(key)?;
        flight.value().cloned()
    }

    /// Keeps this value, and returns the one that was there. What is being made is not kept then:
    /// see the type.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// let map = OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!((map.insert(7, 70), map.insert(7, 71)), (None, Some(70)));
    /// ```
    pub fn insert(&self, key: K, value: V) -> Option<V> {
        let old = self.flights.insert(key, Arc::new(Flight::landed(value)))?;
        old.value().cloned()
    }
}

impl<K, V> fmt::Debug for OnceMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceMap").finish_non_exhaustive()
    }
}
