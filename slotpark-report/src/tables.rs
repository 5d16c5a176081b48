//! The tables of a report, the same in Markdown and on the page.

use crate::amount::{place, ratio, short, spread};
use crate::page::percentile_grid;
use crate::{Cell, Comparison, Grid, Histogram, Measured, Metric, Report, Tone, Verdict, Workload};

/// The figures of a workload, each table under its title: one where there is no axis; one for each
/// figure where there is.
pub(crate) fn figures(workload: &Workload) -> Vec<(String, Grid)> {
    if workload.axis.is_none() {
        return vec![("Figures".to_owned(), by_engine(workload))];
    }
    let by_metric = workload.metrics().into_iter().enumerate();
    by_metric
        .map(|(index, metric)| (heading(metric), by_place(workload, metric, index == 0)))
        .collect()
}

pub(crate) fn heading(metric: Metric) -> String {
    let title = metric.title();
    title[..1].to_uppercase() + &title[1..]
}

fn by_engine(workload: &Workload) -> Grid {
    let metrics = workload.metrics();
    let titles = metrics.iter().map(|metric| metric.title());
    let mut grid = Grid::new(std::iter::once("engine").chain(titles).chain(["rounds"]));
    for series in &workload.series {
        for point in &series.points {
            let figures = metrics.iter().map(|&metric| figure(point, metric));
            let row = std::iter::once(Cell::plain(&series.engine)).chain(figures);
            grid.push(row.chain([rounds(point)]));
        }
    }
    grid
}

/// A line for each point, a column for each engine that was measured anywhere.
pub(crate) fn by_place(workload: &Workload, metric: Metric, say_hung: bool) -> Grid {
    let measured = workload
        .series
        .iter()
        .filter(|series| !series.points.is_empty());
    let engines: Vec<&str> = measured.map(|series| series.engine.as_str()).collect();
    let axis = workload.axis.as_ref().map_or("", |axis| &axis.name);
    let mut grid = Grid::new(std::iter::once(axis).chain(engines.iter().copied()));
    for at in workload.places() {
        let cell = |engine: &&str| {
            let Some(point) = workload.point(engine, at) else {
                return Cell::plain("-");
            };
            let mut cell = figure(point, metric);
            if say_hung && point.hung > 0 {
                cell = Cell::bad(format!("{}; {}", cell.text, hung(point)));
            }
            cell
        };
        let name = at.map_or_else(String::new, place);
        grid.push(std::iter::once(Cell::plain(name)).chain(engines.iter().map(cell)));
    }
    grid
}

fn figure(point: &Measured, metric: Metric) -> Cell {
    let figure = point.figures.get(&metric);
    Cell::plain(figure.map_or_else(|| "-".to_owned(), |figure| spread(figure, metric.unit())))
}

fn rounds(point: &Measured) -> Cell {
    if point.hung == 0 {
        return Cell::plain(point.rounds.to_string());
    }
    Cell::bad(hung(point))
}

fn hung(point: &Measured) -> String {
    format!("hung in {} of {}", point.hung, point.rounds)
}

/// The histograms of single operations at a point, by engine.
pub(crate) fn latencies(workload: &Workload, at: Option<f64>) -> Vec<(&str, &Histogram)> {
    let of_engine = workload.series.iter().filter_map(|series| {
        let point = workload.point(&series.engine, at)?;
        Some((series.engine.as_str(), point.latency.as_ref()?))
    });
    of_engine.collect()
}

/// The percentiles of single operations, a column for each engine that has them, and how many
/// operations there were.
pub(crate) fn percentiles(latencies: &[(&str, &Histogram)]) -> Grid {
    let of: Vec<_> = latencies
        .iter()
        .map(|(engine, of)| (*engine, &of.percentiles[..]))
        .collect();
    let mut grid = percentile_grid(&of);
    let counts = latencies
        .iter()
        .map(|(_, of)| Cell::plain(place(of.count as f64)));
    grid.push(std::iter::once(Cell::plain("operations")).chain(counts));
    grid
}

/// Why engines of a workload were not measured: names and reasons.
pub(crate) fn skipped(workload: &Workload) -> Vec<(&str, &str)> {
    let reason = |series: &'_ crate::Series| series.skipped.is_some();
    let skipped = workload.series.iter().filter(|series| reason(series));
    skipped
        .map(|series| {
            (
                series.engine.as_str(),
                series.skipped.as_deref().unwrap_or_default(),
            )
        })
        .collect()
}

/// Remarks on what was measured, with the engine and the point they are about.
pub(crate) fn notes(workload: &Workload) -> Vec<String> {
    let mut notes = Vec::new();
    for series in &workload.series {
        for point in &series.points {
            let at = workload.place_name(point.at);
            let of = if at.is_empty() { at } else { format!(", {at}") };
            let about = point
                .notes
                .iter()
                .map(|note| format!("{}{of}: {note}", series.engine));
            notes.extend(about);
        }
    }
    notes
}

