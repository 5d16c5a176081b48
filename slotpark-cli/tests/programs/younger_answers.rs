//! What FUTEX_WAKE_OP, `futex_waitv` and the calls of futex2 say, with and without waiters. The
//! answers must be the same with and without slots.

mod calls;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use calls::*;

static WORDS: [AtomicU32; 2] = [AtomicU32::new(7), AtomicU32::new(9)];

static NOW: Timespec = Timespec {
    seconds: 0,
    nanoseconds: 0,
};

fn waitv(list: &[Entry], flags: u32, time: Option<&Timespec>, clock: i32) -> i64 {
    let time = time.map_or(0, |time| (&raw const *time) as usize);
    let (at, count) = (list.as_ptr() as usize, list.len());
    call(
        FUTEX_WAITV,
        [at, count, flags as usize, time, clock as usize, 0],
    )
}

fn entry(word: usize, flags: u32) -> Entry {
    Entry::new(&WORDS[word], [7, 9][word], flags)
}

fn wake_op() {
    for (operation, name) in [
        (0x1000_1009, "true"),
        (0x1100_1009, "false"),
        (0x1600_1009, "6"),
    ] {
        WORDS[1].store(9, SeqCst);
        let threads = [0, 1].map(|word| asleep_in(move || wait(&WORDS[word], [7, 9][word])));
        let arguments = [
            at(&WORDS[0]),
            WAKE_OP as usize,
            5,
            5,
            at(&WORDS[1]),
            operation,
        ];
        let woken = call(FUTEX, arguments);
        let (value, left) = (
            WORDS[1].load(SeqCst),
            WORDS.each_ref().map(|word| wake(word, 9)),
        );
        println!("wake_op {name}: {woken}, then {value}, left {left:?}");
        println!(
            "  waits: {:?}",
            threads.map(|thread| thread.join().unwrap())
        );
    }
    WORDS[1].store(9, SeqCst);
}

fn lists() {
    for (list, count, word) in [
        (&[0_usize][..], 1, 0),
        (&[0, 1], 1, 0),
        (&[0, 1], 1, 1),
        (&[0, 0], 9, 0),
        (&[0, 1, 0], 2, 0),
    ] {
        let thread = asleep_in(move || {
            let list: Vec<Entry> = list.iter().map(|&word| entry(word, PRIVATE_U32)).collect();
            waitv(&list, 0, None, 1)
        });
        let woken = wake(&WORDS[word], count);
        println!("waitv {list:?}: {woken}, told {}", thread.join().unwrap());
    }
    // A wait of one call, a wake of another.
    let thread = asleep_in(|| waitv(&[entry(0, PRIVATE_U32), entry(1, PRIVATE_U32)], 0, None, 0));
    let woken = call(
        FUTEX2_WAKE,
        [at(&WORDS[1]), 1, 1, PRIVATE_U32 as usize, 0, 0],
    );
    println!(
        "waitv, futex2 wake: {woken}, told {}",
        thread.join().unwrap()
    );
}

fn refusals() {
    let mine = || entry(0, PRIVATE_U32);
    let stale = || Entry::new(&WORDS[0], 8, PRIVATE_U32);
    let later = Timespec {
        seconds: 1,
        nanoseconds: 1_000_000_000,
    };
    let mut reserved = mine();
    reserved.reserved = 1;
    let mut high = mine();
    high.address = 1 << 63;
    let mut null = mine();
    null.address = 0;
    for (name, answer) in [
        ("past", waitv(&[mine()], 0, Some(&NOW), 1)),
        ("past, wall clock", waitv(&[mine()], 0, Some(&NOW), 0)),
        ("stale", waitv(&[mine(), stale()], 0, None, 1)),
        (
            "shared, stale",
            waitv(&[Entry::new(&WORDS[0], 8, SHARED_U32)], 0, None, 1),
        ),
        (
            "shared, past",
            waitv(&[entry(0, SHARED_U32)], 0, Some(&NOW), 1),
        ),
        ("clock", waitv(&[mine()], 0, Some(&NOW), 5)),
        ("time", waitv(&[mine()], 0, Some(&later), 1)),
        ("flags", waitv(&[mine()], 1, Some(&NOW), 1)),
        ("size", waitv(&[entry(0, 0x83)], 0, Some(&NOW), 1)),
        ("empty", waitv(&[], 0, None, 1)),
        ("reserved", waitv(&[reserved], 0, None, 1)),
        ("high", waitv(&[high], 0, None, 1)),
        ("null", waitv(&[null], 0, None, 1)),
        ("no list", call(FUTEX_WAITV, [0, 1, 0, 0, 1, 0])),
        ("high list", call(FUTEX_WAITV, [1 << 63, 1, 0, 0, 1, 0])),
        (
            "high time",
            call(
                FUTEX_WAITV,
                [(&raw const NOW) as usize, 1, 0, 1 << 63, 1, 0],
            ),
        ),
    ] {
        println!("waitv, {name}: {answer}");
    }
}

fn futex2() {
    let now = (&raw const NOW) as usize;
    for flags in [PRIVATE_U32, SHARED_U32, 0x83, 0x92].map(|flags| flags as usize) {
        for word in [at(&WORDS[0]), at(&WORDS[0]) + 2, 1 << 63] {
            for value in [7, 8, 1 << 40] {
                for (bits, clock) in [(1, 1), (0, 1), (usize::MAX, 0), (1, 9)] {
                    let waited = call(FUTEX2_WAIT, [word, value, bits, flags, now, clock]);
                    let woken = call(FUTEX2_WAKE, [word, bits, value, flags, 0, 0]);
                    println!("futex2 {flags:#x} {value} {bits} {clock}: {waited} {woken}");
                }
            }
        }
    }
    for (wake_max, move_max, value) in [(1, 1, 7), (0, 9, 7), (1, 1, 8), (-1_i32, 1, 7)] {
        let threads = [(); 2].map(|()| {
            asleep_in(|| {
                let flags = PRIVATE_U32 as usize;
                call(FUTEX2_WAIT, [at(&WORDS[0]), 7, 3, flags, 0, 1])
            })
        });
        let list = [
            Entry::new(&WORDS[0], value, PRIVATE_U32),
            entry(1, PRIVATE_U32),
        ];
        let list = list.as_ptr() as usize;
        let answer = call(FUTEX2_REQUEUE, [list, 0, wake_max as usize, move_max, 0, 0]);
        let left = WORDS.each_ref().map(|word| wake(word, 9));
        println!("futex2 requeue {wake_max} {move_max} {value}: {answer}, left {left:?}");
        println!(
            "  waits: {:?}",
            threads.map(|thread| thread.join().unwrap())
        );
    }
    for (one, other) in [(PRIVATE_U32, SHARED_U32), (SHARED_U32, SHARED_U32)] {
        let list = [entry(0, one), entry(1, other)];
        let answer = call(FUTEX2_REQUEUE, [list.as_ptr() as usize, 0, 1, 1, 0, 0]);
        println!("futex2 requeue of {one:#x} and {other:#x}: {answer}");
    }
}

fn main() {
    wake_op();
    lists();
    refusals();
    futex2();
}
