//! Programs as bytes: what the fuzzer changes, and what its corpus holds.
//!
//! Every choice takes one byte, so that bytes cut out or put in change few choices. Where the bytes
//! have run out they read as zeros, and zero is the plainest choice.

use arbitrary::{Arbitrary, Result, Unstructured};
use slotpark_core::FutexAbi;

use super::calls::*;
use super::program::{Entry, Program, Step, Timespec, is_timed};

/// More say nothing new, and take longer.
const STEPS_MAX: usize = 40;

impl Program {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self::arbitrary(&mut Unstructured::new(bytes)).expect("bytes never run out")
    }
}

impl<'a> Arbitrary<'a> for Program {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let mut steps = Vec::new();
        while !bytes.is_empty() && steps.len() < STEPS_MAX {
            steps.push(step(bytes)?);
        }
        Ok(Self(steps))
    }
}

fn step(bytes: &mut Unstructured<'_>) -> Result<Step> {
    Ok(match bytes.int_in_range(0..=15_u8)? {
        0..=7 => Step::Futex(call(bytes)?),
        8..=10 => {
            let mut list = Vec::new();
            for _ in 0..bytes.int_in_range(0..=4_u8)? {
                list.push(entry(bytes)?);
            }
            // The longest list, and one that is too long.
            let times = *bytes.choose(&[1, 1, 1, 1, 1, 1, 64, 128, 129])?;
            let list = list.repeat(if list.len() == 1 { times } else { 1 });
            Step::Waitv(list, rarely(bytes)?.into(), time(bytes)?, clock(bytes)?)
        }
        11 | 12 => Step::Wake(address(bytes)?, wide(bytes)?, number(bytes)?, flags(bytes)?),
        13 | 14 => {
            let values = (wide(bytes)?, wide(bytes)?);
            let at = read(address(bytes)?);
            Step::Wait(at, values, flags(bytes)?, time(bytes)?, clock(bytes)?)
        }
        _ => {
            let list = [entry(bytes)?, entry(bytes)?];
            Step::Requeue(
                list,
                rarely(bytes)?.into(),
                (number(bytes)?, number(bytes)?),
            )
        }
    })
}

/// A call of `futex(2)`: a command, with and without the clock flag, or one that does not exist.
fn call(bytes: &mut Unstructured<'_>) -> Result<Call> {
    const NONE_SUCH: [i32; 9] = [2, 14, 15, 31, 64, 127, 512, 1 << 20, i32::MIN];
    const COMMANDS: [i32; 13] = [
        WAIT,
        WAKE,
        REQUEUE,
        CMP_REQUEUE,
        WAKE_OP,
        WAIT_BITSET,
        WAKE_BITSET,
        UNLOCK_PI,
        WAIT_REQUEUE_PI,
        CMP_REQUEUE_PI,
        LOCK_PI,
        LOCK_PI2,
        TRYLOCK_PI,
    ];
    // The last ones only where the kernel is asked for owners: it knows threads of its own.
    let asks = FutexAbi::process().answers(LOCK_PI);
    let known = COMMANDS.len() - if asks { 0 } else { 3 };
    let command = if rarely(bytes)? {
        *bytes.choose(&NONE_SUCH)? | libc::FUTEX_PRIVATE_FLAG
    } else {
        *bytes.choose(&COMMANDS[..known])?
    };
    let op = command | if rarely(bytes)? { REALTIME } else { 0 };
    let (mut at, mut at2) = (address(bytes)?, address(bytes)?);
    if !matches!(command, WAKE | WAKE_BITSET | REQUEUE | WAKE_OP) {
        at = read(at);
    }
    if matches!(command, WAKE_OP | CMP_REQUEUE_PI) {
        at2 = read(at2);
    }
    let val = number(bytes)?;
    let fourth = match is_timed(op) {
        true => time(bytes)?.map_or(NONE, |(seconds, nanoseconds)| Time(seconds, nanoseconds)),
        false => Count(number(bytes)?),
    };
    let val3 = match bytes.arbitrary::<u8>()? % 2 {
        0 => number(bytes)? as u32,
        _ => word_op(
            bytes.int_in_range(0..=15)?,
            bytes.arbitrary::<i8>()?.into(),
            bytes.int_in_range(0..=7)?,
            bytes.arbitrary::<i8>()?.into(),
        ),
    };
    Ok(Call(at, op, val, fourth, at2, val3))
}

fn entry(bytes: &mut Unstructured<'_>) -> Result<Entry> {
    let at = read(address(bytes)?);
    Ok((
        at,
        wide(bytes)? as u64,
        flags(bytes)?,
        rarely(bytes)?.into(),
    ))
}

fn address(bytes: &mut Unstructured<'_>) -> Result<At> {
    const PLACES: [At; 16] = [A, B, A, B, A, B, A, B, A, B, A, B, Odd, Null, High, Nowhere];
    bytes.choose(&PLACES).copied()
}

/// Where a word may be read: the kernel says EFAULT where nothing is mapped, and a table cannot.
fn read(at: At) -> At {
    if matches!(at, Nowhere) { Null } else { at }
}

/// What a word holds, a small number, or any.
fn number(bytes: &mut Unstructured<'_>) -> Result<i32> {
    Ok(match bytes.int_in_range(0..=15_u8)? {
        0..=3 => VALUES[0] as i32,
        4..=7 => VALUES[1] as i32,
        8..=11 => bytes.int_in_range(-2..=2)?,
        12..=14 => *bytes.choose(&[i32::MAX, i32::MIN, -1, 1 << 30])?,
        _ => bytes.arbitrary()?,
    })
}

/// The same as a register of 64 bits.
fn wide(bytes: &mut Unstructured<'_>) -> Result<usize> {
    let low = number(bytes)? as u32 as usize;
    Ok(if rarely(bytes)? { low | 1 << 40 } else { low })
}

/// Private words of 32 bits, of other sizes, and bits that nobody knows.
fn flags(bytes: &mut Unstructured<'_>) -> Result<u32> {
    if rarely(bytes)? {
        return bytes
            .choose(&[0x80, 0x81, 0x83, 0x92, 0xc2, 0x182, 0x8000_0082])
            .copied();
    }
    Ok(0x82)
}

/// None, a time that is past or almost, one that is far away, or one that is refused.
fn time(bytes: &mut Unstructured<'_>) -> Result<Timespec> {
    if rarely(bytes)? {
        return Ok(None);
    }
    let seconds = *bytes.choose(&[0, 0, 0, 0, 0, 1, i64::MAX, -1, i64::MIN])?;
    // Few that take time.
    let nanoseconds = match bytes.int_in_range(0..=15_u8)? {
        0..=11 => 0,
        12 => 1,
        13 => -1,
        14 => 1_000_000_000,
        _ => i64::MAX,
    };
    Ok(Some((seconds, nanoseconds)))
}

/// Monotonic, the wall clock, and those that are refused.
fn clock(bytes: &mut Unstructured<'_>) -> Result<i32> {
    bytes.choose(&[1, 1, 1, 0, 0, 2, 9, -1, i32::MIN]).copied()
}

/// True for one byte in sixteen.
fn rarely(bytes: &mut Unstructured<'_>) -> Result<bool> {
    Ok(bytes.arbitrary::<u8>()? >= 240)
}
