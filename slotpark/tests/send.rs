//! Futures of `Send` parts go to any thread, and objects are shared: checked by the compiler.

use std::cell::Cell;

use slotpark::{
    Barrier, EventCounter, KeyedCondvar, KeyedMutex, KeyedNotify, KeyedRwLock, KeyedSemaphore,
    Latch, Mailbox, Semaphore, ShardedWait, SingleFlight, WaitDomain,
};

fn send<T: Send>(_: T) {}
fn shared<T: Send + Sync>(_: &T) {}

#[test]
fn futures_are_send_and_objects_are_shared() {
    let waits = ShardedWait::<String>::new();
    let (semaphore, events) = (Semaphore::new(1), EventCounter::new());
    let changed = KeyedNotify::<String>::new();
    let mailbox = Mailbox::<String, Vec<u8>>::new();
    shared(&waits);
    shared(&semaphore);
    shared(&events);
    shared(&mailbox);
    shared(&changed);
    // A value goes from thread to thread, and no two share it.
    let flights = SingleFlight::<String, Cell<u8>>::new();
    shared(&flights);
    send(flights.run_async(String::new(), async { Cell::new(1) }));
    send(flights.try_run_async(String::new(), async { Err(1) }));
    send(waits.wait_async(String::new(), || false));
    send(waits.wait_while_async(String::new(), || false));
    send(waits.wait_any_async([String::new()], None, |_| false));
    send(changed.notified(String::new()));
    send(mailbox.receive_async(String::new()));
    let (latch, barrier) = (Latch::<String>::new(), Barrier::<String>::new());
    shared(&latch);
    shared(&barrier);
    send(latch.wait_async(String::new()));
    let armed = latch.arm(String::new(), 1);
    shared(&armed);
    send(armed);
    let mut member = barrier.register(String::new());
    send(member.wait_async());
    shared(&member);
    send(member);
    send(semaphore.acquire_async(1));
    send(events.wait_for_at_least_async(1));
    send(events.prepare().wait_async());
    let domain = WaitDomain::new();
    shared(&domain);
    send(domain.wait32_async(8, 0, || Ok::<_, String>(0), async {}));
    send(domain.wait64_async(8, 0, || Ok::<_, String>(0), async {}));
}

#[test]
fn guards_and_futures_of_locks_by_key_are_send() {
    let mutex = KeyedMutex::<String>::new();
    let rwlock = KeyedRwLock::<String>::new();
    let semaphore = KeyedSemaphore::<String>::new(2);
    shared(&mutex);
    shared(&rwlock);
    shared(&semaphore);
    send(mutex.lock_async(String::new()));
    send(rwlock.read_async(String::new()));
    send(rwlock.write_async(String::new()));
    send(rwlock.upgradable_read_async(String::new()));
    send(semaphore.acquire_async(String::new(), 1));
    let guard = mutex.lock(String::new());
    shared(&guard);
    send(guard);
    let both = mutex.lock_many([String::new(), "other".to_string()]);
    shared(&both);
    send(both);
    send(mutex.lock_many_async([String::new()]));
    let changed = KeyedCondvar::new();
    send(changed.wait_async(mutex.lock("waits".to_string())));
    send(rwlock.read(String::new()));
    send(rwlock.write(String::new()));
    let mut upgradable = rwlock.upgradable_read(String::new());
    send(upgradable.upgraded_async());
    send(futures_lite::future::block_on(upgradable.upgraded_async()));
    send(upgradable.upgrade_async());
    send(rwlock.upgradable_read(String::new()));
    let permit = semaphore.acquire(String::new());
    shared(&permit);
    send(permit);
}
