//! Runs the contests in interleaved rounds and gathers their samples.

use std::collections::BTreeSet;

use super::workload::Target;
use super::{Contest, Row, Sample, Scale, Side};

/// All samples of one contest: for each entrant, one per round.
#[derive(Default)]
pub(crate) struct Gathered {
    pub(crate) side: Side,
    pub(crate) rows: Vec<Row>,
    pub(crate) entrants: Vec<Taken>,
    pub(crate) targets: Vec<Target>,
}

/// The samples of one engine.
pub(crate) struct Taken {
    pub(crate) engine: &'static str,
    pub(crate) samples: Vec<Sample>,
}

impl Taken {
    /// One row's figures, a round each.
    pub(crate) fn figures(&self, row: usize) -> Vec<Option<f64>> {
        self.samples
            .iter()
            .map(|sample| sample.values[row])
            .collect()
    }

    /// The rounds that were cut off.
    pub(crate) fn hung(&self) -> usize {
        self.samples.iter().filter(|sample| sample.hung).count()
    }

    /// What the samples remarked, each remark once.
    pub(crate) fn notes(&self) -> BTreeSet<&str> {
        self.samples
            .iter()
            .filter_map(|sample| sample.note.as_deref())
            .collect()
    }
}

/// How many samples a run of this scale takes.
pub(crate) fn samples(contests: &[Contest], scale: &Scale) -> usize {
    contests
        .iter()
        .map(|contest| contest.rounds(scale) * contest.entrants.len())
        .sum()
}

/// Runs all rounds; `progress` hears of each sample before it is taken.
pub(crate) fn run(
    contests: &[Contest],
    scale: &Scale,
    mut progress: impl FnMut(&str, &str),
) -> anyhow::Result<Vec<Gathered>> {
    let mut gathered: Vec<Gathered> = contests.iter().map(empty).collect();
    let rounds = contests
        .iter()
        .map(|contest| contest.rounds(scale))
        .max()
        .unwrap_or(0);
    for round in 0..rounds {
        for (contest, gathered) in contests.iter().zip(&mut gathered) {
            if round >= contest.rounds(scale) {
                continue;
            }
            // Each round starts with another engine, so that none always follows the same one.
            for turn in 0..contest.entrants.len() {
                let index = (round + turn) % contest.entrants.len();
                let entrant = &contest.entrants[index];
                progress(contest.name(), entrant.engine);
                gathered.entrants[index]
                    .samples
                    .push(contest.sample(entrant, scale)?);
            }
        }
    }
    Ok(gathered)
}

fn empty(contest: &Contest) -> Gathered {
    let taken = |engine| Taken {
        engine,
        samples: Vec::new(),
    };
    Gathered {
        side: contest.side,
        targets: contest.targets.clone(),
        rows: contest.rows.clone(),
        entrants: contest
            .entrants
            .iter()
            .map(|entrant| taken(entrant.engine))
            .collect(),
    }
}
