//! One wait of a thread, on the stack of its coroutine.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use corosensei::CoroutineResult;
use slotpark_core::{Clock, Deadline, Interrupter, Left, ParkOptions, Platform, Prepared, Table};

use crate::host::{self, Asked, Key, Pause};
use crate::outcomes::{Ended, Outcome, Progress};
use crate::program::{Answer, INTERRUPTERS, Manner, Plan, Then};

/// What waits are over.
pub(crate) struct Ground<P: Platform> {
    pub(crate) table: Table<Key, P>,
    pub(crate) interrupters: [Interrupter<P>; INTERRUPTERS],
}

/// One who waits, as the table is told.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) wait: u64,
    pub(crate) plan: Rc<Plan>,
    /// Of its keys.
    pub(crate) hashes: Vec<u64>,
    /// One that is free.
    pub(crate) interrupter: Option<usize>,
    /// The entries that it was asked to validate.
    pub(crate) asked: Rc<RefCell<Vec<usize>>>,
}

impl Who {
    pub(crate) fn options(&self, now: u64) -> ParkOptions {
        let plan = &self.plan;
        let deadline = plan
            .patience
            .map(|ns| Deadline::new(Clock::Monotonic, now + ns));
        let options = ParkOptions::new()
            .tag(self.wait << 32 | u64::from(plan.bits))
            .deadline(deadline)
            .order(plan.order);
        let options = if plan.validated {
            options.validated()
        } else {
            options
        };
        if plan.until_signal {
            options.until_signal()
        } else {
            options
        }
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.plan.keys.iter().copied().map(Key).collect()
    }

    /// What `validate` does.
    pub(crate) fn validate(&self, entry: usize) -> Result<bool, ()> {
        let at = self.asked.borrow().len();
        self.asked.borrow_mut().push(entry);
        answered(self.plan.answers.get(at).copied().unwrap_or(Answer::Yes))
    }

    /// What a `validate` does that has no errors.
    pub(crate) fn says_yes(&self, entry: usize) -> bool {
        self.validate(entry) == Ok(true)
    }
}

/// What the coroutine of one wait does.
pub(crate) fn wait_once<P: Platform>(ground: &Ground<P>, who: &Who, now: u64) -> Outcome {
    let mut was_last = None;
    let outcome = catch(|| match who.plan.manner {
        Manner::Park { .. } => park(&ground.table, who, now, &mut was_last).into(),
        Manner::Prepare { lingers, then } => {
            prepare(&ground.table, who, now, (lingers, then)).into()
        }
        Manner::Any => park_any(ground, who, now),
        Manner::Task(_) | Manner::TaskAny(_) => unreachable!("tasks are no threads"),
    });
    Outcome {
        was_last,
        ..outcome.unwrap_or(Ended::Panicked.into())
    }
}

fn park<P: Platform>(
    table: &Table<Key, P>,
    who: &Who,
    now: u64,
    was_last: &mut Option<bool>,
) -> Ended {
    let Manner::Park {
        lingers,
        before_sleep_panics,
        on_leave_panics,
    } = who.plan.manner
    else {
        unreachable!("another manner");
    };
    let before_sleep = || {
        if lingers {
            host::pause(Pause::Lingers);
        }
        if before_sleep_panics {
            host::panic();
        }
    };
    let on_leave = |left: Left| {
        *was_last = Some(left.last);
        if on_leave_panics {
            host::panic();
        }
    };
    let (hash, key) = (who.hashes[0], Key(who.plan.keys[0]));
    let validate = || who.validate(0);
    let parked = table.park_with(
        hash,
        &key,
        who.options(now),
        validate,
        before_sleep,
        on_leave,
    );
    parked.map_or(Ended::Failed, Ended::from)
}

fn prepare<P: Platform>(
    table: &Table<Key, P>,
    who: &Who,
    now: u64,
    (lingers, then): (bool, Then),
) -> Ended {
    let (hash, key) = (who.hashes[0], Key(who.plan.keys[0]));
    let act = |prepared: &mut Prepared<'_, Key, P>| {
        if lingers {
            host::pause(Pause::Lingers);
        }
        match then {
            Then::Leaves => return Ended::Left,
            Then::Panics => host::panic(),
            Then::Waits => {}
        }
        let parked = prepared.wait();
        assert_eq!(prepared.wait(), parked, "it says the same again");
        parked.into()
    };
    let prepared = table.prepare(hash, &key, who.options(now), act);
    prepared.unwrap_or_else(Ended::from)
}

fn park_any<P: Platform>(ground: &Ground<P>, who: &Who, now: u64) -> Outcome {
    let Ground {
        table,
        interrupters,
    } = ground;
    let keys = who.keys();
    let entries: Vec<(u64, &Key)> = who.hashes.iter().copied().zip(&keys).collect();
    let (options, validate) = (who.options(now), |entry| who.says_yes(entry));
    match (&entries[..], who.interrupter.map(|at| &interrupters[at])) {
        ([(hash, key)], Some(interrupter)) => {
            let validate = || who.says_yes(0);
            let parked = table.park_interruptible(*hash, key, options, interrupter, validate);
            Ended::from(parked).into()
        }
        (entries, Some(interrupter)) => table
            .park_any_interruptible(entries, options, interrupter, validate)
            .into(),
        (entries, None) => table.park_any(entries, options, validate).into(),
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
