//! A parent and its child take turns by a futex in memory that both map; each of them has two
//! threads besides that take turns by private futexes.

mod calls;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;

use calls::*;

const TURNS: u32 = 4_000;
/// Of the private words.
const OWN_TURNS: u32 = 1_000;

unsafe extern "C" {
    fn mmap(at: *mut u8, bytes: usize, protection: i32, flags: i32, file: i32, at: i64) -> *mut u8;
    fn fork() -> i32;
    fn waitpid(id: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}

static OWN: AtomicU32 = AtomicU32::new(0);

/// Takes every other turn, by commands that are those of a shared or a private word.
fn take_turns(word: &AtomicU32, me: u32, turns: u32, [wait, wake]: [i32; 2]) {
    loop {
        let turn = word.load(SeqCst);
        if turn >= turns {
            break;
        }
        if turn % 2 == me {
            word.store(turn + 1, SeqCst);
            call(FUTEX, [at(word), wake as usize, 1, 0, 0, 0]);
        } else {
            call(FUTEX, [at(word), wait as usize, turn as usize, 0, 0, 0]);
        }
    }
}

fn play(word: &AtomicU32, me: u32) {
    OWN.store(0, SeqCst);
    thread::scope(|scope| {
        for side in 0..2 {
            scope.spawn(move || take_turns(&OWN, side, OWN_TURNS, [WAIT, WAKE]));
        }
        take_turns(word, me, TURNS, [SHARED_WAIT, SHARED_WAKE]);
    });
}

fn main() {
    // SAFETY: a new mapping: memory that can be read and written, shared and of no file.
    let memory = unsafe { mmap(std::ptr::null_mut(), 4096, 3, 0x21, -1, 0) };
    assert_ne!(memory as isize, -1);
    // SAFETY: the mapping is aligned, holds zeros, and stays.
    let word = unsafe { AtomicU32::from_ptr(memory.cast()) };
    // SAFETY: this is the only thread.
    let child = unsafe { fork() };
    play(word, u32::from(child == 0));
    let (shared, own) = (word.load(SeqCst), OWN.load(SeqCst));
    if child == 0 {
        // SAFETY: the call ends the child and touches no memory of ours.
        unsafe { _exit(i32::from((shared, own) != (TURNS, OWN_TURNS))) };
    }
    let mut status = 0;
    // SAFETY: the call writes to `status` alone, which is live.
    assert_eq!(unsafe { waitpid(child, &raw mut status, 0) }, child);
    println!("turns: {shared}, own {own}; the child ended with {status}");
}
