//! What a program that takes a sample is asked, and what it answers: this program's own children
//! and those in other languages alike.
//!
//! A request is the only argument, as JSON; the answer is one line of JSON on the standard output.
//! `workloads/README.md` says what each shape does and what its parameters mean.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use slotpark_report::Metric;

use super::pace::Pace;
use super::shape::Shape;

/// One sample of one engine at one point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The program and its parameters, the one that the axis varies among them.
    #[serde(flatten)]
    pub(crate) shape: Shape,
    /// Where on the axis.
    pub(crate) at: Option<f64>,
    /// What sets the pace.
    pub(crate) pace: Pace,
    /// Whether single operations are to be recorded.
    pub(crate) latency: bool,
    /// Whether the run is the short one.
    pub(crate) quick: bool,
    /// What keys and times are drawn from.
    pub(crate) seed: u64,
    /// How long to measure.
    pub(crate) window_ms: u64,
    /// How long to run before that.
    pub(crate) warm_up_ms: u64,
    /// The time without progress after which a sample counts as hung.
    pub(crate) cut_off_ms: u64,
}

impl Request {
    pub(crate) fn window(&self) -> Duration {
        Duration::from_millis(self.window_ms)
    }

    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_millis(self.warm_up_ms)
    }

    pub(crate) fn cut_off(&self) -> Duration {
        Duration::from_millis(self.cut_off_ms)
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    /// Why there is no sample; then there is nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skipped: Option<String>,
    /// By name, each in the unit of its metric.
    pub(crate) figures: BTreeMap<Metric, f64>,
    /// Single operations, where the request asks for them: pairs of the longest, in nanoseconds,
    /// and how many took about as long.
    pub(crate) latency: Option<Vec<(u64, u64)>>,
    /// Waits that each slot has seen, where the engine has slots to look at.
    pub(crate) slots: Option<Vec<u32>>,
    /// Remarks for the reader.
    pub(crate) notes: Vec<String>,
    /// Whether it made no progress and was cut off.
    pub(crate) hung: bool,
}

impl Answer {
    pub(crate) fn of(figures: impl IntoIterator<Item = (Metric, f64)>) -> Self {
        Self {
            figures: figures.into_iter().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self {
            skipped: Some(reason.into()),
            ..Self::default()
        }
    }

    /// A sample that was cut off: it enters at the cut-off time.
    pub(crate) fn hung(request: &Request) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a short time")]
        let ns = request.cut_off_ms as f64 * 1e6;
        Self {
            hung: true,
            ..Self::of([(Metric::Time, ns)])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_documented_json() {
        let json = serde_json::json!({
            "shape": "storm", "parameters": {"keys": 4, "waiters": 2, "notifiers": 1},
            "at": 4.0, "pace": {"kind": "closed"}, "latency": false, "quick": true, "seed": 7,
            "window_ms": 10, "warm_up_ms": 15, "cut_off_ms": 1000,
        });
        let request: Request = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&request).unwrap(), json);
        assert_eq!(request.window(), Duration::from_millis(10));
    }

    #[test]
    fn an_answer_may_say_as_little_as_it_has() {
        let skipped: Answer = serde_json::from_str(r#"{"skipped":"no compiler"}"#).unwrap();
        assert_eq!(skipped, Answer::skipped("no compiler"));
        let text = r#"{"figures":{"time":12.5,"cpu":25},"latency":[[100,3]],"notes":["n"]}"#;
        let answer: Answer = serde_json::from_str(text).unwrap();
        assert_eq!(answer.figures[&Metric::Time], 12.5);
        assert_eq!(answer.latency, Some(vec![(100, 3)]));
        assert_eq!((answer.skipped, answer.hung), (None, false));
    }
}
