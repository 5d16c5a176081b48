//! Where a wait was asked for, as a look shows it: the line of the user's that made the future,
//! never one of this library's. Each form of a wait of a task has its row.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
#[path = "../../slotpark-core/tests/common/sources.rs"]
mod sources;

use std::collections::BTreeSet;
use std::future::{Future, pending};
use std::panic::Location;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use common::{until, watchdog};
use slotpark::core::{Inspect, ParkOptions, Seen, process_table};
use slotpark::{
    Barrier, Detail, EventCounter, KeyedCondvar, KeyedMutex, KeyedNotify, KeyedRwLock,
    KeyedSemaphore, Latch, LockMode, LockOptions, Mailbox, Once, Semaphore, ShardedWait,
    SingleFlight, WaitDomain, set_detail,
};

/// The level is the whole process's, and so is the process-wide table: one test at a time.
fn full() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_detail(Detail::Full);
    guard
}

/// Who waits in a table now.
fn waits(table: &dyn Inspect) -> Vec<Seen> {
    let mut room = [Seen::default(); 16];
    let mut all = Vec::new();
    for slot in 0..table.slot_count() {
        let found = table.look(slot, &mut room);
        all.extend(room[..found].iter().filter(|seen| !seen.holds));
    }
    all
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The rows that were tried.
#[derive(Default)]
struct Tried(BTreeSet<&'static str>);

impl Tried {
    /// Polls a future once: it waits, and says that it was made by the call of this function, or in
    /// the lines of its arguments.
    #[track_caller]
    fn shows(&mut self, name: &'static str, table: &dyn Inspect, future: impl Future) {
        let here = Location::caller();
        let mut future = pin!(future);
        assert!(poll(future.as_mut()).is_pending(), "{name} waits");
        let waits = waits(table);
        assert!(!waits.is_empty(), "{name} is seen");
        for wait in waits {
            let place = wait.location.expect("all is recorded");
            assert_eq!(place.file(), file!(), "{name} shows {place}");
            let lines = here.line()..here.line() + 4;
            assert!(
                lines.contains(&place.line()),
                "{name} shows {place}, not {here}"
            );
        }
        assert!(self.0.insert(name), "{name} has one row");
    }
}

/// A table of its own each time, whose address is nobody else's.
fn free<T: Default>() -> &'static T {
    Box::leak(Box::default())
}

fn waits_and_events(tried: &mut Tried) {
    let yes = || true;
    let waits = &ShardedWait::<u64>::with_slots(4);
    tried.shows("wait/tasks::wait_async", waits, waits.wait_async(7, yes));
    tried.shows(
        "wait/tasks::wait_async_with",
        waits,
        waits.wait_async_with(7, ParkOptions::new(), yes),
    );
    tried.shows(
        "wait/tasks::wait_until_async",
        waits,
        waits.wait_until_async(7, yes, pending()),
    );
    tried.shows(
        "wait/tasks::wait_while_async",
        waits,
        waits.wait_while_async(7, yes),
    );
    tried.shows(
        "wait/tasks::wait_while_until_async",
        waits,
        waits.wait_while_until_async(7, yes, pending()),
    );
    tried.shows(
        "wait/many::wait_any_async",
        waits,
        waits.wait_any_async([7, 8], None, |_| true),
    );
    tried.shows(
        "wait/many::wait_any_until_async",
        waits,
        waits.wait_any_until_async([7, 8], None, |_| true, pending()),
    );
    let events = KeyedNotify::<u64>::new();
    tried.shows("notify::notified", &events, events.notified(7));
    let replies = Mailbox::<u64, u64>::new();
    tried.shows("mailbox::receive_async", &replies, replies.receive_async(7));

    let flights = SingleFlight::<u64, u64>::new();
    let mut leads = pin!(flights.run_async(7, pending()));
    assert!(poll(leads.as_mut()).is_pending());
    tried.shows(
        "flight::run_async",
        &flights,
        flights.run_async(7, pending()),
    );
    tried.shows(
        "flight::try_run_async",
        &flights,
        flights.try_run_async(7, pending::<Result<u64, ()>>()),
    );
}

/// Of one word, whose waiters wait in the process-wide table; of a guest's words; of gates.
fn words_and_gates(tried: &mut Tried) {
    let process = process_table();
    let semaphore = Semaphore::new(0);
    tried.shows(
        "semaphore::acquire_async",
        process,
        semaphore.acquire_async(1),
    );
    let counter = EventCounter::new();
    tried.shows(
        "counter::wait_for_at_least_async",
        process,
        counter.wait_for_at_least_async(1),
    );
    tried.shows(
        "counter::wait_async",
        process,
        counter.prepare().wait_async(),
    );

    let domain = WaitDomain::new();
    let load32 = || Ok::<_, ()>(7);
    let load64 = || Ok::<_, ()>(7);
    tried.shows(
        "domain/tasks::wait32_async",
        process,
        domain.wait32_async(8, 7, load32, pending()),
    );
    tried.shows(
        "domain/tasks::wait64_async",
        process,
        domain.wait64_async(8, 7, load64, pending()),
    );

    let latch = free::<Latch<u64>>();
    let armed = latch.arm(7, 1);
    tried.shows("latch::wait_async", latch, latch.wait_async(7));
    drop(armed);
    let barrier = free::<Barrier<u64>>();
    let (mut first, second) = (barrier.register(7), barrier.register(7));
    tried.shows("barrier::wait_async", barrier, first.wait_async());
    drop(second);
}

fn keyed(tried: &mut Tried) {
    let mutex = free::<KeyedMutex<u64>>();
    let changed = KeyedCondvar::new();
    let guard = mutex.lock(7);
    tried.shows(
        "keyed/condvar::wait_async",
        mutex,
        changed.wait_async(guard),
    );
    let _guard = mutex.lock(7);
    tried.shows("keyed/mutex/locks::lock_async", mutex, mutex.lock_async(7));
    tried.shows(
        "keyed/mutex/locks::lock_async_with",
        mutex,
        mutex.lock_async_with(7, LockOptions::new()),
    );
    tried.shows(
        "keyed/many/mutex::lock_many_async",
        mutex,
        mutex.lock_many_async([7, 8]),
    );

    let permits = &KeyedSemaphore::<u64>::new(1);
    let _permit = permits.acquire(7);
    tried.shows(
        "keyed/semaphore/acquires::acquire_async",
        permits,
        permits.acquire_async(7, 1),
    );
    tried.shows(
        "keyed/semaphore/acquires::acquire_async_with",
        permits,
        permits.acquire_async_with(7, 1, LockOptions::new()),
    );
    tried.shows(
        "keyed/many/semaphore::acquire_keys_async",
        permits,
        permits.acquire_keys_async([(7, 1)]),
    );
}

fn readers_and_writers(tried: &mut Tried) {
    let lock = free::<KeyedRwLock<u64>>();
    let writer = lock.write(7);
    tried.shows("keyed/rwlock/reads::read_async", lock, lock.read_async(7));
    tried.shows(
        "keyed/rwlock/reads::read_async_with",
        lock,
        lock.read_async_with(7, LockOptions::new()),
    );
    tried.shows(
        "keyed/rwlock/writes::write_async",
        lock,
        lock.write_async(7),
    );
    tried.shows(
        "keyed/rwlock/writes::write_async_with",
        lock,
        lock.write_async_with(7, LockOptions::new()),
    );
    tried.shows(
        "keyed/rwlock/upgradables::upgradable_read_async",
        lock,
        lock.upgradable_read_async(7),
    );
    tried.shows(
        "keyed/rwlock/upgradables::upgradable_read_async_with",
        lock,
        lock.upgradable_read_async_with(7, LockOptions::new()),
    );
    tried.shows(
        "keyed/many/rwlock::lock_many_async",
        lock,
        lock.lock_many_async([(7, LockMode::Read)]),
    );
    drop(writer);
    let _reader = lock.read(7);
    let mut upgradable = lock.upgradable_read(7);
    tried.shows(
        "keyed/rwlock/upgrades::upgraded_async",
        lock,
        upgradable.upgraded_async(),
    );
    tried.shows(
        "keyed/rwlock/upgrades::upgrade_async",
        lock,
        upgradable.upgrade_async(),
    );
}

/// Every `pub fn` of the library whose name says that it is a task's.
fn forms() -> BTreeSet<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut forms = sources::public_functions(&src);
    forms.retain(|name| name.contains("_async") || name.ends_with("::notified"));
    forms
}

