//! Runs `slotpark compare --quick` and checks everything about its report but the times.

use std::process::{Command, Output};

use serde_json::Value;

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

fn compare(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_slotpark");
    Command::new(program)
        .arg("compare")
        .args(args)
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the output is text")
}

struct Report(Value);

impl Report {
    fn list(&self, name: &str) -> &[Value] {
        self.0[name].as_array().expect("it is a list")
    }

    /// The one entry of `list` whose members have the given values.
    fn entry(&self, list: &str, members: &[(&str, &str)]) -> &Value {
        let matches = |entry: &&Value| members.iter().all(|&(name, value)| entry[name] == value);
        let found: Vec<&Value> = self.list(list).iter().filter(matches).collect();
        assert_eq!(found.len(), 1, "{list} has {members:?} once");
        found[0]
    }

    fn row(&self, row: &str, engine: &str) -> &Value {
        self.entry("rows", &[("row", row), ("engine", engine)])
    }

    fn all_figures(&self, row: &str, engine: &str, expected: f64) {
        let entry = self.row(row, engine);
        for figure in ["median", "min", "max"] {
            assert_eq!(
                entry[figure].as_f64(),
                Some(expected),
                "{figure} of {entry}"
            );
        }
    }
}

/// The three numbers of an entry, in order, unless all three are null.
fn in_order(entry: &Value, names: [&str; 3]) -> Option<[f64; 3]> {
    let numbers = names.map(|name| entry[name].as_f64());
    if numbers == [None; 3] {
        assert!(names.iter().all(|name| entry[name].is_null()), "{entry}");
        return None;
    }
    let [low, middle, high] = numbers.map(|number| number.expect("all three are numbers"));
    assert!(low <= middle && middle <= high, "{entry}");
    Some([low, middle, high])
}

#[test]
fn the_quick_report_is_whole_and_slotpark_keeps_its_promises() {
    let output = compare(&["--quick", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = Report(serde_json::from_slice(&output.stdout).expect("it is JSON alone"));
    assert_eq!(report.0["schema"], 1);
    assert!(report.0["machine"]["cores"].as_u64() > Some(0));
    shape_of_rows(&report);
    shape_of_ratios(&report);

    for row in [
        "lost_wakes",
        "wrong_key_wakes",
        "allocs_per_wait",
        "bytes_kept_1m_keys",
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
    for engine in ["seed_slot", "dashmap_arc"] {
        report.all_figures("hang_demo_ms", engine, 1000.0);
        assert_eq!(report.row("hang_demo_ms", engine)["hung"], 1);
    }
}

fn shape_of_rows(report: &Report) {
    for (row, unit) in ROWS {
        for engine in ENGINES {
            let entry = report.row(row, engine);
            assert_eq!(entry["unit"], unit);
            assert!(entry["hung"].is_u64(), "{entry}");
            let absent = row == "table_bytes" && engine == "futex";
            assert_eq!(
                in_order(entry, ["min", "median", "max"]).is_none(),
                absent,
                "{entry}"
            );
        }
    }
    assert_eq!(report.list("rows").len(), ROWS.len() * ENGINES.len());
}

fn shape_of_ratios(report: &Report) {
    for (row, unit) in ROWS {
        for to in &ENGINES[1..] {
            let ratio = report.entry("ratios", &[("row", row), ("of", "slotpark"), ("to", to)]);
            let numbers = in_order(ratio, ["lo", "median", "hi"]);
            let other = &report.row(row, to);
            // No ratio to zero or to nothing; every time has one.
            if other["min"].as_f64().is_none_or(|min| min == 0.0) {
                assert_eq!(numbers, None, "{ratio}");
            } else {
                assert!(numbers.is_some(), "{ratio}");
            }
            assert!(
                numbers.is_some() || !["ns", "ms"].contains(&unit),
                "{ratio}"
            );
        }
    }
    assert_eq!(
        report.list("ratios").len(),
        ROWS.len() * (ENGINES.len() - 1)
    );
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
