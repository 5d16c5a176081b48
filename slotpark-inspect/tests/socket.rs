//! The socket as its readers find it: good ones, greedy ones, and those who send garbage.
#![cfg(unix)]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::watchdog::{until, watchdog};
use common::{Fake, waits};
use slotpark_inspect::register;
use slotpark_inspect::socket::protocol::{Answer, REQUEST_MAX, Request};
use slotpark_inspect::socket::{Client, ClientError, ServeOptions, Server, serve};

const HOUR: Duration = Duration::from_secs(3600);

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place {
        path: folder.path().join("test.sock"),
        _folder: folder,
    }
}

fn served(change: impl FnOnce(ServeOptions) -> ServeOptions) -> (Place, Server) {
    let place = place();
    let options = ServeOptions::default().with_path(&place.path);
    let server = serve(&change(options)).unwrap();
    (place, server)
}

fn is_alive(path: &Path) -> bool {
    Client::open(path).unwrap().version().unwrap().process == std::process::id()
}

#[test]
fn a_snapshot_comes_through() {
    let _watchdog = watchdog("a snapshot comes through");
    let nodes = (0..1000).map(|wait| waits(7, wait)).collect();
    let shown = register("come through", &Arc::new(Fake::new(nodes)));
    let table = Arc::new(Fake::new(vec![waits(1, 2)]));
    let other = register("other", &table);
    let (_place, server) = served(|options| options);
    let snapshot = Client::open(server.path()).unwrap().snapshot().unwrap();
    let names = snapshot.tables.iter().map(|table| &*table.name);
    assert!(
        !names.clone().any(|name| name == shown.name()),
        "it was not kept"
    );
    let found = snapshot
        .tables
        .iter()
        .find(|table| table.name == other.name());
    assert_eq!(
        found.unwrap().waits[0].wait,
        2,
        "{:?}",
        names.collect::<Vec<_>>()
    );
}

#[test]
fn readers_share_a_snapshot() {
    let _watchdog = watchdog("readers share a snapshot");
    let table = Arc::new(Fake::new(vec![waits(1, 2)]));
    let _shown = register("shared", &table);
    let (place, _server) = served(|options| options.shared_for(HOUR));
    let mut clients = [(); 3].map(|()| Client::open(&place.path).unwrap());
    let before = table.looks();
    let first = clients[0].snapshot().unwrap();
    for client in clients
        .iter_mut()
        .chain([&mut Client::open(&place.path).unwrap()])
    {
        assert_eq!(client.snapshot().unwrap(), first);
    }
    // Other tests of this program look at all registered tables too: their answers are others.
    assert!(table.looks() > before);
}

