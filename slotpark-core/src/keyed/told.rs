//! What a sink is told of locks by key where owners are recorded: what is asked for, and what has
//! come. That it was given up, `inspect` tells.
//!
//! Only what is recorded is told, and that is never taken or given up by the holder word alone: so
//! what has come is told to be given up, too.

use crate::inspect::{Locking, ask, came};
use crate::keyed::lock::KeyedLock;
use crate::node::Node;
use crate::platform::Platform;

impl<K, P: Platform> KeyedLock<K, P> {
    /// The key of `holder`, which nobody else knows, is asked for; with `waits` it is waited for,
    /// if that must be. A panic of the sink goes on.
    ///
    /// # Safety
    /// V1: nobody but the caller knows the node.
    #[inline]
    pub(super) unsafe fn ask(&self, holder: &Node<P>, waits: bool) {
        if !holder.traced().is_null() {
            // SAFETY: V1: the caller's contract.
            unsafe { self.tell(holder, waits, ask) };
        }
    }

    /// The key of `holder` is held.
    ///
    /// # Safety
    /// It is held by the caller, who has been told so.
    #[inline]
    pub(super) unsafe fn came(&self, holder: &Node<P>) {
        if !holder.traced().is_null() {
            // SAFETY: the caller's contract.
            unsafe { self.tell(holder, true, came) };
        }
    }

    /// Whether who holds by a node is recorded.
    ///
    /// # Safety
    /// V1: nobody but the caller knows the node.
    #[inline]
    pub(super) unsafe fn is_recorded(&self, holder: &Node<P>) -> bool {
        // SAFETY: V1: what it points to lives as long as the node.
        let traced = unsafe { holder.traced().as_ref() };
        // SAFETY: V1: the caller's contract.
        traced.is_some_and(|traced| unsafe { traced.is_timed() })
    }

    /// # Safety
    /// Nobody writes what the node says or how much it holds: not before others know it, nor while
    /// its owner, who is the caller, holds its key.
    #[cold]
    #[inline(never)]
    unsafe fn tell(&self, holder: &Node<P>, waits: bool, told: fn(&Locking)) {
        // SAFETY: V1: what it points to lives as long as the node.
        let Some(traced) = (unsafe { holder.traced().as_ref() }) else {
            return;
        };
        // SAFETY: N2: the caller's contract.
        let hash = unsafe { holder.last_name() }.hash;
        // SAFETY: N2: the caller's contract.
        let amount = unsafe { holder.last_weight() };
        let key = (self.table.id(), hash);
        let holder = core::ptr::from_ref(holder).addr() as u64;
        // SAFETY: V1: the caller's contract.
        let locking = unsafe { traced.locking(key, holder, self.kind_of(amount), waits) };
        if let Some(locking) = locking {
            told(&locking);
        }
    }
}
