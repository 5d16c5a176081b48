//! Stories of fork: the child has one thread, and a table full of threads that it does not have.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/forked.rs"]
mod forked;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use common::spied::{Spied, Spy};
use common::{FOREVER, Numbers, Waiting, leak, nest, sleepy, soon, until, watchdog};
use forked::{end, fork, in_child};
use slotpark_core::{Filter, ParkOptions, Parked, Platform, RequeueOptions, Table};

type Forked = Table<u64, Spied>;

const ALL: usize = usize::MAX;
/// Keys are their own hashes: in a table of two slots the even ones meet, and the odd ones.
const KEYS: [u64; 4] = [0, 1, 2, 3];

/// What a child does first.
fn reset(table: &Forked) {
    // SAFETY: a child of a fork has one thread; none of these stories forks in a closure that runs
    // under a slot lock.
    unsafe { table.reset_after_fork() };
}

fn all() -> RequeueOptions {
    RequeueOptions {
        move_max: ALL,
        ..RequeueOptions::default()
    }
}

fn yes() -> Result<bool, ()> {
    Ok(true)
}

/// Nobody is announced, queued or asleep here, no lock is held, and everything works.
fn assert_clean(table: &Forked, spy: &'static Spy) {
    spy.follow();
    assert_nobody(table, spy);
    for key in KEYS {
        assert_eq!(table.park(key, &key, FOREVER, || false), Parked::Stale);
        let mut looks = 0;
        let changed_meanwhile = || {
            looks += 1;
            looks < 2
        };
        let parked = table.park(key, &key, FOREVER, changed_meanwhile);
        assert_eq!((parked, looks), (Parked::Stale, 2));
        times_out(table, key);
        if Spied::GROUP_SLEEP {
            assert_eq!(
                spy.bits(),
                1,
                "the first sleeper of a slot has its first bit"
            );
        }
        let to = (key + 1) % 4;
        let outcomes = nest(table, (key, key), 3, &mut || {
            assert_eq!((table.waiters(key, &key), table.waiters(to, &to)), (3, 0));
            assert_eq!(table.unpark(key, &key, 1, 5), 1);
            let moved = table.requeue((key, &key), (to, &to), all(), yes);
            assert_eq!(moved.map(|done| done.map(|done| done.moved)), Ok(Some(2)));
            assert_eq!(table.unpark(key, &key, ALL, 6), 0);
            assert_eq!(table.unpark(to, &to, ALL, 7), 2);
        });
        assert_eq!(outcomes, [5, 7, 7].map(|token| Parked::Woken { token }));
    }
    assert_nobody(table, spy);
}

/// A wake finds out without a lock that nobody is there.
fn assert_nobody(table: &Forked, spy: &Spy) {
    let locks = spy.locks();
    for key in KEYS {
        assert_eq!(table.waiters(key, &key), 0);
        assert_eq!(table.unpark(key, &key, ALL, 0), 0);
    }
    assert_eq!(spy.locks(), locks, "somebody is announced");
}

/// A wait that was queued and slept ends by its deadline. On a busy machine a deadline may pass
/// before the wait is queued.
fn times_out(table: &Forked, key: u64) {
    let timeouts = || table.slot_stats(table.slot_index(key)).timeouts;
    let before = timeouts();
    while timeouts() == before {
        let options = ParkOptions::new().deadline(soon(Duration::from_micros(500)));
        let parked = table.park(key, &key, options, || true);
        assert_eq!(parked, Parked::TimedOut);
    }
}

/// Holds the slot lock of key 0, or both locks, while its argument runs.
type Hold = fn(&Forked, &dyn Fn());

/// Each with the number of waiters of key 2 that it wakes.
const HOLDERS: [(Hold, usize); 3] = [(validate_holds, 0), (policy_holds, 1), (requeue_holds, 0)];

fn validate_holds(table: &Forked, block: &dyn Fn()) {
    let mut looks = 0;
    let validate = || {
        looks += 1;
        if looks == 2 {
            block();
        }
        looks < 2
    };
    assert_eq!(table.park(0, &0, FOREVER, validate), Parked::Stale);
}

