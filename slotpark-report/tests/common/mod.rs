//! The report that the tests are about. Nobody measured its figures.

use slotpark_report::Report;

/// Several workloads, several axes, histograms, hung rounds, skipped engines, a heat map, and names
/// that are markup if nobody escapes them.
pub(crate) fn sample() -> Report {
    Report::from_json(include_str!("../reports/sample.json")).expect("the sample is a report")
}
