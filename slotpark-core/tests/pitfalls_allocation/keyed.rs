//! Keyed locks. A place of the pool is made with the lock; a full pool allocates, and says so.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark_core::{
    Condition, ConditionOutcome, Deadline, Detail, HoldOptions, Inspect, KeyedLock, KeyedOptions,
    Kind, Merge, Preference, Seen, Wanted, WhenFull, finalize, set_detail,
};

use super::{allocated, ignore};

type Lock = KeyedLock<u64>;
type Operation = (&'static str, fn(&Lock));

const ONE: HoldOptions = HoldOptions::new(1);
const TWO: HoldOptions = HoldOptions::new(2);
const AT: u64 = 1;

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

const MADE: [&str; 4] = [
    "keyed/lock::new",
    "keyed/lock::with_options",
    "keyed/look::with_kinds",
    "keyed/look::with_key_text",
];

/// On locks of capacity 2, of which nobody holds or awaits anything.
const OPERATIONS: [Operation; 40] = [
    ("keyed/lock::capacity", |lock| ignore(lock.capacity())),
    ("keyed/lock::slot_count", |lock| ignore(lock.slot_count())),
    ("keyed/lock::memory_bytes", |lock| {
        ignore(lock.memory_bytes());
    }),
    ("keyed/lock::pool_stats", |lock| ignore(lock.pool_stats())),
    ("keyed/lock::reset_after_fork", |lock| {
        // SAFETY: the contract of the test: nobody else uses this lock.
        unsafe { lock.reset_after_fork() };
    }),
    ("keyed/lock::held", |lock| {
        assert_eq!(lock.with(AT, &7, ONE, || lock.held(AT, &7)), Ok(1));
    }),
    ("keyed/lock::label", |lock| {
        let labelled = lock.with(AT, &7, ONE.label("me"), || lock.label(AT, &7));
        assert_eq!(labelled, Ok(Some("me")));
    }),
    ("keyed/lock::waiters", |lock| {
        assert_eq!(lock.waiters(AT, &7), 0);
    }),
    ("keyed/options::new", |_| {
        ignore((KeyedOptions::new(), HoldOptions::new(1)));
    }),
    ("keyed/options::slots", |_| {
        ignore(KeyedOptions::new().slots(64));
    }),
    ("keyed/options::pool", |_| {
        ignore(KeyedOptions::new().pool(1, WhenFull::Fail));
    }),
    ("keyed/options::called_from", |_| {
        ignore(ONE.called_from(std::panic::Location::caller()));
    }),
    ("keyed/options::preference", |_| {
        ignore(KeyedOptions::new().preference(Preference::Fifo));
    }),
    ("keyed/options::default_preference", |_| {
        ignore(KeyedOptions::new().default_preference(Preference::Fifo));
    }),
    ("keyed/options::label", |_| ignore(ONE.label("me"))),
    ("keyed/options::deadline", |_| {
        ignore(ONE.deadline(Some(Deadline::PAST)));
    }),
    ("keyed/thread::with", |lock| {
        assert_eq!(lock.with(AT, &7, ONE, || 1), Ok(1));
    }),
    ("keyed/thread::try_with", |lock| {
        let inner = || lock.try_with(AT, &7, TWO, || 1).is_err();
        assert_eq!(lock.try_with(AT, &7, ONE, inner), Ok(true));
    }),
    ("keyed/thread::hold", |lock| {
        let guards = [0, 1].map(|_| lock.hold(AT, 7, ONE).expect("there are two"));
        let past = ONE.deadline(Some(Deadline::PAST));
        assert!(lock.hold(AT, 7, past).is_err());
        drop(guards);
    }),
    ("keyed/thread::try_hold", |lock| {
        assert!(lock.try_hold(AT, 7, TWO).is_ok());
    }),
    ("keyed/task::hold_async", |lock| {
        let guard = lock.try_hold(AT, 7, TWO);
        let mut first = pin!(lock.hold_async(AT, 7, ONE));
        let mut second = pin!(lock.hold_async(AT, 7, ONE));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        drop(guard);
        assert!(matches!(poll(first), Poll::Ready(Ok(_))));
    }),
    ("keyed/guard::key", |lock| {
        ignore(lock.try_hold(AT, 7, ONE).map(|guard| *guard.key()));
    }),
    ("keyed/guard::hash", |lock| {
        ignore(lock.try_hold(AT, 7, ONE).map(|guard| guard.hash()));
    }),
    ("keyed/guard::lock", |lock| {
        ignore(
            lock.try_hold(AT, 7, ONE)
                .map(|guard| guard.lock().held(AT, &7)),
        );
    }),
    ("keyed/guard::shrink", |lock| {
        let mut guard = lock.try_hold(AT, 7, TWO).expect("it is free");
        let mut hold = pin!(lock.hold_async(AT, 7, ONE));
        assert!(poll(hold.as_mut()).is_pending());
        guard.shrink(1);
        assert!(poll(hold).is_ready());
    }),
    ("keyed/grow::try_grow", |lock| {
        let mut guard = lock.try_hold(AT, 7, ONE).expect("it is free");
        assert!(guard.try_grow(1) && !guard.try_grow(1));
    }),
    ("keyed/grow::grow", |lock| {
        let mut guards = [0, 1].map(|_| lock.try_hold(AT, 7, ONE).expect("there are two"));
        let soon =
            Deadline::after::<slotpark_core::DefaultPlatform>(super::Duration::from_micros(200));
        assert!(guards[0].grow(1, soon).is_err());
    }),
    ("keyed/grow::grow_async", |lock| {
        let mut guard = lock.try_hold(AT, 7, ONE).expect("it is free");
        let other = lock.try_hold(AT, 7, ONE).expect("there are two");
        let mut grow = pin!(guard.grow_async(1));
        assert!(poll(grow.as_mut()).is_pending());
        drop(other);
        assert!(poll(grow).is_ready());
    }),
    ("keyed/grow::called_from", |lock| {
        let mut guard = lock.try_hold(AT, 7, ONE).expect("it is free");
        let grow = guard.grow_async(1);
        ignore(grow.called_from(std::panic::Location::caller()));
    }),
    ("keyed/guard::amount", |lock| {
        ignore(lock.try_hold(AT, 7, TWO).map(|guard| guard.amount()));
    }),
    ("keyed/condition::new", |_| ignore(Condition::new())),
    ("keyed/condition::wait", |lock| {
        let guard = lock.try_hold(AT, 7, TWO).expect("it is free");
        let (_guard, outcome) = guard.wait(&CHANGED, Some(Deadline::PAST));
        assert_eq!(outcome, ConditionOutcome::TimedOut);
    }),
    ("keyed/condition_task::wait_async", |lock| notified(lock, 1)),
    ("keyed/condition::notify", |lock| {
        notified(lock, usize::MAX);
    }),
    ("keyed/condition::condition_waiters", |lock| {
        assert_eq!(lock.condition_waiters(AT, &7, &CHANGED), 0);
    }),
    ("keyed/many/wanted::new", |_| ignore(wanted())),
    ("keyed/many/mod::hold_many", |lock| {
        let held = lock.hold_many(wanted(), Merge::Max, None);
        assert_eq!(held.map(|held| held.keys().count()), Ok(2));
    }),
    ("keyed/many/mod::keys", |lock| {
        let held = lock.hold_many(wanted(), Merge::Sum, None);
        assert_eq!(held.map(|held| held.keys().sum::<u64>()), Ok(15));
    }),
    ("keyed/many/mod::try_hold_many", |lock| {
        let _guard = lock.try_hold(AT, 7, TWO);
        assert!(lock.try_hold_many(wanted(), Merge::Max).is_err());
    }),
    ("keyed/many/task::hold_many_async", |lock| {
        let guard = lock.try_hold(AT, 7, TWO);
        let mut hold = pin!(lock.hold_many_async(wanted(), Merge::Max).expect("places"));
        assert!(poll(hold.as_mut()).is_pending());
        drop(guard);
        assert!(matches!(poll(hold), Poll::Ready(Ok(_))));
    }),
];

static CHANGED: Condition = Condition::new();

/// Two keys, one of them twice.
fn wanted() -> [Wanted<u64>; 3] {
    [7, 8, 7].map(|key| Wanted::new(key - 6, key, 1))
}

/// Waits for a condition, and is notified.
fn notified(lock: &Lock, count: usize) {
    let guard = lock.try_hold(AT, 7, TWO).expect("it is free");
    let mut wait = pin!(guard.wait_async(&CHANGED));
    assert!(poll(wait.as_mut()).is_pending());
    assert_eq!(lock.notify(AT, &7, &CHANGED, count), 1);
    assert!(poll(wait).is_ready());
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MADE.into_iter().chain(OPERATIONS.map(|(name, _)| name))
}

/// A lock is two allocations, its slots and its places, which are given back.
#[test]
fn every_keyed_lock_is_two_allocations() {
    let mut lock = None;
    let (made, bytes) = allocated(|| lock = Some(Lock::new(2)));
    assert_eq!(made, 2, "{}", MADE[0]);
    let counted = lock.as_ref().map(Lock::memory_bytes);
    assert_eq!(counted, usize::try_from(bytes).ok());
    let mut plain = lock.take();
    let add = || lock = plain.take().map(|plain| plain.with_kinds(|_| Kind::Lock));
    assert_eq!(allocated(add), (0, 0), "{}", MADE[2]);
    let mut plain = lock.take();
    let add = || lock = plain.take().map(Lock::with_key_text);
    assert_eq!(allocated(add), (0, 0), "{}", MADE[3]);
    let held = lock.as_ref().map(|lock| lock.hold(AT, 7, ONE));
    let look = || {
        let mut seen = [Seen::default()];
        assert_eq!(lock.as_ref().map(|lock| lock.look(1, &mut seen)), Some(1));
        assert_eq!(seen[0].key.map(|text| text.as_str() == "7"), Some(true));
    };
    assert_eq!(allocated(look), (0, 0), "a look");
    drop(held);
    assert_eq!(allocated(|| drop(lock.take())), (2, -bytes));
    let options = KeyedOptions::new().slots(0);
    let refused = || assert!(Lock::with_options(1, options).is_err());
    assert_eq!(allocated(refused), (0, 0), "{}", MADE[1]);
}

#[test]
fn every_operation_on_keyed_locks_allocates_nothing() {
    for preference in [Preference::Fifo, Preference::PhaseFair, Preference::Barging] {
        let options = KeyedOptions::new().preference(preference);
        let lock = Lock::with_options(2, options.pool(8, WhenFull::Fail)).expect("not absurd");
        // The first wait of a thread may make the thread's handle.
        ignore(std::thread::current());
        let details = [Detail::Off, Detail::Full];
        for (detail, (name, operation)) in details.map(|at| OPERATIONS.map(|op| (at, op))).concat()
        {
            set_detail(detail);
            assert_eq!(
                allocated(|| operation(&lock)),
                (0, 0),
                "{name} {preference:?}"
            );
            assert_eq!(lock.pool_stats().taken, 0, "{name} {preference:?}");
        }
        set_detail(Detail::Off);
    }
    let full = KeyedOptions::new().pool(0, WhenFull::Allocate);
    let lock = Lock::with_options(1, full).expect("not absurd");
    let mut guard = None;
    let (made, bytes) = allocated(|| guard = lock.try_hold(finalize(7), 7, ONE).ok());
    assert_eq!(made, 1, "a full pool allocates");
    assert_eq!(allocated(|| drop(guard.take())), (1, -bytes));
}
