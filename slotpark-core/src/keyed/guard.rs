//! A guard that may be moved: a key is held as long as it lives.

use core::fmt;
use core::mem::ManuallyDrop;

use crate::inspect::Traced;
use crate::keyed::lock::KeyedLock;
use crate::keyed::options::HoldOptions;
use crate::keyed::pool::Entry;
use crate::node::{Node, NodeRef};
use crate::platform::Platform;
use crate::slot::SlotGuard;

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// A place in the pool for `key`, with the node of a holder.
    pub(super) fn entry(&self, hash: u64, key: K, options: HoldOptions) -> Result<&Entry<K, P>, K> {
        let renew = |node: &mut Node<P>, key, says| {
            self.renew(node, (hash, key), options.amount, says);
        };
        self.pool.take(key, options.label, renew)
    }

    /// As [`entry`](Self::entry), if the place where this thread begins to look is free.
    #[inline]
    pub(super) fn near_entry(
        &self,
        hash: u64,
        key: K,
        options: HoldOptions,
    ) -> Result<&Entry<K, P>, K> {
        let renew = |node: &mut Node<P>, key, says| {
            self.renew(node, (hash, key), options.amount, says);
        };
        self.pool.take_near(key, options.label, renew)
    }
}

/// A key is held while this lives. Made by [`KeyedLock::hold`] and [`KeyedLock::hold_async`].
///
/// It may be moved and sent to another thread, and dropped there. Forgotten (`mem::forget`), it
/// holds its key, and keeps its place in the pool, as long as the lock lives. So does one whose
/// [growth](Self::grow_async) was forgotten while it waited.
///
/// ```
/// use slotpark_core::{HoldOptions, KeyedLock, finalize};
/// let lock = KeyedLock::<u64>::new(1);
/// let guard = lock.hold(finalize(7), 7, HoldOptions::new(1)).unwrap();
/// assert_eq!(*guard.key(), 7);
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// assert_eq!(lock.held(finalize(7), &7), 0);
/// ```
#[must_use = "the key is released when the guard is dropped"]
pub struct Holding<'l, K: Eq, P: Platform> {
    pub(super) place: Unheld<'l, K, P>,
}

impl<'l, K: Eq, P: Platform> Holding<'l, K, P> {
    /// A place in the pool that was just taken and holds nothing yet.
    #[inline]
    pub(super) fn unheld(
        lock: &'l KeyedLock<K, P>,
        hash: u64,
        entry: &'l Entry<K, P>,
    ) -> Unheld<'l, K, P> {
        Unheld {
            lock,
            hash,
            entry,
            is_awaited: false,
        }
    }

    /// The key that is held.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let lock = KeyedLock::<u64>::new(1);
    /// assert_eq!(*lock.try_hold(1, 7, HoldOptions::new(1)).unwrap().key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.place.key()
    }

    /// Its hash, as given to the lock.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let lock = KeyedLock::<u64>::new(1);
    /// assert_eq!(lock.try_hold(1, 7, HoldOptions::new(1)).unwrap().hash(), 1);
    /// ```
    #[must_use]
    pub const fn hash(&self) -> u64 {
        self.place.hash
    }

    /// The lock that it belongs to.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let lock = KeyedLock::<u64>::new(1);
    /// assert!(std::ptr::eq(lock.try_hold(1, 7, HoldOptions::new(1)).unwrap().lock(), &lock));
    /// ```
    #[must_use]
    pub const fn lock(&self) -> &'l KeyedLock<K, P> {
        self.place.lock
    }

    /// Gives up all but `amount`, at once: a writer becomes a reader, and others may come in
    /// between no two of them.
    ///
    /// # Panics
    /// If it holds less.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let lock = KeyedLock::<u64>::new(10);
    /// let mut guard = lock.try_hold(1, 7, HoldOptions::new(10)).unwrap();
    /// guard.shrink(1);
    /// assert_eq!(lock.held(1, &7), 1);
    /// ```
    #[track_caller]
    pub fn shrink(&mut self, amount: u32) {
        let holds_enough = self.change(|lock, guard, head, holder, chosen| {
            let holds_enough = holder.weight() >= amount;
            if holds_enough {
                lock.shrink_node((guard, head), holder, amount, chosen);
            }
            holds_enough
        });
        assert!(holds_enough != Some(false), "slotpark: it holds less");
    }

    /// How much it holds.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let lock = KeyedLock::<u64>::new(3);
    /// assert_eq!(lock.try_hold(1, 7, HoldOptions::new(2)).unwrap().amount(), 2);
    /// ```
    #[must_use]
    pub fn amount(&self) -> u32 {
        self.place.amount()
    }

    /// The place in the pool, which goes on to hold the key.
    pub(super) fn into_entry(self) -> &'l Entry<K, P> {
        ManuallyDrop::new(self).place.entry
    }

    /// The lock, the hash, and the place in the pool.
    pub(super) fn parts(&self) -> (&'l KeyedLock<K, P>, u64, &'l Entry<K, P>) {
        (self.place.lock, self.place.hash, self.place.entry)
    }

    /// Releases the key, and keeps its place in the pool.
    pub(super) fn into_unheld(self) -> Unheld<'l, K, P> {
        let held = ManuallyDrop::new(self);
        let Unheld {
            lock,
            hash,
            entry,
            is_awaited,
        } = held.place;
        if !is_awaited {
            lock.unlock(hash, held.place.node());
        }
        Unheld {
            lock,
            hash,
            entry,
            is_awaited,
        }
    }

    /// Runs `change` in one hold of the slot lock with the holder's node and the head of its key;
    /// `None` in the child of a fork.
    pub(super) fn change<R>(
        &mut self,
        change: impl FnOnce(
            &KeyedLock<K, P>,
            &SlotGuard<'_, P>,
            NodeRef<'_, P>,
            NodeRef<'_, P>,
            &mut crate::choose::Chosen<'_, '_, P>,
        ) -> R,
    ) -> Option<R> {
        let (lock, hash) = (self.place.lock, self.place.hash);
        let node = self.place.node();
        if node.generation() != lock.table.generation() {
            return None;
        }
        lock.decide_and_release(lock.table.slot(hash), hash, |guard, chosen| {
            // SAFETY: H1: it is our own, and linked since the slot was seized, if not before.
            let holder = unsafe { NodeRef::from_raw(node) }?;
            let head = lock.head_of_holder(guard, holder);
            Some(change(lock, guard, head, holder, chosen))
        })
    }
}

