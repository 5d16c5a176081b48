//! Threads that hand a number round by futex while signals are thrown at them, whose handler calls
//! the futex too: on the same words, so in the slots that the thread may be at work in.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::thread;

#[cfg(target_arch = "x86_64")]
const FUTEX: i64 = 202;
#[cfg(not(target_arch = "x86_64"))]
const FUTEX: i64 = 98;

const WAIT: i32 = 128;
const WAKE: i32 = 129;
const REQUEUE: i32 = 131;
const SIGUSR1: i32 = 10;
const ROUNDS: u32 = 20_000;

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn pthread_self() -> usize;
    fn pthread_kill(thread: usize, signal: i32) -> i32;
}

static TURN: AtomicU32 = AtomicU32::new(0);
static OTHER: AtomicU32 = AtomicU32::new(0);
static HANDLED: AtomicU64 = AtomicU64::new(0);
static IDS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
static DONE: AtomicBool = AtomicBool::new(false);

fn futex(word: &AtomicU32, op: i32, value: u32, fourth: usize, second: &AtomicU32) -> i64 {
    // SAFETY: live words; no timeout.
    unsafe { syscall(FUTEX, word.as_ptr(), op, value, fourth, second.as_ptr(), 0) }
}

extern "C" fn handler(_signal: i32) {
    HANDLED.fetch_add(1, SeqCst);
    futex(&TURN, WAKE, 1, 0, &TURN);
    // Moves waiters away and wakes them there, so that none is left behind.
    futex(&TURN, REQUEUE, 0, 9, &OTHER);
    futex(&OTHER, WAKE, 9, 0, &OTHER);
    // A wait from a handler: the value never fits.
    futex(&OTHER, WAIT, 1, 0, &OTHER);
}

fn player(me: u32) {
    // SAFETY: asks for this thread's own handle.
    IDS[me as usize].store(unsafe { pthread_self() } as u64, SeqCst);
    for _ in 0..ROUNDS {
        loop {
            let turn = TURN.load(SeqCst);
            if turn % 3 == me {
                break;
            }
            futex(&TURN, WAIT, turn, 0, &TURN);
        }
        TURN.fetch_add(1, SeqCst);
        futex(&TURN, WAKE, i32::MAX as u32, 0, &TURN);
    }
}

fn main() {
    // SAFETY: the handler touches atomics and makes system calls.
    unsafe { signal(SIGUSR1, handler) };
    thread::scope(|scope| {
        let players = [0, 1, 2].map(|me| {
            scope.spawn(move || {
                player(me);
                // Stays until nobody signals it any more.
                while !DONE.load(SeqCst) {
                    thread::yield_now();
                }
            })
        });
        scope.spawn(|| {
            while TURN.load(SeqCst) < 3 * ROUNDS {
                for id in &IDS {
                    let id = id.load(SeqCst) as usize;
                    if id != 0 {
                        // SAFETY: the thread lives until `DONE`.
                        unsafe { pthread_kill(id, SIGUSR1) };
                    }
                }
            }
            DONE.store(true, SeqCst);
        });
        players
            .into_iter()
            .for_each(|player| player.join().unwrap());
    });
    assert!(
        HANDLED.load(SeqCst) > 100,
        "too few signals to mean anything"
    );
    println!("turns: {}", TURN.load(SeqCst));
}
