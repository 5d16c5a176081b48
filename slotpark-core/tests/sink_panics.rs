//! A sink that panics ends the process: what it is told of cannot be undone.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Waker};

use slotpark_core::{Detail, Held, HoldOptions, KeyedLock, Sink, Waited, set_detail, set_sink};

struct Panics;

impl Sink for Panics {
    fn waited(&self, _waited: &Waited) {
        panic!("it does not like that");
    }

    fn held(&self, _held: &Held) {}
}

/// A task is granted a key; what is told of that must not let its place go while it is linked.
fn granted() {
    assert!(set_sink(&Panics));
    set_detail(Detail::Counters);
    let lock = KeyedLock::<u64>::new(1);
    let one = HoldOptions::new(1);
    let guard = lock.hold(1, 7, one);
    let mut next = pin!(lock.hold_async(1, 7, one));
    let mut context = Context::from_waker(Waker::noop());
    assert!(next.as_mut().poll(&mut context).is_pending());
    drop(guard);
    let polled = catch_unwind(AssertUnwindSafe(|| {
        next.as_mut().poll(&mut context).is_ready()
    }));
    println!("went on: {polled:?}");
}

#[test]
fn a_sink_that_panics_ends_the_process() {
    const CHILD: &str = "SLOTPARK_SINK_PANICS";
    if std::env::var_os(CHILD).is_some() {
        granted();
        return;
    }
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    let name = "a_sink_that_panics_ends_the_process";
    let child = child.args(["--exact", name, "--nocapture"]).env(CHILD, "");
    let output = child.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(6), "{output:?}");
    assert!(said.contains("slotpark: a sink has panicked"), "{said}");
}
