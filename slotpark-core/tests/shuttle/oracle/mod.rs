//! What must come out: a naive model that follows the engine under its locks.
//!
//! Each event names its waiter, and is told in one step with what it says. Only two things happen
//! untold: a wait on several keys ends itself, or its interrupter does. So such a wait is in
//! *doubt* from the moment when that can have begun: a wake may pass it over then. Whom a wake has
//! passed over must come out as ended by itself, and a wake that finds fewer than it looked for has
//! passed over everybody else.

mod call;
mod ends;
mod events;
mod returns;
mod wait;
mod walk;

use std::cell::RefCell;
use std::collections::BTreeMap;

use shuttle::current::me;
use slotpark_core::{Event, Slept};

pub(crate) use call::{Doing, Done, passed_on};
pub(crate) use ends::{clear, closed, closing, interrupt, must_be_pending, opened, opening};
pub(crate) use returns::{Told, judge, left, left_queue};
pub(crate) use wait::{Begun, begin_wait, is_over, may_time_out, refuse};
pub(crate) use walk::{asked, chosen, look_at, may_move};

use crate::queues::{Node, Queues};
use crate::seen::Seen;
use call::Call;
use ends::{Closings, Interrupts};
use wait::Wait;

#[derive(Debug, Default)]
struct Oracle {
    program: String,
    slots: Vec<usize>,
    queues: Queues,
    /// What each thread is doing, the innermost last.
    calls: BTreeMap<usize, Vec<Call>>,
    waits: BTreeMap<u64, Wait>,
    /// The wait of each tag: a future that is polled again waits anew.
    current: BTreeMap<u64, u64>,
    /// Values whose change has been followed by a complete wake of everybody.
    announced: BTreeMap<u64, u32>,
    closings: Closings,
    interrupts: Vec<Interrupts>,
    /// How often a queue has changed.
    changes: usize,
    /// Waits that wakes have counted; those that returned Woken; those that were left, chosen, with
    /// nobody to pass the wake on to.
    counted: usize,
    returned: usize,
    spent: usize,
    seen: Seen,
}

// All threads of a run take turns on one thread of the system, and no two tests share one.
std::thread_local! {
    static ORACLE: RefCell<Oracle> = RefCell::default();
}

fn with<R>(action: impl FnOnce(&mut Oracle) -> R) -> R {
    ORACLE.with_borrow_mut(action)
}

/// A test begins.
pub(crate) fn forget() {
    with(|oracle| *oracle = Oracle::default());
}

/// A run begins: the slot of each key, how many interrupters, and the program for a report.
pub(crate) fn begin(slots: Vec<usize>, interrupters: usize, program: String) {
    with(|oracle| {
        *oracle = Oracle {
            program,
            slots,
            interrupts: vec![Interrupts::default(); interrupters],
            seen: std::mem::take(&mut oracle.seen),
            ..Oracle::default()
        };
    });
}

pub(crate) fn program() -> String {
    with(|oracle| oracle.program.clone())
}

pub(crate) fn seen() -> Seen {
    with(|oracle| oracle.seen.clone())
}

/// Counts what happened.
pub(crate) fn saw(what: &'static str, count: usize) {
    with(|oracle| oracle.seen.add(what, count));
}

/// The calling thread is in `doing` while `call` runs.
pub(crate) fn during<R>(doing: Doing, call: impl FnOnce() -> R) -> (Done, R) {
    let thread = usize::from(me());
    with(|oracle| {
        let begun = oracle.begin_call(doing);
        oracle.calls.entry(thread).or_default().push(begun);
    });
    let result = call();
    let done = with(|oracle| {
        let ended = oracle.calls.get_mut(&thread).and_then(Vec::pop);
        oracle.end_call(ended.expect("this call"))
    });
    (done, result)
}

/// Acts on the innermost call of this thread, if it is in one.
fn in_call<R>(action: impl FnOnce(&mut Oracle, &mut Call) -> R) -> Option<R> {
    if std::thread::panicking() {
        return None; // The run has failed: frames are unwound.
    }
    let thread = usize::from(me());
    with(|oracle| {
        let mut call = oracle.calls.get_mut(&thread).and_then(Vec::pop)?;
        let result = action(oracle, &mut call);
        oracle.calls.entry(thread).or_default().push(call);
        Some(result)
    })
}

/// Told by the engine under the lock of `slot`, in the thread that holds it.
pub(crate) fn observe(event: Event, slot: usize) {
    in_call(|oracle, call| oracle.visit(event, slot, call));
}

/// The same, of the waiter with this tag.
pub(crate) fn observe_waiter(event: Event, slot: usize, tag: u64) {
    let told = in_call(|oracle, call| {
        let wait = oracle.of_tag(tag);
        oracle.follow(event, slot, wait, call);
    });
    assert!(
        told.is_some() || std::thread::panicking(),
        "{event:?}: of nobody's call"
    );
}

/// The calling thread goes for a lock.
pub(crate) fn looked() {
    in_call(|_, call| call.done.looks += 1);
}

/// A sleep of the calling thread has ended.
pub(crate) fn slept(slept: Slept) {
    in_call(|oracle, call| {
        if slept == Slept::TimedOut {
            call.done.overslept = true;
            oracle.doubt(call.doing.own_wait());
        }
    });
}

/// Everybody who waited for an older value of `key` has been woken.
pub(crate) fn announce(key: u64, version: u32) {
    with(|oracle| {
        let known = oracle.announced.entry(key).or_default();
        *known = (*known).max(version);
    });
}

/// A run ends: nobody waits, and every wake that was counted has a wait that it ended.
pub(crate) fn end() {
    with(|oracle| {
        let waiting = oracle.queues.all();
        assert!(waiting.is_empty(), "{waiting:?} wait for ever");
        assert!(
            oracle.calls.values().all(Vec::is_empty),
            "nobody calls any more"
        );
        assert_eq!(
            oracle.counted,
            oracle.returned + oracle.spent,
            "counted, and returned as woken or left without an heir"
        );
        for interrupts in &oracle.interrupts {
            interrupts.assert_returned();
        }
    });
}

impl Oracle {
    fn of_tag(&self, tag: u64) -> u64 {
        let wait = self.current.get(&(tag >> 32));
        *wait.unwrap_or_else(|| panic!("nobody waits with the tag {tag:#x}"))
    }

    /// Whether the wait is open for certain: who looks for waiters must take it.
    fn is_open(&self, node: Node) -> bool {
        self.waits[&node.wait].is_open()
    }

    fn doubt(&mut self, wait: Option<u64>) {
        if let Some(wait) = wait.and_then(|wait| self.waits.get_mut(&wait)) {
            wait.doubtful = true;
        }
    }
}
