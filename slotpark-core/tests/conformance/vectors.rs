//! `futex_waitv` and futex2: their errors, their counts, and what is told of several entries.

use std::ptr::{null, null_mut};
use std::sync::mpsc::channel;
use std::thread;

use slotpark_core::{FutexTimespec, FutexWaitv};

use super::calls::*;
use super::common::{asleep, task, until, watchdog};
use super::sides::{Side, sides};

const PAST: FutexTimespec = FutexTimespec {
    seconds: 0,
    nanoseconds: 0,
};
const BAD: FutexTimespec = FutexTimespec {
    seconds: 0,
    nanoseconds: -1,
};
const U32: u32 = 0x82;

/// One entry: address, value, flags, the reserved word.
type Entry = (At, u64, u32, u32);

const EA: Entry = (A, 7, U32, 0);
const EB: Entry = (B, 9, U32, 0);
const STALE_A: Entry = (A, 8, U32, 0);
const STALE_B: Entry = (B, 8, U32, 0);

fn entries(list: &[Entry], words: &Words) -> Vec<FutexWaitv> {
    let entry = |&(at, val, flags, reserved): &Entry| FutexWaitv {
        val,
        flags,
        reserved,
        ..FutexWaitv::new(at.address(words), 0)
    };
    list.iter().map(entry).collect()
}

/// What it shows, the entries, the flags, the timeout, the clock, and the result.
type Case = (
    &'static str,
    &'static [Entry],
    u32,
    Option<FutexTimespec>,
    i32,
    isize,
);

#[rustfmt::skip]
const ERRORS: &[Case] = &[
    ("no entries", &[], 0, None, 1, EINVAL),
    ("flags", &[EA], 1, None, 1, EINVAL),
    ("flags before the clock", &[EA], 1, Some(PAST), 5, EINVAL),
    ("128 entries", &[EA; 128], 0, Some(PAST), 1, ETIMEDOUT),
    ("129 entries", &[EA; 129], 0, Some(PAST), 1, EINVAL),
    ("a bad clock", &[EA], 0, Some(PAST), 2, EINVAL),
    ("no clock is looked at", &[STALE_A], 0, None, 2, EAGAIN),
    ("the wall clock", &[EA], 0, Some(PAST), 0, ETIMEDOUT),
    ("a bad timeout", &[STALE_A], 0, Some(BAD), 1, EINVAL),
    ("8 bits", &[(A, 7, 0x80, 0)], 0, Some(PAST), 1, EINVAL),
    ("16 bits", &[(A, 7, 0x81, 0)], 0, Some(PAST), 1, EINVAL),
    ("64 bits", &[(A, 7, 0x83, 0)], 0, Some(PAST), 1, EINVAL),
    ("unknown flags", &[(A, 7, 0x92, 0)], 0, Some(PAST), 1, EINVAL),
    ("reserved", &[(A, 7, U32, 1)], 0, Some(PAST), 1, EINVAL),
    ("a value of 33 bits", &[(A, 7 | 1 << 32, U32, 0)], 0, Some(PAST), 1, EINVAL),
    ("a later entry before the first value", &[STALE_A, (B, 9, U32, 1)], 0, None, 1, EINVAL),
    ("misaligned before the first value", &[STALE_A, (Odd, 0, U32, 0)], 0, None, 1, EINVAL),
    ("the kernel's half", &[STALE_A, (High, 0, U32, 0)], 0, None, 1, EFAULT),
    ("NULL", &[EA, (Null, 0, U32, 0)], 0, None, 1, EFAULT),
    ("a stale value before NULL", &[STALE_A, (Null, 0, U32, 0)], 0, None, 1, EAGAIN),
    ("stale", &[STALE_A], 0, None, 1, EAGAIN),
    ("the second is stale", &[EA, STALE_B], 0, Some(PAST), 1, EAGAIN),
    ("past", &[EA, EB], 0, Some(PAST), 1, ETIMEDOUT),
    ("past, one twice", &[EA, EA, EB], 0, Some(PAST), 1, ETIMEDOUT),
];

