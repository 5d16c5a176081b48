//! Lines over an axis, with a mark at each point.

use maud::{Markup, html};
use plotters::prelude::*;

use super::canvas::{self, Area, Drawn, INK, LINE, QUIET};
use super::scale::Scale;

const SIZE: (u32, u32) = (400, 270);

/// In the units of plotters, of which four are three of SVG's.
pub(super) const FONT: (&str, f64) = ("sans-serif", 15.5);

/// A line: where its points are on both axes.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) name: String,
    /// Which color and mark it has; 0 is drawn strongest.
    pub(crate) series: usize,
    pub(crate) points: Vec<(f64, f64)>,
    /// From where to where each point reaches; empty where nothing is known of that.
    pub(crate) spreads: Vec<(f64, f64)>,
}

/// What the axes are.
#[derive(Clone, Debug)]
pub(crate) struct Axes<'a> {
    pub(crate) x: Scale,
    pub(crate) y: Scale,
    pub(crate) x_name: &'a str,
    /// A value of `y` at which a line is drawn across.
    pub(crate) across: Option<f64>,
}

/// The lines with their names below.
pub(crate) fn lines(title: &str, about: &str, axes: &Axes<'_>, curves: &[Curve]) -> Markup {
    let svg = canvas::draw(SIZE, title, about, |area| draw(area, axes, curves));
    html! {
        figure {
            figcaption { (title) }
            (svg)
            ul class="legend" {
                @for curve in curves {
                    li { (canvas::mark_alone(curve.series)) (curve.name) }
                }
            }
        }
    }
}

fn draw(area: &Area<'_>, axes: &Axes<'_>, curves: &[Curve]) -> Drawn {
    let Axes { x, y, .. } = axes;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(22)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .axis_style(QUIET)
        .bold_line_style(LINE)
        .light_line_style(TRANSPARENT)
        .label_style(FONT.into_font().color(&INK))
        .x_desc(axes.x_name)
        .draw()?;
    if let Some(value) = axes.across {
        let at = y.at(value);
        let ends = vec![(x.range.0, at), (x.range.1, at)];
        chart.draw_series([PathElement::new(ends, INK.stroke_width(2))])?;
    }
    // The first one is drawn last, over the others.
    for curve in curves.iter().rev() {
        let color = canvas::series(curve.series);
        let width = if curve.series == 0 { 3 } else { 2 };
        let points = curve
            .points
            .iter()
            .map(|&(at, value)| (x.at(at), y.at(value)));
        let points: Vec<(f64, f64)> = points.collect();
        let bars = points
            .iter()
            .zip(&curve.spreads)
            .map(|(&(at, _), &(lo, hi))| {
                PathElement::new(
                    vec![(at, y.at(lo)), (at, y.at(hi))],
                    color.mix(0.6).stroke_width(2),
                )
            });
        chart.draw_series(bars)?;
        chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(width)))?;
        chart.draw_series(points.into_iter().map(|point| {
            EmptyElement::at(point)
                + Polygon::new(canvas::mark(curve.series).to_vec(), color.filled())
        }))?;
    }
    Ok(())
}
