//! What futex(2) says of a call, beside what [`crate::call`] reads; for tests and the fuzzer.
//!
//! Written from the manual page and the order in which the kernel refuses, with the page's own
//! numbers: an error in `call` has to be made here a second time, in another form, to be missed.

use arbitrary::{Arbitrary, Result, Unstructured};
use libc::c_long;

use crate::call::{Call, Timeout, Timespec, decode, is_wait};

/// The six arguments behind the number of the system call, and the timespec at the fourth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FutexCall {
    arguments: [c_long; 6],
    time: Option<(i64, i64)>,
}

/// A command as the manual page has it.
struct Page {
    number: u32,
    does: Does,
    /// It compares with a bitset, its sixth argument.
    bitset: bool,
    /// It compares the word with its sixth argument.
    compares: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Wait,
    Wake,
    Requeue,
}

/// FUTEX_WAIT, FUTEX_WAKE, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET.
const PAGES: [Page; 6] = [
    page(0, Does::Wait, false, false),
    page(1, Does::Wake, false, false),
    page(3, Does::Requeue, false, false),
    page(4, Does::Requeue, false, true),
    page(9, Does::Wait, true, false),
    page(10, Does::Wake, true, false),
];

const fn page(number: u32, does: Does, bitset: bool, compares: bool) -> Page {
    Page {
        number,
        does,
        bitset,
        compares,
    }
}

impl FutexCall {
    /// Panics where the decoding does not say what the manual page says.
    pub(crate) fn check(&self) {
        let found = self.decoded();
        assert_eq!(found, self.expected(), "{self:x?}");
        let waits = self.page().is_some_and(|page| page.does == Does::Wait);
        assert_eq!(is_wait(self.arguments), waits, "{self:x?}");
        for other in self.equals() {
            assert_eq!(other.decoded(), found, "{other:x?} as {self:x?}");
        }
    }

    fn decoded(&self) -> Option<Call> {
        let time = self.time.map(|(seconds, nanoseconds)| Timespec {
            seconds,
            nanoseconds,
        });
        decode(self.arguments, time)
    }

    fn low(&self, place: usize) -> u32 {
        let bytes = self.arguments[place].to_le_bytes();
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// The page of a command that is private and may have the clock flag if it has it.
    fn page(&self) -> Option<&'static Page> {
        let operation = self.low(1);
        let plain = operation.checked_sub(128)?;
        PAGES.iter().find(|page| {
            // "This option bit can be employed only with the FUTEX_WAIT_BITSET" of ours.
            let realtime = page.does == Does::Wait && page.bitset && plain == page.number + 256;
            realtime || plain == page.number
        })
    }

    fn expected(&self) -> Option<Call> {
        let page = self.page()?;
        let bits = if page.bitset {
            self.low(5)
        } else {
            0xffff_ffff
        };
        let address = address(self.arguments[0])?;
        let signed = |place| self.low(place).cast_signed();
        // EFAULT: the word is read, and nothing is mapped at 0.
        let reads = page.does == Does::Wait || page.compares;
        // EINVAL: "The bitset supplied is zero."
        if (reads && address == 0) || bits == 0 {
            return None;
        }
        Some(match page.does {
            Does::Wait => Call::Wait {
                address,
                expected: self.low(2),
                bits,
                timeout: self.timeout()?,
            },
            Does::Wake => Call::Wake {
                address,
                // The kernel wakes one, then sees whether it has reached the argument.
                count: if signed(2) > 0 {
                    self.low(2) as usize
                } else {
                    1
                },
                bits,
            },
            // EINVAL: a limit of a requeue is below 0.
            Does::Requeue if signed(2) < 0 || signed(3) < 0 => return None,
            Does::Requeue => Call::Requeue {
                from: address,
                to: self::address(self.arguments[4])?,
                expected: page.compares.then(|| self.low(5)),
                wake: self.low(2) as usize,
                move_up_to: self.low(3) as usize,
            },
        })
    }

    /// `None` is EINVAL: "The supplied timeout argument was invalid (tv_sec was less than zero, or
    /// tv_nsec was not less than 1,000,000,000)."
    fn timeout(&self) -> Option<Timeout> {
        let Some((seconds, nanoseconds)) = self.time else {
            return Some(Timeout::Never);
        };
        if seconds < 0 || !(0..1_000_000_000).contains(&nanoseconds) {
            return None;
        }
        let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        let operation = self.low(1) & 0xff & !128;
        let is_realtime = self.low(1) & 256 != 0;
        // The kernel counts nanoseconds in 63 bits, and the last of them is never.
        Some(match u64::try_from(total) {
            Err(_) => Timeout::Never,
            Ok(total) if total >= u64::MAX / 2 => Timeout::Never,
            Ok(total) if operation == 0 => Timeout::After(total),
            Ok(total) if is_realtime => Timeout::Realtime(total),
            Ok(total) => Timeout::Monotonic(total),
        })
    }

