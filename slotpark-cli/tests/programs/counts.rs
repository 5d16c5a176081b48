//! Makes exactly 520 waits, each on a word of its own, all at the same time and all asleep; then
//! wakes each of the words twice, the second time with nobody there.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

#[cfg(target_arch = "x86_64")]
const FUTEX: i64 = 202;
#[cfg(not(target_arch = "x86_64"))]
const FUTEX: i64 = 98;

const WAIT: i32 = 128;
const WAKE: i32 = 129;

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    fn gettid() -> i32;
}

static WORDS: [AtomicU32; 520] = [const { AtomicU32::new(0) }; 520];
static IDS: [AtomicU32; 520] = [const { AtomicU32::new(0) }; 520];

fn futex(word: &AtomicU32, op: i32, value: u32) -> i64 {
    // SAFETY: a futex call on a live word, without a timeout.
    unsafe { syscall(FUTEX, word.as_ptr(), op, value, 0, 0, 0) }
}

/// Starts a thread that waits and returns when it sleeps, which `stat` says after its name.
fn start(index: usize) -> thread::JoinHandle<i64> {
    let wait = move || {
        // SAFETY: asks for this thread's own id and touches no memory.
        IDS[index].store(unsafe { gettid() } as u32, SeqCst);
        futex(&WORDS[index], WAIT, 0)
    };
    let thread = thread::Builder::new()
        .stack_size(64 * 1024)
        .spawn(wait)
        .unwrap();
    let asleep = || {
        let stat = format!("/proc/self/task/{}/stat", IDS[index].load(SeqCst));
        std::fs::read_to_string(stat).is_ok_and(|stat| stat.contains(") S "))
    };
    while IDS[index].load(SeqCst) == 0 || !asleep() {
        thread::yield_now();
    }
    thread
}

fn main() {
    let threads: Vec<_> = (0..WORDS.len()).map(start).collect();
    // One at a time: threads that end together may wait at a lock of the standard library.
    for (word, thread) in WORDS.iter().zip(threads) {
        assert_eq!(futex(word, WAKE, 1), 1);
        assert_eq!(thread.join().unwrap(), 0);
    }
    for word in &WORDS {
        assert_eq!(futex(word, WAKE, 1), 0);
    }
}