/// The ratios of one workload; `None` where nothing was compared.
pub(crate) fn ratios(report: &Report, workload: &Workload) -> Option<Grid> {
    let of_workload = report
        .comparisons
        .iter()
        .filter(|one| one.workload == workload.name);
    let comparisons: Vec<_> = of_workload.collect();
    if comparisons.is_empty() {
        return None;
    }
    let has_target = comparisons.iter().any(|one| one.target.is_some());
    let axis = workload.axis.as_ref().map(|axis| axis.name.as_str());
    let head = ["against", "figure"].into_iter().chain(axis);
    let head = head.chain(["ratio (95 %)", "verdict"]);
    let mut grid = Grid::new(head.chain(has_target.then_some("target")));
    for one in comparisons {
        let mut row = vec![
            Cell::plain(other(report, one)),
            Cell::plain(one.metric.title()),
        ];
        if axis.is_some() {
            row.push(Cell::plain(one.at.map_or_else(String::new, place)));
        }
        row.extend([ratio_cell(one), verdict(one)]);
        if has_target {
            row.push(target(one).unwrap_or_default());
        }
        grid.push(row);
    }
    Some(grid)
}

fn ratio_cell(one: &Comparison) -> Cell {
    Cell::plain(one.ratio.as_ref().map_or_else(|| "-".to_owned(), ratio))
}

fn verdict(one: &Comparison) -> Cell {
    let title = one.verdict.title();
    match one.verdict {
        Verdict::Better => Cell::good(title),
        Verdict::Worse => Cell::bad(title),
        Verdict::NoDifferenceShown | Verdict::OtherHung | Verdict::TooFewRounds => {
            Cell::plain(title)
        }
    }
}

fn target(one: &Comparison) -> Option<Cell> {
    let target = one.target.as_ref()?;
    let most = short(target.ratio_max);
    Some(match target.met {
        Some(true) => Cell::good(format!("{most}: met")),
        Some(false) => Cell::bad(format!("{most}: missed")),
        None => Cell::plain(format!("{most}: no ratio")),
    })
}

/// What was set, and whether it was met: the missed ones first.
pub(crate) fn targets(report: &Report) -> Grid {
    let mut grid = Grid::new(["what", "target", "ratio (95 %)"]);
    let mut asked: Vec<_> = report
        .comparisons
        .iter()
        .filter_map(|one| Some((one, target(one)?)))
        .collect();
    asked.sort_by_key(|(_, cell)| match cell.tone {
        Tone::Bad => 0,
        Tone::Plain => 1,
        Tone::Good => 2,
    });
    for (one, target) in asked {
        grid.push([Cell::plain(what(report, one)), target, ratio_cell(one)]);
    }
    grid
}

/// Every comparison that the first engine loses, the worst first.
pub(crate) fn losses(report: &Report) -> Grid {
    let mut grid = Grid::new(["what", "ratio (95 %)", "medians"]);
    let lost = report.comparisons.iter();
    let mut lost: Vec<_> = lost.filter(|one| one.verdict == Verdict::Worse).collect();
    // How bad a ratio is does not depend on which end of it is the better one.
    let badness = |one: &Comparison| {
        let ratio = one.ratio.as_ref().map_or(1.0, |ratio| ratio.median);
        if one.metric.less_is_better() {
            ratio
        } else {
            1.0 / ratio
        }
    };
    lost.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
    for one in lost {
        let medians = Cell::plain(both_medians(report, one));
        grid.push([Cell::plain(what(report, one)), ratio_cell(one), medians]);
    }
    grid
}

/// What a ratio is about, in words.
pub(crate) fn what(report: &Report, one: &Comparison) -> String {
    let at = place_of(report, &one.workload, one.at, ", ");
    format!(
        "{}{at}: {}, to {}",
        one.workload,
        one.metric.title(),
        other(report, one)
    )
}

/// The other engine of a ratio, and its point where it is another one.
fn other(report: &Report, one: &Comparison) -> String {
    let at = place_of(report, &one.workload, one.to_at, " at ");
    format!("{}{at}", one.to)
}

/// A point of a workload behind `before`; nothing where there is none.
fn place_of(report: &Report, workload: &str, at: Option<f64>, before: &str) -> String {
    let workload = report.workload(workload);
    let name = workload.map_or_else(String::new, |workload| workload.place_name(at));
    if name.is_empty() {
        name
    } else {
        format!("{before}{name}")
    }
}

/// The two medians that a ratio is about; empty where one of them is not there.
fn both_medians(report: &Report, one: &Comparison) -> String {
    let of = |engine: &str, at: Option<f64>| {
        let point = report.workload(&one.workload)?.point(engine, at)?;
        let figure = point.figures.get(&one.metric)?;
        Some(crate::amount(figure.median, one.metric.unit()))
    };
    match (of(&one.of, one.at), of(&one.to, one.to_at.or(one.at))) {
        (Some(of), Some(to)) => format!("{of} against {to}"),
        _ => String::new(),
    }
}

/// What figures should be at most, and whether they are.
pub(crate) fn limits(report: &Report) -> Grid {
    let mut grid = Grid::new(["what", "at most", "median"]);
    for limit in &report.limits {
        let workload = report.workload(&limit.workload);
        let point = workload.and_then(|workload| workload.point(&limit.engine, limit.at));
        let median = point.and_then(|point| point.figures.get(&limit.metric));
        let show = |value| crate::amount(value, limit.metric.unit());
        let most = show(limit.max);
        let judged = match limit.met {
            Some(true) => Cell::good(format!("{most}: met")),
            Some(false) => Cell::bad(format!("{most}: missed")),
            None => Cell::plain(format!("{most}: no figure")),
        };
        let at = place_of(report, &limit.workload, limit.at, ", ");
        let (name, metric) = (&limit.workload, limit.metric.title());
        let what = format!("{name}{at}: {metric} of {}", limit.engine);
        let median = median.map_or_else(|| "-".to_owned(), |median| show(median.median));
        grid.push([Cell::plain(what), judged, Cell::plain(median)]);
    }
    grid
}
