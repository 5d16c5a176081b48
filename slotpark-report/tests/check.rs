//! A run against a record.

mod common;

use common::sample;
use slotpark_report::{FindingKind, Interval, Metric, Report, check};

/// The index of a comparison of the sample.
fn comparison(report: &Report, workload: &str, metric: Metric, to: &str) -> usize {
    let mut all = report.comparisons.iter();
    let found = all.position(|one| {
        (one.workload.as_str(), one.metric, one.to.as_str()) == (workload, metric, to)
    });
    found.expect("the sample has it")
}

fn scaled(ratio: Option<Interval>, by: f64) -> Option<Interval> {
    ratio.map(|Interval { median, lo, hi }| Interval {
        median: median * by,
        lo: lo * by,
        hi: hi * by,
    })
}

#[test]
fn only_an_interval_wholly_beyond_the_tolerance_is_worse() {
    let record = sample();
    let index = comparison(&record, "wake_nobody", Metric::Time, "parking_lot_core");
    let mut run = record.clone();
    // The record's interval is 2 % down and 3 % up.
    for (by, tolerance, is_worse) in [
        (1.03, 1.0, false),
        (1.10, 1.0, true),
        (1.10, 1.25, false),
        (1.40, 1.25, true),
        (0.50, 1.0, false),
    ] {
        run.comparisons[index].ratio = scaled(record.comparisons[index].ratio, by);
        let findings = check(&record, &run, tolerance);
        assert_eq!(
            findings.len(),
            usize::from(is_worse),
            "{by} {tolerance}: {findings:?}"
        );
        assert!(findings.iter().all(|finding| finding.is_failure()));
    }
    let said = check(&record, &run, 0.1)[0].to_string();
    assert!(
        said.contains("time of slotpark to ") && said.contains(": worse: "),
        "{said}"
    );
}

#[test]
fn where_more_is_better_less_is_worse() {
    let record = sample();
    let index = comparison(&record, "threads", Metric::LeastShare, "lockmap");
    let mut run = record.clone();
    run.comparisons[index].ratio = scaled(record.comparisons[index].ratio, 2.0);
    assert!(check(&record, &run, 1.25).is_empty());
    run.comparisons[index].ratio = scaled(record.comparisons[index].ratio, 0.5);
    let findings = check(&record, &run, 1.25);
    assert!(
        matches!(findings[0].kind, FindingKind::Worse { .. }),
        "{findings:?}"
    );
}

#[test]
fn what_the_run_lacks_is_named_once() {
    let record = sample();
    let lacks = |change: &dyn Fn(&mut Report)| {
        let mut run = record.clone();
        change(&mut run);
        let findings = check(&record, &run, 1.25);
        let said: Vec<_> = findings.iter().map(ToString::to_string).collect();
        (
            said,
            findings.iter().any(slotpark_report::Finding::is_failure),
        )
    };
    let (said, fails) = lacks(&|run| drop(run.workloads.remove(0)));
    assert_eq!(
        (said, fails),
        (
            vec!["wake_nobody: the run has no such workload".into()],
            true
        )
    );

    let (said, fails) = lacks(&|run| drop(run.workloads[0].series.remove(3)));
    assert_eq!(
        (said, fails),
        (
            vec!["wake_nobody: the run has no engine futex".into()],
            true
        )
    );

    let skip = |index: usize| {
        move |run: &mut Report| {
            let series = &mut run.workloads[0].series[index];
            series.skipped = Some("no such system".into());
            let name = series.engine.clone();
            run.comparisons
                .retain(|one| one.workload != "wake_nobody" || one.to != name);
        }
    };
    let (said, fails) = lacks(&skip(3));
    assert_eq!(said, ["wake_nobody: futex was skipped: no such system"]);
    assert!(!fails);
    // The engine that is judged must be there.
    let (said, fails) = lacks(&skip(0));
    assert_eq!(
        (said, fails),
        (
            vec!["wake_nobody: the run has no engine slotpark".into()],
            true
        )
    );

    let index = comparison(&record, "wake_nobody", Metric::Time, "futex");
    let (said, fails) = lacks(&|run| run.comparisons[index].ratio = None);
    let text = "wake_nobody, time of slotpark to futex: the run has no such ratio";
    assert_eq!((said, fails), (vec![text.into()], true));
}

#[test]
fn a_quick_run_may_leave_points_out() {
    let record = sample();
    let mut run = record.clone();
    run.machine.quick = true;
    run.comparisons.retain(|one| one.at != Some(100_000.0));
    let findings = check(&record, &run, 1.25);
    assert!(!findings.is_empty() && findings.iter().all(|finding| !finding.is_failure()));
    run.machine.quick = false;
    assert!(
        check(&record, &run, 1.25)
            .iter()
            .all(slotpark_report::Finding::is_failure)
    );
}
