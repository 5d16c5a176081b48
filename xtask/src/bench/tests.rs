//! Records by their names, and a run against one.

use std::fs;

use slotpark_report::{Machine, Report, check};

use super::{check_run, day, folder, new_path, newest, read, table};
use crate::repo::Repo;

const SAMPLE: &str = include_str!("../../../slotpark-report/tests/reports/sample.json");

fn sample() -> Report {
    Report::from_json(SAMPLE).expect("the sample is a report")
}

fn machine(cpu: &str, cores: usize) -> Machine {
    Machine {
        cpu: cpu.to_owned(),
        cores,
        unix_time: 1_795_672_807,
        ..Machine::default()
    }
}

#[test]
fn a_machine_has_a_folder() {
    assert_eq!(folder(&machine("AMD EPYC", 2)), "amd-epyc-2-cores");
    let intel = machine("Intel(R) Xeon(R) CPU E5-2670 v3 @ 2.30GHz", 16);
    assert_eq!(folder(&intel), "intel-xeon-e5-2670-v3-16-cores");
    assert_eq!(day(&machine("", 1)).ok().as_deref(), Some("2026-11-26"));
}

#[test]
fn a_new_record_takes_the_first_free_name_and_an_old_form_is_no_record() {
    let repo = Repo::here();
    // Three of that day lie there, in the form of `compare`.
    let path = new_path(&repo, &machine("AMD EPYC", 2)).expect("a name is free");
    assert!(!path.exists() && path.parent().is_some_and(std::path::Path::exists));
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name");
    assert!(
        name.starts_with("2026-11-26-") && name != "2026-11-26-1.json",
        "{name}"
    );
    let old = path.with_file_name("2026-11-26-1.json");
    assert!(read(&old).is_err());

    let error = newest(&repo, &machine("no such machine", 3)).expect_err("it has no record");
    let error = error.to_string();
    assert!(
        error.contains("no-such-machine-3-cores: `cargo xtask bench --record`"),
        "{error}"
    );
}

#[test]
fn a_worse_ratio_fails_the_check_and_the_same_run_does_not() {
    let repo = Repo::here();
    let folder = repo.target().join("bench-check");
    fs::create_dir_all(&folder).expect("the build directory can be written");
    let (record, same, worse) = (
        folder.join("record.json"),
        folder.join("same.json"),
        folder.join("worse.json"),
    );
    let mut run = sample();
    fs::write(&record, SAMPLE).expect("it can be written");
    fs::write(&same, run.to_json()).expect("it can be written");
    assert!(check_run(&repo, Some(&record), Some(&same), 1.25).is_ok());

    let ratio = run.comparisons[0].ratio.as_mut().expect("it has one");
    (ratio.median, ratio.lo, ratio.hi) = (3.0, 2.9, 3.1);
    fs::write(&worse, run.to_json()).expect("it can be written");
    let error = check_run(&repo, Some(&record), Some(&worse), 1.25).expect_err("it is worse");
    assert_eq!(error.to_string(), "worse than the record, or gone: 1");
    assert!(check_run(&repo, Some(&record), Some(&worse), 4.0).is_ok());
}

#[test]
fn the_table_names_what_fails_first() {
    let record = sample();
    let mut run = record.clone();
    run.workloads[0].series[3].skipped = Some("no such system".to_owned());
    run.workloads.remove(1);
    let table = table(&check(&record, &run, 1.25));
    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("error  round_trip_idle") && lines[0].contains("no such workload")
    );
    assert!(lines[1].starts_with("note ") && lines[1].ends_with("skipped: no such system"));
}
