//! A key that stays closed while a node of its closer is in its ring.
//!
//! **Lock order**: one slot lock. **Orderings**: LOCK.

use core::fmt;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr;

use crate::node::{Group, Name, Node, NodeRef, Role};
use crate::platform::Platform;
use crate::reentry;
use crate::table::Table;

impl<K: Eq, P: Platform> Table<K, P> {
    /// A key that is closed from [`ClosedKey::close`] until it is dropped: waits of it end with
    /// Closed at once. Several of one key may live at a time. Keys are looked up under the slot
    /// lock: a wait that does not come so far, since its deadline is past or it was interrupted
    /// before it began, says that instead.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// use std::pin::pin;
    /// let table = Table::<u64>::new();
    /// {
    ///     let mut closed = pin!(table.closed_key(1, 7));
    ///     assert_eq!(closed.as_mut().close(), 0);
    ///     assert_eq!(table.park(1, &7, ParkOptions::new(), || true), Parked::Closed);
    /// }
    /// assert_eq!(table.park(1, &7, ParkOptions::new(), || false), Parked::Stale);
    /// ```
    pub const fn closed_key(&self, hash: u64, key: K) -> ClosedKey<'_, K, P> {
        ClosedKey {
            table: self,
            hash,
            key,
            node: None,
            _pinned: PhantomPinned,
        }
    }
}

/// Keeps a key closed while it lives. It is a node in the caller's frame: nothing is allocated, and
/// nothing stays when it goes. One that is leaked keeps its key closed.
///
/// ```
/// use std::pin::pin;
/// let table = slotpark_core::Table::<String>::new();
/// let mut closed = pin!(table.closed_key(1, "job".to_string()));
/// let _ended = closed.as_mut().close();
/// assert_eq!(table.waiters(1, "job"), 0);
/// ```
#[must_use = "the key is closed by `close`, and open again when this is dropped"]
pub struct ClosedKey<'t, K: Eq, P: Platform> {
    table: &'t Table<K, P>,
    hash: u64,
    key: K,
    /// Linked from `close` on, unless that panicked before.
    node: Option<Node<P>>,
    _pinned: PhantomPinned,
}

// SAFETY: the node is touched under its slot's lock, whatever thread that is; other threads read
// the key through `&K`.
unsafe impl<K: Eq + Send + Sync, P: Platform> Send for ClosedKey<'_, K, P> {}
// SAFETY: a shared reference reaches nothing.
unsafe impl<K: Eq + Sync, P: Platform> Sync for ClosedKey<'_, K, P> {}

impl<K: Eq, P: Platform> ClosedKey<'_, K, P> {
    /// Closes the key and ends its waits with Closed, in one moment; returns how many. Called again
    /// it does nothing.
    ///
    /// # Panics
    /// As [`Table::close_key`].
    ///
    /// ```
    /// use std::pin::pin;
    /// let table = slotpark_core::Table::<u64>::new();
    /// assert_eq!(pin!(table.closed_key(1, 7)).close(), 0);
    /// ```
    pub fn close(self: Pin<&mut Self>) -> usize {
        reentry::check();
        // SAFETY: nothing is moved out of the pinned object.
        let this = unsafe { self.get_unchecked_mut() };
        if this.linked().is_some() {
            return 0;
        }
        let name = Name {
            hash: this.hash,
            key: ptr::from_ref(&this.key).cast(),
        };
        let generation = this.table.generation();
        let node = Node::new(name, ptr::null_mut(), 0, generation, ptr::null());
        let node = &*this.node.insert(node.with_role(Role::Closer));
        this.table
            .close_key_with(this.hash, &this.key, |guard, head| {
                // SAFETY: N1: it is pinned, and unlinked before it is dropped.
                let Some(node) = (unsafe { NodeRef::from_raw(node) }) else {
                    return;
                };
                guard.push(head, node);
                let head = head.unwrap_or(node);
                head.set_group(Group {
                    closers: head.group().closers + 1,
                    ..head.group()
                });
            })
    }
}

impl<K: Eq, P: Platform> ClosedKey<'_, K, P> {
    /// Its node, while that keeps the key closed.
    fn linked(&self) -> Option<&Node<P>> {
        self.node.as_ref().filter(|node| !node.slot().is_null())
    }
}

impl<K: Eq, P: Platform> Drop for ClosedKey<'_, K, P> {
    fn drop(&mut self) {
        let Some(node) = self.linked() else {
            return;
        };
        if node.generation() != self.table.generation() {
            // Forked: no queue of this process ever held it.
            return;
        }
        reentry::check_drop();
        let _critical = P::critical();
        let guard = self.table.slot(self.hash).lock();
        // SAFETY: N1: it is our own node, linked in the slot whose lock is held.
        let Some(node) = (unsafe { NodeRef::from_raw(node) }) else {
            return;
        };
        // Keys are not compared, which may panic: nobody waits in this ring, so it is short.
        if let Some(head) = guard.ring(node).find(|other| other.is_head()) {
            head.set_group(Group {
                closers: head.group().closers - 1,
                ..head.group()
            });
        }
        guard.unlink(node);
        node.set_slot(ptr::null());
    }
}

impl<K: Eq, P: Platform> fmt::Debug for ClosedKey<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosedKey")
            .field("closed", &self.linked().is_some())
            .finish_non_exhaustive()
    }
}
