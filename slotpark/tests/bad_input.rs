//! Bad input: each has an answer, and the table is as good as before.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::faults::panics;
use common::{skip, until, watchdog};
use slotpark::{
    Clock, Deadline, FutexWait, Requeued, SLOTS_MAX, ShardedWait, WaitOutcome, WhileOutcome,
};

type Waits = Arc<ShardedWait<u64>>;

fn waits() -> Waits {
    Arc::new(ShardedWait::with_slots(1))
}

/// A thread that is queued on key 7.
fn queued<R: Send + 'static>(
    waits: &Waits,
    wait: impl FnOnce(&Waits) -> R + Send + 'static,
) -> JoinHandle<R> {
    let waiting = waits.clone();
    let thread = std::thread::spawn(move || wait(&waiting));
    until("a thread is queued", || waits.waiters(&7) == 1);
    thread
}

fn assert_sound(waits: &Waits) {
    let thread = queued(waits, |waits| waits.wait(&7, || true));
    assert_eq!(waits.wake_all(&7), 1);
    let outcome = thread.join().expect("a wait does not panic");
    assert_eq!(outcome, WaitOutcome::Woken { token: 0 });
    assert_eq!(waits.waiters(&7), 0);
}

#[test]
fn absurd_slot_counts_are_refused() {
    for count in [0, SLOTS_MAX + 1, usize::MAX] {
        let expected = format!("a table has 1 to 16777216 slots, not {count}");
        assert_eq!(panics(|| ShardedWait::<u64>::with_slots(count)), expected);
        assert_eq!(panics(|| FutexWait::with_slots(count)), expected);
        let error = ShardedWait::<u64>::try_with_slots(count).expect_err("absurd");
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(ShardedWait::<u64>::with_slots(1).slots(), 1);
    assert_eq!(ShardedWait::<u64>::with_slots(513).slots(), 1024);
    let message = panics(|| ShardedWait::<u64>::with_slots(4).slot_stats(4));
    assert_eq!(message, "slot 4 of 4");
}

#[test]
fn deadlines_in_the_past_have_passed() {
    let waits = waits();
    let now = Instant::now();
    let long_ago = now.checked_sub(Duration::from_secs(60)).unwrap_or(now);
    for deadline in [now, long_ago] {
        assert_eq!(
            waits.wait_until(&7, || true, deadline),
            WaitOutcome::TimedOut
        );
        assert_eq!(waits.wait_until(&7, || false, deadline), WaitOutcome::Stale);
        let outcome = waits.wait_while_until(&7, || true, deadline);
        assert_eq!(outcome, WhileOutcome::TimedOut);
    }
    assert_eq!(
        waits.wait_for(&7, || true, Duration::ZERO),
        WaitOutcome::TimedOut
    );
    for clock in [Clock::Monotonic, Clock::Realtime] {
        for at_ns in [0, 1] {
            let deadline = Some(Deadline::new(clock, at_ns));
            let outcome = waits.wait_with(&7, 1, deadline, || true);
            assert_eq!(outcome, WaitOutcome::TimedOut);
        }
    }
    assert_eq!(waits.slot_stats(0).parks, 0, "nobody was ever queued");
    assert_sound(&waits);
}

#[test]
fn deadlines_in_the_far_future_never_pass() {
    let _watch = watchdog("deadlines_in_the_far_future_never_pass");
    let waits = waits();
    let timeouts = [
        Duration::MAX,
        Duration::from_nanos(u64::MAX),
        Duration::from_secs(1 << 33),
    ];
    for timeout in timeouts {
        let thread = queued(&waits, move |waits| waits.wait_for(&7, || true, timeout));
        assert_eq!(waits.wake_all(&7), 1);
        assert!(thread.join().expect("no panic").is_woken(), "{timeout:?}");
        // The latest instant that this system can name.
        let step = |bit| Instant::now().checked_add(timeout / (1_u32 << bit));
        let latest = (0..31).find_map(step).expect("some time is left");
        let thread = queued(&waits, move |waits| waits.wait_until(&7, || true, latest));
        assert_eq!(waits.wake_all(&7), 1);
        assert!(thread.join().expect("no panic").is_woken(), "{latest:?}");
    }
    for clock in [Clock::Monotonic, Clock::Realtime] {
        for at_ns in [u64::MAX, i64::MAX as u64 + 1, i64::MAX as u64] {
            let deadline = Some(Deadline::new(clock, at_ns));
            let thread = queued(&waits, move |waits| {
                waits.wait_with(&7, 1, deadline, || true)
            });
            assert_eq!(waits.wake_all(&7), 1);
            assert!(thread.join().expect("no panic").is_woken(), "{deadline:?}");
        }
    }
}

#[test]
fn nothing_asked_for_is_nothing_done() {
    let _watch = watchdog("nothing_asked_for_is_nothing_done");
    let waits = waits();
    let thread = queued(&waits, |waits| waits.wait_with(&7, 0b10, None, || true));
    assert_eq!(waits.wake(&7, 0), 0);
    assert_eq!(waits.wake_with_token(&7, 0, 1), 0);
    assert_eq!(waits.wake_bitset(&7, 0, u32::MAX, 0), 0);
    assert_eq!(
        waits.wake_bitset(&7, usize::MAX, 0, 0),
        0,
        "no bits, nobody"
    );
    assert_eq!(waits.wake_bitset(&7, usize::MAX, 0b101, 0), 0, "other bits");
    let moved = waits.requeue(&7, &8, 0, 0, || true);
    assert_eq!(moved, Some(Requeued { woken: 0, moved: 0 }));
    assert_eq!(waits.requeue(&7, &8, 1, 1, || false), None);
    assert_eq!((waits.waiters(&7), waits.waiters(&8)), (1, 0));
    assert_eq!(waits.wake_bitset(&7, usize::MAX, 0b110, 5), 1);
    let outcome = thread.join().expect("a wait does not panic");
    assert_eq!(outcome, WaitOutcome::Woken { token: 5 });
}

#[test]
fn a_wait_that_nothing_could_wake_is_refused() {
    let waits = waits();
    let message = panics(|| waits.wait_with(&7, 0, None, || true));
    assert_eq!(message, "a wait with an empty bitset could never be woken");
    assert_sound(&waits);
}

#[derive(PartialEq, Eq)]
struct Unhashable(bool);

impl Hash for Unhashable {
    fn hash<H: Hasher>(&self, _state: &mut H) {
        assert!(!self.0, "hash");
    }
}

#[test]
fn panics_of_closures_and_keys_are_the_callers() {
    let waits = waits();
    assert_eq!(panics(|| waits.wait(&7, || panic!("validate"))), "validate");
    let mut looks = 0;
    let condition = || {
        looks += 1;
        assert!(looks < 2, "condition");
        true
    };
    assert_eq!(panics(|| waits.wait_while(&7, condition)), "condition");
    let moving = || -> bool { panic!("requeue") };
    assert_eq!(panics(|| waits.requeue(&7, &8, 1, 1, moving)), "requeue");
    assert_sound(&waits);
    let waits = ShardedWait::<Unhashable>::with_slots(1);
    assert_eq!(panics(|| waits.wait(&Unhashable(true), || true)), "hash");
    assert_eq!(panics(|| waits.wake_all(&Unhashable(true))), "hash");
    assert_eq!(waits.wait(&Unhashable(false), || false), WaitOutcome::Stale);
}

#[test]
fn reentry_is_a_panic_in_debug_builds() {
    if !cfg!(debug_assertions) {
        return skip(
            "reentry_is_a_panic_in_debug_builds",
            "release builds do not look",
        );
    }
    let waits = waits();
    let mut runs = 0;
    let call_back = || {
        runs += 1;
        runs < 2 || waits.wake_all(&7) == 0
    };
    let message = panics(|| waits.wait(&7, call_back));
    assert!(message.contains("holds a slot lock"), "{message}");
    assert_sound(&waits);
}

#[test]
fn debug_takes_no_lock() {
    let (waits, futex) = (waits(), FutexWait::with_slots(1));
    let mut shown = Vec::new();
    let show = || {
        shown.push(format!("{waits:?} {futex:?}"));
        shown.len() < 2
    };
    assert_eq!(waits.wait(&7, show), WaitOutcome::Stale);
    let show = || {
        shown.push(format!("{waits:?} {futex:?}"));
        shown.len() < 4
    };
    let key = slotpark::FutexKey::new(1, 2);
    assert_eq!(futex.wait_key(key, 1, None, show), WaitOutcome::Stale);
    assert_eq!(shown.len(), 4, "each once outside the lock, once under it");
}
