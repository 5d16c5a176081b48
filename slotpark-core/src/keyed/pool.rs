//! Where the nodes of movable guards lie: a fixed array, made with the lock.
//!
//! A guard must be movable and its node must not move, so the node lies here, with the key, which
//! the guard owns. Who will hold by a guard takes its entry before it queues.
//!
//! **States** of an entry: FREE - TAKEN (it has a key and a node, and one owner).
//!
//! **Invariants**
//! - E1 Between `Pool::take` and `Entry::end` an entry has one owner; the key and the node in it
//!   are live, and others only read them, under the rules of `node` (N2) and H1.
//! - E2 A forgotten owner leaves its entry TAKEN for ever: nothing that points to it dangles.
//!
//! **Orderings**: ENTRY.

use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr;

use crate::node::Node;
use crate::platform::Platform;
use crate::sync::{AtomicU32, Guarded, Ordering};

const FREE: u32 = 0;
const TAKEN: u32 = 1;

/// See the module.
pub(crate) struct Entry<K, P: Platform> {
    state: AtomicU32,
    /// It is no part of the array, but a box of its own.
    is_boxed: bool,
    node: UnsafeCell<MaybeUninit<Node<P>>>,
    key: Guarded<MaybeUninit<K>>,
    label: UnsafeCell<&'static str>,
}

impl<K, P: Platform> Entry<K, P> {
    fn new(state: u32, is_boxed: bool) -> Self {
        Self {
            state: AtomicU32::new(state),
            is_boxed,
            node: UnsafeCell::new(MaybeUninit::uninit()),
            key: Guarded::new(MaybeUninit::uninit()),
            label: UnsafeCell::new(""),
        }
    }

    #[inline]
    fn try_take(&self) -> bool {
        // ORDERING: ENTRY acquire side: the last owner is done with the node and the key. Relaxed
        // on failure, which learns nothing.
        self.state
            .compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    fn is_free(&self) -> bool {
        // ORDERING: none, relaxed: a look; `try_take` decides.
        self.state.load(Ordering::Relaxed) == FREE
    }

    /// The node of the owner.
    ///
    /// # Safety
    /// The entry was filled, and has not ended.
    #[inline]
    pub(crate) unsafe fn node(&self) -> &Node<P> {
        // SAFETY: E1: nobody has a mutable reference to a live node.
        let node = unsafe { &*self.node.get() };
        // SAFETY: E1: it is live.
        unsafe { node.assume_init_ref() }
    }

    /// The key of the owner.
    ///
    /// # Safety
    /// The entry was taken, and has not ended.
    #[inline]
    pub(crate) unsafe fn key(&self) -> &K {
        // SAFETY: E1: nobody writes a live key.
        let key = unsafe { self.key.place() };
        // SAFETY: E1: it is live.
        unsafe { &*key.cast::<K>() }
    }

    /// Puts key and label in, and the node that `node` makes of their addresses.
    #[inline]
    fn fill(
        &self,
        key: K,
        label: Option<&'static str>,
        node: impl FnOnce(*const K, *const &'static str) -> Node<P>,
    ) {
        let label = match label {
            None => ptr::null(),
            Some(label) => {
                // SAFETY: E1: the entry has just been taken: nobody looks.
                unsafe { *self.label.get() = label };
                self.label.get().cast_const()
            }
        };
        // SAFETY: E1: the entry has just been taken, and holds no key.
        let _none = unsafe { self.key.replace(MaybeUninit::new(key)) };
        // SAFETY: E1: nobody writes a live key.
        let node = node(unsafe { self.key.place() }.cast(), label);
        // SAFETY: E1: the entry has just been taken, and holds no node.
        unsafe { self.node.get().cast::<Node<P>>().write(node) };
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
        // SAFETY: by the contract the node is live and nobody else knows it.
        unsafe { self.node().end() };
        // SAFETY: as above; it is used no more.
        unsafe { self.node.get().cast::<Node<P>>().drop_in_place() };
        // SAFETY: E1: nobody else knows the key any more.
        let key = unsafe { self.key.replace(MaybeUninit::uninit()) };
        if self.is_boxed {
            // SAFETY: `Pool::take` made it of a box, which is given back once.
            drop(unsafe { Box::from_raw(ptr::from_ref(self).cast_mut()) });
        } else {
            // ORDERING: ENTRY release side: this owner is done with the node and the key.
            self.state.store(FREE, Ordering::Release);
        }
        // SAFETY: E1: it was live.
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
// SAFETY: as above.
unsafe impl<K: Send + Sync, P: Platform> Send for Pool<K, P> {}

impl<K, P: Platform> Pool<K, P> {
    pub(crate) fn new(count: usize, allocates: bool) -> Self {
        Self {
            entries: (0..count).map(|_| Entry::new(FREE, false)).collect(),
            mask: count.next_power_of_two() - 1,
            allocates,
            full_count: AtomicU32::new(0),
        }
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
    #[inline]
    pub(crate) fn take(
        &self,
        key: K,
        label: Option<&'static str>,
        node: impl FnOnce(*const K, *const &'static str) -> Node<P>,
    ) -> Result<&Entry<K, P>, K> {
        let start = here() & self.mask;
        let entry = match self.entries.get(start) {
            Some(entry) if entry.try_take() => entry,
            _ => match self.take_other(start) {
                Some(entry) => entry,
                None => return Err(key),
            },
        };
        entry.fill(key, label, node);
        Ok(entry)
    }

    #[cold]
    fn take_other(&self, start: usize) -> Option<&Entry<K, P>> {
        let start = start.min(self.entries.len());
        let (before, behind) = self.entries.split_at(start);
        let mut entries = behind.iter().chain(before);
        if let Some(entry) = entries.find(|entry| entry.is_free() && entry.try_take()) {
            return Some(entry);
        }
        // ORDERING: none, relaxed: a statistic.
        self.full_count.fetch_add(1, Ordering::Relaxed);
        // Given back by `Entry::end`.
        self.allocates
            .then(|| &*Box::leak(Box::new(Entry::new(TAKEN, true))))
    }
}

impl<K, P: Platform> Drop for Pool<K, P> {
    /// Guards borrow the lock: what is taken now was forgotten, and its key is dropped here.
    fn drop(&mut self) {
        for entry in &mut self.entries {
            if !entry.is_free() {
                // SAFETY: E1, E2: the owner is gone.
                let key = unsafe { entry.key.replace(MaybeUninit::uninit()) };
                // SAFETY: E1, E2: a taken entry holds a live key.
                drop(unsafe { key.assume_init() });
            }
        }
    }
}

/// A number that differs between threads, and as a rule not between calls of one: each finds its
/// own entries where it left them, in its own cache.
#[inline]
fn here() -> usize {
    /// Stacks of two threads lie farther apart; frames of one thread seldom.
    const STACK_BYTES: usize = 64 * 1024;
    if cfg!(any(slotpark_loom, slotpark_shuttle)) {
        // A model must do the same in every run, wherever its stacks lie.
        return 0;
    }
    let local = 0_u8;
    let place = ptr::from_ref(&local).addr() / STACK_BYTES;
    crate::hash::finalize(place as u64) as usize
}
