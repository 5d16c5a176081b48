//! Calls that meet waiters: who is woken, in which order, and what is counted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ScopedJoinHandle};

use super::calls::*;
use super::common::{asleep, task, until, watchdog};
use super::sides::{Side, sides};

/// What it shows; the waiters in their order, by word and bits; the calls, each with its result and
/// the waiters that it wakes; the words in the end.
type Case = (
    &'static str,
    &'static [(At, u32)],
    &'static [(Call, isize, &'static [usize])],
    [u32; 2],
);

const fn wake(at: At, count: i32) -> Call {
    Call(at, WAKE, count, NONE, Null, 0)
}
const fn wake_bits(at: At, count: i32, bits: u32) -> Call {
    Call(at, WAKE_BITSET, count, NONE, Null, bits)
}
const fn requeue(wake: i32, moves: i32, to: At) -> Call {
    Call(A, REQUEUE, wake, Count(moves), to, 0)
}
const fn cmp_requeue(wake: i32, moves: i32, expected: u32) -> Call {
    Call(A, CMP_REQUEUE, wake, Count(moves), B, expected)
}
/// Adds 1 to B, which is 9 at first.
const fn wake_op(count: i32, count2: i32, cmp: u32, cmparg: i32) -> Call {
    Call(
        A,
        WAKE_OP,
        count,
        Count(count2),
        B,
        word_op(1, 1, cmp, cmparg),
    )
}

const AAA: &[(At, u32)] = &[(A, ANY), (A, ANY), (A, ANY)];
const ABAB: &[(At, u32)] = &[(A, ANY), (B, ANY), (A, ANY), (B, ANY)];
const BITS: &[(At, u32)] = &[(A, 0b01), (A, 0b10), (A, 0b11)];

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("wake 1 is the oldest", AAA, &[(wake(A, 1), 1, &[0]), (wake(A, 1), 1, &[1])], VALUES),
    ("wake 2", AAA, &[(wake(A, 2), 2, &[0, 1])], VALUES),
    ("wake more than there are", AAA, &[(wake(A, 9), 3, &[0, 1, 2]), (wake(A, 9), 0, &[])], VALUES),
    ("wake INT_MAX", AAA, &[(wake(A, ALL), 3, &[0, 1, 2])], VALUES),
    ("wake 0 is one", AAA, &[(wake(A, 0), 1, &[0])], VALUES),
    ("wake -1 is one", AAA, &[(wake(A, -1), 1, &[0])], VALUES),
    ("wake INT_MIN is one", AAA, &[(wake(A, i32::MIN), 1, &[0])], VALUES),
    ("wake of the other word", AAA, &[(wake(B, 9), 0, &[])], VALUES),
    ("wakes meet their word only", ABAB, &[(wake(B, 1), 1, &[1]), (wake(A, 1), 1, &[0])], VALUES),
    ("bits skip and do not count", BITS, &[(wake_bits(A, 1, 0b10), 1, &[1])], VALUES),
    ("bits: two", BITS, &[(wake_bits(A, 2, 0b10), 2, &[1, 2])], VALUES),
    ("bits: none in common", BITS, &[(wake_bits(A, 9, 0b100), 0, &[])], VALUES),
    ("bits: 0 is one", BITS, &[(wake_bits(A, 0, 0b10), 1, &[1])], VALUES),
    ("bits: -1 is one", BITS, &[(wake_bits(A, -1, 0b10), 1, &[1])], VALUES),
    ("bits: all", BITS, &[(wake_bits(A, 9, ANY), 3, &[0, 1, 2])], VALUES),
    ("a wake without bits fits all", BITS, &[(wake(A, 9), 3, &[0, 1, 2])], VALUES),
    ("requeue wakes, then moves", AAA,
        &[(requeue(1, 1, B), 2, &[0]), (wake(B, 9), 1, &[1]), (wake(A, 9), 1, &[2])], VALUES),
    ("requeue moves all", AAA,
        &[(requeue(0, ALL, B), 3, &[]), (wake(A, 9), 0, &[]), (wake(B, 1), 1, &[0])], VALUES),
    ("requeue 0 and 0", AAA, &[(requeue(0, 0, B), 0, &[]), (wake(A, 9), 3, &[0, 1, 2])], VALUES),
    ("requeue wakes only", AAA, &[(requeue(2, 0, B), 2, &[0, 1]), (wake(B, 9), 0, &[])], VALUES),
    ("requeue of INT_MAX twice", AAA, &[(requeue(ALL, ALL, B), 3, &[0, 1, 2])], VALUES),
    ("requeue onto itself", AAA, &[(requeue(1, 9, A), 3, &[0]), (wake(A, 1), 1, &[1])], VALUES),
    ("requeue counts are refused", AAA,
        &[(requeue(-1, 1, B), EINVAL, &[]), (wake(A, 9), 3, &[0, 1, 2])], VALUES),
    ("cmp_requeue: equal", AAA,
        &[(cmp_requeue(1, 9, 7), 3, &[0]), (wake(B, 9), 2, &[1, 2])], VALUES),
    ("cmp_requeue: stale", AAA,
        &[(cmp_requeue(1, 9, 8), EAGAIN, &[]), (wake(B, 9), 0, &[])], VALUES),
    ("moved waiters keep their bits", BITS,
        &[(requeue(0, 9, B), 3, &[]), (wake_bits(B, 9, 0b10), 2, &[1, 2])], VALUES),
    ("requeue knows no bits", BITS,
        &[(requeue(1, 1, B), 2, &[0]), (wake_bits(B, 9, 0b10), 1, &[1])], VALUES),
    ("wake_op: true", ABAB, &[(wake_op(9, 9, 0, 9), 4, &[0, 1, 2, 3])], [7, 10]),
    ("wake_op: false", ABAB, &[(wake_op(9, 9, 1, 9), 2, &[0, 2])], [7, 10]),
    ("wake_op: less, false", ABAB, &[(wake_op(9, 9, 2, 9), 2, &[0, 2])], [7, 10]),
    ("wake_op: less", ABAB, &[(wake_op(9, 9, 2, 10), 4, &[0, 1, 2, 3])], [7, 10]),
    ("wake_op: less or equal", ABAB, &[(wake_op(9, 9, 3, 9), 4, &[0, 1, 2, 3])], [7, 10]),
    ("wake_op: greater, signed", ABAB, &[(wake_op(9, 9, 4, -1), 4, &[0, 1, 2, 3])], [7, 10]),
    ("wake_op: greater, false", ABAB, &[(wake_op(9, 9, 4, 9), 2, &[0, 2])], [7, 10]),
    ("wake_op: greater or equal", ABAB, &[(wake_op(9, 9, 5, 9), 4, &[0, 1, 2, 3])], [7, 10]),
    ("wake_op: greater or equal, false", ABAB, &[(wake_op(9, 9, 5, 10), 2, &[0, 2])], [7, 10]),
    ("wake_op: 0 is one, twice", ABAB, &[(wake_op(0, 0, 0, 9), 2, &[0, 1])], [7, 10]),
    ("wake_op: negative is one, twice", ABAB,
        &[(wake_op(-1, i32::MIN, 0, 9), 2, &[0, 1])], [7, 10]),
    ("wake_op: unknown comparison wakes nobody", ABAB,
        &[(wake_op(9, 9, 6, 9), ENOSYS, &[])], [7, 10]),
    ("wake_op: unknown operation wakes nobody", ABAB,
        &[(Call(A, WAKE_OP, 9, Count(9), B, word_op(5, 1, 0, 9)), ENOSYS, &[])], VALUES),
    ("wake_op: on one word", AAA,
        &[(Call(A, WAKE_OP, 1, Count(1), A, word_op(1, 1, 0, 7)), 2, &[0, 1])], [8, 9]),
    ("wake_op: knows no bits", BITS, &[(wake_op(2, 1, 1, 9), 2, &[0, 1])], [7, 10]),
];

