//! What a look shows of the types that people use: whose it is, what it is, and where.

use std::panic::Location;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use slotpark::core::{Inspect, Kind, Seen};
use slotpark::{
    Barrier, Detail, FutexWait, KeyedCondvar, KeyedMutex, KeyedNotify, KeyedRwLock, KeyedSemaphore,
    Latch, LockOptions, Mailbox, ShardedWait, SingleFlight, set_detail, task_label,
};

/// All that is in a table.
fn look(table: &dyn Inspect) -> Vec<Seen> {
    let mut room = [Seen::default(); 16];
    let mut all = Vec::new();
    for slot in 0..table.slot_count() {
        let found = table.look(slot, &mut room);
        all.extend_from_slice(&room[..found]);
    }
    all
}

fn text(seen: &Seen) -> Option<&str> {
    seen.key.as_ref().map(|text| text.as_str())
}

/// Polls a future once: it waits.
macro_rules! waits {
    ($future:expr) => {
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!($future.as_mut().poll(&mut context), Poll::Pending));
    };
}

/// The level is the whole process's: one test at a time.
fn at(detail: Detail) -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_detail(detail);
    guard
}

#[test]
fn readers_writers_and_upgrades() {
    let _level = at(Detail::Off);
    let lock = KeyedRwLock::<&str>::new().with_key_text();
    let reader = lock.read("page");
    let upgradable = lock.upgradable_read("page");
    let mut writer = pin!(lock.write_async("page"));
    waits!(writer);
    let mut upgrade = Box::pin(upgradable.upgrade_async());
    waits!(upgrade);
    let seen = look(&lock);
    let kinds: Vec<_> = seen.iter().map(|seen| (seen.holds, seen.kind)).collect();
    let expected = [
        (false, Kind::Lock),
        (false, Kind::Lock),
        (true, Kind::Read),
        (true, Kind::Upgradable),
    ];
    assert_eq!(kinds, expected);
    assert!(seen.iter().all(|seen| text(seen) == Some("\"page\"")));
    drop(reader);
    drop(upgrade);
    let other = lock.write("other");
    let seen = look(&lock);
    assert!(
        seen.iter()
            .any(|seen| seen.holds && seen.kind == Kind::Lock)
    );
    drop(other);
}

#[test]
fn every_type_shows_itself_and_its_keys() {
    let _level = at(Detail::Off);
    let mutex = KeyedMutex::<u64>::new().with_key_text();
    let held = mutex.lock_with(7, LockOptions::new().label("compaction"));
    let seen = look(&mutex);
    assert_eq!(
        (seen.len(), seen[0].kind, text(&seen[0])),
        (1, Kind::Lock, Some("7"))
    );
    assert_eq!(seen[0].label, Some("compaction"));
    drop(held);

    let ready = KeyedCondvar::new();
    let guard = mutex.lock(7);
    let mut wait = pin!(ready.wait_async(guard));
    waits!(wait);
    assert_eq!(look(&mutex)[0].kind, Kind::Wait);

    let semaphore = KeyedSemaphore::<u64>::new(3).with_key_text();
    let permits = semaphore.acquire_many(7, 2);
    let seen = look(&semaphore);
    assert_eq!(
        (seen[0].kind, seen[0].weight, text(&seen[0])),
        (Kind::Permit, 2, Some("7"))
    );
    drop(permits);

    let waits = ShardedWait::<u64>::with_slots(4).with_key_text();
    let mut wait = pin!(waits.wait_async(7, || true));
    waits!(wait);
    assert_eq!(text(&look(&waits)[0]), Some("7"));

    let events = KeyedNotify::<u64>::new().with_key_text();
    let mut wait = pin!(events.notified(7));
    waits!(wait);
    assert_eq!(text(&look(&events)[0]), Some("7"));

    let mailbox = Mailbox::<u64, ()>::new().with_key_text();
    let mut wait = pin!(mailbox.receive_async(7));
    waits!(wait);
    assert_eq!(text(&look(&mailbox)[0]), Some("7"));

    let flights = SingleFlight::<u64, u64>::new().with_key_text();
    let made = flights.run(&7, || {
        let seen = look(&flights);
        assert_eq!((seen[0].holds, text(&seen[0])), (true, Some("7")));
        1
    });
    assert_eq!(made, 1);

    let latch = Latch::<u64>::new().with_key_text();
    let armed = latch.arm(7, 1);
    assert_eq!(text(&look(&latch)[0]), Some("7"));
    drop(armed);
    let barrier = Barrier::<u64>::new().with_key_text();
    let member = barrier.register(7);
    assert_eq!(text(&look(&barrier)[0]), Some("7"));
    drop(member);

    let futex = FutexWait::with_slots(4);
    let key = slotpark::FutexKey::new(1, 0x1000);
    let mut wait = pin!(futex.waits().wait_async(key, || true));
    waits!(wait);
    assert_eq!(text(&look(&futex)[0]), Some("guest 0x1 at 0x1000"));
}

/// The caller's line, whatever it calls.
#[test]
fn locations_are_the_callers() {
    let _level = at(Detail::Full);
    let line = |seen: &Seen| seen.location.map(|at| (at.file(), at.line()));
    #[track_caller]
    fn here(below: u32) -> Option<(&'static str, u32)> {
        let at = Location::caller();
        Some((at.file(), at.line() + below))
    }
    let mutex = KeyedMutex::<u64>::new();
    let expected = here(1);
    let guard = mutex.lock(7);
    assert_eq!(line(&look(&mutex)[0]), expected);
    drop(guard);
    let expected = here(1);
    mutex.with_lock(&7, || assert_eq!(line(&look(&mutex)[0]), expected));
    let expected = here(1);
    let guard = mutex.try_lock(7);
    assert_eq!(line(&look(&mutex)[0]), expected);
    let expected = here(1);
    let mut wait = pin!(mutex.lock_async(7));
    waits!(wait);
    assert_eq!(line(&look(&mutex)[0]), expected);
    drop(guard);

    let lock = KeyedRwLock::<u64>::new();
    let expected = here(1);
    let guard = lock.read(7);
    assert_eq!(line(&look(&lock)[0]), expected);
    let expected = here(1);
    let mut wait = pin!(lock.write_async(7));
    waits!(wait);
    assert_eq!(line(&look(&lock)[0]), expected);
    drop(guard);

    let waits = ShardedWait::<u64>::with_slots(4);
    let expected = here(1);
    let mut wait = pin!(waits.wait_while_async(7, || true));
    waits!(wait);
    assert_eq!(line(&look(&waits)[0]), expected);
    let mut looks = 0;
    let expected = here(1);
    let outcome = waits.wait_while_for(&8, || true, std::time::Duration::from_millis(20));
    assert_eq!(outcome, slotpark::WhileOutcome::TimedOut);
    looks += 1;
    assert_eq!((looks, expected.is_some()), (1, true));
}

#[test]
fn a_named_task_is_known_where_it_locks() {
    let _level = at(Detail::Timing);
    let mutex = KeyedMutex::<u64>::new();
    let mut task = pin!(task_label("compaction", async {
        let _guard = mutex.lock_async(7).await;
        std::future::pending::<()>().await;
    }));
    waits!(task);
    let seen = look(&mutex);
    assert_eq!(seen[0].task_label, Some("compaction"));
    assert!(seen[0].is_task && seen[0].task.is_some() && seen[0].thread.is_some());
}
