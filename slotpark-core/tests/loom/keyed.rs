//! Keyed locks: the word of one holder, the queues of many, and the moments in between.

use std::pin::{Pin, pin};
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;
use slotpark_core::{
    Deadline, HoldError, HoldOptions, Holding, KeyedLock, KeyedOptions, Merge, Preference, Wanted,
    WhenFull,
};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, C, SOON, explore};

pub(crate) type Lock = KeyedLock<u64, Host<OwnBit>>;
pub(crate) type Guard<'l> = Holding<'l, u64, Host<OwnBit>>;

pub(crate) const FAIR: KeyedOptions = KeyedOptions::new().slots(1).pool(2, WhenFull::Fail);
pub(crate) const BARGING: KeyedOptions = FAIR.preference(Preference::Barging);

/// A lock whose keys meet in one slot, and a cell for each of two keys.
pub(crate) struct Site {
    pub(crate) lock: Lock,
    cells: [UnsafeCell<u32>; 3],
}

// SAFETY: loom's cells check that nobody accesses them at the same time.
unsafe impl Sync for Site {}
// SAFETY: as above: loom's cells check it.
unsafe impl Send for Site {}

impl Site {
    pub(crate) fn new(capacity: u32, options: KeyedOptions) -> Arc<Self> {
        Arc::new(Self {
            lock: Lock::with_options(capacity, options).unwrap(),
            cells: [0, 0, 0].map(UnsafeCell::new),
        })
    }

    pub(crate) fn spawn<R: 'static>(
        self: &Arc<Self>,
        action: impl FnOnce(&Self) -> R + 'static,
    ) -> thread::JoinHandle<R> {
        let site = Arc::clone(self);
        thread::spawn(move || action(&site))
    }

    /// Adds to what the key guards.
    pub(crate) fn add(&self, key: u64) {
        // SAFETY: the caller holds the key; loom checks it.
        self.cells[key as usize].with_mut(|number| unsafe { *number += 1 });
    }

    pub(crate) fn sum(&self, key: u64) -> u32 {
        // SAFETY: the caller holds the key; loom checks it.
        self.cells[key as usize].with(|number| unsafe { *number })
    }

    /// Adds with the key held in this frame.
    fn add_with(&self, key: u64, deadline: Option<Deadline>) -> bool {
        let options = HoldOptions::new(1).deadline(deadline);
        let held = self.lock.with(key, &key, options, || self.add(key));
        assert_ne!(held, Err(HoldError::PoolFull));
        held.is_ok()
    }

    fn hold(&self, key: u64) -> Guard<'_> {
        self.lock.hold(key, key, HoldOptions::new(1)).unwrap()
    }

    /// Adds with the key held by a guard.
    fn add_holding(&self, key: u64) {
        let guard = self.hold(key);
        self.add(key);
        drop(guard);
    }

    /// Nobody holds or awaits anything, and a key is free again by its word.
    #[track_caller]
    pub(crate) fn assert_free(&self, sums: [u32; 2]) {
        for (key, sum) in [A, C].into_iter().zip(sums) {
            assert_eq!(self.lock.held(key, &key), 0);
            assert_eq!(self.lock.waiters(key, &key), 0);
            assert_eq!(self.sum(key), sum);
        }
        assert_eq!(self.lock.pool_stats().taken, 0);
    }
}

/// Two hold one key in their frames, one after the other: what the first wrote is seen by the
/// second, and the first one's node is read by nobody after it has ended.
fn exclude(options: KeyedOptions) {
    explore([()], move || {
        let site = Site::new(1, options);
        let other = site.spawn(|site| site.add_with(A, None));
        assert!(site.add_with(A, None));
        assert!(other.join().unwrap());
        site.assert_free([2, 0]);
    });
}

#[test]
fn pair_holder() {
    exclude(FAIR);
}

#[test]
fn barging_frames_exclude() {
    exclude(BARGING);
}

/// The same three times, with another key in the slot.
#[test]
fn three_frames_exclude() {
    for (options, keys, sums) in [
        (FAIR, [A, A, C], [2, 1]),
        (FAIR, [A, A, A], [3, 0]),
        (BARGING, [A, A, C], [2, 1]),
        (BARGING, [A, A, A], [3, 0]),
    ] {
        explore([()], move || {
            let site = Site::new(1, options);
            let others =
                [keys[0], keys[1]].map(|key| site.spawn(move |site| site.add_with(key, None)));
            assert!(site.add_with(keys[2], None));
            for other in others {
                assert!(other.join().unwrap());
            }
            site.assert_free(sums);
        });
    }
}

/// An entry of the pool has one owner after the other.
#[test]
fn pair_entry() {
    explore([()], || {
        let site = Site::new(1, KeyedOptions::new().slots(1).pool(1, WhenFull::Allocate));
        let other = site.spawn(|site| site.add_holding(C));
        site.add_holding(A);
        other.join().unwrap();
        site.assert_free([1, 1]);
    });
}

/// Guards exclude each other, and frames.
#[test]
fn guards_and_frames_exclude() {
    for options in [FAIR, BARGING] {
        explore([()], move || {
            let site = Site::new(1, options);
            let other = site.spawn(|site| site.add_with(A, None));
            site.add_holding(A);
            assert!(other.join().unwrap());
            site.assert_free([2, 0]);
        });
    }
}

/// Two keys of one slot, held one inside the other in both orders by full identity: only the same
/// key excludes.
#[test]
fn nested_keys_of_one_slot() {
    explore([()], || {
        let site = Site::new(1, FAIR);
        let outer = site.hold(A);
        let other = site.spawn(|site| site.add_with(A, None));
        // The other waits, or is about to: this key is free for all that.
        assert!(site.add_with(C, None));
        site.add(A);
        drop(outer);
        assert!(other.join().unwrap());
        site.assert_free([2, 1]);
    });
}

