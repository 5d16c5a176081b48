//! Stories of spinning before sleeping: who spins for how long, and what is learned from it.
//!
//! One thread, on a tick source that moves when it is read: the readings of a wait tell how long it
//! has spun.

mod common;

use common::counting::{Counting, Counts, after, pass, tick_by};
use common::{FOREVER, sleepy, watchdog};
use slotpark_core::{
    HoldError, HoldOptions, KeyedLock, KeyedOptions, ParkOptions, Parked, Preference,
    RequeueOptions, Spin, Table, TryHoldError,
};

const LIMIT_NS: u32 = 60_000;
const STEP_NS: u64 = 100;
/// Longer than any spin.
const LONG_NS: u64 = 1_000_000;
/// A spin of 500 ns: the moment of arrival, where it begins, and five steps.
const FRESH: usize = 1 + 1 + 5;
/// A spin of a quarter of the limit, where spinning does not pay.
const FUTILE: usize = 1 + 1 + LIMIT_NS as usize / 4 / STEP_NS as usize;
/// The moment of arrival alone.
const SKIPPED: usize = 1;

/// In tables of four slots, each in a slot of its own.
const AT: (u64, u64) = (5, 1);
const TO: (u64, u64) = (6, 2);

fn spinning() -> Table<u64, Counting> {
    tick_by(STEP_NS);
    Table::with_slots(4).with_spin(Spin::Learned { limit_ns: LIMIT_NS })
}

/// Readings of the tick source by a wait on `at` that nobody wakes.
fn readings(table: &Table<u64, Counting>, at: (u64, u64), patience_ns: u64) -> usize {
    let options = ParkOptions::new().deadline(after(patience_ns));
    let (counts, parked) = Counts::of(|| table.park(at.0, &at.1, options, || true));
    assert_eq!((parked, counts.syscalls), (Parked::TimedOut, 1));
    counts.ticks
}

/// A wait on `at`; `then` runs while it is queued.
fn wait(table: &Table<u64, Counting>, at: (u64, u64), then: impl FnOnce()) {
    let yes = || Ok::<_, ()>(true);
    let (counts, parked) = Counts::of(|| table.park_with(at.0, &at.1, FOREVER, yes, then, |_| {}));
    assert_eq!(parked, Ok(Parked::Woken { token: 7 }));
    assert_eq!(
        counts.syscalls, 0,
        "who finds its release by a look has not slept"
    );
}

fn wake(table: &Table<u64, Counting>, at: (u64, u64)) {
    assert_eq!(table.unpark(at.0, &at.1, 1, 7), 1);
}

/// Both sides slept, every spin was in vain, and all of them spun on: failures skip more and more.
#[test]
fn spins_in_vain_are_skipped() {
    let table = spinning();
    for skipped in [1, 3, 7, 15] {
        assert_eq!(readings(&table, AT, LONG_NS), FRESH);
        for _ in 0..skipped {
            assert_eq!(readings(&table, AT, LONG_NS), SKIPPED);
        }
    }
    assert_eq!(readings(&table, TO, LONG_NS), FRESH, "another slot");
}

/// A spin is cut short by the deadline, and says nothing about spinning then.
#[test]
fn a_deadline_ends_a_spin_and_teaches_nothing() {
    let table = spinning();
    for _ in 0..3 {
        assert_eq!(readings(&table, AT, 300), FRESH - 2);
    }
    assert_eq!(readings(&table, AT, 500), FRESH, "a whole spin in vain");
    assert_eq!(readings(&table, AT, 500), SKIPPED);
}

/// Who spins has its release seen by a look, and that halves what is skipped.
#[test]
fn a_spin_that_finds_its_release_sleeps_nowhere() {
    let table = spinning();
    let spins = || readings(&table, AT, LONG_NS) > SKIPPED;
    assert_eq!([(); 2].map(|()| spins()), [true, false]);
    wait(&table, AT, || wake(&table, AT));
    assert_eq!([(); 3].map(|()| spins()), [true, false, true]);
}

