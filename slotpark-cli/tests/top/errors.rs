//! What cannot be looked at is named, and why.

use std::os::unix::net::UnixListener;
use std::process::{Command, Output};

use slotpark_inspect::Snapshot;

use crate::fixture;
use crate::tools::{folder, run, text, write};

/// The message of a failure.
fn failure(output: &Output) -> String {
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.starts_with("slotpark: "), "{message}");
    message
}

#[test]
fn a_process_that_is_not_there() {
    let folder = folder();
    for command in [&["top", "--once"][..], &["inspect", "dump"]] {
        // Beyond Linux's greatest.
        let output = run(folder.path(), &[command, &["2147483647"]].concat());
        assert_eq!(
            failure(&output),
            "slotpark: there is no process 2147483647\n"
        );
    }
}

#[test]
fn a_process_without_a_socket() {
    let folder = folder();
    let own = std::process::id().to_string();
    let message = failure(&run(folder.path(), &["top", "--once", &own]));
    assert!(message.contains(&format!("process {own} (")), "{message}");
    assert!(message.contains("has no open socket"), "{message}");
    assert!(message.contains("slotpark run --inspect"), "{message}");
}

#[test]
fn no_process_at_all() {
    let folder = folder();
    // The other usual place is shared by all of this user's processes.
    let listed = run(folder.path(), &["inspect", "list"]);
    if listed.stdout.is_empty() {
        let message = failure(&run(folder.path(), &["top", "--once"]));
        assert!(message.contains("no process of this user"), "{message}");
    }
}

#[test]
fn a_socket_at_which_nobody_listens() {
    let folder = folder();
    let path = folder.path().join("dead.sock");
    drop(UnixListener::bind(&path).expect("there is room for a socket"));
    let path = path.to_str().expect("it is text");
    let message = failure(&run(folder.path(), &["top", "--once", "--socket", path]));
    assert!(message.contains("dead.sock"), "{message}");
    assert!(message.contains("refused"), "{message}");
}

#[test]
fn files_that_are_no_snapshots() {
    let folder = folder();
    let younger = Snapshot {
        schema: 99,
        ..Snapshot::default()
    };
    for (name, content, said) in [
        ("garbage.json", "no JSON", "not a snapshot"),
        ("empty.json", "", "not a snapshot"),
        ("other.json", "{\"schema\": 1}", "missing field"),
        ("younger.json", &younger.to_json(), "schema 99"),
    ] {
        write(folder.path(), name, content);
        for command in [&["top", "--once"][..], &["inspect", "deadlocks"]] {
            let output = run(folder.path(), &[command, &["--file", name]].concat());
            let message = failure(&output);
            assert!(
                message.contains(name) && message.contains(said),
                "{message}"
            );
        }
    }
    let message = failure(&run(
        folder.path(),
        &["top", "--once", "--file", "none.json"],
    ));
    assert!(message.contains("none.json"), "{message}");
}

#[test]
fn no_terminal() {
    let folder = folder();
    write(folder.path(), "seen.json", &fixture::busy().to_json());
    let message = failure(&run(folder.path(), &["top", "--file", "seen.json"]));
    assert!(message.contains("--once"), "{message}");
}

#[test]
fn two_sources_at_once() {
    let folder = folder();
    let output = run(
        folder.path(),
        &["top", "--once", "1", "--file", "seen.json"],
    );
    assert_eq!(output.status.code(), Some(2));
    let output = run(folder.path(), &["top", "--once", "--interval", "0"]);
    assert!(failure(&output).contains("interval"));
}

/// A file with a deadlock is told of with status 1, and one without with 0.
#[test]
fn the_status_says_whether_there_is_a_deadlock() {
    let folder = folder();
    write(
        folder.path(),
        "stuck.json",
        &fixture::deadlocked().to_json(),
    );
    write(folder.path(), "busy.json", &fixture::busy().to_json());
    let told = run(
        folder.path(),
        &["inspect", "deadlocks", "--file", "stuck.json"],
    );
    let said = text(&told.stdout);
    assert_eq!(told.status.code(), Some(1), "{said}");
    assert!(
        said.contains("account 7") && said.contains("transfer.rs:44:17"),
        "{said}"
    );
    let told = run(
        folder.path(),
        &["inspect", "deadlocks", "--file", "busy.json"],
    );
    assert_eq!(
        (told.status.code(), text(&told.stdout).as_str()),
        (Some(0), "no deadlock\n")
    );
}

/// What a key is called may hold anything, and a terminal must not obey it.
#[test]
fn keys_cannot_reach_the_terminal() {
    let folder = folder();
    let mut snapshot = fixture::deadlocked();
    for wait in &mut snapshot.tables[0].waits {
        wait.key.text = Some("\u{1b}]0;owned\u{7}".to_owned());
        wait.by.name = Some("\u{1b}[2J".to_owned());
    }
    write(folder.path(), "bad.json", &snapshot.to_json());
    for command in [
        &["top", "--once"][..],
        &["inspect", "dump"],
        &["inspect", "deadlocks"],
        &["inspect", "folded"],
    ] {
        let output = run(folder.path(), &[command, &["--file", "bad.json"]].concat());
        let said = text(&output.stdout);
        assert!(
            !said.is_empty() && !said.contains(['\u{1b}', '\u{7}']),
            "{command:?}: {said}"
        );
    }
}

/// `slotpark top | head` ends quietly.
#[test]
fn a_reader_that_goes_is_no_error() {
    let folder = folder();
    write(folder.path(), "seen.json", &fixture::busy().to_json());
    let script = format!(
        "{} top --once --file seen.json | true; echo ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_slotpark")
    );
    let mut bash = Command::new("bash");
    let output = bash
        .args(["-c", &script])
        .current_dir(folder.path())
        .output();
    let output = output.expect("bash starts");
    assert_eq!(text(&output.stdout), "0\n", "{}", text(&output.stderr));
}
