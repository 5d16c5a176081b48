//! What is ours and what is the kernel's.

use super::*;

const ADDRESS: c_long = 0x7000_0000_1000;
const HIGH: c_long = c_long::MIN;

fn does(number: c_long, arguments: [c_long; 6]) -> Option<Does> {
    // SAFETY: lists that these tests name live.
    unsafe { ours(number, arguments) }
}

fn futex(operation: c_long) -> Option<Does> {
    does(libc::SYS_futex, [ADDRESS, operation, 1, 0, ADDRESS + 4, 1])
}

#[test]
fn private_commands_without_inheritance_are_ours() {
    for operation in 0..=0x7ff {
        let expected = match operation & !256 {
            128 | 137 => Some(Does::Wait),
            129 | 133 | 138 => Some(Does::Wake),
            131 | 132 => Some(Does::Requeue),
            _ => None,
        };
        assert_eq!(futex(operation), expected, "operation {operation:#x}");
        // Only the lower half of the register is looked at, as in the kernel.
        assert_eq!(futex(operation | 1 << 40), expected, "{operation:#x}");
    }
    for number in [0, 450, 453, 457] {
        assert!(!is_futex(number) && does(number, [0; 6]).is_none());
    }
}

#[test]
fn the_kernel_answers_for_its_addresses() {
    let at = |operation, first, fourth, fifth| {
        does(libc::SYS_futex, [first, operation, 1, fourth, fifth, 1]).is_some()
    };
    for operation in [128, 129, 131, 132, 133, 137, 138] {
        assert!(at(operation, ADDRESS, 0, ADDRESS), "{operation}");
        assert!(at(operation, 0, 0, 1), "{operation}: NULL, misaligned");
        assert!(!at(operation, HIGH, 0, ADDRESS), "{operation}");
        let is_wait = matches!(operation, 128 | 137);
        assert_eq!(at(operation, ADDRESS, HIGH, 0), !is_wait, "{operation}");
        let has_two = matches!(operation, 131..=133);
        assert_eq!(at(operation, ADDRESS, 0, HIGH), !has_two, "{operation}");
    }
}

#[test]
fn younger_calls_say_by_flags_whose_they_are() {
    for flags in 0..=0x1ff {
        let is_ours = flags == 0x82;
        let wake = [ADDRESS, 1, 1, flags, HIGH, HIGH];
        let wait = [ADDRESS, 1, 1, flags, 0, 1];
        assert_eq!(does(FUTEX2_WAKE, wake).is_some(), is_ours, "{flags:#x}");
        assert_eq!(does(FUTEX2_WAIT, wait).is_some(), is_ours, "{flags:#x}");
    }
    assert!(does(FUTEX2_WAKE, [HIGH, 1, 1, 0x82, 0, 0]).is_none());
    assert!(does(FUTEX2_WAIT, [ADDRESS, 1, 1, 0x82, HIGH, 1]).is_none());
}

#[test]
fn lists_say_by_their_entries_whose_they_are() {
    let list = |one: (u32, u64), other: (u32, u64)| {
        [one, other].map(|(flags, uaddr)| FutexWaitv {
            val: 0,
            uaddr,
            flags,
            reserved: 0,
        })
    };
    let low = ADDRESS as u64;
    for (one, other, waits, requeues) in [
        ((0x82, low), (0x82, low), true, true),
        ((0x82, 0), (0x82, 1), true, true),
        ((0x02, low), (0x02, low), false, false),
        ((0x02, low), (0x82, low), true, false),
        ((0x82, low), (0x86, low), true, false),
        ((0x86, low), (0x86, low), false, false),
        ((0x82, low), (0x82, 1 << 63), false, false),
        ((0x82, 1 << 63), (0x02, low), false, false),
    ] {
        let list = list(one, other);
        let at = (&raw const list).expose_provenance() as c_long;
        let wait = does(FUTEX_WAITV, [at, 2, 0, 0, 1, 0]);
        assert_eq!(wait, waits.then_some(Does::WaitOnEach(2)), "{list:x?}");
        let requeue = does(FUTEX2_REQUEUE, [at, 0, 1, 1, 0, 0]);
        assert_eq!(requeue, requeues.then_some(Does::Requeue), "{list:x?}");
    }
    // What the kernel refuses before it looks at entries.
    for (at, count, flags, time) in [
        (0, 1, 0, 0),
        (HIGH, 1, 0, 0),
        (4, 0, 0, 0),
        (4, 129, 0, 0),
        (4, 1 << 32, 0, 0),
        (4, 1, 1, 0),
        (4, 1, 0, HIGH),
    ] {
        assert_eq!(does(FUTEX_WAITV, [at, count, flags, time, 1, 0]), None);
    }
    for (at, flags) in [(HIGH, 0), (4, 1)] {
        assert_eq!(does(FUTEX2_REQUEUE, [at, flags, 1, 1, 0, 0]), None);
    }
}
