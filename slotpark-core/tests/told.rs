//! What a sink is told: how each wait ended, and of locks by key from their asking on.

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::bells::{Bell, poll};
use common::{FOREVER, Waiting, leak, until, watchdog};
use slotpark_core::{
    Detail, Held, HoldOptions, Inspect, KeyedLock, KeyedOptions, Locking, Merge, Parked,
    Preference, Sink, Table, WaitEnd, Waited, set_detail, set_sink,
};

const KEY: (u64, u64) = (1, 7);

/// The level is the whole process's: one test at a time.
struct Level(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

fn at(detail: Detail) -> Level {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_detail(detail);
    // Addresses come again, and with them the ids of tables.
    waits().clear();
    locking().clear();
    Level(guard)
}

impl Drop for Level {
    fn drop(&mut self) {
        set_detail(Detail::Off);
    }
}

/// Remembers what it is told.
struct Ear;

impl Sink for Ear {
    fn waited(&self, waited: &Waited) {
        waits().push(*waited);
    }

    fn held(&self, held: &Held) {
        locking().push(Lock::GaveUp(*held));
    }

    fn asks(&self, lock: &Locking) {
        locking().push(Lock::Asked(*lock));
    }

    fn holds(&self, lock: &Locking) {
        locking().push(Lock::Came(*lock));
    }
}

fn listen() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| assert!(set_sink(&Ear)));
}

fn waits() -> MutexGuard<'static, Vec<Waited>> {
    static WAITS: Mutex<Vec<Waited>> = Mutex::new(Vec::new());
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn waits_of(table: &dyn Inspect) -> Vec<Waited> {
    let id = table.table_id();
    let mut all = waits();
    let (mine, others) = all.drain(..).partition(|waited| waited.table == id);
    *all = others;
    mine
}

/// What is told of a lock by key, in its order.
#[derive(Clone, Copy, Debug)]
enum Lock {
    Asked(Locking),
    Came(Locking),
    GaveUp(Held),
}

impl Lock {
    fn table(&self) -> u64 {
        match self {
            Self::Asked(lock) | Self::Came(lock) => lock.table,
            Self::GaveUp(held) => held.table,
        }
    }
}

fn locking() -> MutexGuard<'static, Vec<Lock>> {
    static LOCKING: Mutex<Vec<Lock>> = Mutex::new(Vec::new());
    LOCKING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn locking_of(table: &impl Inspect) -> Vec<Lock> {
    let id = table.table_id();
    let mut all = locking();
    let (mine, others) = all.drain(..).partition(|lock| lock.table() == id);
    *all = others;
    mine
}

