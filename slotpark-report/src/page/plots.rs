//! Plots that a report and what looks into a program have in common.

use maud::{Markup, html};

use crate::plot::{Axes, Curve, Scale, lines, percentile};
use crate::{Cell, Grid, Unit, amount, page, short};

/// A line of a plot.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What it is of.
    pub name: String,
    /// Which color and mark it has, from 0, which is drawn strongest; its place among the lines if
    /// that is not said. Two plots of the same things should agree.
    pub series: Option<usize>,
    /// Its points, in order.
    pub points: Vec<(f64, f64)>,
    /// From where to where each of them reaches; empty where that is not known.
    pub spreads: Vec<(f64, f64)>,
}

/// Lines over an axis.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    /// What is shown.
    pub title: &'a str,
    /// The axis, and whether it is logarithmic.
    pub x: (&'a str, bool),
    /// The other one, its unit, and whether it is logarithmic.
    pub y: (&'a str, Unit, bool),
    /// A value at which a line is drawn across.
    pub across: Option<f64>,
    /// What is drawn, the most important first.
    pub lines: Vec<Line>,
}

impl Lines<'_> {
    /// The picture with its legend. It says its figures in words only as far as a title does, so a
    /// table should stand beside it.
    ///
    /// # Examples
    ///
    /// ```
    /// use slotpark_report::page::{Line, Lines};
    /// use slotpark_report::Unit;
    ///
    /// let line = Line {
    ///     name: "a < b".to_owned(),
    ///     points: vec![(1.0, 20.0), (1000.0, 25.0)],
    ///     ..Line::default()
    /// };
    /// let plot = Lines {
    ///     title: "Cost of a wake",
    ///     x: ("other waiters", true),
    ///     y: ("time", Unit::Ns, true),
    ///     across: None,
    ///     lines: vec![line],
    /// };
    /// assert!(plot.draw().into_string().contains("a &lt; b"));
    /// ```
    #[must_use]
    pub fn draw(&self) -> Markup {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let xs: Vec<f64> = points().map(|(x, _)| *x).collect();
        let spreads = self.lines.iter().flat_map(|line| &line.spreads);
        let ends = spreads.flat_map(|&(lo, hi)| [lo, hi]);
        let ys = points().map(|(_, y)| *y).chain(ends).chain(self.across);
        let (x_name, is_x_logarithmic) = self.x;
        let (y_name, unit, is_y_logarithmic) = self.y;
        let axes = Axes {
            x: Scale::along(&xs, is_x_logarithmic),
            y: Scale::of(&ys.collect::<Vec<_>>(), is_y_logarithmic, Some(unit)),
            x_name,
            across: self.across,
        };
        let of = self.lines.iter().map(said).collect::<Vec<_>>().join("; ");
        let about = format!("{y_name} over {x_name}: {of}.");
        let curves = self.lines.iter().enumerate().map(|(index, line)| Curve {
            name: line.name.clone(),
            series: line.series.unwrap_or(index),
            points: line.points.clone(),
            spreads: line.spreads.clone(),
        });
        lines(self.title, &about, &axes, &curves.collect::<Vec<_>>())
    }
}

/// A line in words: its ends.
fn said(line: &Line) -> String {
    match (line.points.first(), line.points.last()) {
        (Some((first, from)), Some((last, to))) => {
            let [first, from, last, to] = [*first, *from, *last, *to].map(short);
            format!("{}, from {from} at {first} to {to} at {last}", line.name)
        }
        _ => line.name.clone(),
    }
}

/// How long operations took: pairs of a percentile and nanoseconds for each name, as a plot with
/// logarithmic axes. Nothing where there are none.
///
/// # Examples
///
/// ```
/// use slotpark_report::page::percentile_plot;
///
/// let waits = [(50.0, 210), (99.0, 900), (99.99, 51_000), (100.0, 80_000)];
/// let plot = percentile_plot("Waits", &[("slotpark", &waits)]).into_string();
/// assert!(plot.contains("<figcaption>Waits</figcaption>"));
/// ```
#[must_use]
pub fn percentile_plot(title: &str, of: &[(&str, &[(f64, u64)])]) -> Markup {
    // The longest of all has no place on an axis that counts what takes longer.
    let below = |pairs: &[(f64, u64)]| -> Vec<(f64, f64)> {
        let below = pairs.iter().filter(|(percent, _)| *percent < 100.0);
        below.map(|&(percent, ns)| (percent, ns as f64)).collect()
    };
    let percents = of
        .iter()
        .flat_map(|(_, pairs)| below(pairs))
        .map(|(percent, _)| percent);
    let Some(last) = percents.max_by(f64::total_cmp) else {
        return html! {};
    };
    let ys: Vec<f64> = of
        .iter()
        .flat_map(|(_, pairs)| below(pairs))
        .map(|(_, ns)| ns)
        .collect();
    let axes = Axes {
        x: Scale::percentiles(last),
        y: Scale::of(&ys, true, Some(Unit::Ns)),
        x_name: "percentile",
        across: None,
    };
    let curves = of.iter().enumerate().map(|(index, (name, pairs))| Curve {
        name: (*name).to_owned(),
        series: index,
        points: below(pairs)
            .into_iter()
            .map(|(percent, ns)| (percentile(percent), ns))
            .collect(),
        spreads: Vec::new(),
    });
    let names: Vec<&str> = of.iter().map(|(name, _)| *name).collect();
    let about = format!(
        "Percentiles of {}; the table has the figures.",
        names.join(", ")
    );
    lines(title, &about, &axes, &curves.collect::<Vec<_>>())
}

/// The same figures as a table.
///
/// # Examples
///
/// ```
/// use slotpark_report::page::percentile_table;
///
/// let waits = [(50.0, 210), (100.0, 80_000)];
/// let table = percentile_table("Waits", &[("slotpark", &waits)]).into_string();
/// assert!(table.contains("<th scope=\"row\">50</th><td>210 ns</td>"));
/// ```
#[must_use]
pub fn percentile_table(caption: &str, of: &[(&str, &[(f64, u64)])]) -> Markup {
    page::table(caption, &percentile_grid(of))
}

pub(crate) fn percentile_grid(of: &[(&str, &[(f64, u64)])]) -> Grid {
    let names = of.iter().map(|(name, _)| *name);
    let mut grid = Grid::new(std::iter::once("percentile").chain(names));
    let mut percents: Vec<f64> = Vec::new();
    for (percent, _) in of.iter().flat_map(|(_, pairs)| *pairs) {
        if !percents.contains(percent) {
            percents.push(*percent);
        }
    }
    percents.sort_by(f64::total_cmp);
    for percent in percents {
        let cells = of.iter().map(|(_, pairs)| {
            let found = pairs.iter().find(|(other, _)| *other == percent);
            let ns = found.map(|&(_, ns)| amount(ns as f64, Unit::Ns));
            Cell::plain(ns.unwrap_or_else(|| "-".to_owned()))
        });
        let name = if percent == 100.0 {
            "longest".to_owned()
        } else {
            percent.to_string()
        };
        grid.push(std::iter::once(Cell::plain(name)).chain(cells));
    }
    grid
}
