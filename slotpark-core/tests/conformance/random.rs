//! Random calls in a row, none of which waits long: what the table answers, and what it leaves in
//! the words, is what the kernel answers and leaves.

use proptest::prelude::*;

use super::calls::*;
use super::common::watchdog;
use super::sides::sides;

/// Every command, with and without the clock flag, and some that do not exist.
fn op() -> impl Strategy<Value = i32> {
    // What is told of owners that are threads of the kernel's own needs the kernel.
    let locks = if cfg!(slotpark_portable) {
        vec![7]
    } else {
        vec![6, 7, 8, 11, 12, 13]
    };
    let command = prop_oneof![
        8 => prop::sample::select(vec![0, 1, 3, 4, 5, 9, 10]),
        8 => prop::sample::select(locks),
        1 => prop::sample::select(vec![2, 14, 15, 31, 64, 127, 512, 1 << 20, i32::MIN]),
    ];
    let clock = prop_oneof![4 => Just(0), 1 => Just(REALTIME)];
    (command, clock).prop_map(|(command, clock)| command | clock | libc::FUTEX_PRIVATE_FLAG)
}

fn at() -> impl Strategy<Value = At> {
    prop_oneof![6 => Just(A), 6 => Just(B), 1 => Just(Odd), 1 => Just(Null), 1 => Just(High)]
}

fn number() -> impl Strategy<Value = i32> {
    prop_oneof![
        4 => prop::sample::select(VALUES.map(|value| value as i32).to_vec()),
        2 => -2..3_i32,
        1 => any::<i32>(),
    ]
}

/// Times that are past, almost past, or refused.
fn time() -> impl Strategy<Value = Fourth> {
    let seconds = prop::sample::select(vec![0, 0, 0, -1, i64::MIN]);
    let nanoseconds = prop::sample::select(vec![0, 1, 999, -1, 1_000_000_000, i64::MAX]);
    (seconds, nanoseconds).prop_map(|(seconds, nanoseconds)| Time(seconds, nanoseconds))
}

fn call() -> impl Strategy<Value = Call> {
    (op(), at(), number(), time(), number(), at(), number()).prop_flat_map(
        |(op, at, val, time, val2, at2, val3)| {
            let is_timed = matches!(
                op & !REALTIME,
                WAIT | WAIT_BITSET | LOCK_PI | LOCK_PI2 | WAIT_REQUEUE_PI
            );
            let fourth = if is_timed { time } else { Count(val2) };
            let val3 = val3 as u32;
            let encoded = (0..16_u32, -2048..2048_i32, 0..8_u32, -2048..2048_i32)
                .prop_map(|(op, arg, cmp, cmparg)| word_op(op, arg, cmp, cmparg));
            let val3 = prop_oneof![Just(val3), encoded];
            val3.prop_map(move |val3| Call(at, op, val, fourth, at2, val3))
        },
    )
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2_000)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_calls_in_a_row(
        begin in prop::sample::select(vec![VALUES, [0, 0], [7, 1 << 30], [1 << 31, 0]]),
        calls in prop::collection::vec(call(), 1..20),
    ) {
        let _watchdog = watchdog("random_calls_in_a_row");
        let told = sides().map(|side| {
            let words: Words = begin.map(Into::into);
            let told: Vec<_> = calls
                .iter()
                .map(|call| {
                    // SAFETY: a word that is read is A or B, unless the call is refused.
                    let result = unsafe { call.make(side, &words) };
                    (result, values(&words))
                })
                .collect();
            told
        });
        prop_assert_eq!(&told[1], &told[0]);
        prop_assert_eq!(&told[2], &told[0]);
    }
}