/// The waker teaches how long a spin would have had to be.
#[test]
fn a_wake_teaches_its_delay() {
    let table = spinning();
    for _ in 0..50 {
        wait(&table, AT, || {
            pass(u64::from(LIMIT_NS));
            wake(&table, AT);
        });
    }
    let looks = (0..128).map(|_| readings(&table, AT, LONG_NS));
    let looks: Vec<_> = looks.filter(|count| *count != SKIPPED).collect();
    assert_eq!(looks, [FUTILE], "a look now and then");
}

/// A moved waiter began to wait for something else: the slot that it was moved to learns nothing.
#[test]
fn a_moved_waiter_teaches_nothing() {
    let table = spinning();
    for _ in 0..50 {
        wait(&table, AT, || {
            pass(u64::from(LIMIT_NS));
            let options = RequeueOptions {
                move_max: 1,
                ..RequeueOptions::default()
            };
            let yes = || Ok::<_, ()>(true);
            let moved = table.requeue((AT.0, &AT.1), (TO.0, &TO.1), options, yes);
            assert_eq!(moved.map(|done| done.map(|done| done.moved)), Ok(Some(1)));
            wake(&table, TO);
        });
    }
    assert_eq!(readings(&table, TO, LONG_NS), FRESH);
}

/// A closing comes when it comes: it says nothing about how long wakes take.
#[test]
fn a_closing_teaches_nothing() {
    let table = spinning();
    for _ in 0..50 {
        let yes = || Ok::<_, ()>(true);
        let close = || {
            pass(u64::from(LIMIT_NS));
            assert_eq!(table.close_key(AT.0, &AT.1), 1);
        };
        let parked = table.park_with(AT.0, &AT.1, FOREVER, yes, close, |_| {});
        assert_eq!(parked, Ok(Parked::Closed));
    }
    assert_eq!(readings(&table, AT, LONG_NS), FRESH);
}

/// Without a tick source a spin would not end; told never to spin, nobody reads the ticks.
#[test]
fn nobody_spins_without_a_tick_source() {
    let _watch = watchdog("nobody_spins_without_a_tick_source");
    let table = Table::with_slots(4);
    assert_eq!(table.spin(), Spin::DEFAULT);
    assert_eq!(readings(&table, AT, 1), SKIPPED);
    tick_by(STEP_NS);
    assert_eq!(readings(sleepy(4), AT, 1), 0);
}

/// Whoever comes for a barging lock that is taken looks some times before it queues, and others
/// have their chance before each look: spinning on, it would take the word away from its owner's
/// CPU. Where locks are handed over in turn there is nothing to look for.
#[test]
fn who_comes_for_a_taken_lock_gives_way() {
    for (preference, expected) in [(Preference::Barging, 1..=16), (Preference::Fifo, 0..=0)] {
        let options = KeyedOptions::new().slots(1).preference(preference);
        let lock = KeyedLock::<u64, Counting>::with_options(1, options).expect("a slot");
        let one = HoldOptions::new(1);
        let owner = lock.hold(7, 7, one).expect("it is free");
        let soon = one.deadline(after(1_000));
        let (counts, comer) = Counts::of(|| lock.hold(7, 7, soon).map(drop));
        assert_eq!(comer, Err(HoldError::TimedOut));
        assert!(expected.contains(&counts.gave_way), "{counts:?}");
        let (counts, comer) = Counts::of(|| lock.try_hold(7, 7, one).map(drop));
        assert_eq!(
            (comer, counts.gave_way),
            (Err(TryHoldError::Busy), 0),
            "it never waits"
        );
        drop(owner);
        let (counts, comer) = Counts::of(|| lock.hold(7, 7, one).map(drop));
        assert_eq!((comer, counts.gave_way), (Ok(()), 0), "nobody is there");
    }
}
