//! A plain thread and a task wait on the same key: one queue, first in, first out.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use futures_lite::future::block_on;
use slotpark::{ShardedWait, WaitOutcome};

fn main() {
    let waits = ShardedWait::<String>::new();
    let job = "job 7";
    std::thread::scope(|scope| {
        // First a task, then a thread, then a task: known by `waiters`, not by a sleep.
        let mut first = pin!(waits.wait_async(job.to_string(), || true));
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        let second = scope.spawn(|| waits.wait(&job.to_string(), || true));
        while waits.waiters(job) < 2 {
            std::thread::yield_now();
        }
        let third = scope.spawn(|| block_on(waits.wait_async(job.to_string(), || true)));
        while waits.waiters(job) < 3 {
            std::thread::yield_now();
        }
        for token in 1..=3 {
            assert_eq!(waits.wake_with_token(job, 1, token), 1);
        }
        let outcomes = [
            block_on(first),
            second.join().expect("no panic"),
            third.join().expect("no panic"),
        ];
        assert_eq!(
            outcomes,
            [1, 2, 3].map(|token| WaitOutcome::Woken { token })
        );
        println!("task, thread, task: {outcomes:?}");
    });
}
