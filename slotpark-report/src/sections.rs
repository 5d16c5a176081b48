//! The report in parts, for whoever shows it in another form than those of this crate.

use crate::{Grid, Metric, Report, tables};

/// A part of the report: a workload, or what is said of all.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What it shows.
    pub about: String,
    /// Tables, each under its title.
    pub grids: Vec<(String, Grid)>,
    /// Remarks, a line each.
    pub remarks: Vec<String>,
}

/// Every workload, then the targets and the limits. Of the ratios those that a screen has room for:
/// of [time](crate::Metric::Time), calls, 99 % and what is kept, and those with a target.
///
/// # Examples
///
/// ```
/// # use slotpark_report::Report;
/// # let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
/// let report = Report::from_json(text).expect("the sample is a report");
/// let sections = slotpark_report::sections(&report);
/// assert_eq!(sections.len(), report.workloads.len() + 1);
/// assert_eq!(sections[0].title, report.workloads[0].title);
/// ```
#[must_use]
pub fn sections(report: &Report) -> Vec<Section> {
    let mut report = report.clone();
    report
        .comparisons
        .retain(|one| one.target.is_some() || is_main(one.metric));
    let report = &report;
    let mut sections: Vec<Section> = report
        .workloads
        .iter()
        .map(|workload| of_workload(report, workload))
        .collect();
    let mut goals = Section {
        title: "Targets".to_owned(),
        about: "A target is met when the median of the paired ratios is.".to_owned(),
        ..Section::default()
    };
    let targets = tables::targets(report);
    if !targets.rows.is_empty() {
        goals.grids.push(("Ratios".to_owned(), targets));
    }
    let limits = tables::limits(report);
    if !limits.rows.is_empty() {
        goals.grids.push(("Figures".to_owned(), limits));
    }
    if !goals.grids.is_empty() {
        sections.push(goals);
    }
    sections
}

fn is_main(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Time | Metric::Call | Metric::P99 | Metric::LiveBytes | Metric::ResidentBytes
    )
}

fn of_workload(report: &Report, workload: &crate::Workload) -> Section {
    let mut grids = tables::figures(workload);
    let ratios = tables::ratios(report, workload);
    grids.extend(ratios.map(|grid| ("Ratios".to_owned(), grid)));
    let skipped = tables::skipped(workload).into_iter();
    let skipped = skipped.map(|(engine, reason)| format!("{engine} was not measured: {reason}"));
    Section {
        title: workload.title.clone(),
        about: workload.about.clone(),
        grids,
        remarks: skipped.chain(tables::notes(workload)).collect(),
    }
}
