//! Waits of threads that end at once: the value has changed, or the deadline is past.

use std::hint::black_box;
use std::ptr::null_mut;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use gungraun::prelude::*;
use slotpark::{Deadline, FutexAbi, FutexWait, WaitOutcome};

use crate::fixture::{KEY, Waits, repeat};

#[library_benchmark]
#[bench::stale(Waits::nobody())]
fn wait(waits: Waits) -> Waits {
    repeat(|| {
        let outcome = black_box(waits.table).wait(black_box(&KEY), || black_box(false));
        assert!(outcome == WaitOutcome::Stale);
    });
    waits
}

#[library_benchmark]
#[bench::past(Waits::nobody())]
fn wait_with(waits: Waits) -> Waits {
    repeat(|| {
        let deadline = black_box(Some(Deadline::PAST));
        let outcome =
            black_box(waits.table).wait_with(black_box(&KEY), 1, deadline, || black_box(true));
        assert!(outcome == WaitOutcome::TimedOut);
    });
    waits
}

// Reads the clock.
#[library_benchmark]
#[bench::past(Waits::nobody(), Instant::now())]
fn wait_until(waits: Waits, past: Instant) -> Waits {
    repeat(|| {
        let outcome =
            black_box(waits.table).wait_until(black_box(&KEY), || black_box(true), black_box(past));
        assert!(outcome == WaitOutcome::TimedOut);
    });
    waits
}

#[library_benchmark]
#[bench::stale(FutexWait::process())]
fn futex_wait(words: &'static FutexWait) {
    let word = AtomicU32::new(0);
    repeat(|| assert!(black_box(words).wait(black_box(&word), 1) == WaitOutcome::Stale));
}

#[library_benchmark]
#[bench::stale()]
fn abi_wait() {
    static ABI: FutexAbi = FutexAbi::process();
    const WAIT_PRIVATE: i32 = 128;
    const EAGAIN: isize = 11;
    let mut word = 0_u32;
    repeat(|| {
        let (word, operation) = black_box((&raw mut word, WAIT_PRIVATE));
        // SAFETY: the word lives, and there is no timeout.
        let waited = unsafe { ABI.futex(word, operation, 1, 0, null_mut(), 0) };
        assert!(waited == -EAGAIN);
    });
}

library_benchmark_group!(
    name = waits,
    benchmarks = [wait, wait_with, wait_until, futex_wait, abi_wait]
);
