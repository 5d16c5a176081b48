//! Stories of latches: all who wait are released, once, and are told the truth.

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::thread::JoinHandle;

use common::bells::{Bell, poll, ready};
use common::{Numbers, leak, until, watchdog};
use slotpark_core::{
    ArmError, ArmedLatch, Deadline, KeyedOptions, Latch, LatchOutcome, LatchWait, WhenFull,
};

const AT: (u64, u64) = (5, 1);

type Task = (Pin<Box<LatchWait<'static, u64>>>, Arc<Bell>);
type Armed = ArmedLatch<'static, u64>;

/// Keys that meet in one slot, and places for a few guards.
fn latches() -> &'static Latch<u64> {
    let options = KeyedOptions::new().slots(1).pool(4, WhenFull::Fail);
    leak(Latch::with_options(options).expect("one slot"))
}

fn arm(latch: &'static Latch<u64>, count: u32) -> Armed {
    latch.arm(AT.0, AT.1, count).expect("it is not armed")
}

/// A task that waits for the key, queued.
fn task(latch: &'static Latch<u64>, key: u64) -> Task {
    let (mut wait, bell) = (Box::pin(latch.wait_async(AT.0, key)), Bell::new());
    assert!(poll(wait.as_mut(), &bell).is_pending());
    (wait, bell)
}

/// A thread that waits for the key, queued.
fn thread(latch: &'static Latch<u64>) -> JoinHandle<LatchOutcome> {
    let others = latch.waiters(AT.0, &AT.1);
    let thread = std::thread::spawn(move || latch.wait(AT.0, &AT.1, None));
    until("a thread waits", || latch.waiters(AT.0, &AT.1) > others);
    thread
}

/// More wait than a wake takes Wakers in one hold of the lock: the last count releases them all.
#[test]
fn a_latch_opens_for_all() {
    let _watchdog = watchdog("a_latch_opens_for_all");
    let latch = latches();
    let armed = arm(latch, 3);
    let mut tasks: Vec<_> = (0..50).map(|_| task(latch, AT.1)).collect();
    let threads = [thread(latch), thread(latch)];
    assert_eq!(armed.count_down(1), 2);
    assert_eq!(latch.count_down(AT.0, &AT.1, 1), Some(1));
    assert_eq!(latch.waiters(AT.0, &AT.1), 52);
    assert_eq!(latch.count_down(AT.0, &AT.1, 1), Some(0));
    for thread in threads {
        assert_eq!(thread.join().expect("it waits"), LatchOutcome::Opened);
    }
    for (wait, bell) in &mut tasks {
        assert_eq!(
            (ready(wait.as_mut()), bell.rings()),
            (LatchOutcome::Opened, 1)
        );
    }
    assert_eq!(latch.waiters(AT.0, &AT.1), 0);
}

/// Whoever was to count down dies with the guard: who waits is told, and who comes later is free.
#[test]
fn an_abandoned_latch_says_so() {
    let _watchdog = watchdog("an_abandoned_latch_says_so");
    let latch = latches();
    let armed = arm(latch, 2);
    let (mut wait, bell) = task(latch, AT.1);
    let thread = thread(latch);
    armed.count_down(1);
    drop(armed);
    assert_eq!(thread.join().expect("it waits"), LatchOutcome::Abandoned);
    assert_eq!(
        (ready(wait.as_mut()), bell.rings()),
        (LatchOutcome::Abandoned, 1)
    );
    assert_eq!(latch.wait(AT.0, &AT.1, None), LatchOutcome::Opened);
    assert_eq!(latch.count_down(AT.0, &AT.1, 1), None);
    assert_eq!(latch.pool_stats().taken, 0);
    drop(arm(latch, 1));
}

/// One guard per key: the second attempt has its key back, also after the count came to 0.
#[test]
fn a_latch_is_armed_once() {
    let latch = latches();
    let armed = arm(latch, 1);
    let again = || latch.arm(AT.0, AT.1, 7).map(|_| ());
    assert_eq!(again(), Err(ArmError::AlreadyArmed(AT.1)));
    assert_eq!((armed.remaining(), latch.pool_stats().taken), (1, 1));
    assert_eq!((armed.count_down(5), armed.count_down(1)), (0, 0));
    assert_eq!(again(), Err(ArmError::AlreadyArmed(AT.1)));
    assert!(latch.is_open(AT.0, &AT.1), "it stays open");
    // Other keys, of the same slot and hash, are other latches.
    let others: Vec<_> = (2..5).map(|key| latch.arm(AT.0, key, 1)).collect();
    assert_eq!(
        latch.arm(AT.0, 9, 1).map(|_| ()),
        Err(ArmError::PoolFull(9))
    );
    assert!(others.iter().all(Result::is_ok));
    drop((armed, others));
    assert_eq!(again(), Ok(()));
    assert_eq!(
        [ArmError::AlreadyArmed(1), ArmError::PoolFull(1)].map(|error| error.to_string()),
        [
            "the latch is armed already",
            "all places for guards are taken"
        ]
    );
}

