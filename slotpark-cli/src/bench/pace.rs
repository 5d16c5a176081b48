//! What sets the pace of operations.

use serde::{Deserialize, Serialize};

/// Closed or open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub(crate) enum Pace {
    /// The next operation begins when the last one has ended.
    #[default]
    Closed,
    /// Operations begin at times set beforehand, and latency counts from those.
    Open {
        /// In all threads together.
        operations_per_second: f64,
        /// How the times lie.
        arrivals: Arrivals,
    },
}

/// How the times of an open loop lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arrivals {
    /// As far from each other as the rate says.
    Even,
    /// As of callers who know nothing of each other: gaps are drawn from the seed, exponentially.
    Exponential,
}
