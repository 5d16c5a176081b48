//! From samples to the report: medians, paired ratios and how sure they are, targets.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use hdrhistogram::Histogram as Hdr;
use slotpark_report::{
    Bucket, Comparison, Histogram, Interval, Limit, Loop, Machine, Measured, Metric, Report,
    SCHEMA, Series, Target, Verdict, Workload,
};

use crate::bench::pace::{Arrivals, Pace};
use crate::bench::request::Answer;
use crate::bench::resample;
use crate::bench::runner::{Gathered, Point, Taker};
use crate::measure::statistics::Spread;

/// Of single operations, in percent.
const PERCENTILES: [f64; 9] = [10.0, 25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99, 100.0];
/// The figures that are made of single operations.
const OF_LATENCY: [(Metric, f64); 3] = [
    (Metric::P50, 50.0),
    (Metric::P99, 99.0),
    (Metric::P9999, 99.99),
];
/// The figures that are compared; the others are compared where a target asks for it.
const COMPARED: [Metric; 7] = [
    Metric::Time,
    Metric::Cpu,
    Metric::Call,
    Metric::P50,
    Metric::P99,
    Metric::P9999,
    Metric::LeastShare,
];
/// Those of workloads that are about memory. Elsewhere the pages of the program's own text are most
/// of what is resident.
const OF_MEMORY: [Metric; 2] = [Metric::LiveBytes, Metric::ResidentBytes];

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
    let engines = gathered
        .points
        .first()
        .map_or(0, |point| point.takers.len());
    let of_engine = |index: usize| {
        let taker = |point: &'_ Point| (point.at, index);
        let takers = gathered.points.iter().map(taker);
        let takers: Vec<(Option<f64>, &Taker)> = takers
            .zip(&gathered.points)
            .map(|((at, index), point)| (at, &point.takers[index]))
            .collect();
        let measured = takers.iter().filter(|(_, taker)| !taker.answers.is_empty());
        Series {
            engine: takers[0].1.name().to_owned(),
            skipped: takers.iter().find_map(|(_, taker)| taker.skipped.clone()),
            points: measured.map(|&(at, taker)| point(at, taker)).collect(),
        }
    };
    (0..engines).map(of_engine).collect()
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

/// One engine's figures of a metric at a point, a round each.
struct Side<'a> {
    taker: &'a Taker,
    figures: Vec<Option<f64>>,
}

impl<'a> Side<'a> {
    fn find(gathered: &'a Gathered, engine: &str, at: Option<f64>, metric: Metric) -> Option<Self> {
        let point = gathered.points.iter().find(|point| point.at == at)?;
        let taker = point.takers.iter().find(|taker| taker.name() == engine)?;
        let answers = taker.answers.iter();
        let figures: Vec<_> = answers.map(|answer| figure(answer, metric)).collect();
        figures
            .iter()
            .any(Option::is_some)
            .then_some(Self { taker, figures })
    }

    fn hung(&self) -> usize {
        self.taker
            .answers
            .iter()
            .filter(|answer| answer.hung)
            .count()
    }
}

fn compared(gathered: &Gathered) -> impl Iterator<Item = Metric> {
    let memory = gathered.definition.is_of_memory();
    let of_memory = OF_MEMORY.into_iter().filter(move |_| memory);
    COMPARED.into_iter().chain(of_memory)
}

/// Makes comparisons.
struct Judge {
    seed: u64,
}

impl Judge {
    /// The first engine against each other at every point, then what targets ask beyond that.
    fn comparisons(&self, gathered: &Gathered) -> Vec<Comparison> {
        let mut comparisons = Vec::new();
        let Some(of) = gathered.definition.engines.first() else {
            return comparisons;
        };
        for point in &gathered.points {
            for to in point.takers.iter().map(Taker::name).filter(|to| to != of) {
                let pair = |metric| self.compare(gathered, (of, point.at), (to, point.at), metric);
                comparisons.extend(compared(gathered).filter_map(pair));
            }
        }
        for target in &gathered.definition.targets {
            let of = target.of.as_ref().unwrap_or(of);
            for to in &target.to {
                let to_at = target.to_at.or(target.at);
                let pair = [(of, target.at), (to, to_at)].map(|(name, at)| (&**name, at));
                let wanted = self.compare(gathered, pair[0], pair[1], target.metric);
                let Some(mut wanted) = wanted else { continue };
                wanted.target = Some(Target {
                    ratio_max: target.ratio_max,
                    met: wanted.ratio.map(|ratio| ratio.median <= target.ratio_max),
                });
                let same = |one: &Comparison| {
                    let key = |one: &Comparison| (one.at, one.to_at, one.metric);
                    key(one) == key(&wanted) && one.of == wanted.of && one.to == wanted.to
                };
                match comparisons.iter_mut().find(|one| same(one)) {
                    Some(one) => *one = wanted,
                    None => comparisons.push(wanted),
                }
            }
        }
        comparisons
    }

    /// `None` where one of the two was not measured.
    fn compare(
        &self,
        gathered: &Gathered,
        (of, at): (&str, Option<f64>),
        (to, to_at): (&str, Option<f64>),
        metric: Metric,
    ) -> Option<Comparison> {
        let [left, right] = [
            Side::find(gathered, of, at, metric)?,
            Side::find(gathered, to, to_at, metric)?,
        ];
        let ratios = ratios(&left.figures, &right.figures).unwrap_or_default();
        let ratio = resample::interval(&ratios, self.seed);
        let verdict = if right.hung() > left.hung() {
            Verdict::OtherHung
        } else {
            resample::verdict(metric, ratios.len(), ratio.as_ref())
        };
        Some(Comparison {
            workload: gathered.definition.name.clone(),
            at,
            metric,
            of: of.to_owned(),
            to: to.to_owned(),
            to_at: to_at.filter(|_| to_at != at),
            ratio,
            verdict,
            target: None,
        })
    }
}

/// Paired within rounds; `None` where a round has no figure, or the other's is 0.
fn ratios(of: &[Option<f64>], to: &[Option<f64>]) -> Option<Vec<f64>> {
    let pairs = of.iter().zip(to).map(|(&of, &to)| {
        let (of, to) = (of?, to?);
        (to != 0.0).then(|| of / to)
    });
    pairs.collect()
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
