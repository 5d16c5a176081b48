//! What stands where in a report.

use crate::amount::place;
use crate::{Axis, Measured, Metric, Report, Workload};

impl Report {
    /// The workload of this name.
    ///
    /// # Examples
    ///
    /// ```
    /// # use slotpark_report::Report;
    /// # let text =
    /// #     include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
    /// let report = Report::from_json(text).expect("the sample is a report");
    /// assert!(report.workload("wake_nobody").is_some());
    /// assert!(report.workload("lunch").is_none());
    /// ```
    #[must_use]
    pub fn workload(&self, name: &str) -> Option<&Workload> {
        self.workloads.iter().find(|workload| workload.name == name)
    }
}

impl Workload {
    /// What was measured of an engine at a point of the axis; `None` where it was not.
    ///
    /// # Examples
    ///
    /// ```
    /// # use slotpark_report::Report;
    /// # let text =
    /// #     include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
    /// let report = Report::from_json(text).expect("the sample is a report");
    /// let workload = report.workload("other_waiters").expect("the sample has it");
    /// assert!(workload.point("slotpark", Some(1000.0)).is_some());
    /// assert!(workload.point("slotpark", None).is_none());
    /// ```
    #[must_use]
    pub fn point(&self, engine: &str, at: Option<f64>) -> Option<&Measured> {
        let series = self.series.iter().find(|series| series.engine == engine)?;
        series.points.iter().find(|point| point.at == at)
    }

    /// The points of the axis that any engine has, in order.
    pub(crate) fn places(&self) -> Vec<Option<f64>> {
        let mut places: Vec<Option<f64>> = Vec::new();
        for point in self.series.iter().flat_map(|series| &series.points) {
            if !places.contains(&point.at) {
                places.push(point.at);
            }
        }
        places.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        places
    }

    /// The metrics that any engine has, in the order of tables.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let has = |metric: &Metric| {
            let mut points = self.series.iter().flat_map(|series| &series.points);
            points.any(|point| point.figures.contains_key(metric))
        };
        Metric::ALL.into_iter().filter(has).collect()
    }

    /// `at` in words: `1,000 other waiters`; nothing where there is no axis.
    pub(crate) fn place_name(&self, at: Option<f64>) -> String {
        match (at, &self.axis) {
            (Some(at), Some(Axis { name, .. })) => format!("{} {name}", place(at)),
            (Some(at), None) => place(at),
            (None, _) => String::new(),
        }
    }
}
