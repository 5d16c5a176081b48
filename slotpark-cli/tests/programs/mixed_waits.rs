//! Waits on a private and on a shared word at once, which nobody can answer but the kernel, and
//! says what it is told: a number for each.

mod calls;

use std::sync::atomic::AtomicU32;

use calls::*;

static WORDS: [AtomicU32; 2] = [const { AtomicU32::new(7) }; 2];

fn main() {
    let now = Timespec {
        seconds: 0,
        nanoseconds: 0,
    };
    for flags in [
        [PRIVATE_U32, SHARED_U32],
        [SHARED_U32, PRIVATE_U32],
        [PRIVATE_U32; 2],
    ] {
        let entry = |index: usize| Entry::new(&WORDS[index], 7, flags[index]);
        let list = [entry(0), entry(1)];
        let (list, time) = (list.as_ptr() as usize, (&raw const now) as usize);
        println!("{}", call(FUTEX_WAITV, [list, 2, 0, time, 1, 0]));
    }
}
