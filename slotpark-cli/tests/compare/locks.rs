//! The side of locks: `slotpark compare --quick --side locks`.

use crate::report::{Report, Row, compare, shape_of_ratios, shape_of_rows, text};

const BY_KEY: [&str; 7] = [
    "slotpark",
    "lockmap",
    "lockable",
    "keyed_lock",
    "dashmap_removed",
    "dashmap_kept",
    "striped_512",
];
const FOR_TASKS: [&str; 5] = [
    "slotpark",
    "lockable",
    "keyed_lock",
    "dashmap_tokio",
    "dashmap_async_lock",
];
const READERS: [&str; 2] = ["slotpark", "dashmap_rwlock"];
const PERMITS_BY_KEY: [&str; 2] = ["slotpark", "dashmap_semaphore"];
const ALONE: [&str; 3] = ["slotpark_word", "parking_lot", "std_mutex"];
const ZIPF_FAIR: [&str; 2] = ["slotpark", "lockable"];
const ZIPF_BARGING: [&str; 6] = [
    "slotpark_barging",
    "lockmap",
    "keyed_lock",
    "dashmap_removed",
    "dashmap_kept",
    "striped_512",
];
const FAIR: [&str; 4] = [
    "slotpark",
    "lockable",
    "slotpark_word_fair",
    "parking_lot_fair",
];
const BARGING: [&str; 7] = [
    "slotpark_barging",
    "lockmap",
    "keyed_lock",
    "dashmap_removed",
    "slotpark_word",
    "parking_lot",
    "std_mutex",
];
const SEMAPHORES: [&str; 5] = [
    "slotpark",
    "slotpark_barging",
    "tokio",
    "async_lock",
    "std_condvar",
];
const SEMAPHORES_FOR_TASKS: [&str; 3] = ["slotpark", "tokio", "async_lock"];
const FAIR_SEMAPHORES: [&str; 2] = ["slotpark", "tokio"];
const BARGING_SEMAPHORES: [&str; 3] = ["slotpark_barging", "async_lock", "std_condvar"];
const FLIGHTS: [&str; 3] = ["slotpark", "moka", "dashmap_once"];

const ROWS: [Row; 38] = [
    ("lock_fresh", "ns", &BY_KEY),
    ("lock_fresh_allocs", "count", &BY_KEY),
    ("lock_fresh_closure", "ns", &BY_KEY),
    ("lock_fresh_closure_allocs", "count", &BY_KEY),
    ("lock_rss_kept", "bytes", &BY_KEY),
    ("lock_bytes_kept", "bytes", &BY_KEY),
    ("lock_zipf_8_barging", "ns", &ZIPF_BARGING),
    ("lock_fresh_async", "ns", &FOR_TASKS),
    ("lock_fresh_async_allocs", "count", &FOR_TASKS),
    ("lock_fresh_read", "ns", &READERS),
    ("lock_fresh_read_allocs", "count", &READERS),
    ("lock_fresh_permit", "ns", &PERMITS_BY_KEY),
    ("lock_fresh_permit_allocs", "count", &PERMITS_BY_KEY),
    ("lock_alone", "ns", &ALONE),
    ("lock_alone_allocs", "count", &ALONE),
    ("lock_zipf_8_fair", "ns", &ZIPF_FAIR),
    ("lock_hot_2_fair", "ns", &FAIR),
    ("lock_hot_2_fair_least_share", "count", &FAIR),
    ("lock_hot_8_fair", "ns", &FAIR),
    ("lock_hot_8_fair_least_share", "count", &FAIR),
    ("lock_hot_2_barging", "ns", &BARGING),
    ("lock_hot_2_barging_least_share", "count", &BARGING),
    ("lock_hot_8_barging", "ns", &BARGING),
    ("lock_hot_8_barging_least_share", "count", &BARGING),
    ("permit_alone", "ns", &SEMAPHORES),
    ("permit_alone_allocs", "count", &SEMAPHORES),
    ("permit_async_alone", "ns", &SEMAPHORES_FOR_TASKS),
    ("permit_async_alone_allocs", "count", &SEMAPHORES_FOR_TASKS),
    ("permit_2_threads_of_1_fair", "ns", &FAIR_SEMAPHORES),
    ("permit_8_threads_of_2_fair", "ns", &FAIR_SEMAPHORES),
    ("permit_2_threads_of_1_barging", "ns", &BARGING_SEMAPHORES),
    ("permit_8_threads_of_2_barging", "ns", &BARGING_SEMAPHORES),
    ("flight_alone", "ns", &FLIGHTS),
    ("flight_alone_allocs", "count", &FLIGHTS),
    ("flight_2_shared", "ns", &FLIGHTS),
    ("flight_2_shared_made", "count", &FLIGHTS),
    ("flight_8_shared", "ns", &FLIGHTS),
    ("flight_8_shared_made", "count", &FLIGHTS),
];

