//! What must come out: a naive model that follows the engine under its slot locks.

use std::cell::RefCell;
use std::collections::BTreeMap;

use shuttle::current::me;
use slotpark_core::{Event, Parked, Slept};

use crate::naive::Naive;

/// What a thread does in the table now.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing {
    /// The wait with this number, for a key whose value is `version`.
    Wait {
        wait: u64,
        key: u64,
        version: u32,
    },
    /// A wake. A filter says which waiter is looked at; without one it is the first.
    Wake {
        key: u64,
        token: u64,
        candidate: Option<u64>,
    },
    Requeue {
        from: u64,
        to: u64,
        token: u64,
    },
    Count {
        key: u64,
    },
}

/// What a thread has done so far in its call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) woken: usize,
    pub(crate) moved: usize,
    /// Waiters of the key, when it was last looked at.
    pub(crate) counted: usize,
    /// Slot locks taken because somebody seemed to be there.
    pub(crate) looks: usize,
    /// A sleep ended because of the deadline.
    overslept: bool,
}

/// How a wait has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Woken(u64),
    TimedOut,
}

/// What has happened in all runs of a test.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) woken: u64,
    pub(crate) timed_out: u64,
    pub(crate) stale: u64,
    pub(crate) moved: u64,
    pub(crate) woken_after_a_move: u64,
    pub(crate) timed_out_after_a_move: u64,
    pub(crate) woken_past_the_deadline: u64,
    pub(crate) skipped: u64,
    pub(crate) closed: u64,
}