/// One waiter is chosen, and nobody will release it in the child.
fn policy_holds(table: &Forked, block: &dyn Fn()) {
    let policy = |_| {
        block();
        9
    };
    let woken = table.unpark_with(2, &2, 1, |_| Filter::Unpark, policy);
    assert_eq!(woken, 1);
}

fn requeue_holds(table: &Forked, block: &dyn Fn()) {
    let validate = || {
        block();
        Ok::<_, ()>(false)
    };
    assert_eq!(table.requeue((0, &0), (1, &1), all(), validate), Ok(None));
}

/// The parent at the moment of the fork.
struct Parent {
    table: &'static Forked,
    waiting: Vec<Waiting>,
    is_over: &'static AtomicBool,
    holder: JoinHandle<()>,
    contender: JoinHandle<usize>,
    /// How many waiters of key 2 the holder wakes.
    woken: usize,
}

impl Parent {
    /// Both slots have sleepers; slot 0, of several keys. Its lock is held and slept for.
    fn new((hold, woken): (Hold, usize)) -> Self {
        let table = sleepy::<Spied>(2);
        let waiting = [0, 0, 2, 2, 1, 3];
        let waiting = waiting.map(|key| Waiting::asleep(table, (key, key), FOREVER));
        let (is_held, is_over) = (leak(AtomicBool::new(false)), leak(AtomicBool::new(false)));
        let holder = std::thread::spawn(move || {
            hold(table, &|| {
                is_held.store(true, Ordering::Release);
                while !is_over.load(Ordering::Acquire) {
                    std::thread::yield_now();
                }
            });
        });
        until("a slot lock is held", || is_held.load(Ordering::Acquire));
        let spy = leak(Spy::default());
        let contender = std::thread::spawn(move || {
            spy.follow();
            table.unpark(0, &0, 1, 8)
        });
        until("a slot lock is slept for", || spy.lock_sleeps() > 0);
        Self {
            table,
            waiting: waiting.into(),
            is_over,
            holder,
            contender,
            woken,
        }
    }

    /// The fork has done the parent no harm.
    fn end(self) {
        self.is_over.store(true, Ordering::Release);
        self.holder.join().expect("the holder's checks held");
        assert_eq!(self.contender.join().expect("no panic"), 1);
        let woken = KEYS.map(|key| self.table.unpark(key, &key, ALL, 9));
        let tokens: Vec<_> = self.waiting.into_iter().map(Waiting::token).collect();
        assert_eq!(tokens, [8, 9, 9, 9, 9, 9]);
        assert_eq!(woken, [1, 1, 2 - self.woken, 1]);
    }
}

/// parking_lot #515: 18 of 20 children hang, since their parent's other threads held locks that
/// nobody gives back.
#[test]
fn fork_child_starts_clean() {
    let _watch = watchdog("fork_child_starts_clean");
    for hold in HOLDERS {
        let parent = Parent::new(hold);
        let (table, spy) = (parent.table, leak(Spy::default()));
        in_child(|| {
            reset(table);
            assert_clean(table, spy);
            // And the child's own child, though the parent has no other thread now.
            in_child(|| {
                reset(table);
                assert_clean(table, spy);
            });
        });
        parent.end();
    }
}

/// The same with threads that the child starts: they sleep and wake each other, and contend.
#[test]
fn fork_child_starts_threads() {
    let _watch = watchdog("fork_child_starts_threads");
    let parent = Parent::new(HOLDERS[1]);
    let table = parent.table;
    in_child(|| {
        reset(table);
        std::thread::scope(|scope| {
            let waits = KEYS.map(|key| {
                let waits = scope.spawn(move || table.park(key, &key, FOREVER, || true));
                (key, waits)
            });
            for (key, waits) in waits {
                while table.waiters(key, &key) == 0 {
                    std::thread::yield_now();
                }
                assert_eq!(table.unpark(key, &key, ALL, key), 1);
                let outcome = waits.join().expect("a wait does not panic");
                assert_eq!(outcome, Parked::Woken { token: key });
            }
        });
    });
    parent.end();
}

