//! Waits of tasks, polled by hand.

use std::hint::black_box;
use std::pin::pin;
use std::task::Poll;

use gungraun::prelude::*;
use slotpark::WaitOutcome;

use crate::fixture::{KEY, OTHERS, Waits, again, one_each, poll, repeat};

#[library_benchmark]
#[bench::stale(Waits::nobody())]
fn wait(waits: Waits) -> Waits {
    repeat(|| {
        let wait = pin!(waits.table.wait_async(black_box(KEY), || black_box(false)));
        assert!(poll(wait) == Poll::Ready(WaitOutcome::Stale));
    });
    waits
}

// It queues, and leaves the queue again.
#[library_benchmark]
#[bench::alone(Waits::nobody())]
fn wait_and_drop(waits: Waits) -> Waits {
    repeat(|| {
        let wait = pin!(waits.table.wait_async(black_box(KEY), || black_box(true)));
        assert!(poll(wait).is_pending());
    });
    waits
}

// The wake, the poll that learns of it, and the poll that waits again.
#[library_benchmark]
#[bench::alone(Waits::one_beside(0))]
#[bench::beside_100_keys(Waits::one_beside(100))]
fn round(mut waits: Waits) -> Waits {
    let task = waits.tasks.last_mut().expect("the task of the key");
    repeat(|| {
        assert!(black_box(waits.table).wake_one(black_box(&KEY)) == 1);
        again(task);
    });
    waits
}

// The same, of a key that 100 wait for: each of them once.
#[library_benchmark]
#[bench::of_100(Waits::of(512, [KEY; 100]))]
fn round_in_turn(mut waits: Waits) -> Waits {
    one_each(&mut waits.tasks, |task| {
        assert!(black_box(waits.table).wake_one(black_box(&KEY)) == 1);
        again(task);
    });
    waits
}

// The key that has waited longest of all in the slot is found last.
#[library_benchmark]
#[bench::of_8_keys_in_slot(Waits::of(1, KEY..KEY + 8))]
fn round_of_last_found(mut waits: Waits) -> Waits {
    let mut at = 0;
    repeat(|| {
        assert!(black_box(waits.table).wake_one(black_box(&(KEY + at as u64))) == 1);
        again(&mut waits.tasks[at]);
        at = (at + 1) % 8;
    });
    waits
}

// One task, moved to and fro.
#[library_benchmark]
#[bench::one(Waits::one_beside(0))]
fn requeue(waits: Waits) -> Waits {
    let (mut from, mut to) = (KEY, OTHERS);
    repeat(|| {
        let moved = black_box(waits.table).requeue(black_box(&from), black_box(&to), 0, 1, || true);
        assert!(moved.is_some_and(|requeued| requeued.moved == 1));
        (from, to) = (to, from);
    });
    waits
}

library_benchmark_group!(
    name = tasks,
    benchmarks = [
        wait,
        wait_and_drop,
        round,
        round_in_turn,
        round_of_last_found,
        requeue
    ]
);
