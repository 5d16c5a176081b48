//! Programs of futex calls: any calls in a row of which none waits long. What a table answers, and
//! what it leaves in the words, is what the kernel answers and leaves.

use std::ptr::{from_ref, null};

use slotpark_core::{FutexTimespec, FutexWaitv, PI_OWNER};

use super::calls::*;
use super::sides::{Side, sides};

/// Calls in a row.
#[derive(Clone, Debug)]
pub(crate) struct Program(pub(crate) Vec<Step>);

/// One call.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Futex(Call),
    Waitv(Vec<Entry>, u32, Timespec, i32),
    Wake(At, usize, i32, u32),
    Wait(At, (usize, usize), u32, Timespec, i32),
    Requeue([Entry; 2], u32, (i32, i32)),
}

/// An entry of a list: address, value, flags, the reserved word.
pub(crate) type Entry = (At, u64, u32, u32);

/// A timespec, if there is one.
pub(crate) type Timespec = Option<(i64, i64)>;

/// What programs have done, for those who ask whether they did everything.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Calls by their kind, as `Step` has them.
    pub(crate) calls: [usize; 5],
    /// Calls that were not refused as invalid.
    pub(crate) valid: [usize; 5],
}

impl Program {
    /// Makes the calls on all sides. Panics where a table differs from the kernel.
    pub(crate) fn compare(&self, seen: &mut Seen) {
        let sides = sides();
        let words = sides.map(|_| VALUES.map(Into::into));
        for step in &self.0 {
            let is_older = !matches!(step, Step::Futex(_));
            if is_older && !sides[0].has_futex2() {
                continue;
            }
            let mut told = sides.iter().zip(&words).map(|(&side, words)| {
                // Decides what does not block, which is the same everywhere as long as the words
                // are.
                let result = step.make(side, words);
                (side.name(), result, values(words))
            });
            let (_, expected, after) = told.next().expect("the kernel is one");
            for (name, result, left) in told {
                assert_eq!(
                    (result, left),
                    (expected, after),
                    "{name}: {step:?} in {self:?}"
                );
            }
            seen.calls[step.kind()] += 1;
            seen.valid[step.kind()] += usize::from(![EINVAL, EFAULT, ENOSYS].contains(&expected));
        }
    }
}

impl Step {
    fn kind(&self) -> usize {
        match self {
            Self::Futex(_) => 0,
            Self::Waitv(..) => 1,
            Self::Wake(..) => 2,
            Self::Wait(..) => 3,
            Self::Requeue(..) => 4,
        }
    }

    fn make(&self, side: Side, words: &Words) -> isize {
        let timespec = |time: Timespec| {
            time.map(|(seconds, nanoseconds)| FutexTimespec {
                seconds,
                nanoseconds,
            })
        };
        match *self {
            Self::Futex(call) => {
                let Call(at, op, val, fourth, at2, val3) = call;
                let waits = is_timed(op)
                    && match op & !REALTIME {
                        LOCK_PI | LOCK_PI2 => is_held(at, words),
                        _ => holds(at, val as u32 as u64, words),
                    };
                let fourth = match fourth {
                    Time(seconds, nanoseconds) if waits => Time(seconds.min(0), nanoseconds),
                    Count(_) if waits => NOW,
                    other => other,
                };
                // SAFETY: a word that is read is A or B, unless the call is refused.
                unsafe { Call(at, op, val, fourth, at2, val3).make(side, words) }
            }
            Self::Waitv(ref list, flags, time, clock) => {
                let is_stale = |&(at, val, ..): &Entry| !holds(at, val, words);
                let time = timespec(if list.iter().any(is_stale) {
                    time
                } else {
                    past(time)
                });
                let list = entries(list, words);
                let time = time.as_ref().map_or(null(), from_ref);
                // SAFETY: entries and timespec live; a word that is read is A or B.
                unsafe { side.waitv(list.as_ptr(), list.len() as u32, flags, time, clock) }
            }
            Self::Wake(at, mask, nr, flags) => side.futex2_wake(at.address(words), mask, nr, flags),
            Self::Wait(at, (val, mask), flags, time, clock) => {
                let is_equal = holds(at, val as u64, words);
                let time = timespec(if is_equal { past(time) } else { time });
                let time = time.as_ref().map_or(null(), from_ref);
                let at = at.address(words);
                // SAFETY: the timespec lives; the word, if it is read, is A or B.
                unsafe { side.futex2_wait(at, (val, mask), flags, time, clock) }
            }
            Self::Requeue(ref list, flags, (wake, moves)) => {
                let list = entries(list, words);
                // SAFETY: two entries; a word that is compared is A or B.
                unsafe { side.futex2_requeue(list.as_ptr(), flags, wake, moves) }
            }
        }
    }
}

/// Whether the command takes a timeout.
pub(crate) fn is_timed(op: i32) -> bool {
    matches!(
        op & !REALTIME,
        WAIT | WAIT_BITSET | LOCK_PI | LOCK_PI2 | WAIT_REQUEUE_PI
    )
}

/// Whether a locker would wait.
fn is_held(at: At, words: &Words) -> bool {
    let owner = match at {
        A => values(words)[0],
        B => values(words)[1],
        _ => 0,
    } & PI_OWNER;
    owner != 0 && owner != thread_id()
}

/// Whether a wait for this value would wait.
fn holds(at: At, value: u64, words: &Words) -> bool {
    let [a, b] = values(words).map(u64::from);
    match at {
        A => a == value,
        B => b == value,
        _ => false,
    }
}

/// The same if it is past or refused, else a time that is past.
fn past(time: Timespec) -> Timespec {
    let (seconds, nanoseconds) = time.unwrap_or_default();
    Some((seconds.min(0), nanoseconds))
}

fn entries(list: &[Entry], words: &Words) -> Vec<FutexWaitv> {
    let entry = |&(at, val, flags, reserved): &Entry| FutexWaitv {
        val,
        flags,
        reserved,
        ..FutexWaitv::new(at.address(words), 0)
    };
    list.iter().map(entry).collect()
}
