//! The futex commands with priority inheritance: what they say, and a lock and a condition made of
//! them.

mod calls;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

use calls::*;

const LOCK_PI: usize = 6 | 128;
const UNLOCK_PI: usize = 7 | 128;
const TRYLOCK_PI: usize = 8 | 128;
const WAIT_REQUEUE_PI: usize = 11 | 128;
const CMP_REQUEUE_PI: usize = 12 | 128;
const LOCK_PI2: usize = 13 | 128;

static LOCK: AtomicU32 = AtomicU32::new(0);
static CONDITION: AtomicU32 = AtomicU32::new(0);
static COUNT: AtomicU32 = AtomicU32::new(0);

fn pi(command: usize, word: &AtomicU32) -> i64 {
    call(FUTEX, [at(word), command, 0, 0, 0, 0])
}

fn lock(command: usize) {
    if LOCK
        .compare_exchange(0, thread_id(), SeqCst, SeqCst)
        .is_err()
    {
        assert_eq!(pi(command, &LOCK), 0);
    }
}

fn unlock() {
    if LOCK
        .compare_exchange(thread_id(), 0, SeqCst, SeqCst)
        .is_err()
    {
        assert_eq!(pi(UNLOCK_PI, &LOCK), 0);
    }
}

/// Waits for the condition, and has the lock again afterwards.
fn wait_for_it() -> i64 {
    let value = CONDITION.load(SeqCst) as usize;
    call(
        FUTEX,
        [at(&CONDITION), WAIT_REQUEUE_PI, value, 0, at(&LOCK), 0],
    )
}

fn main() {
    println!("not mine: {}", pi(UNLOCK_PI, &LOCK));
    lock(LOCK_PI);
    println!(
        "mine already: {} {}",
        pi(LOCK_PI, &LOCK),
        pi(LOCK_PI2, &LOCK)
    );
    println!(
        "held: {}",
        thread::spawn(|| pi(TRYLOCK_PI, &LOCK)).join().unwrap()
    );
    unlock();
    println!("free: {}", pi(TRYLOCK_PI, &LOCK));
    let next = asleep_in(|| {
        lock(LOCK_PI2);
        unlock();
        0
    });
    unlock();
    println!("handed over: {}", next.join().unwrap());
    let threads: Vec<_> = [LOCK_PI, LOCK_PI2, LOCK_PI, LOCK_PI2]
        .into_iter()
        .map(|command| {
            thread::spawn(move || {
                for _ in 0..2_000 {
                    lock(command);
                    let count = COUNT.load(SeqCst);
                    thread::yield_now();
                    COUNT.store(count + 1, SeqCst);
                    unlock();
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    println!("counted: {}", COUNT.load(SeqCst));
    let waiters = [(); 2].map(|()| {
        asleep_in(|| {
            let waited = wait_for_it();
            unlock();
            waited
        })
    });
    lock(LOCK_PI);
    let arguments = [at(&CONDITION), CMP_REQUEUE_PI, 1, 9, at(&LOCK), 0];
    println!("moved: {}", call(FUTEX, arguments));
    unlock();
    println!("waited: {:?}", waiters.map(|thread| thread.join().unwrap()));
}
