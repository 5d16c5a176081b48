//! Signals: which waits their handlers end, with SA_RESTART and without, and that a wait which a
//! wake has counted is none of them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use slotpark_core::{FutexTimespec, FutexWaitv};

use super::calls::*;
use super::common::{leak, until, watchdog};
use super::sides::{Side, sides};
use super::signalled::{ENDING, Target, count, handle};

/// Its handler has SA_RESTART: the kernel goes on with what it can go on with.
const RESTARTING: libc::c_int = libc::SIGUSR1;
const EINTR: isize = -4;
/// A second that comes after every test, on either clock and from now on.
const LATE: i64 = 8_000_000_000;
const U32: u32 = 0x82;

/// A wait on A while it is 7.
#[derive(Clone, Copy, Debug)]
enum Wait {
    Futex(i32, Fourth),
    Vector(Fourth),
    Futex2(Fourth),
}
use Wait::{Futex, Futex2, Vector};

impl Wait {
    fn make(self, side: Side, words: &Words) -> isize {
        let at = words[0].as_ptr();
        let (Futex(_, fourth) | Vector(fourth) | Futex2(fourth)) = self;
        let time = match fourth {
            Time(seconds, nanoseconds) => Some(FutexTimespec {
                seconds,
                nanoseconds,
            }),
            Count(_) => None,
        };
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        match self {
            // SAFETY: the word outlives the call, and the timespec is read before.
            Futex(op, _) => unsafe { Call(A, op, 7, fourth, Null, ANY).make(side, words) },
            // SAFETY: entry, word and timespec live.
            Vector(_) => unsafe { side.waitv(&FutexWaitv::new(at, 7), 1, 0, time, 1) },
            // SAFETY: word and timespec live.
            Futex2(_) => unsafe { side.futex2_wait(at, (7, 1), U32, time, 1) },
        }
    }

    fn is_known(self, side: Side) -> bool {
        matches!(self, Futex(..)) || side.has_futex2()
    }
}

/// What it shows, the wait, and whether it goes on after a handler with SA_RESTART: in the kernel,
/// in a table.
type Case = (&'static str, Wait, [bool; 2]);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("wait", Futex(WAIT, NONE), [true, true]),
    ("wait, for a time", Futex(WAIT, Time(LATE, 0)), [false, false]),
    ("wait bitset", Futex(WAIT_BITSET, NONE), [true, true]),
    ("wait bitset, the wall clock, for ever", Futex(WAIT_BITSET | REALTIME, NONE), [true, true]),
    ("wait bitset, until a time", Futex(WAIT_BITSET, Time(LATE, 0)), [false, false]),
    ("wait bitset, the wall clock", Futex(WAIT_BITSET | REALTIME, Time(LATE, 0)), [false, false]),
    ("waitv", Vector(NONE), [true, true]),
    ("futex2 wait", Futex2(NONE), [true, true]),
    // What differs: a table sleeps by one call that the kernel does not go on with.
    ("waitv, until a time", Vector(Time(LATE, 0)), [true, false]),
    ("futex2 wait, until a time", Futex2(Time(LATE, 0)), [true, false]),
];

fn begin() {
    handle(ENDING, count, 0);
    handle(RESTARTING, count, libc::SA_RESTART);
}

fn words() -> &'static Words {
    leak(VALUES.map(Into::into))
}

fn waiting(side: Side, wait: Wait, words: &'static Words) -> Target<isize> {
    // From the moment that a target can be named it sleeps in nothing else.
    Target::asleep(move || wait.make(side, words), || true)
}

fn wake(side: Side, at: At, words: &Words) -> isize {
    // SAFETY: a wake reads no word.
    unsafe { Call(at, WAKE, ALL, NONE, Null, 0).make(side, words) }
}

fn move_all(side: Side, words: &Words) -> isize {
    // SAFETY: nothing is compared.
    unsafe { Call(A, REQUEUE, 0, Count(ALL), B, 0).make(side, words) }
}

#[test]
fn handlers_that_end_a_wait() {
    let _watchdog = watchdog("handlers_that_end_a_wait");
    begin();
    for (name, wait, restarts) in CASES {
        for side in sides().into_iter().filter(|side| wait.is_known(*side)) {
            let goes_on = restarts[usize::from(!matches!(side, Side::Kernel))];
            for signal in [ENDING, RESTARTING] {
                let (name, words) = (format!("{name}, {}, {signal}", side.name()), words());
                let target = waiting(side, *wait, words);
                if goes_on && signal == RESTARTING {
                    for _ in 0..3 {
                        target.interrupt(signal);
                        assert!(!target.has_ended(), "{name}");
                    }
                    assert_eq!(wake(side, A, words), 1, "{name}");
                    assert_eq!(target.join(), 0, "{name}");
                } else {
                    while !target.has_ended() {
                        target.interrupt(signal);
                    }
                    assert_eq!(target.join(), EINTR, "{name}");
                    assert_eq!(wake(side, A, words), 0, "{name}");
                }
            }
        }
    }
}

/// Who was moved leaves the queue of the target.
#[test]
fn a_moved_waiter_ends_by_a_signal() {
    let _watchdog = watchdog("a_moved_waiter_ends_by_a_signal");
    begin();
    for side in sides() {
        for fourth in [NONE, Time(LATE, 0)] {
            let (name, words) = (side.name(), words());
            let target = waiting(side, Futex(WAIT, fourth), words);
            assert_eq!(move_all(side, words), 1, "{name}");
            while !target.has_ended() {
                target.interrupt(ENDING);
            }
            assert_eq!(target.join(), EINTR, "{name}");
            let left = [A, B].map(|at| wake(side, at, words));
            assert_eq!(left, [0, 0], "{name}");
        }
    }
}

