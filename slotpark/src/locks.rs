//! Locks with guards: `lock_api`'s, over the engine's.

use slotpark_core::{RawCondvar, RawMutex, RawRwLock, lock_api};

/// A mutex whose own part is one byte. Its waiters wait in the process-wide table.
///
/// ```
/// use slotpark::Mutex;
/// static SCORES: Mutex<Vec<u32>> = Mutex::new(Vec::new());
/// std::thread::scope(|scope| {
///     for score in 0..3 {
///         scope.spawn(move || SCORES.lock().push(score));
///     }
/// });
/// assert_eq!(SCORES.lock().len(), 3);
/// assert_eq!(size_of::<Mutex<u8>>(), 2);
/// ```
///
/// While it is free, locking and unlocking are one compare-exchange each. Whoever comes takes it,
/// also past those who wait; who was woken too late eight times is handed it next, and
/// [`MutexGuard::unlock_fair`](lock_api::MutexGuard::unlock_fair) hands it over at once. It is not
/// poisoned by a panic, and not reentrant. A guard stays on its thread.
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;

/// What a [`Mutex`] is locked by.
///
/// ```
/// use slotpark::{Mutex, MutexGuard};
/// let mutex = Mutex::new(1);
/// let guard: MutexGuard<'_, i32> = mutex.lock();
/// assert_eq!(*guard, 1);
/// ```
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;

/// As [`MutexGuard`], for a part of the value.
///
/// ```
/// use slotpark::{MappedMutexGuard, Mutex, MutexGuard};
/// let mutex = Mutex::new((1, 2));
/// let second: MappedMutexGuard<'_, i32> = MutexGuard::map(mutex.lock(), |pair| &mut pair.1);
/// assert_eq!(*second, 2);
/// ```
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;

/// A reader-writer lock whose own part is 4 bytes. Its waiters wait in the process-wide table.
///
/// ```
/// use slotpark::{RwLock, RwLockUpgradableReadGuard};
/// let numbers = RwLock::new(vec![1, 2, 3]);
/// let (first, second) = (numbers.read(), numbers.read());
/// assert_eq!(first.len() + second.len(), 6);
/// drop((first, second));
/// let reading = numbers.upgradable_read();
/// if !reading.contains(&4) {
///     RwLockUpgradableReadGuard::upgrade(reading).push(4);
/// }
/// assert_eq!(numbers.read().len(), 4);
/// ```
///
/// Readers who come while anybody waits queue behind; the readers at the head of the queue go in
/// together; a writer is never starved, and neither are readers. So a thread that reads twice may
/// wait for a writer that waits for it. It is not poisoned by a panic.
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;

/// What an [`RwLock`] is locked by for reading.
///
/// ```
/// use slotpark::{RwLock, RwLockReadGuard};
/// let lock = RwLock::new(1);
/// let guard: RwLockReadGuard<'_, i32> = lock.read();
/// assert_eq!(*guard, 1);
/// ```
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;

/// What an [`RwLock`] is locked by for writing.
///
/// ```
/// use slotpark::{RwLock, RwLockReadGuard, RwLockWriteGuard};
/// let lock = RwLock::new(1);
/// let mut guard: RwLockWriteGuard<'_, i32> = lock.write();
/// *guard += 1;
/// let guard: RwLockReadGuard<'_, i32> = RwLockWriteGuard::downgrade(guard);
/// assert_eq!(*guard, 2);
/// ```
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;

/// What an [`RwLock`] is locked by for reading by who may become its writer; one at a time.
///
/// ```
/// use slotpark::{RwLock, RwLockUpgradableReadGuard};
/// let lock = RwLock::new(1);
/// let guard: RwLockUpgradableReadGuard<'_, i32> = lock.upgradable_read();
/// *RwLockUpgradableReadGuard::upgrade(guard) += 1;
/// assert_eq!(*lock.read(), 2);
/// ```
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;

/// A condition variable of one word, for a [`Mutex`]. Its waiters wait in the process-wide table.
///
/// ```
/// use slotpark::{Condvar, Mutex};
/// static READY: Mutex<bool> = Mutex::new(false);
/// static CHANGED: Condvar = Condvar::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         *READY.lock() = true;
///         CHANGED.notify_one();
///     });
///     let mut ready = READY.lock();
///     while !*ready {
///         CHANGED.wait(&mut ready);
///     }
/// });
/// ```
///
/// No wait ends without a notification or its deadline. A notification counts exactly; those for
/// whom the mutex is locked are moved to it, so that nobody wakes to wait again. With nobody
/// waiting it is one load. Waiting with two mutexes at one time panics.
pub type Condvar = lock_api::Condvar<RawCondvar>;

pub use lock_api::WaitTimeoutResult;
