//! Where the nodes of movable guards lie: a fixed array, made with the lock.
//!
//! A guard must be movable and its node must not move, so the node lies here, with the key, which
//! the guard owns. Who will hold by a guard takes its entry before it queues.
//!
//! **States** of an entry: FREE - TAKEN (it has a key and a node, and one owner).
//!
//! **Invariants**
//! - E1 Between `Pool::take` and `Entry::end` an entry has one owner; the key and the node in it
//!   are live, and others only read them, under the rules of `node` (N2) and H1. The node is made
//!   with the entry, and begun anew by each owner before anybody else knows it: what the last one
//!   left in it is the same for all holders, or written by who links it.
//! - E2 A forgotten owner leaves its entry TAKEN for ever: nothing that points to it dangles.
//!
//! **Orderings**: ENTRY.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr;

use crate::inspect::Traced;
use crate::node::Node;
use crate::platform::Platform;
use crate::sync::{AtomicU32, Guarded, Ordering, here};

const FREE: u32 = 0;
const TAKEN: u32 = 1;

/// See the module. All of it is a cell, so that a reference to one that is a box of its own says
/// neither that nothing of it changes nor that it outlives the call which gives it back.
pub(crate) struct Entry<K, P: Platform>(UnsafeCell<Parts<K, P>>);

struct Parts<K, P: Platform> {
    state: AtomicU32,
    /// It is no part of the array, but a box of its own.
    is_boxed: bool,
    /// Where who began to look here, and did not find this one free, found one last: a hint, in the
    /// line that the look has touched. One for the pool would travel between all threads.
    detour: AtomicU32,
    node: UnsafeCell<Node<P>>,
    key: Guarded<MaybeUninit<K>>,
    traced: Traced,
}

impl<K, P: Platform> Entry<K, P> {
    /// Number `index` of the array, or a box.
    fn new(state: u32, index: Option<usize>) -> Self {
        Self(UnsafeCell::new(Parts {
            state: AtomicU32::new(state),
            is_boxed: index.is_none(),
            detour: AtomicU32::new(index.unwrap_or(0) as u32),
            node: UnsafeCell::new(Node::holder()),
            key: Guarded::new(MaybeUninit::uninit()),
            traced: Traced::new(),
        }))
    }

    #[inline(always)]
    fn parts(&self) -> &Parts<K, P> {
        // SAFETY: E1: what changes is an atomic or a cell in it, and the rest is never written.
        unsafe { &*self.0.get() }
    }

