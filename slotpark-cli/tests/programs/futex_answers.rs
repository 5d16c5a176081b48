//! Asks the futex, by libc's `syscall`, what it says in corner cases, and prints the answers. They
//! must be the same with and without slots.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread::{self, JoinHandle};

#[cfg(target_arch = "x86_64")]
const FUTEX: i64 = 202;
#[cfg(not(target_arch = "x86_64"))]
const FUTEX: i64 = 98;

const WAIT: i32 = 0;
const WAKE: i32 = 1;
const REQUEUE: i32 = 3;
const CMP_REQUEUE: i32 = 4;
const WAIT_BITSET: i32 = 9;
const WAKE_BITSET: i32 = 10;
const PRIVATE: i32 = 128;
const REALTIME: i32 = 256;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn __errno_location() -> *mut i32;
}

/// The result, or -errno.
fn futex(word: usize, op: i32, value: i32, fourth: usize, second: usize, third: u32) -> i64 {
    // SAFETY: a futex call with addresses that the kernel checks, or that are valid.
    let result = unsafe { syscall(FUTEX, word, op, value, fourth, second, third) };
    // SAFETY: the thread's own errno.
    if result == -1 {
        -i64::from(unsafe { *__errno_location() })
    } else {
        result
    }
}

static WORDS: [AtomicU32; 4] = [const { AtomicU32::new(7) }; 4];

fn at(index: usize) -> usize {
    WORDS[index].as_ptr() as usize
}

/// Calls that return at once, with everything that can be wrong with them.
fn immediate() {
    let times = [
        (0, 0),
        (0, 1),
        (-1, 0),
        (0, -1),
        (0, 1_000_000_000),
        (1, 999_999_999),
    ];
    let waits = [
        WAIT,
        WAIT_BITSET,
        WAIT | REALTIME,
        WAIT_BITSET | REALTIME,
        WAIT | 512,
        77,
    ];
    for op in waits.into_iter().flat_map(|op| [op, op | PRIVATE]) {
        for word in [0, at(0), at(0) + 1, at(0) + 2, 1 << 63, usize::MAX - 3] {
            for (value, third) in [(7, u32::MAX), (7, 0), (8, u32::MAX), (8, 0), (7, 1)] {
                for (seconds, nanoseconds) in times {
                    // One that is relative, and valid, would take its time.
                    if seconds == 1 && op & !(PRIVATE | REALTIME) == WAIT && value == 7 {
                        continue;
                    }
                    let time = Timespec {
                        seconds,
                        nanoseconds,
                    };
                    let time_at = (&raw const time) as usize;
                    let answer = futex(word, op, value, time_at, 0, third);
                    println!(
                        "{op} {:#x} {value} {third:#x} {seconds}.{nanoseconds}: {answer}",
                        name(word)
                    );
                }
                if value == 8 {
                    let answer = futex(word, op, value, 0, 0, third);
                    println!(
                        "{op} {:#x} {value} {third:#x} for ever: {answer}",
                        name(word)
                    );
                }
            }
        }
    }
    let others = [
        WAKE,
        WAKE_BITSET,
        REQUEUE,
        CMP_REQUEUE,
        WAKE | REALTIME,
        REQUEUE | REALTIME,
    ];
    for op in others.into_iter().flat_map(|op| [op, op | PRIVATE]) {
        for word in [0, at(0), at(0) + 2, 1 << 63] {
            for second in [0, at(1), at(1) + 1, 1 << 63] {
                for value in [0, 1, -1, i32::MIN, i32::MAX] {
                    for (fourth, third) in [(0, 7), (1, 8), (usize::MAX, 7), (5, 0)] {
                        let answer = futex(word, op, value, fourth, second, third);
                        println!(
                            "{op} {:#x} {:#x} {value} {fourth} {third}: {answer}",
                            name(word),
                            name(second)
                        );
                    }
                }
            }
        }
    }
}

/// Addresses differ from run to run.
fn name(address: usize) -> usize {
    if (at(0)..at(0) + 16).contains(&address) {
        address - at(0) + 0x1000
    } else {
        address
    }
}