#[test]
fn it_is_the_users_alone() {
    let _watchdog = watchdog("it is the users alone");
    let (place, server) = served(|options| options);
    let mode = fs::metadata(&place.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(server);
    assert!(!place.path.exists());
}

#[test]
fn what_a_dead_process_left_is_replaced() {
    let _watchdog = watchdog("what a dead process left is replaced");
    let place = place();
    drop(UnixListener::bind(&place.path).unwrap());
    let server = serve(&ServeOptions::default().with_path(&place.path)).unwrap();
    assert!(is_alive(server.path()));
}

#[test]
fn no_file_is_taken_for_a_dead_socket() {
    let _watchdog = watchdog("no file is taken for a dead socket");
    let place = place();
    fs::write(&place.path, "precious").unwrap();
    assert!(serve(&ServeOptions::default().with_path(&place.path)).is_err());
    assert_eq!(fs::read_to_string(&place.path).unwrap(), "precious");
}

#[test]
fn garbage_is_answered_and_sent_away() {
    let _watchdog = watchdog("garbage is answered and sent away");
    let (place, _server) = served(|options| options);
    let endless = [b'x'; REQUEST_MAX];
    let garbage: [&[u8]; 6] = [
        b"\n",
        b"\0\0\0\0\n",
        b"snapshots\n",
        b"\xff\xfe\x00\xc0\n",
        &endless,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    for bytes in garbage {
        let mut stream = UnixStream::connect(&place.path).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        // What was sent after the first line may reset the connection once the answer is here.
        let _ = stream.read_to_end(&mut answer);
        let answer = Answer::parse(&answer).unwrap();
        assert!(matches!(answer, Answer::Error(_)), "{bytes:?}: {answer:?}");
    }
    assert!(is_alive(&place.path));
}

#[test]
fn a_request_in_pieces_is_one_and_two_at_once_are_two() {
    let _watchdog = watchdog("a request in pieces is one");
    let (place, _server) = served(|options| options);
    let mut stream = UnixStream::connect(&place.path).unwrap();
    for piece in ["ver", "si", "on\nvers", "ion\n"] {
        stream.write_all(piece.as_bytes()).unwrap();
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.lines().count(), 2, "{answers}");
}

#[test]
fn too_many_are_told_so() {
    let _watchdog = watchdog("too many are told so");
    let (place, _server) = served(|options| options.with_readers_max(1));
    let mut first = Client::open(&place.path).unwrap();
    first.version().unwrap();
    let mut second = Client::open(&place.path).unwrap();
    let error = second.version().unwrap_err();
    assert!(
        matches!(&error, ClientError::Refused(text) if text == "too many readers"),
        "{error}"
    );
    drop(first);
    until("the first's place is free", || {
        Client::open(&place.path).unwrap().version().is_ok()
    });
}

#[test]
fn who_takes_no_answer_holds_up_nobody() {
    let _watchdog = watchdog("who takes no answer holds up nobody");
    let nodes = (0..10_000).map(|wait| waits(7, wait)).collect();
    let table = Arc::new(Fake::new(nodes));
    let _shown = register("large", &table);
    let (place, server) = served(|options| options);
    let mut greedy = UnixStream::connect(&place.path).unwrap();
    for _ in 0..3 {
        greedy
            .write_all(Request::Snapshot.line().as_bytes())
            .unwrap();
    }
    let snapshot = Client::open(&place.path).unwrap().snapshot().unwrap();
    let large = snapshot.tables.iter().find(|table| table.name == "large");
    assert_eq!(large.unwrap().waits.len(), 10_000);
    drop(server);
    drop(greedy);
}

#[test]
fn who_is_silent_is_sent_away() {
    let _watchdog = watchdog("who is silent is sent away");
    let (place, _server) = served(|options| options.with_idle_max(Duration::from_millis(1)));
    let mut silent = UnixStream::connect(&place.path).unwrap();
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
}

#[test]
fn its_end_is_an_error_to_who_asks() {
    let _watchdog = watchdog("its end is an error to who asks");
    let (place, server) = served(|options| options);
    let mut client = Client::open(&place.path).unwrap();
    client.version().unwrap();
    drop(server);
    assert!(matches!(client.version(), Err(ClientError::Io(_))));
}

#[test]
fn a_table_that_panics_is_told_of() {
    struct Panics;
    impl slotpark_core::Inspect for Panics {
        fn slot_count(&self) -> usize {
            // Of the server's thread only: other tests look at all tables too.
            let thread = std::thread::current();
            assert_ne!(thread.name(), Some("slotpark-look"), "as it is to");
            0
        }

        fn slot_stats(&self, _: usize) -> slotpark_core::SlotStats {
            slotpark_core::SlotStats::default()
        }

        fn look(&self, _: usize, _: &mut [slotpark_core::Seen]) -> usize {
            0
        }
    }
    let _watchdog = watchdog("a table that panics is told of");
    // In a process of its own, since all servers of this one would meet it.
    if std::env::var_os("SLOTPARK_TEST_PANICS").is_none() {
        let this = std::env::current_exe().unwrap();
        let mut child = std::process::Command::new(this);
        child.args(["--exact", "a_table_that_panics_is_told_of"]);
        let output = child
            .env("SLOTPARK_TEST_PANICS", "1")
            .env("RUST_BACKTRACE", "0")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        return;
    }
    let table = Arc::new(Panics);
    let shown = register("panics", &table);
    let (place, _server) = served(|options| options.shared_for(Duration::ZERO));
    let error = Client::open(&place.path).unwrap().snapshot().unwrap_err();
    assert!(
        matches!(&error, ClientError::Refused(text) if text == "a table panicked"),
        "{error}"
    );
    drop(shown);
    until("the shared answer is too old", || {
        Client::open(&place.path).unwrap().snapshot().is_ok()
    });
}

#[test]
#[cfg(target_os = "linux")]
fn its_thread_takes_no_signals() {
    let _watchdog = watchdog("its thread takes no signals");
    let (_place, server) = served(|options| options);
    is_alive(server.path());
    let mut found = 0;
    for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
        let read = |file| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").trim() != "slotpark-look" {
            continue;
        }
        let status = read("status");
        let Some(blocked) = status.lines().find_map(|line| line.strip_prefix("SigBlk:")) else {
            continue; // it ended meanwhile
        };
        found += 1;
        let blocked = u64::from_str_radix(blocked.trim(), 16).unwrap();
        // All but SIGKILL, SIGSTOP, and the two that the C library keeps for itself.
        assert_eq!(
            blocked | 1 << 8 | 1 << 18 | 1 << 31 | 1 << 32,
            u64::MAX,
            "{blocked:x}"
        );
    }
    assert!(found > 0);
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    assert!(
        status.contains("SigBlk:\t0000000000000000"),
        "and the starter's mask is as before"
    );
}
