//! SVG by plotters, in colors of the page.
//!
//! plotters knows colors by number alone. So a number that stands for nothing is drawn with, and
//! exchanged for the name of the color in the text that comes out.

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};

/// The colors that plots use, as the page names them.
const NAMES: [&str; 14] = [
    "--ink", "--quiet", "--line", "--card", "--good", "--bad", "--s0", "--s1", "--s2", "--s3",
    "--s4", "--s5", "--s6", "--s7",
];

pub(super) const INK: RGBColor = numbered(0);
pub(super) const QUIET: RGBColor = numbered(1);
pub(super) const LINE: RGBColor = numbered(2);
pub(super) const GOOD: RGBColor = numbered(4);
pub(super) const BAD: RGBColor = numbered(5);

/// That many series have colors of their own.
pub(super) const SERIES: usize = 8;

const fn numbered(index: u8) -> RGBColor {
    RGBColor(1, index, 254)
}

/// The color of a series.
pub(super) fn series(index: usize) -> RGBColor {
    numbered(6 + (index % SERIES) as u8)
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What plotters says when it fails; a text takes all, so it never does.
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

/// A picture of this size by `draw`, with a title and a text for those who do not see it.
pub(super) fn draw(
    size: (u32, u32),
    title: &str,
    about: &str,
    draw: impl FnOnce(&Area<'_>) -> Drawn,
) -> Markup {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let drawn = draw(&area).and_then(|()| Ok(area.present()?));
        drawn.expect("a text takes all that is drawn");
    }
    let inner = text.split_once('>').map_or("", |(_, rest)| rest);
    let inner = inner.trim_end().trim_end_matches("</svg>");
    html! {
        svg viewBox=(format!("0 0 {} {}", size.0, size.1)) role="img" {
            title { (title) }
            desc { (about) }
            // plotters has escaped the texts in it.
            (PreEscaped(in_colors_of_the_page(inner)))
        }
    }
}

fn in_colors_of_the_page(svg: &str) -> String {
    let mut svg = svg
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" opacity=\"1\"", "");
    for (index, name) in NAMES.iter().enumerate() {
        // With its quotes: those of a text would be escaped, so no text is changed.
        let RGBColor(red, green, blue) = numbered(index as u8);
        let number = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
        svg = svg.replace(&number, &format!("\"var({name})\""));
    }
    svg
}

/// The corners of the mark of a series: color is not all that tells it from others.
pub(super) fn mark(index: usize) -> &'static [(i32, i32)] {
    const MARKS: [&[(i32, i32)]; 4] = [
        &[
            (-2, -4),
            (2, -4),
            (4, -2),
            (4, 2),
            (2, 4),
            (-2, 4),
            (-4, 2),
            (-4, -2),
        ],
        &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
        &[(0, -5), (5, 4), (-5, 4)],
        &[(0, -5), (5, 0), (0, 5), (-5, 0)],
    ];
    MARKS[index % MARKS.len()]
}

/// A piece of the line of a series with its mark, to stand beside its name.
pub(super) fn mark_alone(index: usize) -> Markup {
    let color = format!("var(--s{})", index % SERIES);
    let corners = mark(index).iter().map(|(x, y)| format!("{x},{y} "));
    let width = if index == 0 { 3 } else { 2 };
    html! {
        svg viewBox="-12 -6 24 12" aria-hidden="true" {
            path d="M-12 0H12" stroke=(color) stroke-width=(width) {}
            polygon points=(corners.collect::<String>().trim_end()) fill=(color) {}
        }
    }
}
