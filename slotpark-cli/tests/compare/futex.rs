//! The side of the futex: `slotpark compare --quick --side futex`.

use crate::report::{Report, Row, compare, shape_of_ratios, shape_of_rows, text};

const SPINNING: [&str; 2] = ["slotpark", "kernel"];
const SLEEPING: [&str; 2] = ["slotpark_no_spin", "kernel"];

const ROWS: [Row; 13] = [
    ("futex_wake_none", "ns", &SPINNING),
    ("futex_wait_stale", "ns", &SPINNING),
    ("futex_wait_past_deadline", "ns", &SPINNING),
    ("futex_wait_stale_timed", "ns", &SPINNING),
    ("futex_cmp_requeue_none", "ns", &SPINNING),
    ("futex_wake_op_none", "ns", &SPINNING),
    ("futex_waitv_8_stale", "ns", &SPINNING),
    ("futex_round_trip_idle", "ns", &SPINNING),
    ("futex_round_trip_idle_no_spin", "ns", &SLEEPING),
    ("futex_round_trip_busy", "ns", &SPINNING),
    ("futex_round_trip_busy_no_spin", "ns", &SLEEPING),
    ("futex_wake_all_8_call", "ns", &SPINNING),
    ("futex_wake_all_8_running", "ns", &SPINNING),
];

/// What is aimed at, as a ratio to the kernel.
const TARGETS: [(&str, f64); 6] = [
    ("futex_wake_none", 0.02),
    ("futex_wait_stale", 0.02),
    ("futex_round_trip_idle", 1.0),
    ("futex_round_trip_idle_no_spin", 1.05),
    ("futex_round_trip_busy", 1.0),
    ("futex_round_trip_busy_no_spin", 1.05),
];

#[test]
fn the_report_of_the_futex_is_whole_and_has_its_targets() {
    let output = compare(&["--quick", "--side", "futex", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = Report(serde_json::from_slice(&output.stdout).expect("it is JSON alone"));
    // An old kernel has no `futex_waitv`.
    let waitv = ("futex_waitv_8_stale", "kernel");
    let absent = report.row(waitv.0, waitv.1)["median"].is_null();
    let absences: &[_] = if absent { &[waitv] } else { &[] };
    shape_of_rows(&report, &ROWS, absences);
    if !absent {
        shape_of_ratios(&report, &ROWS);
    }
    for (row, _, engines) in ROWS {
        for engine in engines {
            assert_eq!(report.row(row, engine)["hung"], 0, "{row} of {engine}");
        }
        let ratio = report.entry("ratios", &[("row", row), ("to", "kernel")]);
        let target = TARGETS.iter().find(|(of, _)| *of == row);
        assert_eq!(
            ratio["target"].as_f64(),
            target.map(|(_, target)| *target),
            "{row}"
        );
    }
    // No system call is as cheap as none, on whatever machine.
    for row in ["futex_wake_none", "futex_wait_stale"] {
        let ratio = report.entry("ratios", &[("row", row), ("to", "kernel")]);
        assert!(ratio["median"].as_f64() < Some(1.0), "{ratio}");
    }
}

#[test]
fn the_table_of_the_futex_says_what_is_compared() {
    let output = compare(&["--quick", "--only", "futex_wake_none"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for part in ["slotpark", "kernel", "target 0.02x: ", "50 times as fast"] {
        assert!(table.contains(part), "{table}");
    }
    assert!(!table.contains("futex_wait_past_deadline  "), "{table}");
    assert!(!table.contains("maitake"), "{table}");
}
