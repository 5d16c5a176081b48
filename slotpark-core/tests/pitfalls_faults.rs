//! Stories of panics in closures and keys: the queues stay sound.

mod common;

use std::borrow::Borrow;
use std::cell::Cell;

use common::counting::{Counting, Counts, after};
use common::faults::{ALL, AT, TO, assert_sound, move_all, panics, woken, yes};
use common::{FOREVER, nest, sleepy};
use slotpark_core::{Filter, Left, ParkOptions, Parked, RequeueOptions, Table};

/// A panic in `validate` left the slot locked, or the waiter announced or linked.
#[test]
fn panic_in_validate() {
    let table = sleepy::<Counting>(4);
    for run_that_panics in [1, 2] {
        let mut runs = 0;
        let validate = || {
            runs += 1;
            assert!(runs < run_that_panics, "validate");
            true
        };
        let message = panics(|| table.park(AT.0, &AT.1, FOREVER, validate));
        assert_eq!(message, "validate", "the caller's own panic comes out");
        assert_sound(table);
    }
    let faulty = || -> bool { panic!("validate") };
    // Of a caller who has looked already, the first run is under the lock.
    panics(|| table.park(AT.0, &AT.1, FOREVER.validated(), faulty));
    assert_sound(table);
    let outcomes = nest(table, AT, 3, &mut || {
        let faulty = || -> Result<bool, ()> { panic!("validate") };
        panics(|| table.requeue((AT.0, &AT.1), (TO.0, &TO.1), move_all(), faulty));
        assert_eq!(table.waiters(AT.0, &AT.1), 3);
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 7), 3);
    });
    assert_eq!(outcomes, woken([7, 7, 7]));
    assert_sound(table);
}

thread_local! {
    /// Comparing this key panics.
    static SORE: Cell<u64> = const { Cell::new(0) };
}

/// A key whose comparison fails on demand.
#[derive(Clone, Copy)]
struct Touchy(u64);

impl PartialEq for Touchy {
    fn eq(&self, other: &Self) -> bool {
        assert!(self.0 != SORE.get() && other.0 != SORE.get(), "eq");
        self.0 == other.0
    }
}

impl Eq for Touchy {}

/// A panic in the key's `Eq` under the slot lock, in every call that compares keys.
#[test]
fn panic_in_eq() {
    let table: Table<Touchy, Counting> = Table::with_slots(4);
    let (from, to) = ((AT.0, &Touchy(AT.1)), (TO.0, &Touchy(TO.1)));
    let park = |at: (u64, &Touchy), before_sleep: &mut dyn FnMut()| {
        table.park_with(at.0, at.1, FOREVER, yes, before_sleep, |_| {})
    };
    let while_queued = &mut || {
        SORE.set(AT.1);
        let messages = [
            panics(|| table.park(from.0, from.1, FOREVER, || true)),
            panics(|| table.unpark(from.0, from.1, 1, 0)),
            panics(|| table.unpark_with(from.0, from.1, 1, |_| Filter::Unpark, |_| 0)),
            panics(|| table.waiters(from.0, from.1)),
            panics(|| table.requeue(from, to, move_all(), yes)),
        ];
        SORE.set(0);
        assert_eq!(messages, ["eq"; 5]);
        assert_eq!(table.waiters(from.0, from.1), 2);
        // At the target, after the first of the source was chosen: it is woken all the same.
        SORE.set(TO.1);
        assert_eq!(panics(|| table.requeue(from, to, move_all(), yes)), "eq");
        SORE.set(0);
        assert_eq!(table.waiters(from.0, from.1), 1);
        assert_eq!(table.unpark(from.0, from.1, ALL, 7), 1);
        assert_eq!(table.unpark(to.0, to.1, ALL, 8), 1);
    };
    let mut outcomes = Vec::new();
    let oldest = park(from, &mut || {
        let resident = park(to, &mut || outcomes.push(park(from, while_queued)));
        outcomes.push(resident);
    });
    assert_eq!(oldest, Ok(Parked::Woken { token: 0 }));
    assert_eq!(outcomes, [7, 8].map(|token| Ok(Parked::Woken { token })));
    let left = [from, to].map(|(hash, key)| table.waiters(hash, key));
    assert_eq!(left, [0, 0]);
    assert_eq!(table.unpark(from.0, from.1, ALL, 0), 0);
}

