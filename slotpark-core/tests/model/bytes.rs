//! Programs written as bytes: what the fuzzer changes, and what its corpus holds.
//!
//! Every choice takes one byte, so that bytes cut out or put in change few choices. Where the bytes
//! have run out they read as zeros, and zero is the plainest choice: no fault, no deadline.

use arbitrary::{Arbitrary, Result, Unstructured};
use slotpark_core::Order;

use crate::host::{Resume, Virtual};
use crate::machine::{Seen, follow};
use crate::program::{
    ALL, Answer, BELLS, Command, End, INTERRUPTERS, KEYS, Manner, Plan, Program, SHAPES, Step,
    Then, Touch, Verdict,
};
use crate::words::Words;
use crate::words_machine;

/// More say nothing new, and take longer.
const COMMANDS_MAX: usize = 200;
/// Enough at once to share the bits of a slot.
const CROWD_MAX: u8 = 70;

/// A program, and how its waiters sleep.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    sleeps_in_groups: bool,
    program: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Queues(Program),
    Words(Words),
}

impl Input {
    pub(crate) fn follow(&self, seen: &mut Seen) {
        match (&self.program, self.sleeps_in_groups) {
            (Content::Queues(program), true) => follow::<Virtual<true>>(program, seen),
            (Content::Queues(program), false) => follow::<Virtual<false>>(program, seen),
            (Content::Words(words), true) => words_machine::follow::<Virtual<true>>(words, seen),
            (Content::Words(words), false) => words_machine::follow::<Virtual<false>>(words, seen),
        }
    }
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let kind = bytes.int_in_range(0..=15_u8)?;
        let sleeps_in_groups = kind % 2 == 0;
        if kind >= 14 {
            return Ok(Self {
                sleeps_in_groups,
                program: Content::Words(Words::arbitrary(bytes)?),
            });
        }
        let shape = *bytes.choose(&SHAPES)?;
        let mut commands = Vec::new();
        while !bytes.is_empty() && commands.len() < COMMANDS_MAX {
            let (command, times) = command(bytes)?;
            let left = COMMANDS_MAX - commands.len();
            commands.extend(std::iter::repeat_n(command, times.min(left)));
        }
        Ok(Self {
            sleeps_in_groups,
            program: Content::Queues(Program { shape, commands }),
        })
    }
}

/// A command, and how often it is given.
fn command(bytes: &mut Unstructured<'_>) -> Result<(Command, usize)> {
    let kind = bytes.int_in_range(0..=31_u8)?;
    let step = match kind {
        0..=3 => Step::Wait(park(bytes)?),
        4..=6 => Step::Run {
            who: usize::from(bytes.arbitrary::<u8>()?),
            resume: {
                let [says_timed_out, is_signal] = flags(bytes)?;
                Resume {
                    says_timed_out,
                    is_signal,
                }
            },
        },
        7 => Step::Pass {
            ns: bytes.int_in_range(1..=3)?,
        },
        8 | 9 => Step::Requeue {
            from: key(bytes)?,
            to: key(bytes)?,
            wake_max: bytes.int_in_range(0..=2)?,
            move_max: count(bytes)?,
            answer: answer(bytes)?,
        },
        10 => Step::Unpark {
            key: key(bytes)?,
            count: count(bytes)?,
        },
        11 => {
            let key = key(bytes)?;
            // Room for what an older corpus has here.
            let _count = count(bytes)?;
            Step::UnparkLast { key }
        }
        12 => Step::UnparkBits {
            key: key(bytes)?,
            count: count(bytes)?,
            bits: bytes.int_in_range(1..=3)?,
        },
        13 => Step::UnparkFilter {
            key: key(bytes)?,
            count: count(bytes)?,
            verdicts: verdicts(bytes)?,
        },
        14 => Step::UnparkWith {
            key: key(bytes)?,
            count: count(bytes)?,
            verdicts: verdicts(bytes)?,
            policy_panics: rarely(bytes)?,
        },
        15 => return crowd(bytes),
        16..=18 => Step::Wait(task(bytes)?),
        19..=22 => Step::Touch {
            who: usize::from(bytes.arbitrary::<u8>()?),
            touch: touch(bytes)?,
        },
        23 => Step::Wait(any(bytes)?),
        24 => Step::Wait(any_task(bytes)?),
        25 => Step::Wait(prepare(bytes)?),
        _ => Step::End(end(bytes, kind)?),
    };
    let panicking_comparison = match rarely(bytes)? {
        true => Some(bytes.int_in_range(0..=3)?),
        false => None,
    };
    let command = Command {
        step,
        panicking_comparison,
    };
    Ok((command, 1))
}

/// Many equal waits.
fn crowd(bytes: &mut Unstructured<'_>) -> Result<(Command, usize)> {
    let is_of_tasks = bytes.arbitrary()?;
    let plan = if is_of_tasks { task } else { park };
    let command = Command {
        step: Step::Wait(plan(bytes)?),
        panicking_comparison: None,
    };
    let times = bytes.int_in_range(2..=CROWD_MAX)?;
    Ok((command, usize::from(times)))
}

