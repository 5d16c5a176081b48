//! `WaitDomain`: the waits of one guest, in a table that all guests share.
//!
//! A domain is a number and a flag. Its number is the space of its keys, so that two guests never
//! meet at one address, and no two domains of a process ever have the same.
//!
//! **Invariant** D1: a wait looks at the flag under the slot lock before it is linked; a close sets
//! the flag first and takes the lock of every slot afterwards. So of the waits that race it each is
//! linked before the walk comes by, and ended, or sees the flag. **Orderings**: LOCK.

mod closed;
mod outcome;
mod tasks;
mod waits;

use std::fmt;
use std::ops::RangeBounds;

use slotpark_core::{DefaultPlatform, FutexKey, Platform};

use self::closed::Closed;
pub use self::outcome::{DomainError, DomainOutcome};
use crate::FutexWait;

/// Where the threads and tasks of one guest wait: of a wasm memory, a process, an isolate. All
/// domains share a table; a domain is 24 bytes, and there is nothing to clean up after a wait.
///
/// A wait names an address of the guest, what it expects to find there, a timeout in nanoseconds,
/// and a closure that reads the word. The result is what engines return to their guests: 0 woken, 1
/// not equal, 2 timed out ([`DomainOutcome::code`]). A guest changes its word first, then notifies:
///
/// ```
/// use slotpark::{DomainOutcome, WaitDomain};
/// use std::convert::Infallible;
/// use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
///
/// let memory = [const { AtomicU32::new(0) }; 16];
/// let load = |address: u64| Ok::<_, Infallible>(memory[address as usize / 4].load(Relaxed));
/// let domain = WaitDomain::new();
/// std::thread::scope(|scope| {
///     let waiter = scope.spawn(|| domain.wait32(8, 0, -1, || load(8)));
///     while domain.waiters(8) == 0 {
///         std::thread::yield_now();
///     }
///     memory[2].store(1, Relaxed);
///     assert_eq!(domain.notify(8, u32::MAX), 1);
///     assert_eq!(waiter.join().unwrap(), Ok(DomainOutcome::Woken));
/// });
/// ```
///
/// **Order.** First come, first served by address, whatever the width of the word, threads and
/// tasks alike. There are no spurious returns, and counts are exact.
///
/// **Ending waits.** [`close`](Self::close) is for good: what engines call terminate.
/// [`drop_range`](Self::drop_range) ends the waits on memory that is gone. An
/// [`Interrupter`](crate::Interrupter) of its own ends the wait of one thread:
/// [`wait32_interruptible`](Self::wait32_interruptible).
///
/// **Dropping** a domain ends nothing, because there is nothing to end: its waits borrow it. A
/// future that was leaked keeps its place for good, and no domain made later finds it.
///
/// **Trust.** A guest chooses its addresses, and cannot choose which slots they fall into. But it
/// shares their locks: many threads of one guest can slow down others of the same table. Who has
/// guests that must not slow down the host gives them a table of their own, by [`on`](Self::on).
pub struct WaitDomain<'t, P: Platform = DefaultPlatform> {
    table: &'t FutexWait<P>,
    space: u64,
    closed: Closed,
}

impl WaitDomain<'static> {
    /// A new domain on the process-wide table.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// assert_ne!(WaitDomain::new().space(), WaitDomain::new().space());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::on(FutexWait::process())
    }
}

impl<'t, P: Platform> WaitDomain<'t, P> {
    /// A new domain on a table of your own.
    ///
    /// ```
    /// use slotpark::{FutexWait, WaitDomain};
    /// let table = FutexWait::with_slots(64);
    /// let guests = [(); 1000].map(|()| WaitDomain::on(&table));
    /// assert_eq!(guests[999].waiters(0), 0);
    /// ```
    #[must_use]
    pub fn on(table: &'t FutexWait<P>) -> Self {
        Self {
            table,
            space: closed::next_space(),
            closed: Closed::default(),
        }
    }

    /// A new domain on the same table, for the child of a guest that forks: open, and without any
    /// of the parent's waits.
    ///
    /// ```
    /// let parent = slotpark::WaitDomain::new();
    /// let child = parent.fork();
    /// assert_eq!(parent.close(), 0);
    /// assert!(!child.is_closed());
    /// ```
    #[must_use]
    pub fn fork(&self) -> Self {
        Self::on(self.table)
    }

