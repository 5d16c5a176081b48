//! What the CSV and the Markdown of a report say.

mod common;

use common::sample;
use slotpark_report::{Verdict, csv, markdown};

#[test]
fn csv_has_a_line_for_every_figure() {
    let report = sample();
    let figures: usize = report
        .workloads
        .iter()
        .flat_map(|workload| &workload.series)
        .flat_map(|series| &series.points)
        .map(|point| point.figures.len())
        .sum();
    let text = csv(&report);
    assert_eq!(text.lines().count(), figures + 1);
    let line = "other_waiters,other waiters,1000,maitake_wait_map,time,ns,";
    assert_eq!(
        text.lines().filter(|other| other.starts_with(line)).count(),
        1
    );
    assert!(
        text.contains("\nwake_nobody,,,futex,time,ns,154,"),
        "{text}"
    );
    assert!(
        text.contains(r#",,"a<b>&""engine""",time,ns,5000000000,"#),
        "{text}"
    );
}

#[test]
fn markdown_has_every_workload_and_every_table_is_whole() {
    let report = sample();
    let text = markdown(&report);
    for workload in &report.workloads {
        assert!(
            text.contains(&format!("\n`{}`, ", workload.name)),
            "{}",
            workload.name
        );
    }
    for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
        let bars = |line: &str| line.replace("\\|", "").matches('|').count();
        let head = table.lines().next().map(bars);
        assert!(
            table.lines().all(|line| Some(bars(line)) == head),
            "{table}"
        );
    }
    for said in [
        "> **Note:** A sample for tests",
        "- external:go was not measured: no Go toolchain here",
        "- futex: the queue of requests grew without end in 2 rounds",
        "hung in 2 of 9",
        "open loop, 40,000 a second",
        "| wake_storm: the call, to futex | 1.21 (",
        "a&lt;b&gt;&amp;\"engine\"",
    ] {
        let plain = said.replace("\\_", "_");
        assert!(text.contains(&plain), "{plain} in {text}");
    }
}

#[test]
fn what_is_lost_is_said_the_worst_first() {
    let report = sample();
    let text = markdown(&report);
    let (_, rest) = text
        .split_once("## Where slotpark loses\n\n")
        .expect("the section");
    let table = rest.split("\n\n").next().expect("the table");
    let lost = report
        .comparisons
        .iter()
        .filter(|one| one.verdict == Verdict::Worse)
        .count();
    assert!(lost > 3, "the sample shows too little");
    assert_eq!(table.lines().count(), lost + 2, "{table}");
    let third = table.lines().nth(2);
    assert!(
        third.is_some_and(|line| line.starts_with("| other_waiters, 100,000 other waiters: ")),
        "{table}"
    );

    let mut report = report;
    for one in &mut report.comparisons {
        one.verdict = Verdict::Better;
    }
    assert!(markdown(&report).contains("In no comparison of this run."));
}