/// However a wait ends, it is told once: also of futures that nobody polls any more.
#[test]
fn a_sink_is_told_how_waits_ended() {
    let _watchdog = watchdog("a_sink_is_told_how_waits_ended");
    listen();
    for detail in [Detail::Off, Detail::Counters, Detail::Timing] {
        let _level = at(detail);
        let table = leak(Table::<u64>::with_slots(4));
        let bell = Bell::new();
        let told = |name: &str, hash: u64, end: WaitEnd| {
            let told = waits_of(table);
            if detail == Detail::Off {
                assert!(told.is_empty(), "{name}: {told:?}");
                return;
            }
            assert_eq!(told.len(), 1, "{name}: {told:?}");
            let one = told[0];
            assert_eq!((one.hash, one.end), (hash, end), "{name}");
            let timed = detail >= Detail::Timing;
            assert_eq!(one.waited_ns.is_some(), timed, "{name}");
            let has_run = timed && end == WaitEnd::Woken;
            assert_eq!(one.wake_to_run_ns.is_some(), has_run, "{name}");
        };
        let queued = |hash| {
            let mut wait = Box::pin(table.wait_async(hash, 7, FOREVER, || true));
            assert!(poll(wait.as_mut(), &bell).is_pending());
            wait
        };
        drop(queued(1));
        told("a dropped future", 1, WaitEnd::Cancelled);
        let chosen = queued(2);
        assert_eq!(table.unpark(2, &7, 1, 0), 1);
        drop(chosen);
        told("dropped after a wake", 2, WaitEnd::Cancelled);
        assert_eq!(queued(3).as_mut().time_out(), Parked::TimedOut);
        told("a timer", 3, WaitEnd::TimedOut);
        let mut chosen = queued(1);
        assert_eq!(table.unpark(1, &7, 1, 0), 1);
        assert!(chosen.as_mut().time_out().is_woken());
        told("a timer behind a wake", 1, WaitEnd::Woken);
        let mut closed = queued(1);
        assert_eq!(table.close_key(1, &7), 1);
        assert!(poll(closed.as_mut(), &bell).is_ready());
        told("a closed key", 1, WaitEnd::Closed);

        let any = || {
            let keys = [(1, 7), (2, 8)];
            let mut any = Box::pin(table.wait_any_async(keys, FOREVER, None, |_| true));
            assert!(poll(any.as_mut(), &bell).is_pending());
            any
        };
        drop(any());
        told("a dropped wait on two keys", 1, WaitEnd::Cancelled);
        let chosen = any();
        assert_eq!(table.unpark(2, &8, 1, 0), 1);
        drop(chosen);
        told("dropped after a wake of one", 2, WaitEnd::Cancelled);
        assert_eq!(any().as_mut().time_out().parked, Parked::TimedOut);
        told("the timer of two keys", 1, WaitEnd::TimedOut);

        let prepared = table.prepare(1, &7, FOREVER, |_| ());
        assert_eq!(prepared, Ok(()));
        told("a thread that goes again", 1, WaitEnd::Cancelled);
        let waiting = Waiting::queued(table, KEY, FOREVER);
        assert_eq!(table.close_key(KEY.0, &KEY.1), 1);
        assert_eq!(waiting.outcome(), Parked::Closed);
        told("a closed thread", KEY.0, WaitEnd::Closed);
    }
}

/// The futures of what is made of a table are told of, too, when they are dropped.
#[test]
fn a_sink_is_told_of_futures_that_are_dropped() {
    listen();
    let _level = at(Detail::Counters);
    let bell = Bell::new();
    let cancelled = |name: &str, table: &dyn Inspect| {
        let told = waits_of(table);
        let ends: Vec<_> = told.iter().map(|waited| waited.end).collect();
        assert_eq!(ends, [WaitEnd::Cancelled], "{name}");
    };
    macro_rules! dropped {
        ($name:literal, $table:expr, $future:expr) => {
            let mut future = Box::pin($future);
            assert!(poll(future.as_mut(), &bell).is_pending(), $name);
            drop(future);
            cancelled($name, $table);
        };
    }
    let one = HoldOptions::new(1);
    let lock = KeyedLock::<u64>::new(3);
    let mut guard = lock.hold(1, 7, one).expect("free");
    let _other = lock.hold(1, 7, one).expect("free");
    dropped!("more of a key", &lock, guard.grow_async(2));
    dropped!("a key", &lock, lock.hold_async(1, 7, HoldOptions::new(2)));
    let condition = slotpark_core::Condition::new();
    let whole = KeyedLock::<u64>::new(1);
    let guard = whole.hold(1, 7, one).expect("free");
    dropped!("a condition", &whole, guard.wait_async(&condition));
    let latch = slotpark_core::Latch::<u64>::new();
    let _armed = latch.arm(1, 7, 1);
    dropped!("a latch", &latch, latch.wait_async(1, 7));
    let barrier = slotpark_core::Barrier::<u64>::new();
    let mut member = barrier.register(1, 7).expect("a place");
    let _other = barrier.register(1, 7).expect("a place");
    dropped!("a barrier", &barrier, member.wait_async());
    let mailbox = slotpark_core::Mailbox::<u64, u64>::new();
    dropped!("a mailbox", &mailbox, mailbox.receive_async(1, 7, FOREVER));
    let flights = slotpark_core::SingleFlight::<u64, u64>::new();
    let make = std::future::pending::<Result<u64, ()>>;
    let mut leads = pin!(flights.fly_async(1, 7, make()));
    assert!(poll(leads.as_mut(), &bell).is_pending());
    dropped!("a flight", &flights, flights.fly_async(1, 7, make()));
}