/// A deadline against an unlocking: held in turn, or not at all; and a third is served whatever
/// happens.
#[test]
fn a_deadline_against_an_unlocking() {
    for options in [FAIR, BARGING] {
        explore([false, true], move || {
            let site = Site::new(1, options);
            let first = site.hold(A);
            let other = site.spawn(|site| site.add_with(A, SOON));
            drop(first);
            let held = other.join().unwrap();
            site.assert_free([u32::from(held), 0]);
            held
        });
    }
}

/// The same, with another who waits without a deadline.
#[test]
fn a_deadline_beside_a_waiter() {
    for options in [FAIR, BARGING] {
        explore([false, true], move || {
            let site = Site::new(1, options);
            let first = site.hold(A);
            let patient = site.spawn(|site| site.add_with(A, None));
            let hasty = site.spawn(|site| site.add_with(A, SOON));
            drop(first);
            assert!(patient.join().unwrap());
            let held = hasty.join().unwrap();
            site.assert_free([1 + u32::from(held), 0]);
            held
        });
    }
}

/// Of three units two are held; who wants two waits, and who comes later waits behind.
#[test]
fn a_large_request_that_leaves_lets_others_through() {
    explore([(false, true)], || {
        let site = Site::new(2, FAIR);
        let first = site.hold(A);
        let mut large = Box::pin(site.lock.hold_async(A, A, HoldOptions::new(2)));
        assert!(poll(large.as_mut(), &Bell::new()).is_pending());
        let other =
            site.spawn(|site| site.lock.with(A, &A, HoldOptions::new(1), || true) == Ok(true));
        drop(large);
        let small = other.join().unwrap();
        drop(first);
        site.assert_free([0, 0]);
        (false, small)
    });
}

/// A future that was granted the key, or not yet, is dropped: the key is somebody else's.
#[test]
fn a_dropped_hold_against_an_unlocking() {
    for options in [
        FAIR.pool(3, WhenFull::Fail),
        BARGING.pool(3, WhenFull::Fail),
    ] {
        explore([()], move || {
            let site = Site::new(1, options);
            let holder = Arc::clone(&site);
            let first = site.hold(A);
            let mut leaver: Pin<Box<_>> =
                Box::pin(holder.lock.hold_async(A, A, HoldOptions::new(1)));
            assert!(poll(leaver.as_mut(), &Bell::new()).is_pending());
            let (bell, mut second) = (
                Bell::new(),
                pin!(holder.lock.hold_async(A, A, HoldOptions::new(1))),
            );
            assert!(poll(second.as_mut(), &bell).is_pending());
            let other = site.spawn(|site| site.add_with(C, None));
            let unlock = thread_of(first);
            drop(leaver);
            let guard = finish(second, &bell).unwrap();
            site.add(A);
            drop(guard);
            unlock.join().unwrap();
            assert!(other.join().unwrap());
            site.assert_free([1, 1]);
        });
    }
}

/// Drops a guard on another thread.
pub(crate) fn thread_of(guard: Guard<'_>) -> thread::JoinHandle<()> {
    // SAFETY: the caller joins the thread before the lock ends.
    let guard: Guard<'static> = unsafe { std::mem::transmute(guard) };
    thread::spawn(move || drop(guard))
}

/// A task is granted the key by an unlocking on another thread.
#[test]
fn a_task_against_an_unlocking() {
    for options in [FAIR, BARGING] {
        explore([()], move || {
            let site = Site::new(1, options);
            let other = site.spawn(|site| site.add_with(A, None));
            let bell = Bell::new();
            let guard =
                finish(pin!(site.lock.hold_async(A, A, HoldOptions::new(1))), &bell).unwrap();
            site.add(A);
            drop(guard);
            assert!(other.join().unwrap());
            site.assert_free([2, 0]);
        });
    }
}

/// A reader wants more and becomes a writer, when the other reader is gone; a third waits for both.
#[test]
fn a_growth_against_an_unlocking() {
    explore([()], || {
        let site = Site::new(2, FAIR);
        let mut growing = site.hold(A);
        let other = site.spawn(|site| site.hold(A).hash());
        growing.grow(1, None).unwrap();
        site.add(A);
        growing.shrink(1);
        drop(growing);
        other.join().unwrap();
        site.assert_free([1, 0]);
    });
}

/// Two name the same two keys in two orders: no deadlock, both hold both.
#[test]
fn many_keys_in_two_orders() {
    explore([()], || {
        let site = Site::new(1, FAIR.pool(4, WhenFull::Fail));
        let add = |site: &Site, keys: [u64; 2]| {
            let wanted = keys.map(|key| Wanted::new(key, key, 1));
            let held = site.lock.hold_many(wanted, Merge::Max, None).unwrap();
            site.add(A);
            site.add(C);
            drop(held);
        };
        let other = site.spawn(move |site| add(site, [A, C]));
        add(&site, [C, A]);
        other.join().unwrap();
        site.assert_free([2, 2]);
    });
}

/// One key of two comes too late: the other is free again.
#[test]
fn many_keys_and_a_deadline() {
    explore([false, true], || {
        let site = Site::new(1, FAIR.pool(4, WhenFull::Fail));
        let busy = site.hold(C);
        let other = site.spawn(|site| {
            let wanted = [A, C].map(|key| Wanted::new(key, key, 1));
            site.lock.hold_many(wanted, Merge::Max, SOON).is_ok()
        });
        drop(busy);
        let held = other.join().unwrap();
        site.assert_free([0, 0]);
        held
    });
}