    #[inline]
    fn try_take(&self) -> bool {
        // ORDERING: ENTRY acquire side: the last owner is done with the node and the key. Relaxed
        // on failure, which learns nothing.
        self.parts()
            .state
            .compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// As [`try_take`](Self::try_take), where it may well be taken: a look disturbs nobody.
    #[inline]
    fn look_and_take(&self) -> bool {
        self.is_free() && self.try_take()
    }

    fn is_free(&self) -> bool {
        // ORDERING: none, relaxed: a look; `try_take` decides.
        self.parts().state.load(Ordering::Relaxed) == FREE
    }

    fn detour(&self) -> usize {
        // ORDERING: none, relaxed: a hint where to look; `try_take` decides.
        self.parts().detour.load(Ordering::Relaxed) as usize
    }

    fn set_detour(&self, index: usize) {
        // ORDERING: none, relaxed: as in `detour`.
        self.parts().detour.store(index as u32, Ordering::Relaxed);
    }

    /// The node of the owner.
    ///
    /// # Safety
    /// The entry was filled, and has not ended.
    #[inline]
    pub(crate) unsafe fn node(&self) -> &Node<P> {
        // SAFETY: E1: nobody has a mutable reference to the node of a filled entry.
        unsafe { &*self.parts().node.get() }
    }

    /// What the node may point to.
    pub(crate) fn traced(&self) -> &Traced {
        &self.parts().traced
    }

    /// The key of the owner.
    ///
    /// # Safety
    /// The entry was taken, and has not ended.
    #[inline]
    pub(crate) unsafe fn key(&self) -> &K {
        // SAFETY: E1: nobody writes a live key.
        let key = unsafe { self.parts().key.place() };
        // SAFETY: E1: it was put there when the entry was filled.
        unsafe { &*key.cast::<K>() }
    }

    /// Puts key and label in, and lets `renew` begin the node with their addresses.
    #[inline]
    fn fill(
        &self,
        key: K,
        label: Option<&'static str>,
        renew: impl FnOnce(&mut Node<P>, *const K, *const Traced),
    ) {
        // SAFETY: E1, V1: the entry has just been taken: nobody looks.
        let says = unsafe { self.parts().traced.say(label) };
        // SAFETY: E1: the entry has just been taken, and holds no key.
        let _none = unsafe { self.parts().key.replace(MaybeUninit::new(key)) };
        // SAFETY: E1: nobody writes a live key.
        let key = unsafe { self.parts().key.place() }.cast();
        // SAFETY: E1: the entry has just been taken: nobody knows its node.
        renew(unsafe { &mut *self.parts().node.get() }, key, says);
    }

    /// The owner is done.
    ///
    /// # Safety
    /// It is the owner's last use of the entry, whose node is in no queue and in no holder word.
    #[inline]
    pub(crate) unsafe fn end(&self) {
        // SAFETY: the caller's contract.
        let key = unsafe { self.end_and_take() };
        // The caller's code, which may panic, comes last.
        drop(key);
    }

    /// The owner is done, and takes its key back.
    ///
    /// # Safety
    /// As for [`end`](Self::end).
    #[inline]
    pub(crate) unsafe fn end_and_take(&self) -> K {
        // SAFETY: by the contract the entry was filled.
        unsafe { self.node().end() };
        // SAFETY: E1: nobody else knows the key any more.
        let key = unsafe { self.parts().key.replace(MaybeUninit::uninit()) };
        if self.parts().is_boxed {
            // SAFETY: `Pool::take` made it of a box, which is given back once.
            drop(unsafe { Box::from_raw(ptr::from_ref(self).cast_mut()) });
        } else {
            // ORDERING: ENTRY release side: this owner is done with the node and the key.
            self.parts().state.store(FREE, Ordering::Release);
        }
        // SAFETY: E1: it was put there when the entry was filled.
        unsafe { key.assume_init() }
    }
}

/// See the module.
pub(crate) struct Pool<K, P: Platform> {
    entries: Box<[Entry<K, P>]>,
    /// A power of two less one, not below the last index.
    mask: usize,
    /// What happens when all are taken.
    allocates: bool,
    full_count: AtomicU32,
}

// SAFETY: entries have one owner each; keys move between threads with them (`K: Send`) and are read
// by other threads under slot locks (`K: Sync`).
unsafe impl<K: Send + Sync, P: Platform> Sync for Pool<K, P> {}
// SAFETY: as above: who is given a pool is given its keys.
unsafe impl<K: Send + Sync, P: Platform> Send for Pool<K, P> {}

impl<K, P: Platform> Pool<K, P> {
    pub(crate) fn new(count: usize, allocates: bool) -> Self {
        Self {
            entries: (0..count).map(Self::free).collect(),
            mask: count.next_power_of_two() - 1,
            allocates,
            full_count: AtomicU32::new(0),
        }
    }

    fn free(index: usize) -> Entry<K, P> {
        Entry::new(FREE, Some(index))
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How often all entries were taken (wrapping).
    pub(crate) fn full_count(&self) -> u32 {
        // ORDERING: none, relaxed: a statistic.
        self.full_count.load(Ordering::Relaxed)
    }

    /// How many are taken at about this moment.
    pub(crate) fn taken_count(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.is_free()).count()
    }

    /// Takes an entry and fills it. The key comes back if all are taken and the pool does not
    /// allocate.
    pub(crate) fn take(
        &self,
        key: K,
        label: Option<&'static str>,
        renew: impl FnOnce(&mut Node<P>, *const K, *const Traced),
    ) -> Result<&Entry<K, P>, K> {
        let near = self.near();
        let Some(entry) = self.try_at(near).or_else(|| self.other(near)) else {
            return Err(key);
        };
        entry.fill(key, label, renew);
        Ok(entry)
    }

