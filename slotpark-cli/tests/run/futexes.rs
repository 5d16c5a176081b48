//! Futex calls are answered as the kernel answers them, also from signal handlers and after forks.

use crate::tools::{Folder, Run, command, finish, program};

#[test]
fn answers_are_the_kernels() {
    let folder = Folder::new("answers");
    let run = Run::new(&folder);
    let answers = program(&folder, "futex_answers");
    let expected = finish(&mut command(&answers, &[]));
    let got = finish(&mut run.of(&command(&answers, &[])));
    assert!(
        expected.status.success() && expected.stdout.lines().count() > 1000,
        "{expected:?}"
    );
    for (got, expected) in got.stdout.lines().zip(expected.stdout.lines()) {
        assert_eq!(got, expected);
    }
    assert_eq!(got, expected);
    for count in [
        "waits",
        "stale",
        "timeouts",
        "wakes",
        "requeues",
        "moved",
        "kernel_calls",
    ] {
        assert!(run.total(count) > 0, "{count}");
    }
}

#[test]
fn counts_are_exact() {
    let folder = Folder::new("counts");
    let run = Run::new(&folder);
    let ended = finish(&mut run.of(&command(program(&folder, "counts"), &[])));
    assert!(ended.status.success(), "{ended:?}");
    for (name, count) in [
        ("waits", 520),
        ("stale", 0),
        ("timeouts", 0),
        ("waiting_most", 520),
        ("waiting_at_end", 0),
        ("wakes", 1040),
        ("wakes_without_syscall", 520),
        ("woken", 520),
        ("requeues", 0),
        ("kernel_calls", 0),
    ] {
        assert_eq!(run.total(name), count, "{name}");
    }
    // Each slot that is used has its first waiter without a collision.
    assert_eq!(run.total("collisions"), 520 - run.total("slots_used"));
    assert!(run.total("busiest_slot_waits") >= 2);
    assert!(run.total("keys_estimate").abs_diff(520) <= 26);
    let report = run.report();
    let longest = report["totals"]["longest_waits_ns"].as_array().unwrap();
    let longest: Vec<_> = longest.iter().map(|wait| wait.as_u64().unwrap()).collect();
    assert!(
        longest.len() == 4 && longest.is_sorted_by(|a, b| a >= b),
        "{longest:?}"
    );
    assert!(longest.iter().sum::<u64>() <= run.total("wait_ns"));
}

#[test]
fn signals() {
    let folder = Folder::new("signals");
    let run = Run::new(&folder);
    let ended = finish(&mut run.of(&command(program(&folder, "signals"), &[])));
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.stdout, "turns: 60000\n");
    assert!(run.total("moved") > 0 && run.total("woken") > 0);
}

#[test]
fn fork_child_starts_clean() {
    let folder = Folder::new("forks");
    let run = Run::new(&folder);
    let ended = finish(&mut run.of(&command(program(&folder, "forks"), &[])));
    assert!(ended.status.success(), "{ended:?}");
    let report = run.report();
    assert_eq!(report["processes"].as_array().unwrap().len(), 41);
}
