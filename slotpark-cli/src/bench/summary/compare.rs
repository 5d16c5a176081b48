//! Paired ratios, what may be concluded from them, and targets.

use slotpark_report::{Comparison, Metric, Target, Verdict};

use super::figure;
use crate::bench::resample;
use crate::bench::runner::{Gathered, Taker};

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

/// One engine's figures of a metric at a point, a round each.
pub(super) struct Side<'a> {
    taker: &'a Taker,
    pub(super) figures: Vec<Option<f64>>,
}

impl<'a> Side<'a> {
    pub(super) fn find(
        gathered: &'a Gathered,
        engine: &str,
        at: Option<f64>,
        metric: Metric,
    ) -> Option<Self> {
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
pub(super) struct Judge {
    pub(super) seed: u64,
}

impl Judge {
    /// The first engine against each other at every point, then what targets ask beyond that.
    pub(super) fn comparisons(&self, gathered: &Gathered) -> Vec<Comparison> {
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