fn end(bytes: &mut Unstructured<'_>, kind: u8) -> Result<End> {
    let interrupter = |bytes: &mut Unstructured<'_>| bytes.int_in_range(0..=INTERRUPTERS - 1);
    Ok(match kind {
        26 | 27 => End::Interrupt(interrupter(bytes)?),
        28 => End::CloseKey(key(bytes)?),
        29 => End::Seal(key(bytes)?),
        30 => End::Unseal(usize::from(bytes.arbitrary::<u8>()?)),
        _ => match bytes.arbitrary::<u8>()? {
            0..=119 => End::Clear(interrupter(bytes)?),
            120..=239 => End::Where {
                is_close: bytes.arbitrary()?,
                mask: bytes.arbitrary()?,
                panics_at: match rarely(bytes)? {
                    true => Some(bytes.int_in_range(0..=2)?),
                    false => None,
                },
            },
            240.. => End::Close,
        },
    })
}

/// What all manners have in common, on one key.
fn common(bytes: &mut Unstructured<'_>) -> Result<Plan> {
    let keys = vec![key(bytes)?];
    let bits = *bytes.choose(&[1, 2, 3, 0])?;
    let order = match bytes.int_in_range(0..=7_u32)? {
        0..=2 => Order::Fifo,
        3 => Order::Lifo,
        weight => Order::Priority(weight - 4),
    };
    // Four of ten wait for ever, and one not at all.
    let patience = bytes.int_in_range(0..=9_u64)?.checked_sub(4);
    let [validated, until_signal] = flags(bytes)?;
    Ok(Plan {
        manner: Manner::Any,
        keys,
        bits,
        order,
        patience,
        validated,
        until_signal,
        answers: vec![answer(bytes)?, answer(bytes)?],
        interrupter: None,
    })
}

fn park(bytes: &mut Unstructured<'_>) -> Result<Plan> {
    Ok(Plan {
        manner: Manner::Park {
            lingers: bytes.arbitrary()?,
            before_sleep_panics: rarely(bytes)?,
            on_leave_panics: rarely(bytes)?,
        },
        ..common(bytes)?
    })
}

fn prepare(bytes: &mut Unstructured<'_>) -> Result<Plan> {
    let manner = Manner::Prepare {
        lingers: bytes.arbitrary()?,
        then: *bytes.choose(&[Then::Waits, Then::Leaves, Then::Panics])?,
    };
    Ok(Plan {
        manner,
        ..common(bytes)?
    })
}

fn task(bytes: &mut Unstructured<'_>) -> Result<Plan> {
    let manner = Manner::Task(touch(bytes)?);
    Ok(Plan {
        manner,
        ..common(bytes)?
    })
}

/// A thread on up to four keys.
fn any(bytes: &mut Unstructured<'_>) -> Result<Plan> {
    let count = *bytes.choose(&[2, 1, 3, 4])?;
    several(bytes, Manner::Any, count)
}

/// A task on up to three keys.
fn any_task(bytes: &mut Unstructured<'_>) -> Result<Plan> {
    let manner = Manner::TaskAny(touch(bytes)?);
    let count = *bytes.choose(&[2, 1, 3])?;
    several(bytes, manner, count)
}

/// On so many keys.
fn several(bytes: &mut Unstructured<'_>, manner: Manner, count: usize) -> Result<Plan> {
    let mut plan = common(bytes)?;
    for _ in 1..count {
        plan.keys.push(key(bytes)?);
        plan.answers.push(answer(bytes)?);
        plan.answers.push(answer(bytes)?);
    }
    let interrupter = bytes.choose(&[None, Some(0), Some(1)])?;
    Ok(Plan {
        manner,
        interrupter: *interrupter,
        ..plan
    })
}

fn touch(bytes: &mut Unstructured<'_>) -> Result<Touch> {
    Ok(match bytes.arbitrary::<u8>()? {
        0..=79 => Touch::Poll(0),
        80..=159 => Touch::Poll(BELLS - 1),
        160..=191 => Touch::Enable,
        192..=215 => Touch::TimeOut,
        216.. => Touch::Drop,
    })
}

fn key(bytes: &mut Unstructured<'_>) -> Result<u64> {
    bytes.int_in_range(0..=KEYS - 1)
}

fn count(bytes: &mut Unstructured<'_>) -> Result<usize> {
    bytes.choose(&[1, 0, 2, 3, ALL]).copied()
}

fn answer(bytes: &mut Unstructured<'_>) -> Result<Answer> {
    Ok(match bytes.arbitrary::<u8>()? {
        0..=243 => Answer::Yes,
        244..=247 => Answer::No,
        248..=251 => Answer::Fails,
        252.. => Answer::Panics,
    })
}

/// One to four.
fn verdicts(bytes: &mut Unstructured<'_>) -> Result<Vec<Verdict>> {
    let count = bytes.int_in_range(1..=4_u8)?;
    (0..count).map(|_| verdict(bytes)).collect()
}

fn verdict(bytes: &mut Unstructured<'_>) -> Result<Verdict> {
    Ok(match bytes.arbitrary::<u8>()? {
        0..=119 => Verdict::Unpark,
        120..=219 => Verdict::Skip,
        220..=239 => Verdict::Stop,
        240.. => Verdict::Panics,
    })
}

/// Two, of one byte, where an older corpus has the first alone.
fn flags(bytes: &mut Unstructured<'_>) -> Result<[bool; 2]> {
    let byte: u8 = bytes.arbitrary()?;
    Ok([byte & 1 != 0, byte & 2 != 0])
}

/// True for one byte in sixteen.
fn rarely(bytes: &mut Unstructured<'_>) -> Result<bool> {
    Ok(bytes.arbitrary::<u8>()? >= 240)
}
