//! Calls that return at once: errors in their order, deadlines that are past, wakes of nobody,
//! operations on words.

use super::calls::*;
use super::common::watchdog;
use super::sides::sides;

/// What it shows, the call, its result, and the words afterwards.
type Case = (&'static str, Call, isize, [u32; 2]);

const fn case(name: &'static str, call: Call, result: isize) -> Case {
    (name, call, result, VALUES)
}

/// A WAKE_OP on B with nobody waiting: what is stored there.
const fn stores(name: &'static str, encoded: u32, result: isize, stored: u32) -> Case {
    let call = Call(A, WAKE_OP, 1, Count(1), B, encoded);
    (name, call, result, [VALUES[0], stored])
}

#[rustfmt::skip]
const ERRORS: &[Case] = &[
    // 1. The timeout, before everything.
    case("wait: negative seconds", Call(A, WAIT, 0, Time(-1, 0), Null, 0), EINVAL),
    case("wait: negative nanoseconds", Call(A, WAIT, 7, Time(0, -1), Null, 0), EINVAL),
    case("wait: a second of nanoseconds",
        Call(A, WAIT, 7, Time(0, 1_000_000_000), Null, 0), EINVAL),
    case("wait: timeout before value", Call(A, WAIT, 6, Time(0, -1), Null, 0), EINVAL),
    case("wait: timeout before NULL", Call(Null, WAIT, 7, Time(0, -1), Null, 0), EINVAL),
    case("wait: timeout before clock", Call(A, WAIT | REALTIME, 7, Time(0, -1), Null, 0), EINVAL),
    case("bitset: timeout", Call(A, WAIT_BITSET, 7, Time(-1, 0), Null, ANY), EINVAL),
    case("bitset: timeout before value",
        Call(A, WAIT_BITSET | REALTIME, 6, Time(-1, 0), Null, ANY), EINVAL),
    // 2. The clock, the command, the flags.
    case("wait: clock", Call(A, WAIT | REALTIME, 7, NOW, Null, 0), ENOSYS),
    case("wait: clock before value", Call(A, WAIT | REALTIME, 6, NONE, Null, 0), ENOSYS),
    case("wake: clock", Call(A, WAKE | REALTIME, 1, NONE, Null, 0), ENOSYS),
    case("wake bitset: clock before bits",
        Call(A, WAKE_BITSET | REALTIME, 1, NONE, Null, 0), ENOSYS),
    case("requeue: clock before counts", Call(A, REQUEUE | REALTIME, -1, NONE, B, 0), ENOSYS),
    case("cmp_requeue: clock", Call(A, CMP_REQUEUE | REALTIME, 1, NONE, B, 7), ENOSYS),
    case("wake_op: clock", Call(A, WAKE_OP | REALTIME, 1, NONE, B, 0), ENOSYS),
    case("FUTEX_FD", Call(A, 2 | 128, 1, NONE, B, 0), ENOSYS),
    case("command 14", Call(A, 14 | 128, 1, NONE, B, 0), ENOSYS),
    case("command 127", Call(A, 127 | 128, 1, NONE, B, 0), ENOSYS),
    case("an unknown bit", Call(A, WAKE | 512, 1, NONE, B, 0), ENOSYS),
    case("the top bit", Call(A, WAKE | i32::MIN, 1, NONE, B, 0), ENOSYS),
    case("an unknown bit before alignment", Call(Odd, WAIT | 1024, 7, NOW, B, 0), ENOSYS),
    // 3. Bits and counts.
    case("wait: no bits", Call(A, WAIT_BITSET, 7, NOW, Null, 0), EINVAL),
    case("wait: no bits before value", Call(A, WAIT_BITSET, 6, NOW, Null, 0), EINVAL),
    case("wait: no bits, no timeout", Call(A, WAIT_BITSET, 6, NONE, Null, 0), EINVAL),
    case("wait: no bits before NULL", Call(Null, WAIT_BITSET, 6, NOW, Null, 0), EINVAL),
    case("wake: no bits", Call(A, WAKE_BITSET, 1, NONE, Null, 0), EINVAL),
    case("wake: no bits before the kernel's half",
        Call(High, WAKE_BITSET, 1, NONE, Null, 0), EINVAL),
    case("wait: val3 is not its bits", Call(A, WAIT, 7, NOW, Null, 0), ETIMEDOUT),
    case("wake: val3 is not its bits", Call(A, WAKE, 7, NONE, Null, 0), 0),
    case("requeue: negative wakes", Call(A, REQUEUE, -1, Count(1), B, 0), EINVAL),
    case("requeue: negative moves", Call(A, REQUEUE, 1, Count(-1), B, 0), EINVAL),
    case("requeue: INT_MIN", Call(A, REQUEUE, i32::MIN, Count(1), B, 0), EINVAL),
    case("cmp_requeue: negative wakes", Call(A, CMP_REQUEUE, -1, Count(1), B, 7), EINVAL),
    case("cmp_requeue: negative moves before value",
        Call(A, CMP_REQUEUE, 1, Count(-1), B, 6), EINVAL),
    case("cmp_requeue: counts before the kernel's half",
        Call(High, CMP_REQUEUE, -1, Count(1), B, 6), EINVAL),
    // 4. The address.
    case("wait: misaligned", Call(Odd, WAIT, 7, NOW, Null, 0), EINVAL),
    case("wait bitset: misaligned", Call(Odd, WAIT_BITSET, 7, NOW, Null, ANY), EINVAL),
    case("wake: misaligned", Call(Odd, WAKE, 1, NONE, Null, 0), EINVAL),
    case("wake bitset: misaligned", Call(Odd, WAKE_BITSET, 1, NONE, Null, 1), EINVAL),
    case("requeue: misaligned", Call(Odd, REQUEUE, 1, Count(1), B, 0), EINVAL),
    case("requeue: misaligned target", Call(A, REQUEUE, 1, Count(1), Odd, 0), EINVAL),
    case("cmp_requeue: misaligned before value", Call(Odd, CMP_REQUEUE, 1, Count(1), B, 6), EINVAL),
    case("cmp_requeue: misaligned target before value",
        Call(A, CMP_REQUEUE, 1, Count(1), Odd, 6), EINVAL),
    case("wake_op: misaligned", Call(Odd, WAKE_OP, 1, Count(1), B, 0), EINVAL),
    case("wake_op: misaligned second", Call(A, WAKE_OP, 1, Count(1), Odd, 0), EINVAL),
    case("wait: NULL", Call(Null, WAIT, 0, NOW, Null, 0), EFAULT),
    case("wait bitset: NULL", Call(Null, WAIT_BITSET, 0, NOW, Null, ANY), EFAULT),
    case("wait: the kernel's half", Call(High, WAIT, 0, NOW, Null, 0), EFAULT),
    case("wake: the kernel's half", Call(High, WAKE, 1, NONE, Null, 0), EFAULT),
    case("requeue: the kernel's half", Call(High, REQUEUE, 1, Count(1), B, 0), EFAULT),
    case("requeue: a target in the kernel's half", Call(A, REQUEUE, 1, Count(1), High, 0), EFAULT),
    case("cmp_requeue: NULL", Call(Null, CMP_REQUEUE, 1, Count(1), B, 0), EFAULT),
    case("wake_op: NULL second", Call(A, WAKE_OP, 1, Count(1), Null, word_op(0, 1, 0, 0)), EFAULT),
    case("wake_op: the kernel's half",
        Call(A, WAKE_OP, 1, Count(1), High, word_op(0, 1, 0, 0)), EFAULT),
    case("wake_op: unknown operation before NULL",
        Call(A, WAKE_OP, 1, Count(1), Null, word_op(7, 1, 0, 0)), ENOSYS),
    case("wake: NULL", Call(Null, WAKE, 1, NONE, Null, 0), 0),
    case("wake: nothing mapped", Call(Nowhere, WAKE, 1, NONE, Null, 0), 0),
    case("wake bitset: nothing mapped", Call(Nowhere, WAKE_BITSET, 1, NONE, Null, 1), 0),
    case("requeue: NULL", Call(Null, REQUEUE, 1, Count(1), Null, 0), 0),
    case("requeue: a target that is not mapped", Call(A, REQUEUE, 1, Count(1), Nowhere, 0), 0),
    case("cmp_requeue: a target at NULL", Call(A, CMP_REQUEUE, 1, Count(1), Null, 7), 0),
    case("wake_op: first at NULL", Call(Null, WAKE_OP, 1, Count(1), A, word_op(1, 0, 0, 0)), 0),
];

#[rustfmt::skip]
const RESULTS: &[Case] = &[
    // 5. The value, then the deadline.
    case("wait: stale", Call(A, WAIT, 6, NONE, Null, 0), EAGAIN),
    case("wait: stale and past", Call(A, WAIT, 6, NOW, Null, 0), EAGAIN),
    case("wait: stale, with time", Call(A, WAIT, -7, Time(1_000, 0), Null, 0), EAGAIN),
    case("wait: past", Call(A, WAIT, 7, NOW, Null, 0), ETIMEDOUT),
    case("wait: relative", Call(A, WAIT, 7, Time(0, 1), Null, 0), ETIMEDOUT),
    case("wait: relative, longer", Call(A, WAIT, 7, Time(0, 2_000_000), Null, 0), ETIMEDOUT),
    case("wait bitset: stale and past", Call(A, WAIT_BITSET, 6, NOW, Null, ANY), EAGAIN),
    case("wait bitset: past", Call(A, WAIT_BITSET, 7, NOW, Null, ANY), ETIMEDOUT),
    case("wait bitset: an absolute second",
        Call(A, WAIT_BITSET, 7, Time(1, 0), Null, 1), ETIMEDOUT),
    case("wait bitset: the wall clock",
        Call(A, WAIT_BITSET | REALTIME, 7, Time(1_000_000_000, 0), Null, 1), ETIMEDOUT),
    case("wait bitset: the wall clock, stale",
        Call(A, WAIT_BITSET | REALTIME, 6, Time(1_000_000_000, 0), Null, 1), EAGAIN),
    case("wait bitset: no timeout, stale",
        Call(A, WAIT_BITSET | REALTIME, 6, NONE, Null, 1), EAGAIN),
    case("wake: one of nobody", Call(A, WAKE, 1, NONE, Null, 0), 0),
    case("wake: 0 of nobody", Call(A, WAKE, 0, NONE, Null, 0), 0),
    case("wake: the fourth argument is not read", Call(A, WAKE, 1, Count(3), Odd, 0), 0),
    case("requeue of nobody", Call(A, REQUEUE, ALL, Count(ALL), B, 0), 0),
    case("requeue of nobody onto itself", Call(A, REQUEUE, 1, Count(1), A, 0), 0),
    case("requeue of 0 and 0", Call(A, REQUEUE, 0, Count(0), B, 0), 0),
    case("cmp_requeue: equal", Call(A, CMP_REQUEUE, 1, Count(1), B, 7), 0),
    case("cmp_requeue: stale", Call(A, CMP_REQUEUE, 1, Count(1), B, 6), EAGAIN),
    case("cmp_requeue: stale, of 0 and 0", Call(A, CMP_REQUEUE, 0, Count(0), B, 6), EAGAIN),
    case("cmp_requeue: stale onto itself", Call(A, CMP_REQUEUE, 1, Count(1), A, 9), EAGAIN),
];

#[rustfmt::skip]
const STORES: &[Case] = &[
    stores("set", word_op(0, 5, 0, 9), 0, 5),
    stores("add", word_op(1, 5, 0, 9), 0, 14),
    stores("or", word_op(2, 6, 0, 9), 0, 15),
    stores("andn", word_op(3, 8, 0, 9), 0, 1),
    stores("xor", word_op(4, 1, 0, 9), 0, 8),
    stores("operation 5", word_op(5, 1, 0, 9), ENOSYS, 9),
    stores("operation 6", word_op(6, 1, 0, 9), ENOSYS, 9),
    stores("operation 7", word_op(7, 1, 0, 9), ENOSYS, 9),
    stores("set: sign-extended", word_op(0, -1, 0, 9), 0, u32::MAX),
    stores("set: least", word_op(0, -2048, 0, 9), 0, -2048_i32 as u32),
    stores("set: most", word_op(0, 2047, 0, 9), 0, 2047),
    stores("add: below 0", word_op(1, -10, 0, 9), 0, u32::MAX),
    stores("set a bit", word_op(8, 3, 0, 9), 0, 8),
    stores("add a bit", word_op(9, 4, 0, 9), 0, 25),
    stores("or bit 31", word_op(10, 31, 0, 9), 0, 0x8000_0009),
    stores("andn bit 0", word_op(11, 0, 0, 9), 0, 8),
    stores("xor bit 3", word_op(12, 3, 0, 9), 0, 1),
    stores("a bit beyond 31", word_op(8, 33, 0, 9), 0, 2),
    stores("a negative bit", word_op(8, -1, 0, 9), 0, 1 << 31),
    stores("operation 5 with a bit", word_op(13, 1, 0, 9), ENOSYS, 9),
    stores("comparison 6", word_op(0, 5, 6, 9), ENOSYS, 5),
    stores("comparison 15", word_op(1, 1, 15, 9), ENOSYS, 10),
    stores("comparison 6, operation 7", word_op(7, 1, 6, 9), ENOSYS, 9),
];

#[test]
fn calls_that_return_at_once() {
    let _watchdog = watchdog("calls_that_return_at_once");
    let cases = ERRORS.iter().chain(RESULTS).chain(STORES);
    for (name, call, expected, after) in cases {
        for side in sides() {
            let words = VALUES.map(Into::into);
            // SAFETY: no case reads a word that is neither A nor B, unless the call is refused.
            let result = unsafe { call.make(side, &words) };
            assert_eq!(result, *expected, "{name}, {}: {call:?}", side.name());
            assert_eq!(values(&words), *after, "{name}, {}: {call:?}", side.name());
        }
    }
}