    /// Calls that differ in what their command does not look at.
    fn equals(&self) -> Vec<Self> {
        let page = self.page();
        let does = page.map(|page| page.does);
        let requeues = does == Some(Does::Requeue);
        let compares = page.is_some_and(|page| page.compares || page.bitset);
        let mut others = Vec::new();
        let mut with = |place: usize, flipped: c_long| {
            let mut other = *self;
            other.arguments[place] ^= flipped;
            others.push(other);
        };
        // 32-bit arguments are the lower halves of their registers.
        for place in [1, 2, 5] {
            with(place, c_long::MIN | 1 << 32);
        }
        // The fourth is where the timespec stands, which is handed over beside it, or a limit.
        with(3, if requeues { 1 << 32 } else { 1 });
        if !requeues {
            with(4, -1);
        }
        if !compares {
            with(5, -1);
        }
        if does != Some(Does::Wait) {
            let time = self.time.xor(Some((-1, -1)));
            others.push(Self { time, ..*self });
        }
        others
    }
}

/// EINVAL: "uaddr is not four-byte-aligned"; EFAULT: beyond what a program can have by default.
fn address(register: c_long) -> Option<usize> {
    let bits = if cfg!(target_arch = "x86_64") { 47 } else { 48 };
    let is_user = u64::from_ne_bytes(register.to_ne_bytes()) >> bits == 0;
    let is_aligned = register.trailing_zeros() >= 2;
    (is_user && is_aligned).then_some(register as usize)
}

impl<'a> Arbitrary<'a> for FutexCall {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let arguments = [
            pointer(bytes)?,
            operation(bytes)?,
            number(bytes)?,
            number(bytes)?,
            pointer(bytes)?,
            number(bytes)?,
        ];
        let time = match bytes.arbitrary()? {
            true => Some((seconds(bytes)?, nanoseconds(bytes)?)),
            false => None,
        };
        Ok(Self { arguments, time })
    }
}

/// Mostly one of the first commands with its flags, so that what comes behind them is reached.
fn operation(bytes: &mut Unstructured<'_>) -> Result<c_long> {
    if bytes.arbitrary::<u8>()? >= 0xf0 {
        return bytes.arbitrary();
    }
    let command = bytes.int_in_range(0..=14)?;
    Ok(command | bytes.choose(&[128, 128 | 256, 0, 256, 128 | 512, 1 << 32 | 128])?)
}

/// A number, or one near the ends of the halves of a register.
fn number(bytes: &mut Unstructured<'_>) -> Result<c_long> {
    let near = |edge: c_long, offset: i8| edge.wrapping_add(offset.into());
    let offset = bytes.arbitrary()?;
    Ok(match bytes.int_in_range(0..=5_u8)? {
        0 => near(0, offset),
        1 => near(1 << 31, offset),
        2 => near(1 << 32, offset),
        3 => near(c_long::MAX, offset),
        4 => near(i32::MIN.into(), offset),
        _ => bytes.arbitrary()?,
    })
}

fn pointer(bytes: &mut Unstructured<'_>) -> Result<c_long> {
    let edge = *bytes.choose(&[0x7000_0000_1000, 0, 1 << 47, 1 << 48, c_long::MIN])?;
    let offset: i8 = bytes.arbitrary()?;
    let offset: c_long = offset.into();
    let is_word = bytes.arbitrary::<u8>()? < 0xe0;
    Ok(edge.wrapping_add(if is_word { offset << 2 } else { offset }))
}

/// Near nothing, near the end of the kernel's time, or any.
fn seconds(bytes: &mut Unstructured<'_>) -> Result<i64> {
    let offset: i8 = bytes.arbitrary()?;
    Ok(match bytes.int_in_range(0..=3_u8)? {
        0 => offset.into(),
        1 => i64::MAX / 1_000_000_000 + i64::from(offset),
        2 => (u64::MAX / 1_000_000_000) as i64 + i64::from(offset),
        _ => bytes.arbitrary()?,
    })
}

fn nanoseconds(bytes: &mut Unstructured<'_>) -> Result<i64> {
    let offset: i8 = bytes.arbitrary()?;
    Ok(match bytes.int_in_range(0..=3_u8)? {
        0 => offset.into(),
        1 => 1_000_000_000 + i64::from(offset),
        2 => i64::MAX % 1_000_000_000 + i64::from(offset),
        _ => bytes.arbitrary()?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// What the fuzzer has found worth keeping. A packed crate comes without it.
    #[test]
    fn the_corpus_of_the_fuzzer_is_read_as_the_manual_page_says() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        if !fuzz.exists() {
            return;
        }
        let mut found = [0; 4];
        for file in fuzz.join("corpus/futex_abi").read_dir().unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let call = FutexCall::arbitrary_take_rest(Unstructured::new(&bytes)).unwrap();
            call.check();
            found[match call.decoded() {
                None => 0,
                Some(Call::Wait { .. }) => 1,
                Some(Call::Wake { .. }) => 2,
                Some(Call::Requeue { .. }) => 3,
            }] += 1;
        }
        assert!(found.iter().all(|&count| count > 0), "{found:?}");
    }
}
