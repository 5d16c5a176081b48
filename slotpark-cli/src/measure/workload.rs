//! Workloads, their rows and samples, and the contests in which engines run them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::locks::Plan;
use super::{Engine, TaskEngine, TaskWorkload, child};

/// What is measured, written once for all engines.
pub(crate) trait Workload: Copy + Send + 'static {
    /// The rows that one sample fills.
    fn rows(&self) -> Vec<Row>;

    /// How many rounds a run of this scale makes.
    fn rounds(&self, scale: &Scale) -> usize;

    /// One sample of one engine, in a process of its own. Threads may be left behind.
    fn sample<E: Engine>(&self, scale: &Scale) -> Result<Sample, Hung>;
}

/// A row of the report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
}

/// Who waits, or for what: the sides are reported apart, since other engines enter them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Side {
    /// Threads that wait on keys.
    #[default]
    Threads,
    /// Tasks that wait on keys.
    Tasks,
    /// Keyed locks, semaphores and single flights.
    Locks,
    /// The numeric futex ABI beside the kernel's.
    Futex,
    /// The managers beside the kernel and others.
    Managers,
}

/// What a row counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    Count,
    Bytes,
    Ns,
    Ms,
}

impl Unit {
    /// A time in this unit; `None` where the unit is not one of time.
    pub(crate) fn of_duration(self, time: Duration) -> Option<f64> {
        match self {
            Self::Ns => Some(time.as_secs_f64() * 1e9),
            Self::Ms => Some(time.as_secs_f64() * 1e3),
            Self::Count | Self::Bytes => None,
        }
    }
}

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Whether the run is the short one.
    pub(crate) quick: bool,
    /// The time of one sample, warm-up not counted.
    pub(crate) window: Duration,
    /// The time that an engine gets to settle into the regime before the window.
    pub(crate) warm_up: Duration,
    /// The time without progress after which a round counts as hung.
    pub(crate) cut_off: Duration,
}

impl Scale {
    /// The short run.
    pub(crate) const QUICK: Self = Self {
        quick: true,
        window: Duration::from_millis(10),
        warm_up: Duration::from_millis(15),
        cut_off: Duration::from_secs(1),
    };
    /// The full run.
    pub(crate) const FULL: Self = Self {
        quick: false,
        window: Duration::from_millis(60),
        warm_up: Duration::from_millis(50),
        cut_off: Duration::from_secs(5),
    };

    /// One value for the short run, another for the full one.
    pub(crate) fn pick<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// The figures of one sample: one for each row, `None` for what the engine cannot have.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) values: Vec<Option<f64>>,
    /// Whether it was cut off.
    pub(crate) hung: bool,
    /// A remark for the reader of the table.
    pub(crate) note: Option<String>,
}

impl Sample {
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Self {
        Self {
            values: values.into_iter().map(Some).collect(),
            ..Self::default()
        }
    }

    /// A sample that was cut off: it enters at the cut-off time, where the row is one of time.
    pub(crate) fn cut_off(rows: &[Row], scale: &Scale) -> Self {
        let values = rows
            .iter()
            .map(|row| row.unit.of_duration(scale.cut_off))
            .collect();
        Self {
            values,
            hung: true,
            note: None,
        }
    }
}

/// The workload made no progress for the cut-off time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hung;

type Take = Box<dyn Fn(&Scale) -> Result<Sample, Hung> + Send>;

/// One engine in a contest.
pub(crate) struct Entrant {
    pub(crate) engine: &'static str,
    take: Take,
}

impl Entrant {
    pub(crate) fn new<W: Workload, E: Engine>(workload: W) -> Self {
        Self {
            engine: E::NAME,
            take: Box::new(move |scale| workload.sample::<E>(scale)),
        }
    }

    pub(crate) fn of_tasks<W: TaskWorkload, E: TaskEngine>(workload: W) -> Self {
        Self {
            engine: E::NAME,
            take: Box::new(move |scale| workload.sample::<E>(scale)),
        }
    }

    /// Of any kind that brings its samples with it.
    pub(crate) fn sampled(
        engine: &'static str,
        take: impl Fn(&Scale) -> Result<Sample, Hung> + Send + 'static,
    ) -> Self {
        Self {
            engine,
            take: Box::new(take),
        }
    }