    /// As [`take`](Self::take), if the entry where this thread begins to look is free.
    #[inline]
    pub(crate) fn take_near(
        &self,
        key: K,
        label: Option<&'static str>,
        renew: impl FnOnce(&mut Node<P>, *const K, *const Traced),
    ) -> Result<&Entry<K, P>, K> {
        let Some(entry) = self.try_at(self.near()) else {
            return Err(key);
        };
        entry.fill(key, label, renew);
        Ok(entry)
    }

    /// Where this thread begins to look. It may lie behind the last one, by less than there are.
    #[inline]
    fn near(&self) -> usize {
        here() & self.mask
    }

    #[inline]
    fn try_at(&self, index: usize) -> Option<&Entry<K, P>> {
        let entry = self.entries.get(index)?;
        entry.try_take().then_some(entry)
    }

    /// Looks first where that was of use last: there may be many taken ones before.
    #[cold]
    fn other(&self, near: usize) -> Option<&Entry<K, P>> {
        let near = match self.entries.get(near) {
            None => self.entries.get(near - self.entries.len()),
            entry => entry,
        };
        let start = near.map_or(0, Entry::detour);
        let entry = self
            .entries
            .get(start)
            .filter(|entry| entry.look_and_take());
        entry.or_else(|| self.search(near, start))
    }

    #[inline(never)]
    fn search(&self, near: Option<&Entry<K, P>>, start: usize) -> Option<&Entry<K, P>> {
        for index in (start..self.entries.len()).chain(0..start) {
            let entry = &self.entries[index];
            if entry.look_and_take() {
                if let Some(near) = near {
                    near.set_detour(index);
                }
                return Some(entry);
            }
        }
        // ORDERING: none, relaxed: a statistic.
        self.full_count.fetch_add(1, Ordering::Relaxed);
        // Given back by `Entry::end`.
        self.allocates
            .then(|| &*Box::leak(Box::new(Entry::new(TAKEN, None))))
    }
}

impl<K, P: Platform> Drop for Pool<K, P> {
    /// Guards borrow the lock: what is taken now was forgotten, and its key is dropped here.
    fn drop(&mut self) {
        for entry in &self.entries {
            if !entry.is_free() {
                // SAFETY: E1, E2: the owner is gone.
                let key = unsafe { entry.parts().key.replace(MaybeUninit::uninit()) };
                // SAFETY: E1, E2: a taken entry holds a live key.
                drop(unsafe { key.assume_init() });
            }
        }
    }
}

#[cfg(all(test, not(any(slotpark_loom, slotpark_shuttle)), feature = "std"))]
mod tests {
    use core::ptr;
    use std::vec::Vec;

    use super::{Entry, Pool};
    use crate::platform::DefaultPlatform;

    type P = DefaultPlatform;

    fn end(entry: &Entry<u64, P>) {
        entry.fill(7, None, |_, _, _| {});
        // SAFETY: it was taken and filled, and nobody else knows it.
        unsafe { entry.end() };
    }

    #[test]
    fn wherever_a_thread_begins_it_finds_all_and_the_last_first() {
        for (count, near) in [(0, 0), (1, 0), (3, 0), (3, 2), (3, 3), (4, 3), (5, 7)] {
            let pool = Pool::new(count, false);
            let taken: Vec<_> = core::iter::from_fn(|| pool.other(near)).collect();
            assert_eq!((taken.len(), pool.taken_count()), (count, count));
            taken.iter().for_each(|entry| end(entry));
            let last = taken.last().map(|entry| ptr::from_ref(*entry));
            let found = pool.other(near);
            assert_eq!(found.map(ptr::from_ref), last, "from {near} of {count}");
            // A pool drops the keys of what is taken.
            found.into_iter().for_each(end);
        }
    }
}
