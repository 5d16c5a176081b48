//! Runs `slotpark compare --quick` and checks everything about its report but the times.

mod futex;
mod locks;
mod managers;
mod report;

use serde_json::Value;

use report::{Report, Row, compare, shape_of_ratios, shape_of_rows, text};

const ENGINES: [&str; 5] = [
    "slotpark",
    "dashmap_arc",
    "seed_slot",
    "parking_lot_core",
    "futex",
];
const ROWS: [(&str, &str); 20] = [
    ("allocs_per_wait", "count"),
    ("table_bytes", "bytes"),
    ("bytes_kept_1m_keys", "bytes"),
    ("wake_none", "ns"),
    ("wait_stale", "ns"),
    ("wait_past_deadline", "ns"),
    ("keyed_wait_wake", "ns"),
    ("round_trip_idle", "ns"),
    ("round_trip_busy", "ns"),
    ("round_trip_8_pairs", "ns"),
    ("round_trip_8_pairs_cpu", "ns"),
    ("wake_all_8_call", "ns"),
    ("wake_all_8_running", "ns"),
    ("wake_all_64_call", "ns"),
    ("wake_all_64_running", "ns"),
    ("wake_all_512_call", "ns"),
    ("wake_all_512_running", "ns"),
    ("lost_wakes", "count"),
    ("wrong_key_wakes", "count"),
    ("hang_demo_ms", "ms"),
];

const TASK_ENGINES: [&str; 5] = [
    "slotpark",
    "maitake",
    "tokio_notify",
    "event_listener",
    "async_event",
];
const ALONE: [&str; 2] = ["slotpark", "slotpark_alone"];
const BESIDE_ALONE: [&str; 6] = [
    "slotpark",
    "slotpark_alone",
    "maitake",
    "tokio_notify",
    "event_listener",
    "async_event",
];
const SEVERAL_PER_KEY: [&str; 4] = ["slotpark", "tokio_notify", "event_listener", "async_event"];
const TASK_ROWS: [Row; 13] = [
    ("task_wait_wake", "ns", &TASK_ENGINES),
    ("task_wait_wake_allocs", "count", &TASK_ENGINES),
    ("task_wait_wake_10_others", "ns", &BESIDE_ALONE),
    ("task_wait_wake_100_others", "ns", &BESIDE_ALONE),
    ("task_wait_wake_1000_others", "ns", &BESIDE_ALONE),
    ("task_wait_wake_10000_others", "ns", &BESIDE_ALONE),
    ("task_wait_wake_10_others_512_slots", "ns", &ALONE),
    ("task_wait_wake_100_others_512_slots", "ns", &ALONE),
    ("task_wait_wake_1000_others_512_slots", "ns", &ALONE),
    ("task_wait_wake_10000_others_512_slots", "ns", &ALONE),
    ("task_wake_all_64_call", "ns", &SEVERAL_PER_KEY),
    ("task_drop", "ns", &TASK_ENGINES),
    ("task_round_trip", "ns", &TASK_ENGINES),
];

/// Every row, its unit and the engines that fill it.
fn rows() -> Vec<Row> {
    let of_threads = ROWS
        .iter()
        .map(|&(row, unit)| (row, unit, ENGINES.as_slice()));
    of_threads.chain(TASK_ROWS).collect()
}

#[test]
fn the_quick_report_is_whole_and_slotpark_keeps_its_promises() {
    let output = compare(&["--quick", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = Report(serde_json::from_slice(&output.stdout).expect("it is JSON alone"));
    assert_eq!(report.0["schema"], 1);
    assert!(report.0["machine"]["cores"].as_u64() > Some(0));
    shape_of_rows(&report, &rows(), &[("table_bytes", "futex")]);
    shape_of_ratios(&report, &rows());
    for (row, _, engines) in TASK_ROWS {
        for engine in engines {
            assert_eq!(report.row(row, engine)["hung"], 0, "{row} of {engine}");
        }
    }

    targets(&report);

    for row in [
        "lost_wakes",
        "wrong_key_wakes",
        "allocs_per_wait",
        "bytes_kept_1m_keys",
        "task_wait_wake_allocs",
    ] {
        report.all_figures(row, "slotpark", 0.0);
    }
    report.all_figures("table_bytes", "slotpark", 32768.0);
    for engine in ["dashmap_arc", "parking_lot_core", "futex"] {
        report.all_figures("lost_wakes", engine, 0.0);
    }
    // What the others are here to show.
    assert!(report.row("lost_wakes", "seed_slot")["median"].as_f64() > Some(0.0));
    assert!(report.row("allocs_per_wait", "dashmap_arc")["median"].as_f64() >= Some(1.0));
    assert!(report.row("bytes_kept_1m_keys", "dashmap_arc")["median"].as_f64() > Some(1e6));
    assert!(report.row("table_bytes", "futex")["median"].is_null());
    for engine in ["tokio_notify", "event_listener", "async_event"] {
        assert!(report.row("task_wait_wake_allocs", engine)["median"].as_f64() >= Some(1.0));
    }
    for engine in ["seed_slot", "dashmap_arc"] {
        report.all_figures("hang_demo_ms", engine, 1000.0);
        assert_eq!(report.row("hang_demo_ms", engine)["hung"], 1);
    }
}

/// What the report says should be at most so much; whether it is depends on the machine.
fn targets(report: &Report) {
    let target = |ratio: &Value| {
        let name = |member: &str| ratio[member].as_str().expect("it is a name").to_owned();
        ratio["target"]
            .as_f64()
            .map(|target| (name("row"), name("to"), target))
    };
    let found: Vec<_> = report.list("ratios").iter().filter_map(target).collect();
    let flat = ["10", "100", "1000", "10000"].map(|waiting| {
        let row = format!("task_wait_wake_{waiting}_others");
        (row, "slotpark_alone".to_owned(), 1.3)
    });
    let fast = ("task_wait_wake".to_owned(), "maitake".to_owned(), 1.05);
    let expected: Vec<_> = std::iter::once(fast).chain(flat).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_table_names_the_machine_the_engines_and_the_run_with_one_slot() {
    let output = compare(&["--quick", "--only", "lost_wakes"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for engine in ENGINES {
        assert!(table.contains(engine), "{table}");
    }
    assert!(table.contains("cores, "), "{table}");
    assert!(table.contains("wrong_key_wakes"), "{table}");
    assert!(
        table.contains("0 lost and 0 of the wrong key with one slot"),
        "{table}"
    );
    assert!(
        table.contains("seed_slot is expected to lose wakes"),
        "{table}"
    );
    assert!(!table.contains("wake_none"), "{table}");
    assert!(!table.contains("maitake"), "{table}");
}

#[test]
fn the_table_of_tasks_names_their_engines_and_the_targets() {
    let rows = ["task_wait_wake_allocs", "task_wait_wake_10_others"];
    let output = compare(&["--quick", "--only", rows[0], "--only", rows[1]]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for name in BESIDE_ALONE.iter().chain(&rows) {
        assert!(table.contains(name), "{table}");
    }
    assert!(table.contains("target 1.05x: "), "{table}");
    assert!(table.contains("target 1.3x: "), "{table}");
    assert!(!table.contains("seed_slot"), "{table}");
    assert!(!table.contains("task_drop"), "{table}");
}

#[test]
fn an_unknown_row_is_a_clear_error() {
    let output = compare(&["--only", "no_such_row"]);
    assert!(!output.status.success());
    let message = text(&output.stderr);
    assert!(message.contains("no row `no_such_row`"), "{message}");
    assert!(message.contains("wake_none"), "{message}");
    assert!(output.stdout.is_empty());
}