/// A panic in `Eq` while a key is closed: then it is not. Opening it again compares nothing.
#[test]
fn panic_in_eq_of_a_closed_key() {
    let table: Table<Touchy, Counting> = Table::with_slots(4);
    let closer = || Box::pin(table.closed_key(AT.0, Touchy(AT.1)));
    let is_closed = || table.prepare(AT.0, &Touchy(AT.1), FOREVER, |_| ()).is_err();
    let (mut first, mut second, mut third) = (closer(), closer(), closer());
    assert_eq!(first.as_mut().close(), 0);
    SORE.set(AT.1);
    for closer in [&mut second, &mut third] {
        assert_eq!(panics(|| closer.as_mut().close()), "eq");
    }
    SORE.set(0);
    drop(third);
    assert_eq!(second.as_mut().close(), 0, "as if for the first time");
    for closer in [first, second] {
        assert!(is_closed());
        SORE.set(AT.1);
        drop(closer);
        SORE.set(0);
    }
    assert!(!is_closed());
}

/// A key that is found by its number, in a way that fails on demand.
struct Lent(u64);

impl PartialEq for Lent {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Lent {}

impl Borrow<u64> for Lent {
    fn borrow(&self) -> &u64 {
        assert!(self.0 != SORE.get(), "borrow");
        &self.0
    }
}

/// A panic in the key's `Borrow` under the slot lock, in every call that takes a borrowed form.
#[test]
fn panic_in_borrow() {
    let table: Table<Lent, Counting> = Table::with_slots(4);
    let all = |_: &_| Filter::Unpark;
    let park = |before_sleep: &mut dyn FnMut()| {
        table.park_with(AT.0, &Lent(AT.1), FOREVER, yes, before_sleep, |_| {})
    };
    let while_queued = &mut || {
        SORE.set(AT.1);
        let messages = [
            panics(|| table.unpark(AT.0, &AT.1, ALL, 0)),
            panics(|| table.unpark_bitset(AT.0, &AT.1, ALL, 1, 0)),
            panics(|| table.unpark_filter(AT.0, &AT.1, ALL, all, 0)),
            panics(|| table.unpark_with(AT.0, &AT.1, ALL, all, |_| 0)),
            panics(|| table.waiters(AT.0, &AT.1)),
        ];
        SORE.set(0);
        assert_eq!(messages, ["borrow"; 5]);
        assert_eq!(table.waiters(AT.0, &AT.1), 2);
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 7), 2);
    };
    let mut younger = None;
    let older = park(&mut || younger = Some(park(while_queued)));
    let woken = Ok(Parked::Woken { token: 7 });
    assert_eq!((older, younger), (woken, Some(woken)));
    let (counts, nobody) = Counts::of(|| table.unpark(AT.0, &AT.1, ALL, 0));
    assert_eq!((counts, nobody), (Counts::default(), 0), "announced");
}

/// A filter that panics at the third waiter: the two chosen before are woken, the third stays.
#[test]
fn panic_in_filter() {
    let table = sleepy::<Counting>(4);
    let outcomes = nest(table, AT, 4, &mut || {
        let mut seen = 0;
        let filter = |_: &_| {
            seen += 1;
            assert!(seen < 3, "filter");
            Filter::Unpark
        };
        let message = panics(|| table.unpark_filter(AT.0, &AT.1, ALL, filter, 9));
        assert_eq!(message, "filter");
        assert_eq!(table.waiters(AT.0, &AT.1), 2);
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 7), 2);
    });
    assert_eq!(outcomes, woken([9, 9, 7, 7]));
    assert_sound(table);
    // Of a wake with a policy, which must not run then; a waiter that was skipped keeps its place.
    let outcomes = nest(table, AT, 4, &mut || {
        let mut seen = 0;
        let filter = |_: &_| {
            seen += 1;
            assert!(seen < 3, "filter");
            [Filter::Skip, Filter::Unpark][seen - 1]
        };
        let policy = |_| unreachable!("nothing was chosen in the end");
        let message = panics(|| table.unpark_with(AT.0, &AT.1, ALL, filter, policy));
        assert_eq!(message, "filter");
        assert_eq!(table.waiters(AT.0, &AT.1), 3);
        assert_eq!(table.unpark(AT.0, &AT.1, 1, 6), 1);
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 7), 2);
    });
    assert_eq!(outcomes, woken([6, 0, 7, 7]));
    assert_sound(table);
}

