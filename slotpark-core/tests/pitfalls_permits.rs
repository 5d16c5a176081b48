//! Stories of permits and events: who is served, who is overtaken, and what comes back.

mod common;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use common::bells::{Bell, poll, ready};
use common::{Numbers, in_an_hour, leak, soon, until, watchdog};
use slotpark_core::{
    AcquireError, At, Deadline, DefaultPlatform, EventError, PERMITS_MAX, RawEventCounter,
    RawSemaphore, Table, TryAcquireError,
};

type Place = At<'static, u64, DefaultPlatform>;
type Acquire = Pin<Box<dyn Future<Output = Result<(), AcquireError>>>>;

const KEY: (u64, u64) = (5, 1);

/// A semaphore and an event counter, whose waiters wait for one key.
#[derive(Clone, Copy)]
struct Site {
    semaphore: &'static RawSemaphore,
    events: &'static RawEventCounter,
    at: Place,
}

impl Site {
    fn new(semaphore: RawSemaphore) -> Self {
        let table = leak(Table::with_slots(4));
        let (hash, key) = KEY;
        Self {
            semaphore: leak(semaphore),
            events: leak(RawEventCounter::new()),
            at: At { table, hash, key },
        }
    }

    fn waiters(self) -> usize {
        self.at.table.waiters(KEY.0, &KEY.1)
    }

    fn release(self, count: usize) {
        self.semaphore.release(self.at, count);
    }

    /// A thread that acquires, queued.
    fn thread(self, count: usize) -> JoinHandle<Result<(), AcquireError>> {
        self.thread_until(count, None)
    }

    fn thread_until(
        self,
        count: usize,
        deadline: Option<Deadline>,
    ) -> JoinHandle<Result<(), AcquireError>> {
        let others = self.waiters();
        let acquire = move || self.semaphore.acquire(self.at, count, deadline);
        let thread = std::thread::spawn(acquire);
        until("a thread is queued", || self.waiters() > others);
        thread
    }

    /// A future that acquires, queued.
    fn task(self, count: usize) -> (Acquire, Arc<Bell>) {
        let mut acquire: Acquire = Box::pin(self.semaphore.acquire_async(self.at, count));
        let bell = Bell::new();
        assert!(poll(acquire.as_mut(), &bell).is_pending());
        (acquire, bell)
    }

    #[track_caller]
    fn assert_left(self, permits: usize) {
        assert_eq!((self.semaphore.available(), self.waiters()), (permits, 0));
        // No flag keeps anybody out.
        assert_eq!(self.semaphore.try_acquire(permits), Ok(()));
    }
}

fn joined(thread: JoinHandle<Result<(), AcquireError>>) -> Result<(), AcquireError> {
    until("an acquire returns", || thread.is_finished());
    thread.join().expect("it does not panic")
}

/// tokio #6450, async-lock #91, moka #240: a permit is handed to a future that nobody polls, and
/// all others wait. A fair semaphore does so, as it says; a barging one does not.
#[test]
fn futurelock() {
    let fair = Site::new(RawSemaphore::new(0));
    let (unpolled, bell) = fair.task(1);
    fair.release(1);
    assert_eq!((bell.rings(), fair.semaphore.available()), (1, 0));
    assert_eq!(
        fair.semaphore.try_acquire(1),
        Err(TryAcquireError::NoPermits)
    );
    drop(unpolled);
    fair.assert_left(1);
    let barging = Site::new(RawSemaphore::barging(0));
    let (mut unpolled, bell) = barging.task(1);
    barging.release(1);
    assert_eq!(bell.rings(), 1);
    assert_eq!(barging.semaphore.try_acquire(1), Ok(()), "nobody holds it");
    assert!(
        poll(unpolled.as_mut(), &bell).is_pending(),
        "it queues again"
    );
    barging.release(1);
    assert_eq!(ready(unpolled.as_mut()), Ok(()));
    barging.assert_left(0);
}

/// Who asks for many is not overtaken by those who ask for few, however they come.
#[test]
fn a_large_request_is_not_overtaken() {
    let _watch = watchdog("a_large_request_is_not_overtaken");
    let site = Site::new(RawSemaphore::new(1));
    let large = site.thread(3);
    assert_eq!(
        site.semaphore.try_acquire(1),
        Err(TryAcquireError::NoPermits)
    );
    let (mut small, bell) = site.task(1);
    let last = site.thread(1);
    site.release(1);
    assert_eq!((site.semaphore.available(), bell.rings()), (2, 0));
    site.release(2);
    assert_eq!(joined(large), Ok(()));
    assert_eq!((ready(small.as_mut()), site.waiters()), (Ok(()), 1));
    site.release(1);
    assert_eq!(joined(last), Ok(()));
    site.assert_left(0);
}

