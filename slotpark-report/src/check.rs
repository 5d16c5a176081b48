//! A run against a record, by ratios: times of two runs say more about the machine than about the
//! code, ratios of engines that ran side by side do not.

use std::fmt;

use crate::amount::{ratio, short};
use crate::{Comparison, Interval, Metric, Report};

/// What [`check`] found at one place of the record.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The workload of the record.
    pub workload: String,
    /// The point of its axis.
    pub at: Option<f64>,
    /// Which figure, and the engines whose ratio it is; `None` where it is about all of the
    /// workload.
    pub ratio: Option<(Metric, String, String)>,
    /// What it is.
    pub kind: FindingKind,
}

/// What can be found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FindingKind {
    /// The run's whole interval is on the worse side of the record's, by more than the tolerance.
    Worse {
        /// Of the record.
        record: Interval,
        /// Of the run.
        run: Interval,
    },
    /// The run has no such workload.
    NoWorkload,
    /// The run has no such engine in the workload, or skipped the one that is judged.
    NoEngine {
        /// Its name.
        engine: String,
    },
    /// The run has no such ratio.
    NoRatio,
    /// The run could not measure an engine, and says why.
    Skipped {
        /// Its name.
        engine: String,
        /// In the words of the run.
        reason: String,
    },
    /// A short run does not go to this point.
    NotInQuick,
}

impl Finding {
    /// Whether it makes a check fail. What a run says it has left out is named and no failure.
    ///
    /// # Examples
    ///
    /// ```
    /// # use slotpark_report::{check, Report};
    /// # let text =
    /// #     include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
    /// let record = Report::from_json(text).expect("the sample is a report");
    /// let mut run = record.clone();
    /// run.workloads[0].series[2].skipped = Some("absent".to_owned());
    /// run.comparisons.retain(|one| one.to != "parking_lot_core");
    /// let findings = check(&record, &run, 1.0);
    /// assert!(findings.iter().any(|finding| !finding.is_failure()));
    /// ```
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(
            self.kind,
            FindingKind::Skipped { .. } | FindingKind::NotInQuick
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.workload)?;
        if let Some(at) = self.at {
            write!(f, " at {}", short(at))?;
        }
        if let Some((metric, of, to)) = &self.ratio {
            write!(f, ", {} of {of} to {to}", metric.title())?;
        }
        f.write_str(": ")?;
        match &self.kind {
            FindingKind::Worse { record, run } => {
                write!(f, "worse: {}, on record {}", ratio(run), ratio(record))
            }
            FindingKind::NoWorkload => f.write_str("the run has no such workload"),
            FindingKind::NoEngine { engine } => write!(f, "the run has no engine {engine}"),
            FindingKind::NoRatio => f.write_str("the run has no such ratio"),
            FindingKind::Skipped { engine, reason } => write!(f, "{engine} was skipped: {reason}"),
            FindingKind::NotInQuick => f.write_str("no point of a quick run"),
        }
    }
}

/// Compares the paired ratios of `run` with those of `record`. A ratio is worse if its whole
/// interval lies above the interval on record times `tolerance` (1.25 allows a quarter more); where
/// more is better, below it by as much. Whatever the record has and the run has not is named, too;
/// what only the run has is not looked at.
///
/// # Examples
///
/// ```
/// # use slotpark_report::{check, FindingKind, Report};
/// # let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
/// let record = Report::from_json(text).expect("the sample is a report");
/// assert!(check(&record, &record, 1.0).is_empty());
///
/// let mut run = record.clone();
/// run.workloads.remove(0);
/// let findings = check(&record, &run, 1.25);
/// assert_eq!(findings[0].kind, FindingKind::NoWorkload);
/// ```
#[must_use]
pub fn check(record: &Report, run: &Report, tolerance: f64) -> Vec<Finding> {
    let mut findings = missing(record, run);
    for recorded in &record.comparisons {
        let is_named = |finding: &Finding| {
            finding.workload == recorded.workload
                && match &finding.kind {
                    FindingKind::NoWorkload => true,
                    FindingKind::NoEngine { engine } | FindingKind::Skipped { engine, .. } => {
                        *engine == recorded.of || *engine == recorded.to
                    }
                    _ => false,
                }
        };
        if recorded.ratio.is_some() && !findings.iter().any(is_named) {
            findings.extend(of_ratio(recorded, run, tolerance));
        }
    }
    findings
}

/// Workloads and engines that the run has not.
fn missing(record: &Report, run: &Report) -> Vec<Finding> {
    let mut findings = Vec::new();
    for workload in &record.workloads {
        let mut add = |kind| {
            let workload = workload.name.clone();
            findings.push(Finding {
                workload,
                at: None,
                ratio: None,
                kind,
            });
        };
        let Some(now) = run.workload(&workload.name) else {
            add(FindingKind::NoWorkload);
            continue;
        };
        let measured = workload.series.iter().enumerate();
        for (index, series) in measured.filter(|(_, series)| series.skipped.is_none()) {
            let engine = series.engine.clone();
            let other = now.series.iter().find(|other| other.engine == engine);
            match other.map(|other| other.skipped.clone()) {
                Some(None) => {}
                // The first engine is the one that is judged.
                Some(Some(reason)) if index > 0 => add(FindingKind::Skipped { engine, reason }),
                _ => add(FindingKind::NoEngine { engine }),
            }
        }
    }
    findings
}

fn of_ratio(recorded: &Comparison, run: &Report, tolerance: f64) -> Option<Finding> {
    let same = |other: &&Comparison| {
        (&other.workload, other.metric) == (&recorded.workload, recorded.metric)
            && (other.at, &other.of, &other.to, other.to_at)
                == (recorded.at, &recorded.of, &recorded.to, recorded.to_at)
    };
    let record = recorded.ratio?;
    let found = run.comparisons.iter().find(same);
    let kind = match found.and_then(|found| found.ratio) {
        Some(run) if is_worse(recorded.metric, &record, &run, tolerance) => {
            FindingKind::Worse { record, run }
        }
        Some(_) => return None,
        None if found.is_none() && run.machine.quick && recorded.at.is_some() => {
            FindingKind::NotInQuick
        }
        None => FindingKind::NoRatio,
    };
    let engines = (recorded.metric, recorded.of.clone(), recorded.to.clone());
    Some(Finding {
        workload: recorded.workload.clone(),
        at: recorded.at,
        ratio: Some(engines),
        kind,
    })
}

fn is_worse(metric: Metric, record: &Interval, run: &Interval, tolerance: f64) -> bool {
    if metric.less_is_better() {
        run.lo > record.hi * tolerance
    } else {
        run.hi < record.lo / tolerance
    }
}
