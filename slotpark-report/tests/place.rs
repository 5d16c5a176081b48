//! Places in documents: what they ask for, and what the record says.

mod common;

use common::sample;
use slotpark_report::Place;

fn text(comment: &str) -> Result<String, String> {
    let place = Place::parse(comment)?.expect("it is a place");
    assert_eq!(place.file(), "m/1.json");
    place.text(&sample())
}

#[test]
fn a_figure_is_a_median_a_spread_or_a_ratio() {
    let figure = |rest: &str| text(&format!(" bench:m/1.json {rest} ")).expect("it is there");
    assert_eq!(figure("wake_nobody futex time"), "154 ns");
    assert!(figure("wake_nobody futex time spread").starts_with("154 ns ("));
    assert_eq!(figure("wake_nobody slotpark/futex time median"), "0.0119");
    assert!(figure("wake_nobody slotpark/futex time").starts_with("0.0119 (0.01"));
    assert_eq!(
        figure("other_waiters dashmap_notify allocations @1000"),
        "2"
    );
    assert_eq!(
        figure("keys_ever_used dashmap_condvar live_bytes @1000000"),
        "72.1 MiB"
    );
}

#[test]
fn a_table_has_lines_of_workloads_and_columns_of_engines() {
    let table = text(
        "bench-table:m/1.json
         to parking_lot_core, futex
         wake_nobody time = wake, nobody waiting
         round_trip_idle cpu",
    );
    let table = table.expect("all is there");
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "|  | slotpark | of parking_lot_core | of futex |");
    assert!(
        lines[2].starts_with("| wake, nobody waiting | 1.84 ns | 0.427 (0.41"),
        "{table}"
    );
    assert!(
        lines[3].starts_with("| cpu of round_trip_idle | 468 ns | - | 0.0254 ("),
        "{table}"
    );
    assert_eq!(lines.len(), 4);

    let all = text("bench-table:m/1.json\nwake_nobody time").expect("all is there");
    assert!(all.starts_with("|  | slotpark | of floor | of parking_lot_core | of futex | of dash"));
}

#[test]
fn a_table_over_an_axis_has_columns_of_engines() {
    let table = text("bench-table:m/1.json\nover threads time").expect("it is there");
    assert!(
        table.starts_with("| threads | slotpark | lockmap | keyed_lock |\n|---|"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 6);
    let chosen = text("bench-table:m/1.json\nto keyed_lock\nover threads time");
    let chosen = chosen.expect("it is there");
    assert!(
        chosen.starts_with("| threads | slotpark | keyed_lock |\n|---|"),
        "{chosen}"
    );
    let unknown = text("bench-table:m/1.json\nto nobody\nover threads time");
    assert_eq!(unknown, Err("threads has no `nobody`".to_owned()));
    assert!(text("bench-table:m/1.json\nover wake_nobody time").is_err());
    assert!(text("bench-table:m/1.json\nover threads p50").is_err());
}

#[test]
fn what_is_not_understood_or_not_there_is_said() {
    for (comment, said) in [
        (
            "bench:m/1.json wake_nobody futex",
            "METRIC [@AT] is asked after `wake_nobody`",
        ),
        ("bench:m/1.json wake_nobody futex tim", "`tim` is no figure"),
        (
            "bench:m/1.json threads slotpark time 4",
            "`4` is no place on an axis: @NUMBER",
        ),
        (
            "bench:m/1.json",
            "FILE WORKLOAD ENGINE METRIC [@AT] [median|spread] is asked",
        ),
        (
            "bench:m/1.json lunch futex time",
            "the record has no workload `lunch`",
        ),
        (
            "bench:m/1.json wake_nobody me time",
            "time of wake_nobody was not measured of me",
        ),
        (
            "bench:m/1.json threads slotpark/moka time @4",
            "time of threads at 4 has no ratio of slotpark to moka",
        ),
        ("bench-table:m/1.json", "a table has lines"),
        ("bench-table:", "`` is no name of a record"),
        (
            "bench-table:m/1.json\nto me\nwake_nobody time",
            "nothing was compared with `me`",
        ),
    ] {
        assert_eq!(text(comment).expect_err("it is wrong"), said);
    }
    assert_eq!(Place::parse("benchmark: x"), Ok(None));
    assert_eq!(Place::parse(" /bench "), Ok(None));
}
