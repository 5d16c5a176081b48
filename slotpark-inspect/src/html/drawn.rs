//! The picture of a deadlock: its parties on a ring.

use maud::{Markup, html};

use crate::graph::owner;
use crate::words::Named;
use crate::{Deadlock, Party};

/// A circle with more, or with one, is told in words alone.
pub(super) const DRAWN_MAX: usize = 8;

/// Those of the circle on a ring, with arrows to who holds what they wait for.
pub(super) fn drawn(deadlock: &Deadlock) -> Markup {
    let links = &deadlock.links;
    #[allow(clippy::cast_precision_loss, reason = "there are eight at most")]
    let angle = |place: usize| {
        std::f64::consts::TAU * (place as f64 / links.len() as f64) - std::f64::consts::FRAC_PI_2
    };
    let spot = |place: usize| {
        (
            200.0 + 120.0 * angle(place).cos(),
            95.0 + 62.0 * angle(place).sin(),
        )
    };
    let place = |by: &Party| {
        links
            .iter()
            .position(|link| (link.by.kind, link.by.id) == (by.kind, by.id))
    };
    let mut arrows = Vec::new();
    for (from, link) in links.iter().enumerate() {
        let held = link.waits.iter().flat_map(|blocked| {
            let held = blocked.held.iter().map(|held| &held.by);
            held.chain(blocked.behind.as_ref())
        });
        let owners = held.chain(link.polled_by.as_ref()).map(owner);
        arrows.extend(owners.filter_map(|by| Some((from, place(&by)?))));
    }
    // Who waits for itself too is told in words.
    arrows.retain(|(from, to)| from != to);
    arrows.sort_unstable();
    arrows.dedup();
    html! {
        figure {
            svg viewBox="0 0 400 190" role="img" {
                title { (links.len()) " parties wait for each other" }
                @for (from, to) in &arrows {
                    path d=(arrow(spot(*from), spot(*to))) fill="none" stroke="var(--bad)"
                        stroke-width="1.5" {}
                }
                @for (number, link) in links.iter().enumerate() {
                    @let (x, y) = spot(number);
                    rect x=(format!("{:.1}", x - 58.0)) y=(format!("{:.1}", y - 13.0)) width="116"
                        height="26" rx="5" fill="var(--card)" stroke="var(--bad)" {}
                    text x=(format!("{x:.1}")) y=(format!("{:.1}", y + 4.0)) font-size="12"
                        text-anchor="middle" fill="var(--ink)" { (short(&link.by)) }
                }
                @for (from, to) in &arrows {
                    @let (x, y) = tip(spot(*from), spot(*to));
                    circle cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="4" fill="var(--bad)" {}
                }
            }
            figcaption { "Each line ends with a dot at who holds what the other waits for." }
        }
    }
}

/// Bent outwards where it goes round, so that there and back are two lines.
fn arrow(from: (f64, f64), to: (f64, f64)) -> String {
    let (middle, end) = (bend(from, to), tip(from, to));
    let ((x, y), (mx, my), (ex, ey)) = (from, middle, end);
    format!("M{x:.1} {y:.1}Q{mx:.1} {my:.1} {ex:.1} {ey:.1}")
}

fn bend(from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    (
        f64::midpoint(from.0, to.0) + dy * 0.25,
        f64::midpoint(from.1, to.1) - dx * 0.25,
    )
}

/// Where a line meets the frame of who it leads to.
fn tip(from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (mx, my) = bend(from, to);
    let (dx, dy) = (mx - to.0, my - to.1);
    let across = if dx.abs() < 1e-6 {
        f64::INFINITY
    } else {
        58.0 / dx.abs()
    };
    let down = if dy.abs() < 1e-6 {
        f64::INFINITY
    } else {
        13.0 / dy.abs()
    };
    let part = across.min(down).min(1.0);
    (to.0 + dx * part, to.1 + dy * part)
}

fn short(party: &Party) -> String {
    let name = party
        .name
        .clone()
        .unwrap_or_else(|| Named(party).to_string());
    match name.char_indices().nth(16) {
        Some((end, _)) => format!("{}..", &name[..end]),
        None => name,
    }
}
