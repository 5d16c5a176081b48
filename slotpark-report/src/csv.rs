//! The figures as CSV: a line for each figure of each engine at each point.

use crate::{Report, Series, Workload};

const HEAD: [&str; 11] = [
    "workload", "axis", "at", "engine", "metric", "unit", "median", "lo", "hi", "rounds", "hung",
];

/// All figures as CSV with a line of names on top: one line for each workload, engine, point and
/// metric. What was skipped has no line.
///
/// # Examples
///
/// ```
/// # use slotpark_report::Report;
/// # let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
/// let report = Report::from_json(text).expect("the sample is a report");
/// let csv = slotpark_report::csv(&report);
/// let head = csv.lines().next();
/// assert_eq!(head, Some("workload,axis,at,engine,metric,unit,median,lo,hi,rounds,hung"));
/// ```
#[must_use]
pub fn csv(report: &Report) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    for workload in &report.workloads {
        for series in &workload.series {
            lines.extend(lines_of(workload, series));
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in &lines {
        writer
            .write_record(line)
            .expect("a vector takes all, and every line has as many fields");
    }
    let bytes = writer.into_inner().expect("a vector takes all");
    String::from_utf8(bytes).expect("strings were written")
}

fn lines_of<'a>(
    workload: &'a Workload,
    series: &'a Series,
) -> impl Iterator<Item = [String; 11]> + 'a {
    let axis = workload.axis.as_ref().map_or("", |axis| &axis.name);
    series.points.iter().flat_map(move |point| {
        point.figures.iter().map(move |(metric, figure)| {
            [
                workload.name.clone(),
                axis.to_owned(),
                point.at.map_or_else(String::new, |at| at.to_string()),
                series.engine.clone(),
                metric.name().to_owned(),
                metric.unit().name().to_owned(),
                figure.median.to_string(),
                figure.lo.to_string(),
                figure.hi.to_string(),
                point.rounds.to_string(),
                point.hung.to_string(),
            ]
        })
    })
}
