//! The plots of a report.

use maud::{Markup, html};

use super::titled;
use crate::page::{Line, Lines, heat_map, percentile_plot};
use crate::plot::{Row, forest};
use crate::{Comparison, Metric, Report, Tone, Unit, Verdict, Workload, tables};

pub(super) fn of_workload(report: &Report, workload: &Workload) -> Markup {
    html! {
        @if workload.axis.is_some() {
            @for metric in workload.metrics() { (over_axis(workload, metric)) }
            @for metric in workload.metrics() { (ratios_over_axis(report, workload, metric)) }
        } @else {
            (ratios(report, workload))
        }
        @for at in workload.places() {
            @let place = workload.place_name(at);
            @let of: Vec<_> = tables::latencies(workload, at)
                .into_iter()
                .map(|(engine, latency)| (engine, &latency.percentiles[..]))
                .collect();
            (percentile_plot(&titled("How long single operations took", &place), &of))
        }
        (slots(workload))
    }
}

/// A metric of all engines over the axis of the workload.
fn over_axis(workload: &Workload, metric: Metric) -> Markup {
    let Some(axis) = &workload.axis else {
        return html! {};
    };
    let lines = workload
        .series
        .iter()
        .enumerate()
        .filter_map(|(index, series)| {
            let mut line = Line {
                name: series.engine.clone(),
                series: Some(index),
                ..Line::default()
            };
            for point in &series.points {
                if let (Some(at), Some(figure)) = (point.at, point.figures.get(&metric)) {
                    line.points.push((at, figure.median));
                    line.spreads.push((figure.lo, figure.hi));
                }
            }
            (!line.points.is_empty()).then_some(line)
        });
    let lines: Vec<Line> = lines.collect();
    let values = || {
        lines
            .iter()
            .flat_map(|line| &line.points)
            .map(|(_, value)| *value)
    };
    let has_course = lines.iter().any(|line| line.points.len() > 1);
    // What is nothing everywhere is told by the table.
    if !has_course || values().all(|value| value == 0.0) {
        return html! {};
    }
    let is_logarithmic = metric.unit() != Unit::Count && is_wide(values());
    let plot = Lines {
        title: &format!("{} over {}", tables::heading(metric), axis.name),
        x: (&axis.name, axis.logarithmic),
        y: (metric.title(), metric.unit(), is_logarithmic),
        across: None,
        lines,
    };
    plot.draw()
}

/// Values so far apart that the small ones could not be told from each other.
fn is_wide(values: impl Iterator<Item = f64>) -> bool {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for value in values.filter(|value| *value > 0.0) {
        (least, most) = (least.min(value), most.max(value));
    }
    most > 8.0 * least
}

fn ratios_over_axis(report: &Report, workload: &Workload, metric: Metric) -> Markup {
    let Some(axis) = &workload.axis else {
        return html! {};
    };
    let of_metric = report
        .comparisons
        .iter()
        .filter(|one| one.workload == workload.name && one.metric == metric && one.to_at.is_none());
    let mut lines: Vec<Line> = Vec::new();
    for one in of_metric {
        let (Some(at), Some(ratio)) = (one.at, one.ratio) else {
            continue;
        };
        let name = format!("to {}", one.to);
        let index = lines
            .iter()
            .position(|line| line.name == name)
            .unwrap_or_else(|| {
                lines.push(Line {
                    name,
                    series: workload
                        .series
                        .iter()
                        .position(|series| series.engine == one.to),
                    ..Line::default()
                });
                lines.len() - 1
            });
        lines[index].points.push((at, ratio.median));
        lines[index].spreads.push((ratio.lo, ratio.hi));
    }
    if lines.iter().all(|line| line.points.len() < 2) {
        return html! {};
    }
    let better = if metric.less_is_better() {
        "less"
    } else {
        "more"
    };
    let plot = Lines {
        title: &format!("Ratios of {}: {better} is better", metric.title()),
        x: (&axis.name, axis.logarithmic),
        y: ("ratio", Unit::Count, true),
        across: Some(1.0),
        lines,
    };
    plot.draw()
}

fn ratios(report: &Report, workload: &Workload) -> Markup {
    let of_workload = report
        .comparisons
        .iter()
        .filter(|one| one.workload == workload.name);
    let rows: Vec<Row> = of_workload
        .filter_map(|one| row(one, format!("{}, to {}", one.metric.title(), one.to)))
        .collect();
    html! {
        @if !rows.is_empty() {
            (forest("Ratios to other engines", "The table of ratios has the figures.", &rows))
        }
    }
}

fn row(one: &Comparison, name: String) -> Option<Row> {
    let tone = match one.verdict {
        Verdict::Better => Tone::Good,
        Verdict::Worse => Tone::Bad,
        Verdict::NoDifferenceShown | Verdict::OtherHung | Verdict::TooFewRounds => Tone::Plain,
    };
    let more = if one.metric.less_is_better() {
        ""
    } else {
        " (more is better)"
    };
    Some(Row {
        name: name + more,
        ratio: one.ratio?,
        target: one.target.map(|target| target.ratio_max),
        tone,
    })
}

/// All ratios that have a target; here the color says whether it was met.
pub(super) fn target_rows(report: &Report) -> Vec<Row> {
    let asked = report
        .comparisons
        .iter()
        .filter_map(|one| Some((one, one.target?)));
    asked
        .filter_map(|(one, target)| {
            let mut row = row(one, tables::what(report, one))?;
            row.tone = if target.met == Some(true) {
                Tone::Good
            } else {
                Tone::Bad
            };
            Some(row)
        })
        .collect()
}

fn slots(workload: &Workload) -> Markup {
    let points = || {
        workload.series.iter().flat_map(|series| {
            series
                .points
                .iter()
                .map(move |point| (&series.engine, point))
        })
    };
    html! {
        @for (engine, point) in points() {
            @if let Some(slots) = &point.slots {
                @let title = format!("Waits in each slot, {engine}");
                div { (heat_map(&titled(&title, &workload.place_name(point.at)), slots)) }
            }
        }
    }
}