/// A policy that panics: the choice stands, those chosen are released.
#[test]
fn panic_in_policy() {
    let table = sleepy::<Counting>(4);
    let outcomes = nest(table, AT, 3, &mut || {
        let all = |_: &_| Filter::Unpark;
        let message = panics(|| table.unpark_with(AT.0, &AT.1, 2, all, |_| panic!("policy")));
        assert_eq!(message, "policy");
        assert_eq!(table.waiters(AT.0, &AT.1), 1);
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 7), 1);
    });
    assert_eq!(outcomes, woken([0, 0, 7]));
    assert_sound(table);
}

/// A panic in `before_sleep`: the waiter leaves its queue before its frame ends.
#[test]
fn panic_in_before_sleep() {
    let table = sleepy::<Counting>(4);
    let park = |before_sleep: &dyn Fn()| {
        let park = || table.park_with(AT.0, &AT.1, FOREVER, yes, before_sleep, |_| {});
        assert_eq!(panics(park), "before sleep");
    };
    park(&|| panic!("before sleep"));
    assert_sound(table);
    park(&|| {
        assert_eq!(table.unpark(AT.0, &AT.1, 1, 0), 1);
        // The wake that chose it is spent.
        panic!("before sleep")
    });
}

/// A panic in `on_leave`, which runs under the lock of a waiter that has already left.
#[test]
fn panic_in_on_leave() {
    let table = sleepy::<Counting>(4);
    let options = ParkOptions::new().deadline(after(1));
    let leave = |left: Left| {
        assert!(!left.last, "on leave");
    };
    let park = || table.park_with(AT.0, &AT.1, options, yes, || {}, leave);
    assert_eq!(panics(park), "on leave");
    assert_sound(table);
}

const MOVE_ALL: RequeueOptions = RequeueOptions {
    wake_max: 0,
    move_max: ALL,
    token: 0,
};

/// Panics of a waiter that was moved, and that leaves others behind: it leaves the queue that it is
/// in by then, and nobody else does.
#[test]
fn panic_of_a_moved_waiter() {
    let table = sleepy::<Counting>(4);
    let move_all = || {
        let moved = table.requeue((AT.0, &AT.1), (TO.0, &TO.1), MOVE_ALL, yes);
        assert_eq!(moved.map(|done| done.map(|done| done.moved)), Ok(Some(3)));
    };
    let soon = ParkOptions::new().deadline(after(1));
    let in_before_sleep = || {
        let fails = || {
            move_all();
            panic!("before sleep")
        };
        table.park_with(AT.0, &AT.1, FOREVER, yes, fails, |_| {})
    };
    let in_on_leave = || {
        let fails = |left: Left| {
            assert!(!left.last, "there are others");
            panic!("on leave")
        };
        table.park_with(AT.0, &AT.1, soon, yes, move_all, fails)
    };
    type Wait<'w> = &'w dyn Fn() -> Result<Parked, ()>;
    let waits: [(&str, Wait<'_>); 2] = [
        ("before sleep", &in_before_sleep),
        ("on leave", &in_on_leave),
    ];
    for (message, wait) in waits {
        let outcomes = nest(table, AT, 2, &mut || {
            assert_eq!(panics(wait), message);
            assert_eq!(table.waiters(AT.0, &AT.1), 0);
            assert_eq!(table.waiters(TO.0, &TO.1), 2);
            assert_eq!(table.unpark(TO.0, &TO.1, ALL, 7), 2);
        });
        assert_eq!(outcomes, woken([7, 7]));
        assert_sound(table);
    }
}
