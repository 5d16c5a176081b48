//! Futex calls at the ends of what a program can have: where the kernel's half begins, whose
//! addresses it refuses.

mod calls;

use calls::*;

const WAKE_BITSET: i32 = 138;
const CMP_REQUEUE: i32 = 132;
const EFAULT: i64 = -14;

static NOW: Timespec = Timespec {
    seconds: 0,
    nanoseconds: 0,
};

fn main() {
    let word = std::sync::atomic::AtomicU32::new(7);
    let (here, now) = (at(&word), (&raw const NOW) as usize);
    for bits in [38, 39, 46, 47, 48, 52, 55, 56, 57, 62, 63] {
        for offset in [0x1000, 8, 4, 2, 0, -4, -8, -0x1000, -0x1004] {
            let place = (1_usize << bits).wrapping_add_signed(offset);
            let futex = |arguments: [usize; 6]| call(FUTEX, arguments);
            let two = |command: i32| {
                let from = futex([place, command as usize, 1, 1, here, 7]);
                [from, futex([here, command as usize, 1, 1, place, 7])]
            };
            let woken = futex([place, WAKE as usize, 1, 0, 0, 0]);
            let with_bits = futex([place, WAKE_BITSET as usize, 1, 0, 0, 1]);
            println!("{bits} {offset}: {woken} {with_bits} {:?}", two(REQUEUE));
            if woken == EFAULT {
                // Nothing is read there.
                let waited = futex([place, WAIT as usize, 7, now, 0, 0]);
                let until = futex([here, WAIT as usize, 7, place, 0, 0]);
                let operated = futex([here, WAKE_OP as usize, 1, 1, place, 0]);
                println!("  {waited} {until} {operated} {:?}", two(CMP_REQUEUE));
            }
        }
    }
}