    /// The space of its keys: a number that no other domain of this process has or had. Its highest
    /// bit is set; leave it clear in spaces that you choose yourself for [`FutexKey::new`].
    ///
    /// ```
    /// assert!(slotpark::WaitDomain::new().space() >> 63 == 1);
    /// ```
    #[must_use]
    pub const fn space(&self) -> u64 {
        self.space
    }

    /// The key that waits at `address` have: to requeue them, or to wake by bitset, by the
    /// [`FutexWait`] that the domain is on. Waits that are made there by this key are notified and
    /// ended by the domain as its own, but look at no [`close`](Self::close) that came before.
    ///
    /// ```
    /// use slotpark::{FutexWait, WaitDomain};
    /// let domain = WaitDomain::new();
    /// let (from, to) = (domain.key(0x1000), domain.key(0x2000));
    /// let done = FutexWait::process().requeue_key(from, to, 1, usize::MAX, || true);
    /// assert_eq!(done, Some(Default::default()));
    /// ```
    #[must_use]
    pub const fn key(&self, address: u64) -> FutexKey {
        FutexKey::new(self.space, address)
    }

    /// Wakes the first `count` waiters at `address`; how many there were: exactly those whose waits
    /// return [`DomainOutcome::Woken`] because of this. `u32::MAX` is all, 0 is nobody.
    ///
    /// It reads no word, and an address that no wait could be at has no waiters: whether it is one
    /// of the guest's is the engine's to check.
    ///
    /// ```
    /// assert_eq!(slotpark::WaitDomain::new().notify(0x1000, u32::MAX), 0);
    /// ```
    #[must_use = "the guest asks how many"]
    pub fn notify(&self, address: u64, count: u32) -> u32 {
        let count = if count == u32::MAX {
            usize::MAX
        } else {
            count as usize
        };
        let woken = self.table.waits().wake(&self.key(address), count);
        u32::try_from(woken).unwrap_or(u32::MAX)
    }

    /// The number of waiters at `address` at this moment, exactly.
    ///
    /// ```
    /// assert_eq!(slotpark::WaitDomain::new().waiters(0x1000), 0);
    /// ```
    #[must_use]
    pub fn waiters(&self, address: u64) -> usize {
        self.table.waits().waiters(&self.key(address))
    }

    /// Ends all waits of this domain with [`DomainError::Closed`], now and for ever: no wait that
    /// has begun or will begin sleeps after this. Returns how many it ended; closing again ends
    /// nobody. Other domains of the table are not concerned.
    ///
    /// Costs a lock for each slot of the table, whoever waits.
    ///
    /// ```
    /// use slotpark::{DomainError, WaitDomain};
    /// use std::convert::Infallible;
    /// let domain = WaitDomain::new();
    /// assert_eq!(domain.close(), 0);
    /// let ended = domain.wait32(8, 0, -1, || Ok::<_, Infallible>(0));
    /// assert_eq!(ended, Err(DomainError::Closed));
    /// ```
    pub fn close(&self) -> usize {
        // Before the walk (D1).
        self.closed.set();
        self.end_where(|_| true)
    }

    /// Whether it is closed, or is being closed at this moment.
    ///
    /// ```
    /// assert!(!slotpark::WaitDomain::new().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Ends the waits at all addresses in `range` with [`DomainError::Unmapped`]: of memory that
    /// was unmapped, or cut off. Returns how many. The address of a wait is that of its word's
    /// first byte.
    ///
    /// First make the closures that read words there answer with an error, then call: of the waits
    /// that race it each is ended, or told that error. Later waits are not refused, for the memory
    /// may come back.
    ///
    /// Costs a lock for each slot of the table, whoever waits.
    ///
    /// ```
    /// let domain = slotpark::WaitDomain::new();
    /// assert_eq!(domain.drop_range(0x1_0000..0x2_0000), 0);
    /// assert_eq!(domain.drop_range(0x1_0000..), 0);
    /// ```
    pub fn drop_range(&self, range: impl RangeBounds<u64>) -> usize {
        self.end_where(|address| range.contains(&address))
    }

    fn end_where(&self, mut is_gone: impl FnMut(u64) -> bool) -> usize {
        let waits = self.table.waits();
        waits.close_where(|key| match key.guest() {
            Some((space, address)) => space == self.space && is_gone(address),
            None => false,
        })
    }
}

impl Default for WaitDomain<'static> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Platform> fmt::Debug for WaitDomain<'_, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitDomain")
            .field("space", &self.space)
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

// A look sees the whole table: other domains, too.
slotpark_core::looks_by!([P: Platform] WaitDomain<'_, P>, table);
