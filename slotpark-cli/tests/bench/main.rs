//! `slotpark bench`: a quick run of a few workloads is whole, and what is wrong is a clear error.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use slotpark_report::{Metric, Report, Series, Verdict};

fn bench(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_slotpark");
    let mut command = Command::new(program);
    command.arg("bench").args(args);
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the output is text")
}

fn report(args: &[&str]) -> Report {
    let output = bench(args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    Report::from_json(text(&output.stdout)).expect("it is a report alone")
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{name}"));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn path(path: &Path) -> &str {
    path.to_str().expect("the path is text")
}

/// Every figure is in order and makes sense, and singles are whole where they are.
fn whole(series: &Series) {
    for point in &series.points {
        let what = format!("{} at {:?}", series.engine, point.at);
        assert_eq!(point.hung, 0, "{what}");
        assert!(point.rounds > 0, "{what}");
        for (metric, figure) in &point.figures {
            let what = format!("{what}, {}", metric.name());
            assert!(
                figure.lo <= figure.median && figure.median <= figure.hi,
                "{what}"
            );
            assert!(figure.lo >= 0.0 && figure.hi.is_finite(), "{what}");
        }
        assert!(point.figures[&Metric::Time].lo > 0.0, "{what}");
        let Some(latency) = &point.latency else {
            continue;
        };
        let counts = latency.buckets.iter().map(|bucket| bucket.count);
        assert_eq!(counts.sum::<u64>(), latency.count, "{what}");
        assert!(latency.percentiles.is_sorted(), "{what}");
        assert!(
            latency.percentiles.is_sorted_by_key(|&(_, ns)| ns),
            "{what}"
        );
        assert_eq!(latency.percentiles.last().map(|last| last.0), Some(100.0));
    }
}

#[test]
fn a_quick_run_is_whole() {
    let only = [
        "wake_nobody",
        "ping_pong_latency",
        "others_tasks",
        "lock_fresh",
        "wake_tasks",
    ];
    let engines = [
        "slotpark",
        "parking_lot_core",
        "floor",
        "maitake",
        "lockmap",
    ];
    let only = only.iter().flat_map(|name| ["--only", name]);
    let engines = engines.iter().flat_map(|name| ["--engine", name]);
    let mut args = vec!["--quick", "--json", "--seed", "11"];
    args.extend(only.chain(engines));
    let report = report(&args);

    assert_eq!(report.seed, 11);
    assert!(report.machine.quick && report.machine.cores > 0);
    let again = report.command.join(" ");
    assert!(
        again.starts_with("slotpark bench --quick --seed 11 --only"),
        "{again}"
    );
    let engines = |name: &str| -> Vec<String> {
        let workload = report.workload(name).expect("it was asked for");
        workload.series.iter().for_each(whole);
        let names = workload.series.iter().map(|series| series.engine.clone());
        names.collect()
    };
    assert_eq!(
        engines("wake_nobody"),
        ["slotpark", "floor", "parking_lot_core"]
    );
    assert_eq!(
        engines("ping_pong_latency"),
        ["slotpark", "parking_lot_core"]
    );
    assert_eq!(engines("others_tasks"), ["slotpark", "maitake"]);
    assert_eq!(engines("lock_fresh"), ["slotpark", "lockmap"]);
    assert_eq!(engines("wake_tasks"), ["slotpark", "maitake"]);
    what_is_measured(&report);
    what_is_compared(&report);
}

fn what_is_measured(report: &Report) {
    let point = |workload: &str, engine: &str, at| {
        let workload = report.workload(workload).expect("it was asked for");
        workload.point(engine, at).expect("it was measured").clone()
    };
    let median = |workload, engine, metric| {
        let figures = point(workload, engine, None).figures;
        figures.get(&metric).map(|figure| figure.median)
    };
    assert_eq!(
        median("lock_fresh", "slotpark", Metric::Allocations),
        Some(0.0)
    );
    assert!(median("lock_fresh", "lockmap", Metric::Allocations) > Some(0.9));
    assert_eq!(
        median("wake_nobody", "slotpark", Metric::Allocations),
        Some(0.0)
    );
    let trips = point("ping_pong_latency", "slotpark", None);
    assert!(trips.latency.expect("it asks for single operations").count > 100);
    let others = point("others_tasks", "slotpark", Some(1000.0));
    let queued: u32 = others.slots.expect("it has slots").iter().sum();
    assert_eq!(queued, 1000, "each of the others waits in a slot");
    let series = &report
        .workload("wake_tasks")
        .expect("it was asked for")
        .series;
    assert!(
        series[1]
            .skipped
            .as_deref()
            .expect("maitake cannot")
            .contains("one waiter")
    );
    assert!(series[1].points.is_empty());
}

fn what_is_compared(report: &Report) {
    let time = |workload: &str, to: &str| {
        let mut all = report.comparisons.iter();
        let found =
            all.find(|one| one.workload == workload && one.to == to && one.metric == Metric::Time);
        found.expect("they are compared").clone()
    };
    let wake = time("wake_nobody", "parking_lot_core");
    assert_eq!(wake.of, "slotpark");
    assert_eq!(wake.target.expect("it has one").ratio_max, 0.45);
    let ratio = wake.ratio.expect("both were measured");
    assert!(ratio.lo <= ratio.median && ratio.median <= ratio.hi);
    assert_eq!(
        time("wake_nobody", "floor")
            .target
            .expect("it has one")
            .ratio_max,
        1.25
    );
    assert_eq!(
        time("lock_fresh", "lockmap")
            .target
            .expect("it has one")
            .ratio_max,
        0.35
    );
    // Three rounds name nobody.
    assert_eq!(wake.verdict, Verdict::TooFewRounds);
}

const OWN: &str = r#"
name = "own"
title = "Own"
about = "An operation is one trip."
shape = "round_trip"
engines = ["slotpark"]
latency = true
rounds = { full = 2, quick = 1 }
pace = { kind = "open", operations_per_second = 2000, arrivals = "even" }

[parameters]
shared_keys = 4
"#;

#[test]
fn a_file_of_the_users_is_run_and_written_in_every_form() {
    let folder = folder("own");
    let file = folder.join("own.toml");
    std::fs::write(&file, OWN).expect("the file can be written");
    let [json, csv, markdown, html] =
        ["own.json", "own.csv", "own.md", "own.html"].map(|name| folder.join(name));
    let output = bench(&[
        "--quick",
        "--file",
        path(&file),
        "--json",
        path(&json),
        "--csv",
        path(&csv),
        "--markdown",
        path(&markdown),
        "--html",
        path(&html),
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("An operation is one trip."), "{table}");
    assert!(table.contains("--seed"), "the seed is printed: {table}");
    let read = |path: &Path| std::fs::read_to_string(path).expect("it was written");
    let report = Report::from_json(&read(&json)).expect("it is a report");
    let workload = report.workload("own").expect("it was run");
    assert_eq!(workload.parameters["shared_keys"], "4");
    assert_eq!(workload.parameters["arrivals"], "even");
    whole(&workload.series[0]);
    assert!(read(&csv).contains("own"));
    assert!(read(&markdown).contains("## Own"));
    assert!(read(&html).contains("<svg"));

    let again = folder.join("again.html");
    let shown = bench(&["--show", path(&json), "--html", path(&again)]);
    assert_eq!(text(&shown.stdout), table);
    assert_eq!(read(&again), read(&html));
}

#[test]
fn what_is_wrong_is_a_clear_error() {
    let folder = folder("wrong");
    let file = folder.join("wrong.toml");
    std::fs::write(&file, OWN.replace("\"slotpark\"", "\"slatpork\"")).expect("it can be written");
    let absent = folder.join("absent.toml");
    let cases: [(&[&str], &[&str]); 7] = [
        (
            &["--file", path(&file)],
            &["wrong.toml", "`engines`", "slatpork", "parking_lot_core"],
        ),
        (&["--file", path(&absent)], &["cannot read", "absent.toml"]),
        (
            &["--only", "lunch"],
            &["no workload `lunch`", "wake_nobody"],
        ),
        (&["--engine", "steam"], &["no engine `steam`", "maitake"]),
        (&["--show", path(&absent)], &["cannot read", "absent.toml"]),
        (&["--show", path(&file)], &["wrong.toml is no report"]),
        (
            &["--show", "x", "--quick"],
            &["--show", "cannot be used with"],
        ),
    ];
    for (args, says) in cases {
        let output = bench(args);
        assert!(!output.status.success(), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        let message = text(&output.stderr);
        for say in says {
            assert!(
                message.contains(say),
                "{args:?}: {say} is not in: {message}"
            );
        }
    }
}

#[test]
fn the_list_names_workloads_and_engines_and_measures_nothing() {
    let output = bench(&["--list"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let list = text(&output.stdout);
    for name in [
        "timeout_storm",
        "lock_memory",
        "parking_lot_core_09",
        "event_listener",
    ] {
        assert!(list.contains(name), "{name}: {list}");
    }
}
