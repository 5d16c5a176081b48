//! From samples to the report: medians, paired ratios and how sure they are, targets.

mod compare;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram as Hdr;
use slotpark_report::{
    Bucket, Histogram, Interval, Limit, Loop, Machine, Measured, Metric, Report, SCHEMA, Series,
    Workload,
};

use crate::bench::pace::{Arrivals, Pace};
use crate::bench::request::Answer;
use crate::bench::runner::{Gathered, Taker};
use crate::measure::statistics::Spread;
use compare::{Judge, Side};

/// Of single operations, in percent.
const PERCENTILES: [f64; 9] = [10.0, 25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0];
/// The figures that are made of single operations.
const OF_LATENCY: [(Metric, f64); 3] = [
    (Metric::P50, 50.0),
    (Metric::P99, 99.0),
    (Metric::P9999, 99.99),
];
/// Sums up a run.
pub(crate) fn report(
    machine: Machine,
    command: Vec<String>,
    seed: u64,
    gathered: &[Gathered],
) -> Report {
    let judge = Judge { seed };
    Report {
        schema: SCHEMA,
        command,
        seed,
        machine,
        workloads: gathered.iter().map(workload).collect(),
        comparisons: gathered
            .iter()
            .flat_map(|one| judge.comparisons(one))
            .collect(),
        limits: gathered.iter().flat_map(limits).collect(),
    }
}

fn workload(gathered: &Gathered) -> Workload {
    let definition = &gathered.definition;
    let values = definition.parameters.iter();
    let mut parameters: BTreeMap<String, String> = values
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect();
    let pace = match definition.pace {
        Pace::Closed => Loop::Closed,
        Pace::Open {
            operations_per_second,
            arrivals,
        } => {
            let arrivals = match arrivals {
                Arrivals::Even => "even",
                Arrivals::Exponential => "exponential",
            };
            parameters.insert("arrivals".to_owned(), arrivals.to_owned());
            Loop::Open {
                operations_per_second,
            }
        }
    };
    Workload {
        name: definition.name.clone(),
        title: definition.title.clone(),
        about: definition
            .about
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        shape: definition.shape.clone(),
        parameters,
        pace,
        axis: definition.axis(),
        series: series(gathered),
    }
}

/// A value as it stands in the file, without quotes.
fn plain(value: &toml::Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| serde_json::to_string(value).unwrap_or_default())
}

/// One for each engine that was asked.
fn series(gathered: &Gathered) -> Vec<Series> {
    let first = gathered.points.first();
    let engines = first.map_or(0, |point| point.takers.len());
    (0..engines)
        .map(|index| series_of(gathered, index))
        .collect()
}

/// That of the engine with this index. A reason that holds at some points only is a remark.
fn series_of(gathered: &Gathered, index: usize) -> Series {
    let takers = gathered.points.iter();
    let takers = takers.map(|point| (point.at, &point.takers[index]));
    let measured = takers
        .clone()
        .filter(|(_, taker)| !taker.answers.is_empty());
    let mut points: Vec<Measured> = measured.map(|(at, taker)| point(at, taker)).collect();
    let mut reasons = takers.filter_map(|(at, taker)| Some((at, taker.skipped.clone()?)));
    let mut skipped = None;
    match points.last_mut() {
        None => skipped = reasons.next().map(|(_, reason)| reason),
        Some(last) => {
            let remark = |(at, reason)| match at {
                Some(at) => format!("not measured at {at}: {reason}"),
                None => reason,
            };
            last.notes.extend(reasons.map(remark));
        }
    }
    Series {
        engine: gathered.points[0].takers[index].name().to_owned(),
        skipped,
        points,
    }
}

fn point(at: Option<f64>, taker: &Taker) -> Measured {
    let answers = &taker.answers;
    let metrics: BTreeSet<Metric> = answers.iter().flat_map(metrics_of).collect();
    let figures = metrics.into_iter().filter_map(|metric| {
        let spread = Spread::of(answers.iter().filter_map(|answer| figure(answer, metric)))?;
        let interval = Interval {
            median: spread.median,
            lo: spread.min,
            hi: spread.max,
        };
        Some((metric, interval))
    });
    let notes: BTreeSet<&String> = answers.iter().flat_map(|answer| &answer.notes).collect();
    Measured {
        at,
        rounds: answers.len(),
        hung: answers.iter().filter(|answer| answer.hung).count(),
        figures: figures.collect(),
        latency: all_rounds(answers),
        slots: answers.iter().find_map(|answer| answer.slots.clone()),
        notes: notes.into_iter().cloned().collect(),
    }
}

fn metrics_of(answer: &Answer) -> Vec<Metric> {
    let of_latency = OF_LATENCY.into_iter().map(|(metric, _)| metric);
    let of_latency = of_latency.filter(|_| answer.latency.is_some());
    answer.figures.keys().copied().chain(of_latency).collect()
}

/// A figure of one sample, given or made of its single operations.
fn figure(answer: &Answer, metric: Metric) -> Option<f64> {
    let given = answer.figures.get(&metric).copied();
    given.or_else(|| {
        let (_, percent) = OF_LATENCY.into_iter().find(|(of, _)| *of == metric)?;
        let all = hdr([answer])?;
        #[expect(clippy::cast_precision_loss, reason = "a short time")]
        Some(all.value_at_percentile(percent) as f64)
    })
}

/// The single operations of these samples together; `None` where there are none.
fn hdr<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Option<Hdr<u64>> {
    let mut all = Hdr::<u64>::new(2).ok()?;
    for answer in answers {
        for &(ns_max, count) in answer.latency.iter().flatten() {
            all.record_n(ns_max.max(1), count).ok()?;
        }
    }
    (!all.is_empty()).then_some(all)
}

fn all_rounds(answers: &[Answer]) -> Option<Histogram> {
    let all = hdr(answers)?;
    let percentile = |percent| (percent, all.value_at_percentile(percent));
    let buckets = all.iter_recorded().map(|bucket| Bucket {
        ns_max: bucket.value_iterated_to(),
        count: bucket.count_since_last_iteration(),
    });
    Some(Histogram {
        count: all.len(),
        percentiles: PERCENTILES.map(percentile).to_vec(),
        buckets: buckets.collect(),
    })
}

fn limits(gathered: &Gathered) -> Vec<Limit> {
    let limit = |limit: &crate::bench::definition::Limit| {
        let side = Side::find(gathered, &limit.engine, limit.at, limit.metric)?;
        let spread = Spread::of(side.figures.into_iter().flatten());
        Some(Limit {
            workload: gathered.definition.name.clone(),
            at: limit.at,
            engine: limit.engine.clone(),
            metric: limit.metric,
            max: limit.max,
            met: spread.map(|spread| spread.median <= limit.max),
        })
    };
    gathered
        .definition
        .limits
        .iter()
        .filter_map(limit)
        .collect()
}
