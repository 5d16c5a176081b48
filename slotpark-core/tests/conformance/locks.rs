//! Locks that are handed over: calls that return at once, on words that name the calling thread,
//! one that lives, or one that is gone.

use std::sync::atomic::AtomicU32;

use slotpark_core::{PI_OWNER_DIED, PI_WAITERS};

use super::actors::Actor;
use super::calls::*;
use super::common::watchdog;
use super::sides::{Side, sides};

/// A word: an owner, and bits.
#[derive(Clone, Copy, Debug)]
enum Owned {
    By(Owner, u32),
    Value(u32),
}
use Owned::{By, Value};

#[derive(Clone, Copy, Debug)]
enum Owner {
    Me,
    Other,
    Gone,
}
use Owner::{Gone, Me, Other};

const W: u32 = PI_WAITERS;
const D: u32 = PI_OWNER_DIED;
const FREE: Owned = Value(0);
/// What B holds if nothing else is said.
const B_VALUE: Owned = Value(9);

/// What it shows, the first word, the call, its result, the first word afterwards.
type Case = (&'static str, Owned, Call, isize, Owned);

const fn lock(op: i32, fourth: Fourth) -> Call {
    Call(A, op, 0, fourth, Null, 0)
}
const fn past(at: At, op: i32) -> Call {
    Call(at, op, 0, NOW, Null, 0)
}
const TRY: Call = lock(TRYLOCK_PI, NONE);
const UNLOCK: Call = lock(UNLOCK_PI, NONE);

#[rustfmt::skip]
const LOCKS: &[Case] = &[
    ("lock: free", FREE, lock(LOCK_PI, NONE), 0, By(Me, 0)),
    ("lock: free, and the time is over", FREE, past(A, LOCK_PI), 0, By(Me, 0)),
    ("lock: free, with the waiters' bit", Value(W), lock(LOCK_PI, NONE), 0, By(Me, 0)),
    ("lock: left", Value(D), lock(LOCK_PI, NONE), 0, By(Me, D)),
    ("lock: left, with the waiters' bit", Value(W | D), lock(LOCK_PI, NONE), 0, By(Me, D)),
    ("lock: mine", By(Me, 0), lock(LOCK_PI, NONE), EDEADLK, By(Me, 0)),
    ("lock: mine, with all bits", By(Me, W | D), past(A, LOCK_PI), EDEADLK, By(Me, W | D)),
    ("lock: held", By(Other, 0), past(A, LOCK_PI), ETIMEDOUT, By(Other, W)),
    ("lock: held, with the waiters' bit", By(Other, W), past(A, LOCK_PI), ETIMEDOUT, By(Other, W)),
    ("lock: held after a death", By(Other, D), past(A, LOCK_PI), ETIMEDOUT, By(Other, W | D)),
    ("lock: held, until soon", By(Other, 0), lock(LOCK_PI, Time(1, 0)), ETIMEDOUT, By(Other, W)),
    ("lock: its owner is gone", By(Gone, 0), lock(LOCK_PI, NONE), ESRCH, By(Gone, W)),
    ("lock: gone before the time", By(Gone, D), past(A, LOCK_PI), ESRCH, By(Gone, W | D)),
    ("lock: seconds", By(Me, 0), lock(LOCK_PI, Time(-1, 0)), EINVAL, By(Me, 0)),
    ("lock: nanoseconds", FREE, lock(LOCK_PI, Time(0, 1_000_000_000)), EINVAL, FREE),
    ("lock: clock", FREE, lock(LOCK_PI | REALTIME, NONE), ENOSYS, FREE),
    ("lock: time before clock", FREE, lock(LOCK_PI | REALTIME, Time(-1, 0)), EINVAL, FREE),
    ("lock: misaligned", FREE, past(Odd, LOCK_PI), EINVAL, FREE),
    ("lock: NULL", FREE, past(Null, LOCK_PI), EFAULT, FREE),
    ("lock: the kernel's half", FREE, past(High, LOCK_PI), EFAULT, FREE),
    ("lock: val and val3 are not read", FREE, Call(A, LOCK_PI, -1, NONE, Odd, 5), 0, By(Me, 0)),
    ("lock 2: free", FREE, lock(LOCK_PI2, NONE), 0, By(Me, 0)),
    ("lock 2: held", By(Other, 0), past(A, LOCK_PI2), ETIMEDOUT, By(Other, W)),
    ("lock 2: held, by the wall clock", By(Other, 0),
        lock(LOCK_PI2 | REALTIME, Time(1_000_000_000, 0)), ETIMEDOUT, By(Other, W)),
    ("lock 2: mine", By(Me, W), past(A, LOCK_PI2), EDEADLK, By(Me, W)),
    ("lock 2: gone", By(Gone, 0), past(A, LOCK_PI2), ESRCH, By(Gone, W)),
    ("lock 2: nanoseconds", FREE, lock(LOCK_PI2, Time(0, -1)), EINVAL, FREE),
    ("lock 2: misaligned", FREE, past(Odd, LOCK_PI2), EINVAL, FREE),
    ("try: free", FREE, TRY, 0, By(Me, 0)),
    ("try: left", Value(W | D), TRY, 0, By(Me, D)),
    ("try: mine", By(Me, 0), TRY, EDEADLK, By(Me, 0)),
    ("try: held", By(Other, 0), TRY, EAGAIN, By(Other, W)),
    ("try: held after a death", By(Other, D), TRY, EAGAIN, By(Other, W | D)),
    ("try: gone", By(Gone, 0), TRY, ESRCH, By(Gone, W)),
    ("try: clock", FREE, lock(TRYLOCK_PI | REALTIME, NONE), ENOSYS, FREE),
    ("try: the fourth argument is not read", FREE, lock(TRYLOCK_PI, Count(-1)), 0, By(Me, 0)),
    ("try: misaligned", FREE, past(Odd, TRYLOCK_PI), EINVAL, FREE),
    ("try: NULL", FREE, past(Null, TRYLOCK_PI), EFAULT, FREE),
    ("try: the kernel's half", FREE, past(High, TRYLOCK_PI), EFAULT, FREE),
    ("unlock: mine", By(Me, 0), UNLOCK, 0, FREE),
    ("unlock: mine, with all bits", By(Me, W | D), UNLOCK, 0, FREE),
    ("unlock: free", FREE, UNLOCK, EPERM, FREE),
    ("unlock: free, with bits", Value(W | D), UNLOCK, EPERM, Value(W | D)),
    ("unlock: of another", By(Other, W), UNLOCK, EPERM, By(Other, W)),
    ("unlock: of one who is gone", By(Gone, 0), UNLOCK, EPERM, By(Gone, 0)),
    ("unlock: clock", By(Me, 0), lock(UNLOCK_PI | REALTIME, NONE), ENOSYS, By(Me, 0)),
    ("unlock: misaligned", By(Me, 0), past(Odd, UNLOCK_PI), EPERM, By(Me, 0)),
    ("unlock: NULL", FREE, past(Null, UNLOCK_PI), EFAULT, FREE),
    ("unlock: the kernel's half", FREE, past(High, UNLOCK_PI), EFAULT, FREE),
];

const fn wait(at: At, value: i32, fourth: Fourth, at2: At) -> Call {
    Call(at, WAIT_REQUEUE_PI, value, fourth, at2, 0)
}
const fn move_(at: At, wake: i32, moves: i32, at2: At, expected: u32) -> Call {
    Call(at, CMP_REQUEUE_PI, wake, Count(moves), at2, expected)
}
const SEVEN: Owned = Value(7);
const REAL: Call = Call(
    A,
    WAIT_REQUEUE_PI | REALTIME,
    7,
    Time(1_000_000_000, 0),
    B,
    0,
);

#[rustfmt::skip]
const MOVES: &[Case] = &[
    ("wait: past", SEVEN, wait(A, 7, NOW, B), ETIMEDOUT, SEVEN),
    ("wait: past, by the wall clock", SEVEN, REAL, ETIMEDOUT, SEVEN),
    ("wait: soon", SEVEN, wait(A, 7, Time(1, 0), B), ETIMEDOUT, SEVEN),
    ("wait: stale", SEVEN, wait(A, 6, NONE, B), EAGAIN, SEVEN),
    ("wait: stale and past", SEVEN, wait(A, 6, NOW, B), EAGAIN, SEVEN),
    ("wait: one word", SEVEN, wait(A, 7, NOW, A), EINVAL, SEVEN),
    ("wait: one word before value", SEVEN, wait(A, 6, NOW, A), EINVAL, SEVEN),
    ("wait: one word before NULL", SEVEN, wait(Null, 6, NOW, Null), EINVAL, SEVEN),
    ("wait: time before one word", SEVEN, wait(A, 7, Time(0, -1), A), EINVAL, SEVEN),
    ("wait: misaligned", SEVEN, wait(Odd, 7, NOW, B), EINVAL, SEVEN),
    ("wait: a misaligned lock", SEVEN, wait(A, 6, NOW, Odd), EINVAL, SEVEN),
    ("wait: NULL", SEVEN, wait(Null, 7, NOW, B), EFAULT, SEVEN),
    ("wait: a lock at NULL", SEVEN, wait(A, 7, NOW, Null), ETIMEDOUT, SEVEN),
    ("wait: a lock in the kernel's half", SEVEN, wait(A, 6, NOW, High), EFAULT, SEVEN),
    ("wait: the lock before the word", SEVEN, wait(Odd, 6, NOW, High), EFAULT, SEVEN),
    ("wait: no bits are read", SEVEN, Call(A, WAIT_REQUEUE_PI, 6, NOW, B, 0), EAGAIN, SEVEN),
    ("move: nobody", SEVEN, move_(A, 1, ALL, B, 7), 0, SEVEN),
    ("move: stale", SEVEN, move_(A, 1, 0, B, 6), EAGAIN, SEVEN),
    ("move: wakes 0", SEVEN, move_(A, 0, 1, B, 7), EINVAL, SEVEN),
    ("move: wakes 2", SEVEN, move_(A, 2, 1, B, 7), EINVAL, SEVEN),
    ("move: wakes -1 before value", SEVEN, move_(A, -1, 1, B, 6), EINVAL, SEVEN),
    ("move: -1", SEVEN, move_(A, 1, -1, B, 6), EINVAL, SEVEN),
    ("move: one word", SEVEN, move_(A, 1, 1, A, 6), EINVAL, SEVEN),
    ("move: one word in the kernel's half", SEVEN, move_(High, 1, 1, High, 6), EINVAL, SEVEN),
    ("move: wakes 2, in the kernel's half", SEVEN, move_(High, 2, 1, B, 6), EINVAL, SEVEN),
    ("move: the kernel's half", SEVEN, move_(High, 1, 1, B, 6), EFAULT, SEVEN),
    ("move: a lock in the kernel's half", SEVEN, move_(A, 1, 1, High, 6), EFAULT, SEVEN),
    ("move: misaligned", SEVEN, move_(Odd, 1, 1, B, 6), EINVAL, SEVEN),
    ("move: a misaligned lock", SEVEN, move_(A, 1, 1, Odd, 6), EINVAL, SEVEN),
    ("move: NULL", SEVEN, move_(Null, 1, 1, B, 7), EFAULT, SEVEN),
    ("move: a lock at NULL, stale", SEVEN, move_(A, 1, 1, Null, 6), EAGAIN, SEVEN),
    ("move: a lock at NULL", SEVEN, move_(A, 1, 1, Null, 7), EFAULT, SEVEN),
    ("move: clock", SEVEN, Call(A, CMP_REQUEUE_PI | REALTIME, 1, NONE, B, 7), ENOSYS, SEVEN),
];

#[test]
fn lock_calls_that_return_at_once() {
    let _watchdog = watchdog("lock_calls_that_return_at_once");
    let me = thread_id();
    let other = Actor::new(Side::Kernel);
    let gone = Actor::new(Side::Kernel).end();
    let value = |owned| match owned {
        By(Me, bits) => me | bits,
        By(Other, bits) => other.tid | bits,
        By(Gone, bits) => gone | bits,
        Value(value) => value,
    };
    for (name, before, call, expected, after) in LOCKS.iter().chain(MOVES) {
        for side in sides() {
            let words: Words = [*before, B_VALUE].map(|owned| AtomicU32::new(value(owned)));
            // SAFETY: no case touches a word that is neither A nor B, unless the call is refused.
            let result = unsafe { call.make(side, &words) };
            let name = format!("{name}, {}: {call:?}", side.name());
            assert_eq!(result, *expected, "{name}");
            assert_eq!(values(&words), [*after, B_VALUE].map(value), "{name}");
        }
    }
    other.end();
}
