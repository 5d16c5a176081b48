//! What is ours, what is the kernel's, and how counts, bits and timeouts are read.

use super::*;

const PRIVATE: c_int = libc::FUTEX_PRIVATE_FLAG;
const ADDRESS: c_long = 0x7000_0000_1000;

fn arguments(command: c_int, value: c_long, third_value: c_long) -> [c_long; 6] {
    [
        ADDRESS,
        c_long::from(command | PRIVATE),
        value,
        0,
        ADDRESS + 4,
        third_value,
    ]
}

fn time(seconds: i64, nanoseconds: i64) -> Option<Timespec> {
    Some(Timespec {
        seconds,
        nanoseconds,
    })
}

#[test]
fn only_six_private_commands_are_ours() {
    for operation in 0..=0x3ff {
        let mut call = arguments(0, 1, 1);
        call[1] = operation;
        let ours = matches!(operation, 128 | 129 | 131 | 132 | 137 | 138 | 393);
        assert_eq!(
            decode(call, None).is_some(),
            ours,
            "operation {operation:#x}"
        );
        assert_eq!(
            is_wait(call),
            matches!(operation, 128 | 137 | 393),
            "operation {operation:#x}"
        );
    }
    // Only the lower half of the register is looked at, as in the kernel.
    let mut call = arguments(WAKE, 1, 0);
    call[1] |= 1 << 40;
    assert!(decode(call, None).is_some());
}

#[test]
fn wake_counts_below_one_are_one() {
    for (given, taken) in [
        (0, 1),
        (-1, 1),
        (i32::MIN, 1),
        (1, 1),
        (7, 7),
        (i32::MAX, 0x7fff_ffff),
    ] {
        let Some(Call::Wake { count, bits, .. }) =
            decode(arguments(WAKE, c_long::from(given), 0), None)
        else {
            panic!("a wake of {given} is ours");
        };
        assert_eq!((count, bits), (taken, u32::MAX), "wake of {given}");
    }
}

#[test]
fn requeue_counts_are_taken_literally() {
    let requeue = |wake: i32, move_up_to: i32| {
        let mut call = arguments(REQUEUE, c_long::from(wake), 9);
        call[3] = c_long::from(move_up_to);
        decode(call, None)
    };
    let from = ADDRESS as usize;
    let expected = Call::Requeue {
        from,
        to: from + 4,
        expected: None,
        wake: 0,
        move_up_to: 0,
    };
    assert_eq!(requeue(0, 0), Some(expected));
    assert_eq!(requeue(-1, 0), None);
    assert_eq!(requeue(0, i32::MIN), None);
    let Some(Call::Requeue { expected, .. }) = decode(arguments(CMP_REQUEUE, 1, -2), None) else {
        panic!("a compare-and-requeue is ours");
    };
    assert_eq!(expected, Some(0xffff_fffe));
}

#[test]
fn no_bits_is_the_kernels_to_refuse() {
    assert_eq!(decode(arguments(WAIT_BITSET, 1, 0), None), None);
    assert_eq!(decode(arguments(WAKE_BITSET, 1, 0), None), None);
    assert!(decode(arguments(WAIT, 1, 0), None).is_some());
}

#[test]
fn addresses_that_the_kernel_answers_for() {
    let at = |command: c_int, address: c_long, second: c_long| {
        let mut call = arguments(command, 1, 1);
        (call[0], call[4]) = (address, second);
        decode(call, None).is_some()
    };
    for command in [WAIT, WAKE, REQUEUE] {
        assert!(at(command, ADDRESS, ADDRESS));
        assert!(!at(command, ADDRESS + 2, ADDRESS), "misaligned");
        assert!(!at(command, c_long::MIN, ADDRESS), "the kernel's half");
        assert_eq!(
            at(command, ADDRESS, ADDRESS + 1),
            command != REQUEUE,
            "second misaligned"
        );
    }
    // Private words have no memory behind them for a wake, not even NULL.
    assert!(at(WAKE, 0, 0) && at(REQUEUE, 0, 0));
    assert!(!at(WAIT, 0, 0) && !at(CMP_REQUEUE, 0, 0));
}

#[test]
fn timeouts_are_relative_for_wait_and_absolute_for_bitset() {
    let read = |command: c_int, time: Option<Timespec>| match decode(arguments(command, 1, 1), time)
    {
        Some(Call::Wait { timeout, .. }) => Some(timeout),
        _ => None,
    };
    assert_eq!(read(WAIT, None), Some(Timeout::Never));
    assert_eq!(read(WAIT, time(2, 5)), Some(Timeout::After(2_000_000_005)));
    assert_eq!(read(WAIT_BITSET, time(0, 0)), Some(Timeout::Monotonic(0)));
    assert_eq!(
        read(WAIT_BITSET_REALTIME, time(1, 0)),
        Some(Timeout::Realtime(1_000_000_000))
    );
    assert_eq!(
        read(WAIT, time(i64::MAX, 999_999_999)),
        Some(Timeout::Never)
    );
    for (seconds, nanoseconds) in [(-1, 0), (0, -1), (0, 1_000_000_000)] {
        assert_eq!(
            read(WAIT, time(seconds, nanoseconds)),
            None,
            "{seconds} {nanoseconds}"
        );
    }
}
