//! The report of a run: its JSON form, stable under the number of its schema.
//!
//! A report has [`Workload`]s; a workload has a [`Series`] for each engine; a series has a
//! [`Measured`] for each point of the workload's [`Axis`], or one where it has no axis. Ratios
//! stand apart, as [`Comparison`]s: they are paired within rounds, so they are not those of the
//! medians.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The number of this form. A reader refuses another one.
pub const SCHEMA: u32 = 1;

/// A whole run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The arguments that make the same run again, the seed among them.
    pub command: Vec<String>,
    /// What all keys, orders and arrival times were drawn from.
    pub seed: u64,
    /// Where and with what it ran.
    pub machine: Machine,
    /// What was measured, in the order of the report.
    pub workloads: Vec<Workload>,
    /// The first engine of each workload against each of the others.
    pub comparisons: Vec<Comparison>,
    /// What figures themselves should be at most.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// The machine and the build.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    /// As the kernel names it.
    pub cpu: String,
    /// Threads that run at once.
    pub cores: usize,
    /// All of it.
    pub memory_bytes: u64,
    /// The distribution.
    pub os: String,
    /// Its release.
    pub kernel: String,
    /// Of the clock's frequency; `None` where the machine does not say.
    pub governor: Option<String>,
    /// Over one minute, before the run.
    pub load_average: f64,
    /// The compiler, as it names itself.
    pub rustc: String,
    /// The version of slotpark.
    pub slotpark: String,
    /// Empty where the program was not built from a checkout.
    pub commit: String,
    /// Whether it was built with optimization.
    pub optimized: bool,
    /// Whether the run was the short one.
    pub quick: bool,
    /// Seconds since 1970, at the start.
    pub unix_time: u64,
    /// What makes the figures doubtful, a sentence each.
    pub warnings: Vec<String>,
}

/// What one data file asks for, and what came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Workload {
    /// The name of the data file.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What is done, and what one operation is.
    pub about: String,
    /// The program that the data file chose.
    pub shape: String,
    /// What the data file set, as it stands there.
    pub parameters: BTreeMap<String, String>,
    /// What sets the pace.
    pub pace: Loop,
    /// What is varied, if anything.
    pub axis: Option<Axis>,
    /// One for each engine, ours first.
    pub series: Vec<Series>,
}

/// What sets the pace of operations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Loop {
    /// The next operation begins when the last one has ended.
    Closed,
    /// Operations begin at times set beforehand; latency counts from those.
    Open {
        /// In all threads together.
        operations_per_second: f64,
    },
}

/// What a workload varies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What it is a number of: `other waiters`, `keys`, `threads`, `stride`.
    pub name: String,
    /// Whether points stand at powers, so that a plot should too.
    pub logarithmic: bool,
}

/// One engine's part of a workload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series {
    /// Its name.
    pub engine: String,
    /// Why it was not measured: a toolchain that is absent, a question that it cannot answer.
    pub skipped: Option<String>,
    /// In the order of the axis.
    pub points: Vec<Measured>,
}

/// What was measured at one point.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Where on the axis.
    pub at: Option<f64>,
    /// The rounds that were taken.
    pub rounds: usize,
    /// The rounds that were cut off; they enter at the cut-off time.
    pub hung: usize,
    /// Each figure's median over the rounds, and from the lowest to the highest.
    pub figures: BTreeMap<Metric, Interval>,
    /// Of all rounds together, where the workload asks for single operations.
    pub latency: Option<Histogram>,
    /// Waits that were queued in each slot, where the engine has slots to look at.
    pub slots: Option<Vec<u32>>,
    /// Remarks, each once.
    pub notes: Vec<String>,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Wall time of one operation.
    Time,
    /// Processor time of one operation, of all threads.
    Cpu,
    /// Times that an allocator was asked for memory, of one operation.
    Allocations,
    /// Bytes that are kept when all is over.
    LiveBytes,
    /// Resident memory that the workload added.
    ResidentBytes,
    /// The call of a wake, where it is apart from the operation.
    Call,
    /// The middle of single operations.
    P50,
    /// 99 of 100 take no longer.
    P99,
    /// 9,999 of 10,000 take no longer.
    P9999,
    /// Of the thread that got least: 1 where all got the same.
    LeastShare,
    /// How many times the work was done that should be done once.
    Made,
}

/// What a figure is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Ns,
}

impl Metric {
    /// What its figures are in.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Time | Self::Cpu | Self::Call | Self::P50 | Self::P99 | Self::P9999 => Unit::Ns,
            Self::LiveBytes | Self::ResidentBytes => Unit::Bytes,
            Self::Allocations | Self::LeastShare | Self::Made => Unit::Count,
        }
    }

    /// Whether less of it is better.
    #[must_use]
    pub fn less_is_better(self) -> bool {
        self != Self::LeastShare
    }
}

/// A figure and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The middle.
    pub median: f64,
    /// The lower end: of the rounds, or of the confidence interval in a comparison.
    pub lo: f64,
    /// The upper end.
    pub hi: f64,
}

/// How long single operations took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Histogram {
    /// How many there were.
    pub count: u64,
    /// Pairs of a percentile (0 to 100) and nanoseconds, up to 99.99 and 100.
    pub percentiles: Vec<(f64, u64)>,
    /// Where operations fell, those without any left out.
    pub buckets: Vec<Bucket>,
}

/// Operations that took about as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The longest of them, in nanoseconds.
    pub ns_max: u64,
    /// How many.
    pub count: u64,
}

/// One figure of the first engine against that of another: of / to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// The workload's name.
    pub workload: String,
    /// The point of its axis.
    pub at: Option<f64>,
    /// Which figure.
    pub metric: Metric,
    /// The first engine.
    pub of: String,
    /// The other one; or itself at another point, where that is what the target asks.
    pub to: String,
    /// The other one's point, where it is another one than `at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_at: Option<f64>,
    /// Paired within rounds: the median, and its bootstrap confidence interval of 95 %.
    pub ratio: Option<Interval>,
    /// What may be concluded.
    pub verdict: Verdict,
    /// What was set, and whether it was met.
    pub target: Option<Target>,
}

/// What a ratio should be at most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// At most this.
    pub ratio_max: f64,
    /// By the median of the ratio; `None` where there is none.
    pub met: Option<bool>,
}

/// What a figure itself should be at most, whatever others have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// The workload's name.
    pub workload: String,
    /// The point of its axis.
    pub at: Option<f64>,
    /// Whose figure.
    pub engine: String,
    /// Which figure.
    pub metric: Metric,
    /// At most this, in the metric's unit.
    pub max: f64,
    /// By the median of the rounds; `None` where there is none.
    pub met: Option<bool>,
}

/// What may be concluded from a ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval is on the better side of 1.
    Better,
    /// The whole interval is on the worse side of 1.
    Worse,
    /// The interval contains 1: no winner.
    NoDifferenceShown,
    /// The other hung in more rounds.
    OtherHung,
    /// There are too few rounds, or none of one of them.
    TooFewRounds,
}
