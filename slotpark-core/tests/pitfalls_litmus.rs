//! Stories of memory ordering, searched for on the machine at hand. The model checker proves what
//! this can only look for; but this looks at real fences on a real machine. It sees the more, the
//! fewer stores the compiler leaves between two accesses: on x86 a waker without its fence shows
//! after a few rounds of optimized code (level 1 is enough), and never in code that is not: its
//! calls store more to the stack than a store buffer holds.

mod common;

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use common::{FOREVER, Lines, Numbers, Rounds, a_second, leak, watchdog};
use slotpark_core::{Parked, RequeueOptions, Table};

/// One search at a time: each wants two cores for itself.
static CORES: Mutex<()> = Mutex::new(());

const AT: (u64, u64) = (5, 1);
const TO: (u64, u64) = (6, 2);

/// Burns a few nanoseconds for each count.
fn delay(count: u64) {
    for step in 0..count {
        black_box(step);
    }
}

/// oneTBB #2136, libc++ #109290, bun #28907: the waker's store waits in its store buffer while its
/// load finds nobody; the waiter finds the old value and sleeps. It takes a fence on both sides.
#[test]
fn no_waiter_fast_path_is_fenced() {
    let _cores = CORES.lock().unwrap_or_else(PoisonError::into_inner);
    let _watch = watchdog("no_waiter_fast_path_is_fenced");
    let table: &'static Table<u64> = leak(Table::with_slots(8));
    let (rounds, lines) = (leak(Rounds::new()), leak(Lines::new()));
    let word = leak(AtomicU32::new(0));
    let waiter = std::thread::spawn(|| {
        let mut numbers = Numbers::new(1);
        while rounds.begin(0) {
            delay(numbers.below(60));
            let outcome = table.park(AT.0, &AT.1, FOREVER, || word.load(Ordering::Relaxed) == 0);
            assert!(matches!(outcome, Parked::Stale | Parked::Woken { .. }));
            rounds.end(0);
            word.store(0, Ordering::Relaxed);
            lines.write(0);
        }
    });
    let mut numbers = Numbers::new(2);
    let mut time_is_left = a_second();
    let mut outcomes = [0_u64; 2];
    while time_is_left() {
        rounds.begin(1);
        delay(numbers.below(120));
        lines.write(1);
        word.store(1, Ordering::Relaxed);
        let woken = table.unpark(AT.0, &AT.1, 1, 0);
        outcomes[woken] += 1;
        // Nobody was there, so whoever came saw the new value: a waiter in the queue is lost.
        rounds.end_after(1, || {
            let lost = woken == 0 && table.waiters(AT.0, &AT.1) > 0;
            assert!(!lost, "a wake was lost after {outcomes:?} rounds");
        });
    }
    rounds.stop();
    waiter.join().expect("every wait ends well");
}

/// The unlocker of the target finds nobody while a requeuer, who has read "locked", is about to
/// move waiters there: they slept for ever. A requeuer announces itself on the target first.
#[test]
fn requeue_announces_on_target() {
    let _cores = CORES.lock().unwrap_or_else(PoisonError::into_inner);
    let _watch = watchdog("requeue_announces_on_target");
    let table: &'static Table<u64> = leak(Table::with_slots(8));
    let (rounds, lines) = (leak(Rounds::new()), leak(Lines::new()));
    let word = leak(AtomicU32::new(1));
    let woken = leak(AtomicUsize::new(0));
    let unlocker = std::thread::spawn(|| {
        let mut numbers = Numbers::new(1);
        while rounds.begin(0) {
            delay(numbers.below(120));
            lines.write(1);
            word.store(0, Ordering::Relaxed);
            woken.store(table.unpark(TO.0, &TO.1, 1, 0), Ordering::Relaxed);
            rounds.end(0);
        }
    });
    let mut numbers = Numbers::new(2);
    let mut time_is_left = a_second();
    let mut outcomes = [0_u64; 2];
    while time_is_left() {
        word.store(1, Ordering::Relaxed);
        lines.write(0);
        let mut moved = 0;
        // The waiter that is moved is this very thread, so that nobody has to sleep.
        let while_queued = || {
            rounds.begin(1);
            delay(numbers.below(60));
            moved = requeue_if_locked(table, word);
            rounds.end(1);
            let [here, there] = [AT, TO].map(|at| table.unpark(at.0, &at.1, 1, 0));
            assert_eq!(here + there + woken.load(Ordering::Relaxed), 1);
        };
        let yes = || Ok::<_, Infallible>(true);
        let parked = table.park_with(AT.0, &AT.1, FOREVER, yes, while_queued, |_| {});
        assert_eq!(parked, Ok(Parked::Woken { token: 0 }));
        outcomes[moved] += 1;
        let woken = woken.load(Ordering::Relaxed);
        assert_eq!(
            woken, moved,
            "moved to a target that was unlocked meanwhile: missed after {outcomes:?} rounds"
        );
    }
    rounds.stop();
    unlocker.join().expect("an unpark does not panic");
}

fn requeue_if_locked(table: &Table<u64>, word: &AtomicU32) -> usize {
    let options = RequeueOptions {
        wake_max: 0,
        move_max: usize::MAX,
        token: 0,
    };
    let is_locked = || Ok::<_, Infallible>(word.load(Ordering::Relaxed) == 1);
    match table.requeue((AT.0, &AT.1), (TO.0, &TO.1), options, is_locked) {
        Ok(requeued) => requeued.map_or(0, |requeued| requeued.moved),
        Err(never) => match never {},
    }
}