/// A release of many serves all whom it can serve, in one step.
#[test]
fn a_release_serves_as_many_as_it_can() {
    for make in [RawSemaphore::new, RawSemaphore::barging] {
        let site = Site::new(make(0));
        let mut tasks = [1, 2, 1, 4].map(|count| site.task(count));
        site.release(5);
        let rings = tasks.each_ref().map(|(_, bell)| bell.rings());
        assert_eq!(rings, [1, 1, 1, 0], "one permit is left, and it wants four");
        for (task, _) in &mut tasks[..3] {
            assert_eq!(ready(task.as_mut()), Ok(()));
        }
        let [.., (mut last, bell)] = tasks;
        assert!(poll(last.as_mut(), &bell).is_pending());
        assert_eq!((site.semaphore.available(), site.waiters()), (1, 1));
        site.release(3);
        assert_eq!(ready(last.as_mut()), Ok(()));
        assert_eq!(bell.rings(), 1);
        site.assert_left(0);
    }
}

/// A head that wants too much gives up, by its deadline or by a drop: those behind it are served,
/// without any release.
#[test]
fn a_head_that_gives_up_lets_others_through() {
    let _watch = watchdog("a_head_that_gives_up_lets_others_through");
    let site = Site::new(RawSemaphore::new(1));
    let (head, _) = site.task(2);
    let behind = site.thread(1);
    drop(head);
    assert_eq!(joined(behind), Ok(()));
    site.release(1);
    let head = site.thread_until(2, soon(std::time::Duration::from_millis(20)));
    let (mut behind, bell) = site.task(1);
    assert_eq!(joined(head), Err(AcquireError::TimedOut));
    until("those behind are served", || bell.rings() == 1);
    assert_eq!(ready(behind.as_mut()), Ok(()));
    site.assert_left(0);
}

/// A future is dropped after permits were granted to it: they are the next one's, all of them.
#[test]
fn a_dropped_acquire_gives_back() {
    let site = Site::new(RawSemaphore::new(0));
    let (first, _) = site.task(2);
    let (mut second, bell) = site.task(1);
    site.release(2);
    assert_eq!((site.semaphore.available(), bell.rings()), (0, 0));
    drop(first);
    assert_eq!((site.semaphore.available(), bell.rings()), (1, 1));
    assert_eq!(ready(second.as_mut()), Ok(()));
    site.assert_left(1);
    // Of a barging one its wake goes on.
    let site = Site::new(RawSemaphore::barging(0));
    let (first, _) = site.task(1);
    let (mut second, bell) = site.task(1);
    site.release(1);
    assert_eq!(bell.rings(), 0);
    drop(first);
    assert_eq!(bell.rings(), 1);
    assert_eq!(ready(second.as_mut()), Ok(()));
    site.assert_left(0);
}

/// A barging waiter is woken, and somebody else has taken what it was woken for: what is left goes
/// to whom it is enough for, though nobody releases anything.
#[test]
fn a_woken_waiter_that_is_too_late_lets_others_through() {
    let site = Site::new(RawSemaphore::barging(0));
    let (mut late, _) = site.task(2);
    let (mut small, bell) = site.task(1);
    site.release(2);
    assert_eq!(bell.rings(), 0);
    assert_eq!(site.semaphore.try_acquire(1), Ok(()));
    assert!(poll(late.as_mut(), &Bell::new()).is_pending());
    assert_eq!(bell.rings(), 1);
    assert_eq!(ready(small.as_mut()), Ok(()));
    site.release(2);
    assert_eq!(ready(late.as_mut()), Ok(()));
    site.assert_left(0);
}

/// Closed is for ever, for those who wait and those who come; permits can still come back.
#[test]
fn a_closed_semaphore_ends_waits() {
    let _watch = watchdog("a_closed_semaphore_ends_waits");
    let site = Site::new(RawSemaphore::new(1));
    let (mut task, _) = site.task(2);
    let thread = site.thread_until(1, in_an_hour());
    assert_eq!(site.semaphore.close(site.at), 2);
    let closed = Err(AcquireError::Closed);
    assert_eq!((ready(task.as_mut()), joined(thread)), (closed, closed));
    assert_eq!(site.semaphore.acquire(site.at, 1, None), closed);
    assert_eq!(site.semaphore.try_acquire(1), Err(TryAcquireError::Closed));
    assert_eq!(
        ready(pin!(site.semaphore.acquire_async(site.at, 0))),
        closed
    );
    site.release(1);
    assert_eq!(
        (site.semaphore.available(), site.semaphore.close(site.at)),
        (2, 0)
    );
}

