//! `slotpark run --inspect`: a program does what it does without it.

use std::fs;

use crate::tools::{Folder, Run, command, finish, program};

/// What each program says and how it ends, without slots and with a socket in every process: those
/// that fork, that wait and wake in signal handlers, that hand memory on to children, whose threads
/// come and go, whose main thread ends first.
#[test]
fn programs_are_undisturbed() {
    let folder = Folder::new("inspected");
    let run = Run::inspected(&folder);
    for (name, arguments) in [
        ("threads", &["exit", "3"][..]),
        ("threads", &["signal", "15"]),
        ("signals", &[]),
        ("forks", &[]),
        ("short_lives", &[]),
        ("inheriting", &[]),
        ("main_ends_first", &[]),
    ] {
        let program = program(&folder, name);
        let expected = finish(&mut command(&program, arguments)).masked();
        let got = finish(&mut run.of(&command(&program, arguments))).masked();
        assert_eq!(got, expected, "{name} {arguments:?}");
    }
    let left = fs::read_dir(folder.path("slotpark"));
    let left: Vec<_> = left.into_iter().flatten().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}
