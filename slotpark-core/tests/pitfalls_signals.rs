//! Stories of signal handlers: a wake is not async-signal-safe, and debug builds say so.
#![cfg(target_os = "linux")]

mod common;

use std::process::{Command, Output};

use common::{FOREVER, skip};
use slotpark_core::{Parked, Slots, Table};

static SLOTS: Slots<u64> = Slots::new();
static TABLE: Table<u64> = Table::over(&SLOTS);

extern "C" fn wake(_signal: libc::c_int) {
    let _woken = TABLE.unpark(1, &1, 1, 0);
}

fn raise() {
    // SAFETY: raise(3) is always callable; the handler is installed, and runs before this returns.
    unsafe { libc::raise(libc::SIGUSR1) };
}

/// What the child of this test does: its handler wakes while `validate` runs, before or under the
/// slot lock.
fn child(run_that_is_hit: u32) {
    // SAFETY: alarm(2) is always callable. It ends a child that hangs, which the parent reports.
    unsafe { libc::alarm(30) };
    let handler: extern "C" fn(libc::c_int) = wake;
    // SAFETY: the handler has the signature that signal(2) wants, and lives as long as the process.
    unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    let mut run = 0;
    let parked = TABLE.park(1, &1, FOREVER, || {
        run += 1;
        if run == run_that_is_hit {
            raise();
        }
        run < 2
    });
    assert_eq!(parked, Parked::Stale);
    println!("the child came to its end");
}

const HIT: &str = "SLOTPARK_SIGNAL_HITS_RUN";

fn run_child(story: &str, run_that_is_hit: u32) -> Output {
    Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--exact", story, "--nocapture"])
        .env(HIT, run_that_is_hit.to_string())
        .output()
        .expect("a test can run itself")
}

/// A handler that interrupts a thread under a slot lock and wakes waits for its own thread for
/// ever: the debug build ends with a message instead.
#[test]
fn signals() {
    const STORY: &str = "signals";
    if let Some(run) = std::env::var(HIT).ok().and_then(|run| run.parse().ok()) {
        return child(run);
    }
    let harmless = run_child(STORY, 1);
    assert!(harmless.status.success(), "outside the lock: {harmless:?}");
    let output = String::from_utf8_lossy(&harmless.stdout);
    assert!(output.contains("the child came to its end"), "{output}");
    if !cfg!(debug_assertions) {
        return skip(STORY, "release builds do not detect a handler's re-entry");
    }
    let caught = run_child(STORY, 2);
    let complaint = String::from_utf8_lossy(&caught.stderr);
    let expected = "a table was called while this thread holds a slot lock";
    assert!(!caught.status.success(), "{caught:?}");
    assert!(
        complaint.contains(expected),
        "{:?}: {complaint}",
        caught.status
    );
}