/// What differs: the kernel makes the call anew, so that the waiter is queued where it was at
/// first, behind the others, if the value is still the same; in a table it keeps its place.
#[test]
fn a_wait_that_goes_on_keeps_its_place_in_a_table() {
    let _watchdog = watchdog("a_wait_that_goes_on_keeps_its_place_in_a_table");
    begin();
    for side in sides() {
        let (name, is_table) = (side.name(), !matches!(side, Side::Kernel));

        let moved = words();
        let target = waiting(side, Futex(WAIT, NONE), moved);
        assert_eq!(move_all(side, moved), 1, "{name}");
        target.interrupt(RESTARTING);
        let woken = [A, B].map(|at| wake(side, at, moved));
        assert_eq!(woken, if is_table { [0, 1] } else { [1, 0] }, "{name}");
        assert_eq!(target.join(), 0, "{name}");

        let changed = words();
        let target = waiting(side, Futex(WAIT, NONE), changed);
        changed[0].store(8, Ordering::SeqCst);
        target.interrupt(RESTARTING);
        assert_eq!(wake(side, A, changed), isize::from(is_table), "{name}");
        assert_eq!(target.join(), if is_table { 0 } else { EAGAIN }, "{name}");
    }
}

/// Who waits for a lock that is handed over, or to be moved to one, goes on after any handler: the
/// kernel makes the call anew, a table keeps it in its place.
#[test]
fn no_handler_ends_a_locker() {
    let _watchdog = watchdog("no_handler_ends_a_locker");
    begin();
    let on = |at, op, fourth| Call(at, op, 7, fourth, B, 7);
    for side in sides() {
        for time in [NONE, Time(LATE, 0)] {
            let (name, words) = (side.name(), words());
            words[1].store(0, Ordering::SeqCst);
            // SAFETY: the words are never freed, and read only where they are.
            let make = move |call: Call| unsafe { call.make(side, words) };
            assert_eq!(make(on(B, LOCK_PI, NONE)), 0, "{name}");
            let waits = [on(B, LOCK_PI, time), on(A, WAIT_REQUEUE_PI, time)];
            let targets = waits.map(|call| {
                let target = Target::asleep(move || (make(call), make(UNLOCK)), || true);
                for signal in [ENDING, RESTARTING] {
                    target.interrupt(signal);
                    assert!(!target.has_ended(), "{name}");
                }
                target
            });
            let moving = Call(A, CMP_REQUEUE_PI, 1, Count(0), B, 7);
            assert_eq!(make(moving), 1, "{name}");
            assert_eq!(make(UNLOCK), 0, "{name}");
            assert_eq!(targets.map(Target::join), [(0, 0); 2], "{name}");
        }
    }
}
const UNLOCK: Call = Call(B, UNLOCK_PI, 0, NONE, Null, 0);

/// How often the waits of all threads ended, by a wake and by a signal.
#[derive(Default)]
struct Ended {
    woken: AtomicUsize,
    interrupted: AtomicUsize,
    is_over: AtomicBool,
}

impl Ended {
    fn wait(&self, side: Side, wait: Wait, words: &Words) {
        while !self.is_over.load(Ordering::SeqCst) {
            let count = match wait.make(side, words) {
                0 => &self.woken,
                EINTR => &self.interrupted,
                other => panic!("a wait ends as {other}, {}", side.name()),
            };
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Wakes, requeues and signals at once: so many waits say that they were woken as were counted.
#[test]
fn counted_as_woken_is_never_interrupted() {
    let _watchdog = watchdog("counted_as_woken_is_never_interrupted");
    begin();
    for side in sides() {
        let (words, ended) = (words(), leak(Ended::default()));
        let waits = [
            Futex(WAIT, NONE),
            Futex(WAIT, Time(LATE, 0)),
            Futex(WAIT_BITSET, Time(LATE, 0)),
            Vector(NONE),
        ];
        let targets: Vec<_> = waits
            .into_iter()
            .filter(|wait| wait.is_known(side))
            .map(|wait| Target::started(move || ended.wait(side, wait, words)))
            .collect();
        let mut counted = 0;
        let wake_one = |at| {
            // SAFETY: a wake reads no word.
            unsafe { Call(at, WAKE, 1, NONE, Null, 0).make(side, words) }
        };
        let mut round = 0;
        until("enough waits have ended both ways", || {
            targets[round % targets.len()].signal(ENDING);
            if round % 3 == 0 {
                move_all(side, words);
            }
            counted += wake_one(A) + wake_one(B);
            round += 1;
            let woken = ended.woken.load(Ordering::SeqCst);
            woken >= 3_000 && ended.interrupted.load(Ordering::SeqCst) >= 300
        });
        ended.is_over.store(true, Ordering::SeqCst);
        until("all have come to their end", || {
            counted += wake(side, A, words) + wake(side, B, words);
            targets.iter().all(Target::has_ended)
        });
        targets.into_iter().for_each(Target::join);
        let woken = ended.woken.load(Ordering::SeqCst) as isize;
        assert_eq!(woken, counted, "{}", side.name());
    }
}