impl<K: Eq, P: Platform> Drop for Holding<'_, K, P> {
    #[inline]
    fn drop(&mut self) {
        if self.place.is_awaited {
            return;
        }
        // The place is given back next.
        self.place.lock.unlock(self.place.hash, self.place.node());
    }
}

impl<K: Eq, P: Platform> fmt::Debug for Holding<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holding")
            .field("hash", &self.place.hash)
            .finish_non_exhaustive()
    }
}

/// A place in the pool that holds nothing: given back when it is dropped.
pub(super) struct Unheld<'l, K: Eq, P: Platform> {
    pub(super) lock: &'l KeyedLock<K, P>,
    pub(super) hash: u64,
    entry: &'l Entry<K, P>,
    /// A growth waits for more. One that was forgotten points here for ever (H6).
    pub(super) is_awaited: bool,
}

// SAFETY: an entry has one owner, which may move to another thread with its key; the node is shared
// under the rules of `node`.
unsafe impl<K: Eq + Send + Sync, P: Platform> Send for Unheld<'_, K, P> {}
// SAFETY: others may look at the key only.
unsafe impl<K: Eq + Send + Sync, P: Platform> Sync for Unheld<'_, K, P> {}

impl<'l, K: Eq, P: Platform> Unheld<'l, K, P> {
    #[inline]
    pub(super) fn node(&self) -> &Node<P> {
        // SAFETY: E1: this owns the entry.
        unsafe { self.entry.node() }
    }

    #[inline]
    pub(super) fn key(&self) -> &K {
        // SAFETY: E1: this owns the entry.
        unsafe { self.entry.key() }
    }

    /// What its node may point to.
    #[inline]
    pub(super) fn traced(&self) -> &Traced {
        self.entry.traced()
    }

    /// How much the owner holds of it, or will.
    pub(super) fn amount(&self) -> u32 {
        if self.is_awaited {
            // Others may grant more at any moment.
            let slot = self.lock.table.slot(self.hash);
            return self.lock.decide(slot, |_| self.last_amount());
        }
        self.last_amount()
    }

    fn last_amount(&self) -> u32 {
        // SAFETY: N2: only its owner changes what it holds, which is this, or the slot is locked.
        unsafe { self.node().last_weight() }
    }

    /// The hash of the key.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Holds the key if it is free now.
    pub(super) fn try_take(&self) -> bool {
        let (lock, node) = (self.lock, self.node());
        // SAFETY: V1: it holds nothing: nobody knows the node.
        let is_recorded = unsafe { lock.is_recorded(node) };
        let is_held = !is_recorded && lock.take(self.hash, node)
            || lock.take_node(self.hash, node, self.key());
        if is_held {
            // SAFETY: H3: it has just come, to this owner.
            unsafe { lock.came(node) };
        }
        is_held
    }

    /// The key is held from now on.
    #[inline]
    pub(super) fn into_held(self) -> Holding<'l, K, P> {
        Holding { place: self }
    }
}

impl<K: Eq, P: Platform> Drop for Unheld<'_, K, P> {
    #[inline]
    fn drop(&mut self) {
        if self.is_awaited {
            return;
        }
        // SAFETY: this owns the entry, and holds nothing (any more).
        unsafe { self.entry.end() };
    }
}
