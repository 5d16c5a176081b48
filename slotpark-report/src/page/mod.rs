//! The frame of a page: one file that needs nothing else, light or dark as the reader has chosen,
//! and readable on a phone. A report and what looks into a program look the same.
//!
//! All text is escaped. Colors are names in [`COLORS`], so that what is drawn follows the page.

mod heat;
mod plots;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{Grid, Tone};

pub use heat::heat_map;
pub(crate) use plots::percentile_grid;
pub use plots::{Line, Lines, percentile_plot, percentile_table};

/// The page's colors, as names of CSS: `var(--ink)` and so on. `--s0` to `--s7` tell series apart.
pub const COLORS: [&str; 17] = [
    "--back", "--card", "--ink", "--quiet", "--line", "--link", "--good", "--bad", "--heat",
    "--s0", "--s1", "--s2", "--s3", "--s4", "--s5", "--s6", "--s7",
];

const STYLE: &str = include_str!("style.css");

/// A whole page: its title as text, and what it shows.
///
/// # Examples
///
/// ```
/// use slotpark_report::page;
///
/// let text = page::page("a < b", &page::note("It was <loaded>."));
/// assert!(text.starts_with("<!DOCTYPE html>"));
/// assert!(text.contains("<title>a &lt; b</title>"));
/// assert!(text.contains("It was &lt;loaded&gt;."));
/// ```
#[must_use]
pub fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Nothing is fetched, whatever a page is made of.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                title { (title) }
                // The text is ours and has no end tag in it.
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

/// A part of the page in a frame of its own, which `#id` leads to.
///
/// # Examples
///
/// ```
/// use slotpark_report::page;
///
/// let part = page::section("waits", "Who waits", &page::note("Nobody."));
/// assert!(part.into_string().starts_with("<section id=\"waits\"><h2>Who waits</h2>"));
/// ```
#[must_use]
pub fn section(id: &str, title: &str, body: &Markup) -> Markup {
    html! { section id=(id) { h2 { (title) } (body) } }
}

/// A sentence that nobody should overlook.
///
/// # Examples
///
/// ```
/// let note = slotpark_report::page::note("a < b");
/// assert_eq!(note.into_string(), "<p class=\"note\">a &lt; b</p>");
/// ```
#[must_use]
pub fn note(text: &str) -> Markup {
    html! { p class="note" { (text) } }
}

/// Names and what they are, below each other.
///
/// # Examples
///
/// ```
/// let facts = slotpark_report::page::facts(&[("cores", "2".to_owned())]);
/// assert!(facts.into_string().contains("<dt>cores</dt><dd>2</dd>"));
/// ```
#[must_use]
pub fn facts(facts: &[(&str, String)]) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in facts { dt { (name) } dd { (value) } }
        }
    }
}

/// A table of figures in a box that scrolls by itself.
///
/// # Examples
///
/// ```
/// use slotpark_report::{page, Cell, Grid};
///
/// let mut grid = Grid::new(["key", "waits"]);
/// grid.push([Cell::plain("<a>"), Cell::bad("12")]);
/// let table = page::table("Keys", &grid).into_string();
/// assert!(table.contains("<th scope=\"row\">&lt;a&gt;</th><td class=\"bad\">12</td>"));
/// ```
#[must_use]
pub fn table(caption: &str, grid: &Grid) -> Markup {
    grid_in_box(caption, grid, None)
}

/// A table of texts, in the same box.
///
/// # Examples
///
/// ```
/// use slotpark_report::{page, Grid};
///
/// let table = page::text_table("Waits", &Grid::new(["who", "where"])).into_string();
/// assert!(table.contains("<table class=\"text\"><caption>Waits</caption>"));
/// ```
#[must_use]
pub fn text_table(caption: &str, grid: &Grid) -> Markup {
    grid_in_box(caption, grid, Some("text"))
}

fn grid_in_box(caption: &str, grid: &Grid, class: Option<&str>) -> Markup {
    let tone = |tone| match tone {
        Tone::Plain => None,
        Tone::Good => Some("good"),
        Tone::Bad => Some("bad"),
    };
    html! {
        // Who has no mouse scrolls it by keys, and so must be able to reach it.
        div class="box" tabindex="0" role="region" aria-label=(caption) {
            table class=[class] {
                caption { (caption) }
                thead { tr { @for name in &grid.head { th scope="col" { (name) } } } }
                tbody {
                    @for row in &grid.rows {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                @if index == 0 {
                                    th scope="row" class=[tone(cell.tone)] { (cell.text) }
                                } @else {
                                    td class=[tone(cell.tone)] { (cell.text) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What is longer than most readers want, folded away under its title.
///
/// # Examples
///
/// ```
/// use slotpark_report::page;
///
/// let folded = page::folded("Notes", &page::note("a")).into_string();
/// assert!(folded.starts_with("<details><summary>Notes</summary>"));
/// ```
#[must_use]
pub fn folded(title: &str, body: &Markup) -> Markup {
    html! { details { summary { (title) } (body) } }
}