fn sides_with_futex2() -> impl Iterator<Item = Side> {
    sides().into_iter().filter(|side| side.has_futex2())
}

#[test]
fn waits_on_several_that_return_at_once() {
    let _watchdog = watchdog("waits_on_several_that_return_at_once");
    for (name, list, flags, time, clock, expected) in ERRORS {
        for side in sides_with_futex2() {
            let words = VALUES.map(Into::into);
            let list = entries(list, &words);
            let time = time.as_ref().map_or(null(), std::ptr::from_ref);
            let count = list.len() as u32;
            // SAFETY: entries and timespec live; words that are read are A or B.
            let result = unsafe { side.waitv(list.as_ptr(), count, *flags, time, *clock) };
            assert_eq!(result, *expected, "{name}, {}", side.name());
        }
    }
    for side in sides_with_futex2() {
        // SAFETY: NULL is refused before anything is read.
        let result = unsafe { side.waitv(null(), 1, 0, null(), 1) };
        assert_eq!(result, EINVAL, "no list, {}", side.name());
    }
}

/// The kernel says that a thread sleeps a moment before all its entries are queued: only a thread
/// that goes on sleeping has queued them.
fn sleeps(place: &str) -> bool {
    let look = || {
        thread::yield_now();
        asleep(place)
    };
    (0..20).all(|_| look())
}

/// What it shows, the entries of the waiter, the wake, its count, and what the wait says.
type Woken = (&'static str, &'static [Entry], (At, i32), isize, isize);

#[rustfmt::skip]
const WOKEN: &[Woken] = &[
    ("one of one", &[EA], (A, 1), 1, 0),
    ("the first of two", &[EA, EB], (A, 1), 1, 0),
    ("the second of two", &[EA, EB], (B, 1), 1, 1),
    ("one that is named twice, by one", &[EA, EA], (A, 1), 1, 0),
    ("one that is named twice, by all", &[EA, EA], (A, ALL), 2, 1),
    ("one that is named twice, by two", &[EA, EB, EA], (A, 2), 2, 2),
    ("one that is named thrice, by two", &[EA, EA, EB, EA], (A, 2), 2, 1),
    ("one that is named five times, by all", &[EA, EA, EA, EA, EA], (A, ALL), 5, 4),
];

#[test]
fn waits_on_several_that_are_woken() {
    let _watchdog = watchdog("waits_on_several_that_are_woken");
    for (name, list, (at, count), woken, told) in WOKEN {
        for side in sides_with_futex2() {
            let words: Words = VALUES.map(Into::into);
            let words = &words;
            let (sender, receiver) = channel();
            let ended = thread::scope(|scope| {
                let waiter = scope.spawn(move || {
                    let list = entries(list, words);
                    sender.send(task()).expect("somebody listens");
                    drop(sender);
                    // SAFETY: entries and words live; there is no timeout.
                    unsafe { side.waitv(list.as_ptr(), list.len() as u32, 0, null(), 1) }
                });
                let place = receiver.recv().expect("a name");
                until("the waiter to sleep", || sleeps(&place));
                let call = Call(*at, WAKE, *count, NONE, Null, 0);
                // SAFETY: a wake reads no word.
                let result = unsafe { call.make(side, words) };
                assert_eq!(result, *woken, "{name}, {}", side.name());
                waiter.join().ok()
            });
            assert_eq!(ended, Some(*told), "{name}, {}", side.name());
        }
    }
}