/// Many forks at any moment of what other threads do: wait, time out, wake, requeue.
#[test]
fn fork_child_starts_clean_at_any_moment() {
    let _watch = watchdog("fork_child_starts_clean_at_any_moment");
    let table = sleepy::<Spied>(2);
    let is_over = leak(AtomicBool::new(false));
    let threads: Vec<_> = (0..4)
        .map(|seed| {
            std::thread::spawn(move || {
                let mut numbers = Numbers::new(seed);
                while !is_over.load(Ordering::Relaxed) {
                    step(table, &mut numbers);
                }
            })
        })
        .collect();
    let spy = leak(Spy::default());
    for _ in 0..200 {
        in_child(|| {
            reset(table);
            assert_clean(table, spy);
        });
    }
    is_over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("no step panics");
    }
    // The parent's waits have all ended: its own table is as clean as a child's.
    assert_clean(table, spy);
}

fn step(table: &Forked, numbers: &mut Numbers) {
    let (key, to) = (numbers.below(4), numbers.below(4));
    let deadline = soon(Duration::from_micros(1 + numbers.below(100)));
    let options = ParkOptions::new().deadline(deadline);
    let _parked = table.park(key, &key, options, || true);
    let _woken = table.unpark(to, &to, 1, 0);
    let _moved = table.requeue((key, &key), (to, &to), all(), yes);
    let _woken = table.unpark_with(key, &key, 2, |_| Filter::Unpark, |_| 0);
}

/// A wait forks in its own `before_sleep`, with neighbours in its queue that the child has not. In
/// the child it is in no queue, and ends as closed; so does the wait around it.
#[test]
fn fork_in_before_sleep() {
    let _watch = watchdog("fork_in_before_sleep");
    let spy = leak(Spy::default());
    for panics in [false, true] {
        let table = sleepy::<Spied>(2);
        let (is_child, has_left) = (Cell::new(false), Cell::new(false));
        let older = Waiting::asleep(table, (0, 0), FOREVER);
        let mut younger = None;
        let mut fork_here = || {
            younger = Some([0, 2].map(|key| Waiting::asleep(table, (key, key), FOREVER)));
            if let Some(child) = fork() {
                child.assert_good();
                assert_eq!(table.unpark(0, &0, ALL, 7), 3);
                return;
            }
            is_child.set(true);
            reset(table);
            spy.follow();
            assert_nobody(table, spy);
            if panics {
                // Quietly: the hook of loud panics is none of the child's business.
                resume_unwind(Box::new("before sleep"));
            }
        };
        let options = ParkOptions::new().deadline(soon(Duration::from_millis(300)));
        let leave = |_| has_left.set(true);
        let inner = || table.park_with(0, &0, options, yes, &mut fork_here, leave);
        let mut ended = None;
        let outer = || {
            let catch = || ended = Some(catch_unwind(AssertUnwindSafe(inner)).ok());
            table.park_with(1, &1, options, yes, catch, |_| has_left.set(true))
        };
        let outer = outer();
        if is_child.get() {
            end(|| {
                assert_eq!(outer, Ok(Parked::Closed));
                let expected = (!panics).then_some(Ok(Parked::Closed));
                assert_eq!(ended, Some(expected));
                assert!(!has_left.get(), "it was in no queue of this process");
                assert_clean(table, spy);
            });
        }
        assert_eq!(ended, Some(Some(Ok(Parked::Woken { token: 7 }))));
        assert_eq!(outer, Ok(Parked::TimedOut));
        assert!(has_left.get(), "the outer wait of the parent left");
        let [same_key, other_key] = younger.expect("it ran");
        assert_eq!((older.token(), same_key.token()), (7, 7));
        assert_eq!(table.unpark(2, &2, ALL, 8), 1);
        assert_eq!(other_key.token(), 8);
    }
}
