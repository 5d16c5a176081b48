//! The side of the managers: `slotpark compare --quick --side managers`.

use crate::report::{Report, Row, compare, shape_of_ratios, shape_of_rows, text};

const BLOCKS: [&str; 3] = ["slotpark", "kernel", "crossbeam_channel"];
const ROUND_TRIP: [&str; 3] = ["slotpark", "kernel", "map_and_wait"];
const BLOCKING: [&str; 2] = ["slotpark", "map_and_wait"];
const SIGNALS: [&str; 2] = ["slotpark", "kernel"];
const ALONE: [&str; 1] = ["slotpark"];

const ROWS: [Row; 17] = [
    ("pipe_64_bytes", "ns", &BLOCKS),
    ("pipe_64_bytes_cpu", "ns", &BLOCKS),
    ("pipe_4096_bytes", "ns", &BLOCKS),
    ("pipe_4096_bytes_cpu", "ns", &BLOCKS),
    ("pipe_65536_bytes", "ns", &BLOCKS),
    ("pipe_65536_bytes_cpu", "ns", &BLOCKS),
    ("pipe_round_trip", "ns", &ROUND_TRIP),
    ("pipe_round_trip_cpu", "ns", &ROUND_TRIP),
    ("pipe_blocking", "ns", &BLOCKING),
    ("pipe_blocked_read", "ns", &BLOCKING),
    ("pipe_ready_read", "ns", &BLOCKING),
    ("signal_deliver", "ns", &SIGNALS),
    ("process_fork", "ns", &ALONE),
    ("process_exit_wait", "ns", &ALONE),
    ("process_bytes", "bytes", &ALONE),
    ("process_bytes_own_actions", "bytes", &ALONE),
    ("process_bytes_kept", "bytes", &ALONE),
];

#[test]
fn the_report_of_the_managers_is_whole() {
    let output = compare(&["--quick", "--side", "managers", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = Report(serde_json::from_slice(&output.stdout).expect("it is JSON alone"));
    assert_eq!(report.0["schema"], 1);
    shape_of_rows(&report, &ROWS, &[]);
    shape_of_ratios(&report, &ROWS);
    for (row, _, engines) in ROWS {
        for engine in engines {
            assert_eq!(report.row(row, engine)["hung"], 0, "{row} of {engine}");
        }
    }
    let bytes = |row| report.row(row, "slotpark")["median"].as_f64();
    let own = bytes("process_bytes_own_actions");
    assert!(bytes("process_bytes") > Some(0.0));
    assert!(own > bytes("process_bytes"), "actions are shared until set");
    // Two kilobytes of actions for each are gone; the room in maps is not.
    let kept = bytes("process_bytes_kept");
    assert!(kept < bytes("process_bytes"), "{kept:?}");
}

#[test]
fn the_table_of_the_managers_says_what_is_compared() {
    let output = compare(&["--quick", "--only", "pipe_blocking"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for part in [
        "map_and_wait",
        "pipe_ready_read",
        "kill(2) of the process itself",
        "bytes are copied once, by pipes twice",
    ] {
        assert!(table.contains(part), "{table}");
    }
    assert!(!table.contains("signal_deliver  "), "{table}");
    assert!(!table.contains("target"), "{table}");
}