#[test]
fn the_report_of_locks_is_whole() {
    let output = compare(&["--quick", "--side", "locks", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = Report(serde_json::from_slice(&output.stdout).expect("it is JSON alone"));
    shape_of_rows(&report, &ROWS, &[]);
    shape_of_ratios(&report, &ROWS);
    let median = |row, engine| report.row(row, engine)["median"].as_f64();
    for (row, _, engines) in ROWS {
        for engine in engines {
            assert_eq!(report.row(row, engine)["hung"], 0, "{row} of {engine}");
            if row.ends_with("_least_share") {
                assert!(median(row, engine) <= Some(1.0), "{row} of {engine}");
            }
        }
    }
    // What the others are here to show.
    for engine in ["lockmap", "lockable", "keyed_lock", "dashmap_removed"] {
        report.all_figures("lock_fresh_allocs", engine, 1.0);
    }
    assert!(median("lock_bytes_kept", "dashmap_kept") > Some(1e7));
    assert!(median("lock_bytes_kept", "dashmap_removed") < Some(1e5));
    // The floor allocates nothing, and neither does slotpark.
    report.all_figures("lock_fresh_allocs", "striped_512", 0.0);
    report.all_figures("lock_alone_allocs", "slotpark_word", 0.0);
    for row in [
        "lock_fresh_allocs",
        "lock_fresh_closure_allocs",
        "lock_fresh_async_allocs",
        "lock_fresh_read_allocs",
        "lock_fresh_permit_allocs",
        "flight_alone_allocs",
        "permit_alone_allocs",
        "permit_async_alone_allocs",
    ] {
        report.all_figures(row, "slotpark", 0.0);
    }
    // A million keys, and nothing but what it was made of.
    let made_of = slotpark::KeyedMutex::<u64>::new().engine().memory_bytes();
    report.all_figures("lock_bytes_kept", "slotpark", made_of as f64);
}

#[test]
fn locks_have_their_targets() {
    let rows = ["lock_fresh", "lock_fresh_closure", "lock_zipf_8_barging"];
    let hot = ["lock_hot_2_barging", "lock_hot_8_barging"];
    let only = rows.iter().chain(&hot).flat_map(|row| ["--only", row]);
    let arguments: Vec<&str> = ["--quick", "--json"].into_iter().chain(only).collect();
    let output = compare(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report = Report(serde_json::from_slice(&output.stdout).expect("it is JSON alone"));
    let target = |row, of, to| {
        let ratio = report.entry("ratios", &[("row", row), ("of", of), ("to", to)]);
        ratio["target"].as_f64()
    };
    for row in &rows[..2] {
        for crate_of_keyed_locks in ["lockmap", "lockable", "keyed_lock"] {
            assert_eq!(
                target(row, "slotpark", crate_of_keyed_locks),
                Some(0.35),
                "{row}"
            );
        }
        assert_eq!(target(row, "slotpark", "striped_512"), Some(1.5), "{row}");
        assert_eq!(target(row, "slotpark", "dashmap_kept"), None, "{row}");
    }
    for to in ["lockmap", "keyed_lock"] {
        assert_eq!(target(rows[2], "slotpark_barging", to), Some(1.0), "{to}");
    }
    for row in hot {
        assert_eq!(
            target(row, "slotpark_barging", "parking_lot"),
            Some(1.3),
            "{row}"
        );
    }
}

#[test]
fn the_table_of_locks_names_its_engines_and_the_seed() {
    let output = compare(&["--quick", "--only", "lock_fresh"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for engine in BY_KEY {
        assert!(table.contains(engine), "{table}");
    }
    assert!(table.contains("from the seed"), "{table}");
    assert!(!table.contains("maitake"), "{table}");
    assert!(!table.contains("permit_alone"), "{table}");
}

#[test]
fn a_side_and_a_row_are_not_asked_for_together() {
    let output = compare(&["--side", "locks", "--only", "wake_none"]);
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
}
