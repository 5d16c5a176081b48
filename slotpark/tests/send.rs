//! Futures of `Send` parts go to any thread, and objects are shared: checked by the compiler.

use slotpark::{EventCounter, KeyedNotify, Mailbox, Semaphore, ShardedWait};

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
    send(waits.wait_async(String::new(), || false));
    send(waits.wait_while_async(String::new(), || false));
    send(waits.wait_any_async([String::new()], None, |_| false));
    send(changed.notified(String::new()));
    send(mailbox.receive_async(String::new()));
    send(semaphore.acquire_async(1));
    send(events.wait_for_at_least_async(1));
    send(events.prepare().wait_async());
}
