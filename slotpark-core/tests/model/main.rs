//! Random programs of waits, wakes, filters, requeues, closings, interrupts, deadlines and panics,
//! compared step by step with a naive model: one queue per key, by priority, then first come.
//!
//! Threads are coroutines of the test's own thread, on a platform whose sleep goes back to the
//! test, and tasks are polled by hand: any waiter goes on at any step, and every run of a program
//! is the same. A failure is shrunk, printed and kept in `regressions.txt`, whose programs are run
//! first.
#![cfg(not(miri))] // Coroutines switch stacks by hand.

mod bytes;
mod check;
mod chosen;
mod drawn;
mod ends;
mod expected;
mod host;
mod leaving;
mod lookout;
mod machine;
#[path = "../common/naive.rs"]
#[expect(dead_code, reason = "shuttle's oracle uses the rest")]
mod naive;
mod outcomes;
mod program;
mod tasks;
mod touches;
mod waits;
mod wakes;
mod words;
mod words_expected;
mod words_ground;
mod words_machine;

use std::path::Path;

use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Input;
use drawn::{crowds, programs, words};
use host::Virtual;
use machine::{Seen, follow};

/// Programs of a test; `PROPTEST_CASES` changes it.
const PROGRAMS: u32 = 2_000;
const CROWDS: u32 = 100;
const WORDS: u32 = 2_000;
const SHRINK_ITERATIONS_MAX: u32 = 20_000;

#[test]
fn waiters_that_sleep_in_groups_follow_the_model() {
    let seen = run(PROGRAMS, programs(), follow::<Virtual<true>>);
    assert_everything_happened(seen);
}

#[test]
fn waiters_that_sleep_alone_follow_the_model() {
    let seen = run(PROGRAMS, programs(), follow::<Virtual<false>>);
    assert_everything_happened(seen);
}

/// More sleepers than a slot has bits, and more than two for each.
#[test]
fn crowds_follow_the_model() {
    let seen = run(CROWDS, crowds(), follow::<Virtual<true>>);
    let is_shared = is_limited() || seen.count("a wait was woken for nothing") > 0;
    assert!(is_shared, "nobody shared a bit: {seen:?}");
}

/// Semaphores that are fair and that are not, and event counters.
#[test]
fn words_follow_the_model() {
    let follow = words_machine::follow::<Virtual<true>>;
    let seen = run(WORDS, words(), follow);
    let events = [
        "permits were granted",
        "permits were owed",
        "acquires were closed",
        "a woken one was too late",
        "a granted task was dropped",
        "a woken task was dropped",
        "a queued task was dropped",
        "a deadline passed",
        "an advance woke",
        "events came",
        "waits for events were closed",
    ];
    for event in events {
        let has_happened = is_limited() || seen.count(event) > 0;
        assert!(has_happened, "never: {event}: {seen:?}");
    }
}

/// What the fuzzer has found worth keeping. A packed crate comes without it.
#[test]
fn the_corpus_of_the_fuzzer_follows_the_model() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    if !fuzz.exists() {
        return;
    }
    let mut seen = Seen::default();
    for file in fuzz.join("corpus/queue_operations").read_dir().unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        // Shown if it fails: the program behind the bytes is named by its file.
        println!("{}", path.display());
        let input = Input::arbitrary_take_rest(Unstructured::new(&bytes)).unwrap();
        input.follow(&mut seen);
    }
    assert_everything_happened(seen);
}

/// Somebody asked for another number of programs.
fn is_limited() -> bool {
    std::env::var_os("PROPTEST_CASES").is_some()
}

fn run<T: std::fmt::Debug>(
    programs: u32,
    strategy: impl proptest::strategy::Strategy<Value = T>,
    follow: fn(&T, &mut Seen),
) -> Seen {
    let mut config = Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/model/regressions.txt",
        ))),
        ..Config::default()
    };
    // `PROPTEST_MAX_SHRINK_ITERS` may ask for fewer.
    config.max_shrink_iters = config.max_shrink_iters.min(SHRINK_ITERATIONS_MAX);
    if !is_limited() {
        config.cases = programs;
    }
    let seen = std::cell::RefCell::new(Seen::default());
    let mut runner = TestRunner::new(config);
    let result = runner.run(&strategy, |program| {
        follow(&program, &mut seen.borrow_mut());
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}\n{runner}");
    }
    seen.into_inner()
}

/// What never happens is not tested.
fn assert_everything_happened(seen: Seen) {
    let events = [
        "a wait was woken",
        "a wait was woken before it slept",
        "a wait was woken past its deadline",
        "a wait was woken after a move",
        "a wait timed out",
        "a wait timed out after a move",
        "a wait was stale",
        "a wait failed",
        "a wait panicked",
        "a wake panicked",
        "a requeue panicked",
        "a comparison panicked",
        "a waiter was moved",
        "a key found others in its slot",
        "a wait was closed",
        "a wait was interrupted",
        "a signal ended a wait",
        "a signal ended no wait",
        "a moved wait was interrupted",
        "a signal ended a wait on several",
        "a prepared thread left",
        "a wake was passed on",
        "a wake found nobody to be passed on to",
        "the last was woken",
        "a wake of the last was passed on",
        "a thread on several keys was woken",
        "a thread on several keys timed out",
        "a task was woken",
        "a task was woken after a move",
        "a task timed out",
        "a task panicked",
        "a task was dropped while it waited",
        "a chosen task was dropped",
        "a task waited again",
        "a Waker stayed",
        "a Waker was replaced",
        "an interrupt ended a wait",
        "an interrupt came too early or too late",
        "an interrupt was forgotten",
        "a key was closed under waits",
        "a key was sealed under waits",
        "a key was opened again",
        "a waiter was moved to a closed key",
        "waits were closed where asked",
        "waits were woken where asked",
        "a question for keys panicked",
        "a table was closed under waits",
    ];
    for event in events {
        assert!(
            is_limited() || seen.count(event) > 0,
            "never: {event}: {seen:?}"
        );
    }
}
