//! Thousands of threads that come and go: some end while others wait, some wait until they are
//! woken, some for a moment only, some wake others and are never joined.

mod calls;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

use calls::*;

const BATCHES: u32 = 60;
const THREADS: u32 = 48;

/// Closed while it holds the number of the batch.
static GATE: AtomicU32 = AtomicU32::new(0);
static WORD: AtomicU32 = AtomicU32::new(7);
static WAITED: AtomicU32 = AtomicU32::new(0);
static TIMED_OUT: AtomicU32 = AtomicU32::new(0);
/// Threads that are not joined and have not come to their end.
static LOOSE: AtomicU32 = AtomicU32::new(0);

fn live(kind: u32, batch: u32) {
    match kind {
        0 => {
            while GATE.load(SeqCst) == batch {
                wait(&GATE, batch);
            }
            WAITED.fetch_add(1, SeqCst);
        }
        1 => {
            let moment = Timespec {
                seconds: 0,
                nanoseconds: 100_000,
            };
            let time = (&raw const moment) as usize;
            if call(FUTEX, [at(&WORD), WAIT as usize, 7, time, 0, 0]) == -110 {
                TIMED_OUT.fetch_add(1, SeqCst);
            }
        }
        2 => {}
        _ => {
            wake(&WORD, 1);
            if LOOSE.fetch_sub(1, SeqCst) == 1 {
                wake(&LOOSE, 1);
            }
        }
    }
}

fn main() {
    for batch in 0..BATCHES {
        let mut threads = Vec::new();
        for number in 0..THREADS {
            let kind = number % 4;
            LOOSE.fetch_add(u32::from(kind == 3), SeqCst);
            let thread = thread::Builder::new().stack_size(64 * 1024);
            let thread = thread.spawn(move || live(kind, batch)).unwrap();
            if kind != 3 {
                threads.push((kind, thread));
            }
        }
        // Most end while those at the gate wait on.
        let (waiters, others): (Vec<_>, Vec<_>) = threads.into_iter().partition(|it| it.0 == 0);
        others
            .into_iter()
            .for_each(|(_, thread)| thread.join().unwrap());
        GATE.store(batch + 1, SeqCst);
        wake(&GATE, i32::MAX);
        waiters
            .into_iter()
            .for_each(|(_, thread)| thread.join().unwrap());
        loop {
            match LOOSE.load(SeqCst) {
                0 => break,
                loose => wait(&LOOSE, loose),
            };
        }
    }
    let others = BATCHES * THREADS / 4;
    assert!(TIMED_OUT.load(SeqCst) <= others);
    println!(
        "{} threads waited, of {}",
        WAITED.load(SeqCst),
        BATCHES * THREADS
    );
}