#[test]
fn every_wait_of_a_task_shows_who_made_it() {
    let _level = full();
    let mut tried = Tried::default();
    waits_and_events(&mut tried);
    words_and_gates(&mut tried);
    keyed(&mut tried);
    readers_and_writers(&mut tried);
    let tried: BTreeSet<_> = tried.0.into_iter().map(str::to_owned).collect();
    assert_eq!(tried, forms(), "each form has its row");
}

/// Waits of threads whose location is easily lost between the layers: looked at from within.
#[test]
fn waits_of_threads_show_who_waits() {
    let _watchdog = watchdog("waits_of_threads_show_who_waits");
    let _level = full();
    let place = |table: &dyn Inspect, is_mine: fn(&Seen) -> bool| {
        let mut room = [Seen::default(); 16];
        for slot in 0..table.slot_count() {
            let found = table.look(slot, &mut room);
            if let Some(seen) = room[..found].iter().find(|seen| is_mine(seen)) {
                return seen.location;
            }
        }
        None
    };
    let here = |place: Option<&Location<'_>>, line: u32| {
        let place = place.expect("it is seen");
        assert_eq!((place.file(), place.line()), (file!(), line));
    };
    let flights = SingleFlight::<u64, u64>::new();
    let line = line!() + 1;
    let made = flights.run(&7, || {
        here(place(&flights, |seen| seen.holds), line);
        1
    });
    assert_eq!(made, 1);

    let semaphore = &Semaphore::new(0);
    let once = &Once::new();
    let started = &Semaphore::new(0);
    let line = line!() + 3;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _permit = semaphore.acquire();
        });
        until("it waits", || !waits(process_table()).is_empty());
        here(place(process_table(), |seen| !seen.holds), line);
        semaphore.release(1);
    });

    let line = line!() + 10;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            once.call_once(|| {
                started.release(1);
                let _permit = semaphore.acquire_many(2);
            });
        });
        let _started = started.acquire();
        scope.spawn(|| {
            once.call_once_force(|_| unreachable!("the other one does it"));
        });
        until("both wait", || waits(process_table()).len() == 2);
        let waits = waits(process_table());
        let found = waits.iter().filter_map(|wait| wait.location);
        let found = found.filter(|place| place.file() == file!() && place.line() == line);
        assert_eq!(found.count(), 1, "{waits:#?}");
        semaphore.release(2);
    });
}
