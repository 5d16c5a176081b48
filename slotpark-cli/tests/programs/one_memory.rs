//! Children that have the memory of their parent, as `vfork` and `posix_spawn` make them: their
//! private futexes are those of the parent.

mod calls;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use calls::*;

const CLONE_VM: i32 = 0x100;
const CLONE_VFORK: i32 = 0x4000;
const SIGCHLD: i32 = 17;
const ALL_CHILDREN: i32 = 0x4000_0000;

unsafe extern "C" {
    fn clone(run: extern "C" fn(usize) -> i32, stack: *mut u8, flags: i32, ...) -> i32;
    fn waitpid(id: i32, status: *mut i32, options: i32) -> i32;
}

/// 7 until the child has woken who waits there; then it waits for the second to change.
static WORDS: [AtomicU32; 2] = [const { AtomicU32::new(7) }; 2];

extern "C" fn child(waits: usize) -> i32 {
    let mut woken = 0;
    while woken == 0 {
        woken = wake(&WORDS[0], 9);
    }
    while waits == 1 && WORDS[1].load(SeqCst) == 7 {
        wait(&WORDS[1], 7);
    }
    woken as i32
}

fn main() {
    for (flags, waits) in [(0, 1), (CLONE_VFORK, 0)] {
        let mut stack = vec![0_u128; 16 * 1024];
        let waiter = asleep_in(|| wait(&WORDS[0], 7));
        let top = stack.as_mut_ptr_range().end.cast();
        // SAFETY: the stack is the child's own, and outlives it; what it runs touches atomics and
        // makes system calls.
        let id = unsafe { clone(child, top, CLONE_VM | SIGCHLD | flags, waits) };
        assert!(id > 0);
        println!("waited: {}", waiter.join().unwrap());
        WORDS[1].store(8, SeqCst);
        wake(&WORDS[1], 9);
        let mut status = 0;
        // SAFETY: the call writes to `status` alone, which is live.
        assert_eq!(unsafe { waitpid(id, &raw mut status, ALL_CHILDREN) }, id);
        println!("the child has woken {}", status >> 8);
        drop(stack);
    }
    // The parent goes on as before.
    let waiter = asleep_in(|| wait(&WORDS[0], 7));
    println!("woken {}", wake(&WORDS[0], 9));
    println!("waited: {}", waiter.join().unwrap());
}