#[test]
fn calls_of_futex2() {
    let _watchdog = watchdog("calls_of_futex2");
    for side in sides_with_futex2() {
        let words: Words = VALUES.map(Into::into);
        let (a, name) = (words[0].as_ptr(), side.name());
        let wake = |at: At, mask, nr, flags| side.futex2_wake(at.address(&words), mask, nr, flags);
        assert_eq!(wake(A, 1, 1, U32), 0, "{name}");
        assert_eq!(wake(A, 1, 0, U32), 0, "{name}");
        assert_eq!(wake(A, 0, 0, U32), EINVAL, "{name}");
        assert_eq!(wake(A, 1 << 32, 1, U32), EINVAL, "{name}");
        assert_eq!(wake(A, 1, 1, 0x80), EINVAL, "{name}");
        assert_eq!(wake(A, 1, 1, 0x83), EINVAL, "{name}");
        assert_eq!(wake(A, 1, 1, 0x10 | U32), EINVAL, "{name}");
        assert_eq!(wake(Odd, 1, 0, U32), EINVAL, "{name}");
        assert_eq!(wake(High, 1, 0, U32), EFAULT, "{name}");
        assert_eq!(wake(Null, 1, 1, U32), 0, "{name}");
        let wait = |at: *const u32, values, flags, time: Option<&FutexTimespec>, clock| {
            let time = time.map_or(null(), std::ptr::from_ref);
            // SAFETY: the word is A, or refused; the timespec lives.
            unsafe { side.futex2_wait(at, values, flags, time, clock) }
        };
        assert_eq!(wait(a, (8, 1), U32, None, 9), EAGAIN, "{name}");
        assert_eq!(wait(a, (7, 1), U32, Some(&PAST), 1), ETIMEDOUT, "{name}");
        assert_eq!(wait(a, (7, 1), U32, Some(&PAST), 0), ETIMEDOUT, "{name}");
        assert_eq!(wait(a, (7, 1), U32, Some(&PAST), 9), EINVAL, "{name}");
        assert_eq!(wait(a, (8, 1), U32, Some(&BAD), 1), EINVAL, "{name}");
        assert_eq!(wait(a, (8, 0), U32, None, 1), EINVAL, "{name}");
        assert_eq!(wait(a, (1 << 32, 1), U32, None, 1), EINVAL, "{name}");
        assert_eq!(wait(a, (8, 1 << 32), U32, None, 1), EINVAL, "{name}");
        assert_eq!(wait(a, (8, 1), 0x81, None, 1), EINVAL, "{name}");
        assert_eq!(wait(null_mut(), (8, 1), U32, None, 1), EFAULT, "{name}");
        let requeue = |list: &[Entry; 2], flags, nr_wake, nr_requeue| {
            let list = entries(list, &words);
            // SAFETY: two entries, whose first word is A, B or refused.
            unsafe { side.futex2_requeue(list.as_ptr(), flags, nr_wake, nr_requeue) }
        };
        assert_eq!(requeue(&[EA, EB], 0, 1, 1), 0, "{name}");
        assert_eq!(requeue(&[EA, STALE_B], 0, 1, 1), 0, "{name}");
        assert_eq!(requeue(&[STALE_A, EB], 0, 1, 1), EAGAIN, "{name}");
        assert_eq!(requeue(&[STALE_A, EB], 0, -1, 1), EINVAL, "{name}");
        assert_eq!(requeue(&[STALE_A, EB], 1, 1, 1), EINVAL, "{name}");
        assert_eq!(
            requeue(&[STALE_A, (B, 9, U32, 1)], 0, 1, 1),
            EINVAL,
            "{name}"
        );
        assert_eq!(
            requeue(&[STALE_A, (Odd, 9, U32, 0)], 0, 1, 1),
            EINVAL,
            "{name}"
        );
        assert_eq!(requeue(&[(Null, 0, U32, 0), EB], 0, 1, 1), EFAULT, "{name}");
        // SAFETY: NULL is refused before anything is read.
        let result = unsafe { side.futex2_requeue(null(), 0, 1, 1) };
        assert_eq!(result, EINVAL, "{name}");
    }
}
