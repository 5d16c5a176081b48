//! One wait of a program, on the stack of its coroutine.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use corosensei::CoroutineResult;
use slotpark_core::{Clock, Deadline, Left, ParkOptions, Parked, Platform, Table};

use crate::expected::{Ended, Outcome, Progress};
use crate::host::{self, Asked, Key, Pause};
use crate::program::{Answer, Park};

/// What the coroutine of one wait does.
pub(crate) fn wait_once<P: Platform>(
    table: &Table<Key, P>,
    hash: u64,
    wait: u64,
    park: Park,
    now: u64,
) -> Outcome {
    let deadline = park
        .patience
        .map(|ns| Deadline::new(Clock::Monotonic, now + ns));
    let options = ParkOptions::new()
        .tag(wait << 32 | u64::from(park.bits))
        .deadline(deadline);
    let options = if park.validated {
        options.validated()
    } else {
        options
    };
    let mut validations = 0;
    let mut was_last = None;
    let parked = catch(|| {
        let validate = || {
            validations += 1;
            answered(park.answers[validations - 1])
        };
        let before_sleep = || {
            if park.lingers {
                host::pause(Pause::Lingers);
            }
            if park.before_sleep_panics {
                host::panic();
            }
        };
        let on_leave = |left: Left| {
            was_last = Some(left.last);
            if park.on_leave_panics {
                host::panic();
            }
        };
        table.park_with(
            hash,
            &Key(park.key),
            options,
            validate,
            before_sleep,
            on_leave,
        )
    });
    let ended = match parked {
        Some(Ok(Parked::Woken { token })) => Ended::Woken(token),
        Some(Ok(Parked::Stale)) => Ended::Stale,
        Some(Ok(Parked::TimedOut)) => Ended::TimedOut,
        Some(Ok(other)) => unreachable!("no wait ends so: {other:?}"),
        Some(Err(())) => Ended::Failed,
        None => Ended::Panicked,
    };
    Outcome {
        ended,
        validations,
        was_last,
    }
}

pub(crate) fn answered(answer: Answer) -> Result<bool, ()> {
    match answer {
        Answer::Yes => Ok(true),
        Answer::No => Ok(false),
        Answer::Fails => Err(()),
        Answer::Panics => host::panic(),
    }
}

pub(crate) fn progress(result: CoroutineResult<Pause, Outcome>) -> Progress {
    match result {
        CoroutineResult::Yield(Pause::Lingers) => Progress::Lingers,
        CoroutineResult::Yield(Pause::Sleeps) => Progress::Sleeps,
        CoroutineResult::Return(outcome) => Progress::Ended(outcome),
    }
}

/// What `action` returns, or `None` if it panicked because the program says so.
pub(crate) fn catch<R>(action: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(action)) {
        Ok(result) => Some(result),
        Err(panic) if panic.is::<Asked>() => None,
        Err(panic) => resume_unwind(panic),
    }
}
