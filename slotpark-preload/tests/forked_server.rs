//! A process that serves a socket of `slotpark-inspect` and forks: its child leaves the socket
//! alone, serves nothing, and may open a socket of its own. Here, since it takes a fork.
#![cfg(target_os = "linux")]

#[path = "../../slotpark-core/tests/common/forked.rs"]
#[allow(dead_code, reason = "these stories use a part of it")]
mod forked;
#[path = "../../slotpark-core/tests/common/watchdog.rs"]
#[allow(dead_code, reason = "these stories use a part of it")]
mod watchdog;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use forked::{end, fork};
use slotpark_core::{ParkOptions, Slots, Table, finalize};
use slotpark_inspect::socket::{Client, ServeOptions, Server, serve};
use slotpark_inspect::{Snapshot, register_static};
use watchdog::watchdog;

fn served(path: &Path) -> Server {
    serve(&ServeOptions::default().with_path(path)).expect("there is a place for it")
}

fn snapshot(path: &Path) -> Snapshot {
    let mut client = Client::open(path).expect("somebody listens");
    client.snapshot().expect("it answers")
}

/// Those who wait in this table, as a look has it.
fn waiters(snapshot: &Snapshot, name: &str) -> usize {
    let mut tables = snapshot.tables.iter();
    let table = tables.find(|table| table.name == name);
    table.map_or(usize::MAX, |table| table.waits.len())
}

/// Also where the child drops what its parent served by, and the parent goes on.
#[test]
fn a_child_leaves_the_socket_to_its_parent() {
    let _watchdog = watchdog("a_child_leaves_the_socket_to_its_parent");
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("parent");
    let mut server = Some(served(&path));
    let parent = std::process::id();
    let Some(child) = fork() else {
        end(|| {
            drop(server.take());
            assert!(path.exists(), "it is the parent's");
            // Who answers is the parent: there is nobody here who could.
            assert_eq!(snapshot(&path).process, parent);
        })
    };
    child.assert_good();
    assert!(path.exists());
    assert_eq!(snapshot(&path).process, parent);
    drop(server.take());
    assert!(!path.exists(), "its own end removes it");
}

/// In its own, a child shows its own tables: nobody waits there whom it has not.
#[test]
fn a_child_may_open_its_own() {
    let _watchdog = watchdog("a_child_may_open_its_own");
    static SLOTS: Slots<u64> = Slots::new();
    static TABLE: Table<u64> = Table::over(&SLOTS);
    register_static("jobs", &TABLE).keep();
    let folder = tempfile::tempdir().expect("there is room");
    let [of_parent, of_child] = ["parent", "child"].map(|name| folder.path().join(name));
    let (mut here, mut there) = UnixStream::pair().expect("a pair");
    let hash = finalize(7);
    let waiting = std::thread::spawn(move || {
        let parked = TABLE.park(hash, &7, ParkOptions::new(), || true);
        assert!(parked.is_woken());
    });
    watchdog::until("it is queued", || TABLE.waiters(hash, &7) == 1);
    let _server = served(&of_parent);
    let Some(child) = fork() else {
        drop(here);
        end(|| {
            // SAFETY: a child of a fork has one thread, which is in no call to the table.
            unsafe { TABLE.reset_after_fork() };
            let _server = served(&of_child);
            there.write_all(b"!").expect("the parent listens");
            // Until the parent has looked.
            assert_eq!(there.read(&mut [0]).expect("the parent lets go"), 0);
        })
    };
    drop(there);
    here.read_exact(&mut [0]).expect("the child serves");
    let [own, other] = [&of_parent, &of_child].map(|path| snapshot(path));
    drop(here);
    child.assert_good();
    assert_eq!(own.process, std::process::id());
    assert_ne!(other.process, own.process);
    assert_eq!((waiters(&own, "jobs"), waiters(&other, "jobs")), (1, 0));
    assert!(!of_child.exists() && of_parent.exists());
    assert_eq!(TABLE.unpark(hash, &7, 1, 0), 1);
    waiting.join().expect("it was woken");
}
