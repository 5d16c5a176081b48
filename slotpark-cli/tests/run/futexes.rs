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