#[test]
fn calls_that_meet_waiters() {
    let _watchdog = watchdog("calls_that_meet_waiters");
    for case in CASES {
        for side in sides() {
            run(case, side);
        }
    }
}

/// A waiter that is queued, and asleep.
struct Waiter<'s> {
    has_returned: Arc<AtomicBool>,
    handle: Option<ScopedJoinHandle<'s, isize>>,
}

fn run((name, waiters, calls, after): &Case, side: Side) {
    let words: Words = VALUES.map(Into::into);
    let words = &words;
    thread::scope(|scope| {
        let mut waiters: Vec<_> = waiters
            .iter()
            .map(|&(at, bits)| queued(scope, side, words, at, bits))
            .collect();
        for (call, expected, woken) in *calls {
            // SAFETY: no call names another word than A and B.
            let result = unsafe { call.make(side, words) };
            assert_eq!(result, *expected, "{name}, {}: {call:?}", side.name());
            for &index in *woken {
                let handle = waiters[index].handle.take().expect("woken once");
                assert_eq!(handle.join().ok(), Some(0), "{name}, {}", side.name());
            }
        }
        assert_eq!(values(words), *after, "{name}, {}", side.name());
        waiters.retain(|waiter| waiter.handle.is_some());
        let early = waiters
            .iter()
            .filter(|it| it.has_returned.load(Ordering::SeqCst));
        assert_eq!(early.count(), 0, "{name}, {}: woken uncounted", side.name());
        let rest = [A, B].map(|at| {
            // SAFETY: a wake reads no word.
            unsafe { wake(at, ALL).make(side, words) }
        });
        let count = waiters.len() as isize;
        assert_eq!(rest.iter().sum::<isize>(), count, "{name}, {}", side.name());
        for waiter in waiters {
            assert_eq!(
                waiter.handle.map(|it| it.join().ok()),
                Some(Some(0)),
                "{name}"
            );
        }
    });
}

fn queued<'s>(
    scope: &'s thread::Scope<'s, '_>,
    side: Side,
    words: &'s Words,
    at: At,
    bits: u32,
) -> Waiter<'s> {
    let place = Arc::new(Mutex::new(None));
    let has_returned = Arc::new(AtomicBool::new(false));
    let (told, returned) = (Arc::clone(&place), Arc::clone(&has_returned));
    let handle = scope.spawn(move || {
        let value = values(words)[usize::from(matches!(at, B))] as i32;
        *told.lock().expect("nobody panics") = Some(task());
        // SAFETY: the word lives, and there is no timeout.
        let result = unsafe { Call(at, WAIT_BITSET, value, NONE, Null, bits).make(side, words) };
        returned.store(true, Ordering::SeqCst);
        result
    });
    // From the moment that it has told its name the thread sleeps in nothing else.
    until("a waiter to sleep", || {
        let place = place.try_lock().ok().and_then(|place| (*place).clone());
        place.is_some_and(|task| asleep(&task))
    });
    Waiter {
        has_returned,
        handle: Some(handle),
    }
}