/// How many wait for a word: a requeue onto itself counts them and changes nothing.
fn waiters(word: usize) -> i64 {
    futex(word, REQUEUE | PRIVATE, 0, i32::MAX as usize, word, 0)
}

/// Starts waiters one after the other, each queued before the next.
fn start(word: usize, bits: &[u32]) -> Vec<JoinHandle<i64>> {
    bits.iter()
        .map(|&bits| {
            let before = waiters(word);
            let thread = thread::spawn(move || futex(word, WAIT_BITSET | PRIVATE, 7, 0, 0, bits));
            while waiters(word) == before {
                thread::yield_now();
            }
            thread
        })
        .collect()
}

/// Ends all waiters and says what they returned.
fn finish(threads: Vec<JoinHandle<i64>>) {
    for word in 0..4 {
        futex(at(word), WAKE | PRIVATE, i32::MAX, 0, 0, 0);
    }
    let answers: Vec<i64> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    println!("  waits: {answers:?}");
}

fn wakes() {
    for count in [0, -1, i32::MIN, 1, 2, 3, 4, i32::MAX] {
        let threads = start(at(0), &[u32::MAX; 3]);
        let woken = futex(at(0), WAKE | PRIVATE, count, 0, 0, 0);
        println!("wake {count} of 3: {woken}, left {}", waiters(at(0)));
        finish(threads);
    }
    for (count, bits) in [(1, 2), (0, 4), (9, 6), (9, 8), (2, u32::MAX)] {
        let threads = start(at(0), &[1, 2, 4, 2]);
        let woken = futex(at(0), WAKE_BITSET | PRIVATE, count, 0, 0, bits);
        println!(
            "wake {count} with {bits:#x}: {woken}, left {}",
            waiters(at(0))
        );
        println!(
            "  other bits: {}",
            futex(at(0), WAKE_BITSET | PRIVATE, 9, 0, 0, !bits)
        );
        finish(threads);
    }
    let threads = start(at(0), &[1]);
    println!(
        "shared wake of a private wait: {}",
        futex(at(0), WAKE, 1, 0, 0, 0)
    );
    println!(
        "wake of another word: {}",
        futex(at(1), WAKE | PRIVATE, 1, 0, 0, 0)
    );
    finish(threads);
}

fn requeues() {
    for (wake, moved) in [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (2, 9),
        (9, 9),
        (1, i32::MAX),
    ] {
        for (to, expected) in [(1, 7), (1, 8), (0, 7)] {
            let threads = start(at(0), &[u32::MAX; 4]);
            let answer = futex(
                at(0),
                CMP_REQUEUE | PRIVATE,
                wake,
                moved as usize,
                at(to),
                expected,
            );
            println!(
                "requeue {wake} {moved} to {to} if {expected}: {answer}, left {} and {}",
                waiters(at(0)),
                waiters(at(1)),
            );
            finish(threads);
        }
    }
    let threads = start(at(0), &[u32::MAX; 2]);
    println!("to NULL: {}", futex(at(0), REQUEUE | PRIVATE, 0, 9, 0, 0));
    println!("wake at NULL: {}", futex(0, WAKE | PRIVATE, 9, 0, 0, 0));
    finish(threads);
}

/// A wait that is moved keeps its deadline.
fn moved_deadline() {
    let thread = thread::spawn(|| {
        let time = Timespec {
            seconds: 0,
            nanoseconds: 300_000_000,
        };
        futex(at(0), WAIT | PRIVATE, 7, (&raw const time) as usize, 0, 0)
    });
    while waiters(at(0)) == 0 {
        thread::yield_now();
    }
    println!("moved: {}", futex(at(0), REQUEUE | PRIVATE, 0, 1, at(1), 0));
    println!("then: {}", thread.join().unwrap());
    println!("left: {} {}", waiters(at(0)), waiters(at(1)));
}

fn main() {
    immediate();
    wakes();
    requeues();
    moved_deadline();
    assert!(WORDS.iter().all(|word| word.load(SeqCst) == 7));
}
