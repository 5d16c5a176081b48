//! Futures of `Send` parts go to any thread, and objects are shared: checked by the compiler.

use std::sync::Arc;

use slotpark::WaitDomain;
use slotpark_managers::{
    Block, CondvarWait, Description, FdTable, MemoryRegions, OnceMap, StoredNotify, Waits,
};

fn send<T: Send>(_: T) {}
fn shared<T: Send + Sync>(_: &T) {}

#[test]
fn futures_are_send_and_objects_are_shared() {
    let waits = Arc::new(Waits::new());
    let condvars = CondvarWait::<String>::new(Arc::clone(&waits));
    shared(&condvars);
    let guard = condvars.lock(String::new(), Block::NO);
    let guard = guard.expect("nobody has it");
    shared(&guard);
    send(guard.wait_async());
    send(condvars.lock_async(String::new()));
    let changed = StoredNotify::<String>::new();
    shared(&changed);
    send(changed.wait_async(String::new()));
    let values = OnceMap::<String, Arc<str>>::new(Arc::clone(&waits));
    shared(&values);
    send(values.get_or_init_async(String::new(), async { "value".into() }));
    let files = FdTable::new(waits);
    shared(&files);
    let number = files.install(Description::new(String::new()), false);
    let open = files.get(number.expect("there is room"));
    let open = open.expect("it is open");
    shared(&open);
    send(open.until_closed(async {}));
    shared(&MemoryRegions::<String>::new(WaitDomain::new()));
}