/// A deadline that passes, or a future that is dropped, leaves nothing behind.
#[test]
fn a_wait_for_a_latch_gives_up_alone() {
    let _watchdog = watchdog("a_wait_for_a_latch_gives_up_alone");
    let latch = latches();
    let armed = arm(latch, 1);
    let wait = |deadline| latch.wait(AT.0, &AT.1, deadline);
    assert_eq!(wait(Some(Deadline::PAST)), LatchOutcome::TimedOut);
    let soon = common::soon(std::time::Duration::from_millis(1));
    assert_eq!(wait(soon), LatchOutcome::TimedOut);
    let (wait_of_other, bell) = task(latch, AT.1);
    drop(task(latch, AT.1));
    assert_eq!(latch.waiters(AT.0, &AT.1), 1);
    assert_eq!((armed.count_down(1), bell.rings()), (0, 1));
    assert_eq!(wait(Some(Deadline::PAST)), LatchOutcome::Opened);
    drop(wait_of_other);
}

/// A forgotten guard keeps its key armed, and its key alive, as long as the latches live.
#[test]
fn a_forgotten_latch_is_safe() {
    let key = Arc::new(7_u64);
    let latch =
        Latch::<Arc<u64>>::with_options(KeyedOptions::new().slots(1).pool(1, WhenFull::Fail));
    let latch = latch.expect("one slot");
    std::mem::forget(latch.arm(AT.0, Arc::clone(&key), 2));
    assert_eq!(latch.count_down(AT.0, &key, 1), Some(1));
    assert!(!latch.is_open(AT.0, &key));
    assert_eq!(latch.count_down(AT.0, &key, 1), Some(0));
    assert_eq!(latch.wait(AT.0, &key, None), LatchOutcome::Opened);
    drop(latch);
    assert_eq!(Arc::strong_count(&key), 1);
}

/// What a latch of one key is, without the engine.
#[derive(Default)]
struct Model {
    armed: Option<(Armed, u32)>,
    waits: Vec<Task>,
}

impl Model {
    fn is_open(&self) -> bool {
        self.armed.as_ref().is_none_or(|(_, left)| *left == 0)
    }

    /// All who wait have ended so, and been told once.
    #[track_caller]
    fn assert_ended(&mut self, outcome: LatchOutcome) {
        for (mut wait, bell) in self.waits.drain(..) {
            assert_eq!((ready(wait.as_mut()), bell.rings()), (outcome, 1));
        }
    }
}

/// At random, two keys of one slot do what two latches do that know nothing of each other.
#[test]
fn latches_do_as_a_model_does() {
    let latch = latches();
    let mut numbers = Numbers::new(1);
    let mut models = [Model::default(), Model::default()];
    for _ in 0..20_000 {
        let key = numbers.below(2);
        let model = &mut models[key as usize];
        let count = numbers.below(4) as u32;
        match numbers.below(6) {
            0 => match latch.arm(AT.0, key, count) {
                Ok(armed) => {
                    assert!(model.armed.is_none(), "it was armed");
                    model.armed = Some((armed, count));
                }
                Err(error) => {
                    assert!(model.armed.is_some(), "{error}");
                    assert_eq!(error, ArmError::AlreadyArmed(key));
                }
            },
            1 => {
                let was_open = model.is_open();
                model.armed = None;
                assert!(!was_open || model.waits.is_empty());
                model.assert_ended(LatchOutcome::Abandoned);
            }
            2 if !model.is_open() => model.waits.push(task(latch, key)),
            3 => drop(model.waits.pop()),
            _ => {
                let left = latch.count_down(AT.0, &key, count);
                let model_left = model.armed.as_mut().map(|(_, left)| {
                    *left = left.saturating_sub(count);
                    *left
                });
                assert_eq!(left, model_left);
                if left == Some(0) {
                    model.assert_ended(LatchOutcome::Opened);
                }
            }
        }
        assert_eq!(latch.is_open(AT.0, &key), model.is_open());
        assert_eq!(latch.waiters(AT.0, &key), model.waits.len());
    }
}
