//! Ratios with their confidence intervals, beside a line at 1.

use maud::{Markup, html};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, Area, BAD, Drawn, GOOD, INK, LINE, QUIET};
use super::lines::FONT;
use super::scale::Scale;
use crate::{Interval, Tone};

const WIDTH: u32 = 440;
const ROW: u32 = 34;
/// What is beside the rows: margins and the names of the axis.
const FRAME: u32 = 58;
/// More would run out of the picture.
const NAME_MAX: usize = 60;

/// A ratio.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) ratio: Interval,
    /// What it should be at most.
    pub(crate) target: Option<f64>,
    pub(crate) tone: Tone,
}

/// The ratios below each other, each under its name.
pub(crate) fn forest(title: &str, about: &str, rows: &[Row]) -> Markup {
    let height = FRAME + ROW * u32::try_from(rows.len()).unwrap_or(1);
    let svg = canvas::draw((WIDTH, height), title, about, |area| draw(area, rows));
    let targets = rows.iter().any(|row| row.target.is_some());
    html! {
        figure {
            figcaption { (title) }
            (svg)
            p class="quiet" {
                "Left of 1 the first engine has less than the other. Bars are intervals of 95 %."
                @if targets { " A short stroke across is a target." }
            }
        }
    }
}

fn draw(area: &Area<'_>, rows: &[Row]) -> Drawn {
    let values = rows.iter().flat_map(|row| {
        let Interval { median, lo, hi } = row.ratio;
        [median, lo, hi, row.target.unwrap_or(1.0)]
    });
    let scale = Scale::of(&values.chain([1.0]).collect::<Vec<_>>(), true, None);
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_left(20)
        .margin_right(24)
        .x_label_area_size(42)
        .build_cartesian_2d(scale.clone(), Scale::rows(rows.len()))?;
    chart
        .configure_mesh()
        .axis_style(QUIET)
        .bold_line_style(LINE)
        .light_line_style(TRANSPARENT)
        .label_style(FONT.into_font().color(&INK))
        .x_desc("ratio")
        .draw()?;
    let one = scale.at(1.0);
    let ends = vec![(one, 0.0), (one, rows.len() as f64)];
    chart.draw_series([PathElement::new(ends, INK.stroke_width(2))])?;
    let font = FONT
        .into_font()
        .color(&INK)
        .pos(Pos::new(HPos::Left, VPos::Center));
    for (index, row) in rows.iter().enumerate() {
        let (top, middle) = (index as f64 + 0.32, index as f64 + 0.74);
        let color = match row.tone {
            Tone::Good => GOOD,
            Tone::Bad => BAD,
            Tone::Plain => QUIET,
        };
        chart.draw_series([Text::new(
            cut(&row.name),
            (scale.range.0, top),
            font.clone(),
        )])?;
        let ends = vec![
            (scale.at(row.ratio.lo), middle),
            (scale.at(row.ratio.hi), middle),
        ];
        chart.draw_series([PathElement::new(ends, color.stroke_width(4))])?;
        let median = (scale.at(row.ratio.median), middle);
        chart.draw_series([Circle::new(median, 5, color.filled())])?;
        if let Some(target) = row.target {
            let at = scale.at(target);
            let ends = vec![(at, middle - 0.22), (at, middle + 0.22)];
            chart.draw_series([PathElement::new(ends, INK.stroke_width(3))])?;
        }
    }
    Ok(())
}

fn cut(name: &str) -> String {
    if name.chars().count() <= NAME_MAX {
        return format!(" {name}");
    }
    let kept: String = name.chars().take(NAME_MAX - 1).collect();
    format!(" {kept}…")
}
