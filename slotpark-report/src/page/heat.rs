//! A map of slots: a square for each, the darker the more is in it.

use maud::{Markup, html};

use crate::{Cell, Grid, page};

/// Squares in a line.
const COLUMNS: usize = 64;

/// More squares than this are not told apart: then one stands for several slots.
const SQUARES_MAX: usize = 8192;

/// Shades between empty and fullest.
const SHADES: u32 = 6;

/// How full each slot is, as squares, and beside it a table of how many slots are how full.
///
/// # Examples
///
/// ```
/// use slotpark_report::page::heat_map;
///
/// let map = heat_map("Waits in each slot", &[0, 1, 3, 0]).into_string();
/// assert!(map.contains("4 slots, 2 of them empty; 4 in all, 3 in the fullest"));
/// ```
#[must_use]
pub fn heat_map(title: &str, slots: &[u32]) -> Markup {
    let fullest = slots.iter().copied().max().unwrap_or(0);
    let empty = slots.iter().filter(|&&count| count == 0).count();
    let sum: u64 = slots.iter().map(|&count| u64::from(count)).sum();
    let in_square = slots.len().div_ceil(SQUARES_MAX).max(1);
    let squares: Vec<u32> = slots
        .chunks(in_square)
        .map(|some| some.iter().copied().max().unwrap_or(0))
        .collect();
    let lines = squares.len().div_ceil(COLUMNS).max(1);
    let mut said = format!(
        "{} slots, {empty} of them empty; {sum} in all, {fullest} in the fullest",
        slots.len()
    );
    if in_square > 1 {
        said += &format!("; each square is the fullest of {in_square} slots");
    }
    html! {
        figure {
            figcaption { (title) }
            svg viewBox=(format!("0 0 {COLUMNS} {lines}")) role="img" shape-rendering="crispEdges" {
                title { (title) }
                desc { (said) "." }
                rect width=(COLUMNS) height=(lines) fill="var(--line)" opacity="0.35" {}
                @for shade in 1..=SHADES {
                    @let path = squares_of(&squares, |count| shade_of(count, fullest) == shade);
                    @if !path.is_empty() {
                        path d=(path) fill="var(--heat)"
                            opacity=(format!("{:.2}", f64::from(shade) / f64::from(SHADES))) {}
                    }
                }
            }
            p class="quiet" { (said) "." }
        }
        (page::table("How many slots are how full", &spread(slots, fullest)))
    }
}

/// From 0, which is empty, to [`SHADES`], the fullest.
fn shade_of(count: u32, fullest: u32) -> u32 {
    let shade = u64::from(count) * u64::from(SHADES);
    u32::try_from(shade.div_ceil(u64::from(fullest.max(1)))).unwrap_or(SHADES)
}

/// One path of all squares of a kind: thousands of elements would make the page slow.
fn squares_of(squares: &[u32], is_of_kind: impl Fn(u32) -> bool) -> String {
    let of_kind = squares
        .iter()
        .enumerate()
        .filter(|&(_, &count)| is_of_kind(count));
    of_kind
        .map(|(index, _)| format!("M{} {}h.9v.9h-.9z", index % COLUMNS, index / COLUMNS))
        .collect()
}

/// Lines of `waits, slots`, of ranges where there are many counts.
fn spread(slots: &[u32], fullest: u32) -> Grid {
    const LINES: u32 = 12;
    let width = (fullest / LINES) + 1;
    let mut grid = Grid::new(["in a slot", "slots"]);
    for from in (0..=fullest).step_by(width as usize) {
        let to = from.saturating_add(width - 1);
        let count = slots
            .iter()
            .filter(|&&slot| (from..=to).contains(&slot))
            .count();
        let name = if width == 1 {
            from.to_string()
        } else {
            format!("{from} .. {to}")
        };
        grid.push([Cell::plain(name), Cell::plain(count.to_string())]);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::{SHADES, heat_map, shade_of, spread};

    #[test]
    fn the_fullest_is_darkest_and_only_the_empty_have_no_shade() {
        assert_eq!(shade_of(0, 100), 0);
        assert_eq!(shade_of(1, 100), 1);
        assert_eq!(shade_of(100, 100), SHADES);
        assert_eq!(shade_of(u32::MAX, u32::MAX), SHADES);
        assert_eq!(shade_of(0, 0), 0);
    }

    #[test]
    fn every_slot_is_counted_once() {
        for fullest in [0, 1, 11, 12, 100, 12345] {
            let slots: Vec<u32> = (0..=fullest).collect();
            let grid = spread(&slots, fullest);
            let sum: usize = grid
                .rows
                .iter()
                .filter_map(|row| row[1].text.parse::<usize>().ok())
                .sum::<usize>();
            assert_eq!(sum, slots.len());
            assert!(grid.rows.len() <= 13, "{}", grid.rows.len());
        }
    }

    #[test]
    fn many_slots_share_squares() {
        let map = heat_map("a", &vec![1; 20_000]).into_string();
        assert!(map.contains("each square is the fullest of 3 slots"));
        assert_eq!(map.matches('M').count(), 20_000_usize.div_ceil(3));
        assert!(heat_map("none", &[]).into_string().contains("0 slots"));
    }
}
