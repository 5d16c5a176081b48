//! Futex calls are answered as the kernel answers them, also from signal handlers and after forks.

use crate::tools::{Ended, Folder, Run, command, finish, program};

/// Runs a program without slots and then with them; both must do the same. Returns the second run,
/// for its report, and what was printed.
fn same(folder: &Folder, name: &str) -> (Run, Ended) {
    let run = Run::new(folder);
    let program = program(folder, name);
    let expected = finish(&mut command(&program, &[]));
    let got = finish(&mut run.of(&command(&program, &[])));
    assert!(expected.status.success(), "{expected:?}");
    for (got, expected) in got.stdout.lines().zip(expected.stdout.lines()) {
        assert_eq!(got, expected);
    }
    assert_eq!(got, expected);
    (run, got)
}

#[test]
fn answers_are_the_kernels() {
    let folder = Folder::new("answers");
    let (run, ended) = same(&folder, "futex_answers");
    assert!(ended.stdout.lines().count() > 1000, "{ended:?}");
    for count in [
        "waits",
        "stale",
        "timeouts",
        "wakes",
        "requeues",
        "moved",
        "refused",
        "kernel_calls",
    ] {
        assert!(run.total(count) > 0, "{count}");
    }
}

#[test]
fn addresses_of_the_kernel_are_its_own() {
    let folder = Folder::new("addresses");
    let (run, _) = same(&folder, "addresses");
    assert!(run.total("kernel_calls") > 100 && run.total("wakes") > 0);
}

/// FUTEX_WAKE_OP, `futex_waitv`, futex2.
#[test]
fn answers_of_younger_calls_are_the_kernels() {
    if !kernel_has_futex2() {
        return;
    }
    let folder = Folder::new("younger");
    let (run, _) = same(&folder, "younger_answers");
    for (name, count) in [("waits", 25), ("stale", 2), ("timeouts", 3), ("moved", 3)] {
        assert_eq!(run.total(name), count, "{name}");
    }
    // All 20 that were not stale or late; two of them had a word named twice.
    assert_eq!(run.total("woken"), 22);
    assert_eq!(run.total("unanswered"), 0);
}

/// Neither side can wait on words of both kinds: ENOSYS, and it is counted.
#[test]
fn waits_on_words_of_both_kinds_are_refused() {
    let folder = Folder::new("mixed");
    let run = Run::new(&folder);
    let ended = finish(&mut run.of(&command(program(&folder, "mixed_waits"), &[])));
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(ended.stdout, "-38\n-38\n-110\n");
    let counts = ["waits", "timeouts", "refused", "unanswered", "kernel_calls"];
    assert_eq!(counts.map(|name| run.total(name)), [1, 1, 0, 2, 0]);
}

#[test]
fn priority_inheritance_is_the_kernels() {
    let folder = Folder::new("inheriting");
    let (run, _) = same(&folder, "inheriting");
    assert!(run.total("kernel_calls") > 10);
}

/// Shared words across processes are forwarded, and private ones of the same threads are not.
#[test]
fn words_that_processes_share_are_the_kernels() {
    let folder = Folder::new("across");
    let (run, _) = same(&folder, "across");
    assert!(run.total("kernel_calls") >= 4_000);
    // Parent and child, of a thousand turns each; and a thread may have to wait for the others.
    assert!(run.total("wakes") >= 2_000);
    assert!(run.total("waits") > 0);
}

#[test]
fn children_that_have_the_memory_of_their_parent_meet_it() {
    let folder = Folder::new("one-memory");
    let (run, _) = same(&folder, "one_memory");
    assert_eq!(run.report()["processes"].as_array().unwrap().len(), 1);
}

/// Nothing is left of threads that end, not even a number.
#[test]
fn threads_that_come_and_go_leave_nothing() {
    let folder = Folder::new("short-lives");
    let (run, _) = same(&folder, "short_lives");
    assert_eq!(run.total("waiting_at_end"), 0);
    let ended = ["woken", "stale", "timeouts", "interrupted"].map(|name| run.total(name));
    assert_eq!(run.total("waits"), ended.iter().sum::<u64>(), "{ended:?}");
}

/// Kernels before Linux 6.7 lack it.
fn kernel_has_futex2() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    let version: [u32; 2] = [(); 2].map(|()| numbers.next().unwrap_or(0));
    if version < [6, 7] {
        println!("skipped: Linux {} has no futex2", release.trim());
    }
    version >= [6, 7]
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

/// Handlers end waits as in the kernel, but for two cases: it goes on with a `futex_waitv` and a
/// wait of futex2 that have a timeout, after a handler with SA_RESTART.
#[test]
fn handlers_end_waits() {
    if !kernel_has_futex2() {
        return;
    }
    let folder = Folder::new("interrupted");
    let run = Run::new(&folder);
    let program = program(&folder, "interrupted");
    let expected = finish(&mut command(&program, &[]));
    let got = finish(&mut run.of(&command(&program, &[])));
    assert!(
        expected.status.success() && got.status.success(),
        "{expected:?}, {got:?}"
    );
    let mut differ = Vec::new();
    for (got, expected) in got.stdout.lines().zip(expected.stdout.lines()) {
        if got != expected {
            assert_eq!(got, expected.replace("goes on", "ends"));
            differ.push(got.split(',').next().unwrap());
        }
    }
    assert_eq!(differ, ["waitv", "futex2"], "{got:?}, {expected:?}");
    let ends = got.stdout.lines().filter(|line| line.ends_with(": ends"));
    assert_eq!(run.total("interrupted"), ends.count() as u64);
    assert_eq!(run.total("waiting_at_end"), 0);
}

#[test]
fn fork_child_starts_clean() {
    let folder = Folder::new("forks");
    let run = Run::new(&folder);
    let ended = finish(&mut run.of(&command(program(&folder, "forks"), &[])));
    assert!(ended.status.success(), "{ended:?}");
    let report = run.report();
    assert_eq!(report["processes"].as_array().unwrap().len(), 61);
}
