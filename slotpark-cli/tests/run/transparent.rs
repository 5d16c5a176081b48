//! The program's status, streams, signals and environment are its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::tools::{Folder, Run, command, finish, finish_started, program, start};

#[test]
fn every_way_to_end_is_passed_on_and_reported() {
    let folder = Folder::new("endings");
    let run = Run::new(&folder);
    let threads = program(&folder, "threads");
    for (how, number) in [
        ("exit", "0"),
        ("exit", "3"),
        ("_exit", "4"),
        ("signal", "9"),
        ("signal", "15"),
        ("signal", "6"),
    ] {
        let native = command(&threads, &[how, number]);
        let expected = finish(&mut command(&threads, &[how, number]));
        // A core was left or not: that is the system's choice.
        let got = finish(&mut run.of(&native));
        assert_eq!(
            (&got.stdout, &got.stderr),
            (&expected.stdout, &expected.stderr)
        );
        let ending = |status: std::process::ExitStatus| {
            use std::os::unix::process::ExitStatusExt;
            (status.code(), status.signal())
        };
        assert_eq!(
            ending(got.status),
            ending(expected.status),
            "{how} {number}"
        );
        let exit = &run.report()["exit"];
        assert_eq!(exit["code"].as_i64(), expected.status.code().map(i64::from));
        for count in [
            "waits",
            "wakes",
            "woken",
            "keys_estimate",
            "slots_used",
            "wait_ns",
        ] {
            assert!(run.total(count) > 0, "{count} after {how} {number}");
        }
        assert_eq!(run.report()["processes"][0]["program"], "threads");
    }
}

#[test]
fn a_thread_that_still_waits_is_counted() {
    let folder = Folder::new("stuck");
    let run = Run::new(&folder);
    let ended = finish(&mut run.of(&command(program(&folder, "threads"), &["stuck", "0"])));
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(run.total("waiting_at_end"), 1);
}

#[test]
fn the_report_goes_to_standard_error_by_default() {
    let folder = Folder::new("stderr");
    let threads = program(&folder, "threads");
    let slotpark = || {
        let mut slotpark = Command::new(env!("CARGO_BIN_EXE_slotpark"));
        slotpark.arg("run");
        slotpark
    };
    let ended = finish(slotpark().arg("--").arg(&threads).args(["exit", "3"]));
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!(ended.stdout, "turns: 1000\nsum: 499500\n");
    let report = ended
        .stderr
        .strip_prefix("this goes to standard error\n")
        .unwrap();
    assert!(
        report.contains("ended with status 3") && report.contains("longest waits"),
        "{report}"
    );
    let ended = finish(slotpark().arg("--json").arg(&threads).args(["exit", "3"]));
    let json = ended
        .stderr
        .strip_prefix("this goes to standard error\n")
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        (&json["schema"], &json["exit"]["code"]),
        (&1.into(), &3.into())
    );
}

#[test]
fn standard_input_is_the_programs() {
    let folder = Folder::new("stdin");
    let mut slotpark = Run::new(&folder).of(&command(program(&folder, "threads"), &["echo"]));
    let mut child = start(slotpark.stdin(Stdio::piped()));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"one\ntwo\n")
        .unwrap();
    let ended = finish_started(child, "threads echo");
    assert!(ended.stdout.ends_with("one\ntwo\n"), "{ended:?}");
}

#[test]
fn every_process_of_the_tree_has_a_row() {
    let folder = Folder::new("tree");
    let run = Run::new(&folder);
    let threads = program(&folder, "threads");
    let script = format!(
        "'{0}' exit 0 & '{0}' _exit 0; wait; exec '{0}' exit 5",
        threads.display()
    );
    let ended = finish(&mut run.of(&command("/bin/sh", &["-c", &script])));
    assert_eq!(ended.status.code(), Some(5));
    let report = run.report();
    let rows = report["processes"].as_array().unwrap();
    // The shell became the third: one process, one row, named as it ended.
    assert_eq!(rows.len(), 3, "{report}");
    assert!(
        rows.iter()
            .all(|row| row["program"] == "threads" && row["processes"] == 1)
    );
    assert!(rows.iter().all(|row| row["waits"].as_u64() > Some(0)));
    assert_eq!(rows[1]["parent"], rows[0]["id"]);
    let sum: u64 = rows.iter().map(|row| row["wakes"].as_u64().unwrap()).sum();
    assert_eq!(run.total("wakes"), sum);
}

#[test]
fn more_processes_than_rows_share_the_last() {
    let folder = Folder::new("many");
    let run = Run::new(&folder);
    let script = "n=0; while [ $n -lt 1100 ]; do (:); n=$((n + 1)); done";
    let ended = finish(&mut run.of(&command("/bin/sh", &["-c", script])));
    assert!(ended.status.success(), "{ended:?}");
    let report = run.report();
    let rows = report["processes"].as_array().unwrap();
    assert_eq!(rows.len(), 1025);
    assert!(rows[1024]["id"].is_null());
    let processes = rows.iter().map(|row| row["processes"].as_u64().unwrap());
    assert_eq!(processes.sum::<u64>(), 1101);
}

#[test]
fn a_cleared_environment_costs_the_counts_only() {
    let folder = Folder::new("cleared");
    let run = Run::new(&folder);
    let script = "exec env -i LD_PRELOAD=\"$LD_PRELOAD\" \"$0\" exit 0";
    let threads = program(&folder, "threads");
    let ended = finish(&mut run.of(&command(
        "/bin/sh",
        &["-c", script, threads.to_str().unwrap()],
    )));
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(run.total("waits"), 0);
}

#[test]
fn other_preloaded_libraries_stay() {
    let folder = Folder::new("preload");
    let mut shell = command("/bin/sh", &["-c", "echo $LD_PRELOAD"]);
    let ended = finish(&mut Run::new(&folder).of(shell.env("LD_PRELOAD", "libc.so.6")));
    assert!(
        ended
            .stdout
            .ends_with("/libslotpark_preload.so:libc.so.6\n"),
        "{ended:?}"
    );
}

/// Runs a shell that has set a trap, sends a signal to it (a group, when negative) and returns how
/// `slotpark` ended.
fn signalled(name: &str, trap: &str, signal: &str, to_group: bool) -> Option<i32> {
    let folder = Folder::new(name);
    let run = Run::new(&folder);
    let script = format!("trap 'exit 7' {trap}; echo ready; while :; do sleep 0.01; done");
    let mut child = start(&mut run.of(&command("/bin/sh", &["-c", &script])));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let target = if to_group {
        format!("-{}", child.id())
    } else {
        child.id().to_string()
    };
    assert!(
        command("kill", &[&format!("-{signal}"), "--", &target])
            .status()
            .unwrap()
            .success()
    );
    let ended = finish_started(child, name);
    assert!(
        fs::metadata(folder.path("report.json")).unwrap().len() > 0,
        "no report"
    );
    ended.status.code()
}

#[test]
fn signals_reach_the_program() {
    assert_eq!(signalled("interrupt", "INT", "INT", true), Some(7));
    assert_eq!(signalled("terminate", "TERM", "TERM", false), Some(7));
}