    /// Under another name: the same engine may enter twice, with another workload.
    pub(crate) fn named(self, engine: &'static str) -> Self {
        Self { engine, ..self }
    }

    /// One sample, in this process.
    pub(crate) fn take(&self, rows: &[Row], scale: &Scale) -> Sample {
        (self.take)(scale).unwrap_or_else(|Hung| Sample::cut_off(rows, scale))
    }
}

/// What the first row of the first entrant should be at most, as a ratio to that of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) to: &'static str,
    pub(crate) ratio_max: f64,
}

/// A workload with the engines that enter it; the first one is compared with the others.
pub(crate) struct Contest {
    pub(crate) side: Side,
    pub(crate) rows: Vec<Row>,
    pub(crate) entrants: Vec<Entrant>,
    pub(crate) targets: Vec<Target>,
    rounds: Box<dyn Fn(&Scale) -> usize>,
}

impl Contest {
    pub(crate) fn new<W: Workload>(workload: W, entrants: Vec<Entrant>) -> Self {
        Self::of(Side::Threads, workload.rows(), entrants, move |scale| {
            workload.rounds(scale)
        })
    }

    pub(crate) fn of_tasks<W: TaskWorkload>(workload: W, entrants: Vec<Entrant>) -> Self {
        Self::of(Side::Tasks, workload.rows(), entrants, move |scale| {
            workload.rounds(scale)
        })
    }

    pub(crate) fn of_locks(plan: impl Plan, entrants: Vec<Entrant>) -> Self {
        Self::of(Side::Locks, plan.rows(), entrants, move |scale| {
            plan.rounds(scale)
        })
    }

    pub(crate) fn of_futex(plan: impl Plan, entrants: Vec<Entrant>) -> Self {
        Self::of(Side::Futex, plan.rows(), entrants, move |scale| {
            plan.rounds(scale)
        })
    }

    pub(crate) fn of_managers(plan: impl Plan, entrants: Vec<Entrant>) -> Self {
        Self::of(Side::Managers, plan.rows(), entrants, move |scale| {
            plan.rounds(scale)
        })
    }

    fn of(
        side: Side,
        rows: Vec<Row>,
        entrants: Vec<Entrant>,
        rounds: impl Fn(&Scale) -> usize + 'static,
    ) -> Self {
        Self {
            side,
            rows,
            entrants,
            targets: Vec::new(),
            rounds: Box::new(rounds),
        }
    }

    /// A workload of threads under other names, on the side of the futex.
    pub(crate) fn for_futex(mut self, names: &[&'static str]) -> Self {
        assert_eq!(names.len(), self.rows.len(), "every row has a name");
        self.side = Side::Futex;
        for (row, &name) in self.rows.iter_mut().zip(names) {
            row.name = name;
        }
        self
    }

    /// With a target for its first row; there may be one for each of the others.
    pub(crate) fn with_target(mut self, to: &'static str, ratio_max: f64) -> Self {
        self.targets.push(Target { to, ratio_max });
        self
    }

    /// The name of the contest is that of its first row.
    pub(crate) fn name(&self) -> &'static str {
        self.rows[0].name
    }

    pub(crate) fn rounds(&self, scale: &Scale) -> usize {
        (self.rounds)(scale)
    }

    /// One sample of one entrant, in a child process.
    pub(crate) fn sample(&self, entrant: &Entrant, scale: &Scale) -> anyhow::Result<Sample> {
        let sample = child::sample(self.name(), entrant.engine, scale)?;
        anyhow::ensure!(
            sample.values.len() == self.rows.len(),
            "{} of {} gave {} figures for {} rows",
            self.name(),
            entrant.engine,
            sample.values.len(),
            self.rows.len()
        );
        Ok(sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hung_round_enters_at_the_cut_off_time_where_the_row_is_one_of_time() {
        let units = [Unit::Ns, Unit::Ms, Unit::Count, Unit::Bytes];
        let rows = units.map(|unit| Row { name: "row", unit });
        let sample = Sample::cut_off(&rows, &Scale::QUICK);
        assert_eq!(sample.values, [Some(1e9), Some(1e3), None, None]);
        assert!(sample.hung);
    }
}
