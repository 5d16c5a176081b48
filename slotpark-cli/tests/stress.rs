//! Runs `slotpark stress` for a short time, and sees that a waiter who is not woken is told of.

use std::process::{Command, Output};

fn stress(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_slotpark");
    Command::new(program)
        .arg("stress")
        .args(args)
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the output is text")
}

/// The numbers of the summary's row with this name.
fn numbers(summary: &str, name: &str) -> Vec<u64> {
    let row = summary
        .lines()
        .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix("  "))
        .unwrap_or_else(|| panic!("no row `{name}` in\n{summary}"));
    row.split_whitespace()
        .map(|number| number.parse().expect("a row has numbers"))
        .collect()
}

fn finds_nothing(mode: &[&str]) {
    let args = ["--seconds", "2", "--seed", "7", "--threads", "4"];
    let output = stress(&[&args, mode].concat());
    let summary = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(summary.contains("seed 7, 4 threads"), "{summary}");
    assert!(summary.contains("nothing found"), "{summary}");
    // Calls, per second, woken, moved, stale, timed out, closed, interrupted, given up, panicked.
    for (column, count) in numbers(summary, "all").into_iter().enumerate() {
        assert!(count > 0, "column {column} of\n{summary}");
    }
    // The first phase has a scene of each kind.
    let rows = "park, requeue, futex requeue, prepare, wait_async, wait_any, wait_any_async, \
                wake_where, close_key, close_where, closed_key, interrupt, subscribe, \
                receive_async, deliver, wake_last, \
                acquire, acquire_async, wait_for_at_least, advance, \
                hold, hold_async, hold_many, hold_many_async, grow, grow_async, notify, fly, \
                fly_async, count_down, wait at a latch, wait at a barrier, look at a slot, \
                told of a wait or a hold";
    for row in rows.split(", ") {
        assert!(numbers(summary, row)[0] > 0, "row {row} of\n{summary}");
    }
}

#[test]
fn nothing_is_found_with_many_slots() {
    finds_nothing(&[]);
}

#[test]
fn nothing_is_found_with_one_slot() {
    finds_nothing(&["--one-slot"]);
}

#[test]
fn a_waiter_that_is_not_woken_is_told_with_the_way_to_repeat_it() {
    let args = [
        "--seconds",
        "30",
        "--seed",
        "7",
        "--patience",
        "2",
        "--one-slot",
    ];
    let output = stress(&[&args[..], &["--plant", "stuck"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("seed 7"));
    let report = text(&output.stderr);
    assert!(report.contains("FOUND: stuck"), "{report}");
    let replay = "replay: slotpark stress --seed 7 --threads 4 --seconds 30 --one-slot --phase ";
    assert!(report.contains(replay), "{report}");
    // Who waits, at which key of which slot, and what the slot has counted.
    for told in ["with no deadline", "in slot 0 of table", "    slot 0: "] {
        assert!(report.contains(told), "no `{told}` in {report}");
    }
}

#[test]
fn a_thread_alone_is_refused() {
    let output = stress(&["--threads", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--threads must be from 2"));
}
