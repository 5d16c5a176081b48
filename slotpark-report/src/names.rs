//! The names of what is counted, for machines and for people.

use crate::{Metric, Unit, Verdict};

impl Unit {
    /// Its name in JSON and CSV.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slotpark_report::Unit::Bytes.name(), "bytes");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::Ns => "ns",
        }
    }
}

impl Metric {
    /// All, in the order of tables.
    pub const ALL: [Self; 11] = [
        Self::Time,
        Self::Cpu,
        Self::Allocations,
        Self::LiveBytes,
        Self::ResidentBytes,
        Self::Call,
        Self::P50,
        Self::P99,
        Self::P9999,
        Self::LeastShare,
        Self::Made,
    ];

    /// Its name in JSON and CSV, and in the places of documents.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::Metric;
    ///
    /// for metric in Metric::ALL {
    ///     assert_eq!(Metric::from_name(metric.name()), Some(metric));
    /// }
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Cpu => "cpu",
            Self::Allocations => "allocations",
            Self::LiveBytes => "live_bytes",
            Self::ResidentBytes => "resident_bytes",
            Self::Call => "call",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P9999 => "p9999",
            Self::LeastShare => "least_share",
            Self::Made => "made",
        }
    }

    /// What [`name`](Self::name) names.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::Metric;
    ///
    /// assert_eq!(Metric::from_name("cpu"), Some(Metric::Cpu));
    /// assert_eq!(Metric::from_name("CPU"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// What it is called where people read.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(slotpark_report::Metric::P9999.title(), "p99.99");
    /// ```
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Cpu => "CPU time",
            Self::Allocations => "allocations",
            Self::LiveBytes => "bytes kept",
            Self::ResidentBytes => "resident memory",
            Self::Call => "the call",
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P9999 => "p99.99",
            Self::LeastShare => "least share",
            Self::Made => "times made",
        }
    }
}

impl Verdict {
    /// It in words.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::Verdict;
    ///
    /// assert_eq!(Verdict::NoDifferenceShown.title(), "no difference shown");
    /// ```
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifferenceShown => "no difference shown",
            Self::OtherHung => "the other hung",
            Self::TooFewRounds => "too few rounds",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Metric;

    #[test]
    fn names_are_those_of_the_json() {
        for metric in Metric::ALL {
            let json = serde_json::to_string(&metric).expect("a name");
            assert_eq!(json, format!("\"{}\"", metric.name()));
            let unit = serde_json::to_string(&metric.unit()).expect("a name");
            assert_eq!(unit, format!("\"{}\"", metric.unit().name()));
        }
    }
}