#[derive(Debug, Default)]
struct Oracle {
    program: String,
    slots: Vec<usize>,
    queues: Naive,
    calls: BTreeMap<usize, (Doing, Done)>,
    verdicts: BTreeMap<u64, Verdict>,
    moved: Vec<u64>,
    /// Values whose change has been followed by a complete wake of everybody.
    announced: BTreeMap<u64, u32>,
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

/// A run begins: the slot of each key, and the program for a report.
pub(crate) fn begin(slots: Vec<usize>, program: String) {
    with(|oracle| {
        *oracle = Oracle {
            program,
            slots,
            seen: oracle.seen,
            ..Oracle::default()
        };
    });
}

pub(crate) fn program() -> String {
    with(|oracle| oracle.program.clone())
}

pub(crate) fn seen() -> Seen {
    with(|oracle| oracle.seen)
}

/// The calling thread is in `doing` while `call` runs.
pub(crate) fn during<R>(doing: Doing, call: impl FnOnce() -> R) -> (Done, R) {
    let thread = usize::from(me());
    with(|oracle| oracle.calls.insert(thread, (doing, Done::default())));
    let result = call();
    let (_, done) = with(|oracle| oracle.calls.remove(&thread)).expect("this call");
    (done, result)
}

/// A filter is asked about the wait with this number.
pub(crate) fn look_at(wait: u64, is_skipped: bool) {
    with(|oracle| {
        let thread = usize::from(me());
        oracle.seen.skipped += u64::from(is_skipped);
        if let Some((Doing::Wake { candidate, .. }, _)) = oracle.calls.get_mut(&thread) {
            *candidate = Some(wait);
        }
    });
}

/// What the call of this thread has done so far, and the queue of `key`, under its slot lock.
pub(crate) fn now(key: u64) -> (Done, Vec<u64>) {
    with(|oracle| {
        let done = oracle.calls[&usize::from(me())].1;
        (done, oracle.queues.waiters(key))
    })
}

/// The queue that a wait has left under the slot lock must be empty, or not.
pub(crate) fn left(wait: u64, last: bool) {
    with(|oracle| {
        assert_eq!(oracle.verdicts.get(&wait), Some(&Verdict::TimedOut));
        let thread = usize::from(me());
        let counted = oracle.calls[&thread].1.counted;
        assert_eq!(last, counted == 0, "who leaves last");
    });
}

/// Everybody who waited for an older value of `key` has been woken.
pub(crate) fn announce(key: u64, version: u32) {
    with(|oracle| {
        let known = oracle.announced.entry(key).or_default();
        *known = (*known).max(version);
    });
}

/// The calling thread goes for a slot lock.
pub(crate) fn looked() {
    change(|done| done.looks += 1);
}

/// A sleep of the calling thread has ended.
pub(crate) fn slept(slept: Slept) {
    change(|done| done.overslept |= slept == Slept::TimedOut);
}

fn change(action: impl FnOnce(&mut Done)) {
    with(|oracle| {
        if let Some((_, done)) = oracle.calls.get_mut(&usize::from(me())) {
            action(done);
        }
    });
}

/// A wait has returned.
pub(crate) fn judge(wait: u64, done: Done, parked: Parked, was_past: bool) {
    with(|oracle| {
        let is_moved = oracle.moved.contains(&wait);
        let verdict = oracle.verdicts.get(&wait).copied();
        let seen = &mut oracle.seen;
        match parked {
            Parked::Woken { token } => {
                assert_eq!(verdict, Some(Verdict::Woken(token)), "wait {wait}");
                seen.woken += 1;
                seen.woken_after_a_move += u64::from(is_moved);
                seen.woken_past_the_deadline += u64::from(done.overslept);
            }
            Parked::TimedOut if was_past => assert_eq!(verdict, None, "wait {wait}"),
            Parked::TimedOut => {
                assert_eq!(verdict, Some(Verdict::TimedOut), "wait {wait}");
                seen.timed_out += 1;
                seen.timed_out_after_a_move += u64::from(is_moved);
            }
            Parked::Stale => {
                assert_eq!(verdict, None, "wait {wait}");
                seen.stale += 1;
            }
            other => unreachable!("no wait ends so: {other:?}"),
        }
    });
}

/// A run ends: nobody waits, and `closed` of those who did were woken by the end.
pub(crate) fn end(closed: usize) {
    with(|oracle| {
        assert!(oracle.queues.is_empty(), "{:?}", oracle.queues);
        assert!(oracle.calls.is_empty(), "{:?}", oracle.calls);
        oracle.seen.closed += closed as u64;
    });
}

/// Told by the engine under the lock of `slot`, in the thread that holds it.
pub(crate) fn observe(event: Event, slot: usize) {
    with(|oracle| {
        let thread = usize::from(me());
        let (doing, mut done) = oracle.calls[&thread];
        oracle.follow(event, slot, doing, &mut done);
        if let Some((_, call)) = oracle.calls.get_mut(&thread) {
            *call = done;
        }
    });
}

impl Oracle {
    fn follow(&mut self, event: Event, slot: usize, doing: Doing, done: &mut Done) {
        match (event, doing) {
            (Event::Park, Doing::Wait { wait, key, version }) => {
                let announced = self.announced.get(&key).copied().unwrap_or(0);
                assert!(announced <= version, "wait {wait} missed a wake");
                assert_eq!(slot, self.slots[key as usize], "it parked elsewhere");
                self.queues.push(key, wait);
            }
            (Event::Timeout, Doing::Wait { wait, .. }) => {
                let key = self.queues.remove(wait).expect("who leaves was queued");
                assert_eq!(slot, self.slots[key as usize], "it left another slot");
                done.counted = self.queues.count(key);
                self.verdicts.insert(wait, Verdict::TimedOut);
            }
            (
                Event::Wake,
                Doing::Wake {
                    key,
                    token,
                    candidate,
                },
            ) => {
                let wait = candidate.or(self.queues.first(key));
                self.wake(key, wait, token, done);
            }
            (Event::Wake, Doing::Requeue { from, token, .. }) => {
                let wait = self.queues.first(from);
                self.wake(from, wait, token, done);
            }
            (Event::Requeue, Doing::Requeue { from, to, .. }) => {
                assert_eq!(slot, self.slots[to as usize], "it moved elsewhere");
                if from != to {
                    let wait = self.queues.move_first(from, to);
                    self.moved.push(wait.expect("who is moved was queued"));
                    self.seen.moved += 1;
                }
                done.moved += 1;
            }
            (Event::GroupVisited | Event::NodeVisited, Doing::Count { key }) => {
                done.counted = self.queues.count(key);
            }
            (Event::GroupVisited | Event::NodeVisited | Event::Collision, _) => {}
            other => panic!("nobody does this: {other:?}"),
        }
    }

    fn wake(&mut self, key: u64, wait: Option<u64>, token: u64, done: &mut Done) {
        let wait = wait.expect("who is woken was queued");
        assert_eq!(
            self.queues.remove(wait),
            Some(key),
            "wait {wait}: woken by another key"
        );
        let earlier = self.verdicts.insert(wait, Verdict::Woken(token));
        assert_eq!(earlier, None, "wait {wait}: decided twice");
        done.woken += 1;
    }
}