/// Permits that are taken away while they are out are owed, and paid first.
#[test]
fn forgotten_permits_are_owed() {
    let site = Site::new(RawSemaphore::new(2));
    assert_eq!(site.semaphore.try_acquire(2), Ok(()));
    site.semaphore.forget(3);
    assert_eq!(site.semaphore.available(), 0);
    let (mut task, bell) = site.task(1);
    site.release(3);
    assert_eq!((site.semaphore.available(), bell.rings()), (0, 0));
    site.release(1);
    assert_eq!(ready(task.as_mut()), Ok(()));
    site.assert_left(0);
    let too_many = [
        common::faults::panics(|| site.semaphore.forget(PERMITS_MAX + 1)),
        common::faults::panics(|| site.semaphore.try_acquire(PERMITS_MAX + 1)),
        common::faults::panics(|| site.release(PERMITS_MAX + 1)),
        common::faults::panics(|| RawSemaphore::new(PERMITS_MAX + 1)),
    ];
    assert!(
        too_many.iter().all(|text| text.contains("more permits")),
        "{too_many:?}"
    );
    site.assert_left(0);
    site.release(PERMITS_MAX);
    common::faults::panics(|| site.release(1));
    assert_eq!(site.semaphore.available(), PERMITS_MAX);
}

/// Who asks for nothing while permits are owed queued for a moment that no release noticed.
#[test]
fn asking_for_nothing_waits_for_nothing() {
    for semaphore in [RawSemaphore::new, RawSemaphore::barging] {
        let site = Site::new(semaphore(0));
        site.semaphore.forget(1);
        assert_eq!(
            site.semaphore.try_acquire(1),
            Err(TryAcquireError::NoPermits)
        );
        let acquire = pin!(site.semaphore.acquire_async(site.at, 0));
        assert_eq!(ready(acquire), Ok(()), "it is not queued");
        site.release(1);
        site.assert_left(0);
    }
}

/// Threads and tasks acquire and release at random: never more permits are out than there are, and
/// all come back.
#[test]
fn permits_are_never_more_than_there_are() {
    const PERMITS: usize = 3;
    const ROUNDS: usize = 4_000;
    let _watch = watchdog("permits_are_never_more_than_there_are");
    for make in [RawSemaphore::new, RawSemaphore::barging] {
        let (site, out) = (
            Site::new(make(PERMITS)),
            leak(AtomicUsize::new(0)) as &AtomicUsize,
        );
        let act = move |seed| {
            let mut numbers = Numbers::new(seed);
            for _ in 0..ROUNDS {
                let count = 1 + numbers.below(PERMITS as u64) as usize;
                if acquire_somehow(site, count, &mut numbers) {
                    let others = out.fetch_add(count, Ordering::Relaxed);
                    assert!(others + count <= PERMITS, "{others} and {count} are out");
                    out.fetch_sub(count, Ordering::Relaxed);
                    site.release(count);
                }
            }
        };
        let threads = [1, 2, 3, 4].map(|seed| std::thread::spawn(move || act(seed)));
        for thread in threads {
            thread.join().expect("never more than there are");
        }
        site.assert_left(PERMITS);
    }
}

/// By a wait with or without a deadline, at once, or by a future that may be dropped.
fn acquire_somehow(site: Site, count: usize, numbers: &mut Numbers) -> bool {
    match numbers.below(4) {
        0 => site.semaphore.acquire(site.at, count, None).is_ok(),
        1 => {
            let deadline = soon(std::time::Duration::from_micros(numbers.below(50)));
            site.semaphore.acquire(site.at, count, deadline).is_ok()
        }
        2 => site.semaphore.try_acquire(count).is_ok(),
        _ => {
            let mut acquire = pin!(site.semaphore.acquire_async(site.at, count));
            let first = poll(acquire.as_mut(), &Bell::new());
            std::thread::yield_now();
            first.is_ready() || poll(acquire, &Bell::new()).is_ready()
        }
    }
}

/// An event wakes those whose count has come, and nobody else.
#[test]
fn an_event_wakes_those_whose_count_has_come() {
    let _watch = watchdog("an_event_wakes_those_whose_count_has_come");
    let site = Site::new(RawSemaphore::new(0));
    let mut waits = [3, 1, 2].map(|count| {
        let mut wait = Box::pin(site.events.wait_for_at_least_async(site.at, count));
        let bell = Bell::new();
        assert!(poll(wait.as_mut(), &bell).is_pending());
        (wait, bell)
    });
    let thread = std::thread::spawn(move || site.events.wait_for_at_least(site.at, 2, None));
    until("a thread is queued", || site.waiters() == 4);
    assert_eq!(site.events.advance(site.at, 2), 3);
    let rings = waits.each_ref().map(|(_, bell)| bell.rings());
    assert_eq!((rings, site.waiters()), ([0, 1, 1], 1));
    for (wait, _) in &mut waits[1..] {
        assert_eq!(ready(wait.as_mut()), Ok(2));
    }
    assert_eq!(thread.join().expect("it waits"), Ok(2));
    assert_eq!(
        (site.events.advance(site.at, 1), site.events.count()),
        (1, 3)
    );
    assert_eq!(ready(waits[0].0.as_mut()), Ok(3));
    let late = site
        .events
        .wait_for_at_least(site.at, 4, Some(Deadline::PAST));
    assert_eq!(late, Err(EventError::TimedOut));
    assert_eq!(site.at.table.close(), 0);
    let closed = site.events.wait_for_at_least(site.at, 4, None);
    assert_eq!(closed, Err(EventError::Closed));
}
