//! Samples that are given, so that what is made of them is known.

use slotpark_report::{Comparison, Target, Verdict};

use super::*;
use crate::bench::definition::Definition;
use crate::bench::runner::Settings;

const FILE: &str = r#"
name = "mine"
title = "Mine"
about = """
An operation
is one call."""
shape = "calls"
engines = ["slotpark", "futex", "moka"]
latency = true

[parameters]
call = "wake_one"

[axis]
name = "keys"
parameter = "keys"
points = [1, 64]
quick = [1, 64]

[[targets]]
to = ["futex"]
at = 64.0
ratio_max = 0.5

[[targets]]
to = ["slotpark"]
metric = "cpu"
at = 64.0
to_at = 1.0
ratio_max = 1.0

[[limits]]
engine = "slotpark"
metric = "time"
at = 64.0
max = 39.0
"#;

/// Rounds in which slotpark takes 10 ns of time at a point and futex 40, and in which the machine
/// becomes slower from one to the next: by nothing in a ratio.
fn gathered(rounds: usize) -> Gathered {
    let definition = Definition::parse("mine", FILE).unwrap();
    let settings = Settings {
        quick: false,
        seed: 7,
    };
    let mut gathered = Gathered::new(definition, &[], settings).unwrap();
    for round in 0..rounds {
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let slow = 1.0 + round as f64;
        for point in &mut gathered.points {
            for (taker, ns) in point.takers.iter_mut().zip([10.0, 40.0]) {
                let mut answer = Answer::of([(Metric::Time, ns * slow), (Metric::Cpu, ns)]);
                answer.latency = Some(vec![(100, 98), (200, 1), (30_000, 1)]);
                answer.notes = vec!["twice the same".to_owned()];
                taker.answers.push(answer);
            }
        }
    }
    gathered
}

fn report_of(gathered: Gathered) -> Report {
    report(Machine::default(), Vec::new(), 7, &[gathered])
}

fn comparison(report: &Report, at: f64, metric: Metric, to: &str) -> Comparison {
    let fits = |one: &&Comparison| one.at == Some(at) && one.metric == metric && one.to == to;
    let found: Vec<_> = report.comparisons.iter().filter(fits).collect();
    assert_eq!(found.len(), 1, "{metric:?} to {to} at {at} is there once");
    found[0].clone()
}

#[test]
fn ratios_are_paired_within_rounds() {
    let report = report_of(gathered(7));
    let time = comparison(&report, 64.0, Metric::Time, "futex");
    let point = Interval {
        median: 0.25,
        lo: 0.25,
        hi: 0.25,
    };
    assert_eq!(time.ratio, Some(point));
    assert_eq!(time.verdict, Verdict::Better);
    let target = Target {
        ratio_max: 0.5,
        met: Some(true),
    };
    assert_eq!(time.target, Some(target));
    assert_eq!(comparison(&report, 1.0, Metric::Time, "futex").target, None);
    // The figures themselves are spread as far as the machine was.
    let series = &report.workloads[0].series[0];
    let time = series.points[1].figures[&Metric::Time];
    assert_eq!((time.lo, time.median, time.hi), (10.0, 40.0, 70.0));
    let limit = &report.limits[0];
    assert_eq!((limit.max, limit.met), (39.0, Some(false)));
}

#[test]
fn an_engine_may_be_compared_with_itself_at_another_point() {
    let report = report_of(gathered(7));
    let cpu = comparison(&report, 64.0, Metric::Cpu, "slotpark");
    assert_eq!((cpu.to_at, cpu.of.as_str()), (Some(1.0), "slotpark"));
    assert_eq!(cpu.target.and_then(|target| target.met), Some(true));
    assert_eq!(cpu.verdict, Verdict::NoDifferenceShown);
}

#[test]
fn who_hung_and_who_was_skipped_is_said() {
    let mut gathered = gathered(7);
    gathered.points[0].takers[1].answers[3].hung = true;
    let report = report_of(gathered);
    let workload = &report.workloads[0];
    assert_eq!(workload.about, "An operation is one call.");
    assert_eq!(workload.series[1].points[0].hung, 1);
    let time = comparison(&report, 1.0, Metric::Time, "futex");
    assert_eq!(time.verdict, Verdict::OtherHung);
    let moka = &workload.series[2];
    let reason = moka.skipped.as_deref();
    assert_eq!(
        reason,
        Some("it has no wakes of keys on which nobody waits")
    );
    assert!(moka.points.is_empty());
    assert!(report.comparisons.iter().all(|one| one.to != "moka"));
}

#[test]
fn a_reason_that_holds_at_one_point_is_a_remark() {
    let mut gathered = gathered(1);
    let futex = &mut gathered.points[1].takers[1];
    futex.answers.clear();
    futex.skipped = Some("too many keys".to_owned());
    let series = &report_of(gathered).workloads[0].series[1];
    assert_eq!(series.skipped, None);
    assert_eq!(series.points.len(), 1);
    let notes = &series.points[0].notes;
    assert_eq!(notes[1], "not measured at 64: too many keys");
}

#[test]
fn single_operations_of_all_rounds_are_one_histogram() {
    let report = report_of(gathered(2));
    let point = &report.workloads[0].series[0].points[0];
    assert_eq!(point.notes, ["twice the same"]);
    let latency = point.latency.as_ref().expect("the file asks for it");
    assert_eq!(latency.count, 200);
    let counts = latency.buckets.iter().map(|bucket| bucket.count);
    assert_eq!(counts.collect::<Vec<_>>(), [196, 2, 2]);
    let percentile = |percent| {
        let mut all = latency.percentiles.iter();
        all.find(|(of, _)| *of == percent).expect("it is there").1
    };
    assert_eq!(percentile(50.0), 100);
    assert!((200..=202).contains(&percentile(99.0)));
    // Two digits of a figure are kept.
    assert!((30_000..30_300).contains(&percentile(99.99)));
    assert!((30_000..30_300).contains(&percentile(100.0)));
    let p99 = point.figures[&Metric::P99];
    assert!((200.0..=202.0).contains(&p99.median), "{p99:?}");
    let few = comparison(&report, 1.0, Metric::P50, "futex");
    assert_eq!(few.verdict, Verdict::TooFewRounds);
}