/// One key: asked for, held, given up, by one holder; where and by whom.
#[test]
fn a_sink_is_told_of_a_lock_from_its_asking_on() {
    listen();
    for detail in [Detail::Off, Detail::Counters, Detail::Timing] {
        let _level = at(detail);
        let lock = KeyedLock::<u64>::new(1);
        let line = line!() + 1;
        let guard = lock.try_hold(1, 7, HoldOptions::new(1).label("mine"));
        drop(guard);
        let told = locking_of(&lock);
        if detail < Detail::Timing {
            assert!(told.is_empty(), "{told:?}");
            continue;
        }
        let [Lock::Asked(asked), Lock::Came(came), Lock::GaveUp(held)] = told[..] else {
            panic!("{told:?}");
        };
        assert_eq!((asked.hash, asked.label), (1, Some("mine")));
        let at = asked.location;
        assert_eq!((at.file(), at.line()), (file!(), line));
        assert!(!asked.waits && !asked.is_task && asked.task.is_none());
        assert!(asked.thread.is_some());
        assert_eq!((asked.holder, asked.holder), (came.holder, held.holder));
        assert_eq!((asked.thread, asked.thread), (came.thread, held.thread));
    }
}

/// Whatever way a key comes, and whatever becomes of the level meanwhile: what was told to be held
/// is told to be given up, once.
#[test]
fn what_is_told_to_be_held_is_told_to_be_given_up() {
    let _watchdog = watchdog("what_is_told_to_be_held_is_told_to_be_given_up");
    listen();
    let (one, bell) = (HoldOptions::new(1), Bell::new());
    for preference in [Preference::Fifo, Preference::Barging] {
        let _level = at(Detail::Off);
        let options = KeyedOptions::new().preference(preference);
        let lock = leak(KeyedLock::<u64>::with_options(1, options).expect("slots"));
        // Nobody looks: the slots' words decide until somebody has to wait.
        set_detail(Detail::Timing);
        let wanted = |keys: [u64; 3]| keys.map(|key| slotpark_core::Wanted::new(key, key, 1));
        for _ in 0..3 {
            drop(lock.hold_many(wanted([1, 2, 3]), Merge::Max, None));
            drop(lock.try_hold_many(wanted([3, 4, 5]), Merge::Max));
            let many = lock.hold_many_async(wanted([10, 11, 12]), Merge::Max);
            drop(until_ready(pin!(many.expect("places")), &bell));
            let first = lock.hold(6, 6, one).expect("free");
            let waiting = std::thread::spawn(|| drop(lock.hold(6, 6, HoldOptions::new(1))));
            until("a thread waits", || lock.waiters(6, &6) == 1);
            let mut task = Box::pin(lock.hold_async(6, 6, one));
            assert!(poll(task.as_mut(), &bell).is_pending());
            let mut dropped = Box::pin(lock.hold_async(6, 6, one));
            assert!(poll(dropped.as_mut(), &bell).is_pending());
            let many = lock.hold_many(wanted([7, 8, 9]), Merge::Max, None);
            set_detail(Detail::Off);
            drop(many);
            set_detail(Detail::Timing);
            drop(first);
            waiting.join().expect("it holds");
            let held = until_ready(task.as_mut(), &bell);
            drop(held);
            drop(dropped);
            lock.with(6, &6, one, || ()).expect("free");
        }
        let mut holders = std::collections::BTreeMap::<u64, u32>::new();
        let mut came = 0;
        for told in locking_of(lock) {
            match told {
                Lock::Asked(_) => {}
                Lock::Came(lock) => {
                    came += 1;
                    let count = holders.entry(lock.holder).or_default();
                    *count += 1;
                    assert_eq!(*count, 1, "{lock:?} holds already");
                }
                Lock::GaveUp(held) => drop(holders.remove(&held.holder)),
            }
        }
        assert!(holders.is_empty(), "{preference:?}: {holders:?}");
        assert!(came >= 3 * 9, "{came}");
    }
}

fn until_ready<F: Future>(
    mut future: std::pin::Pin<&mut F>,
    bell: &std::sync::Arc<Bell>,
) -> F::Output {
    loop {
        if let std::task::Poll::Ready(output) = poll(future.as_mut(), bell) {
            return output;
        }
        std::thread::yield_now();
    }
}
