//! A snapshot as a page: one file that needs nothing else.

mod drawn;

use std::fmt::Write;

use maud::{Markup, html};
use slotpark_report::{Cell, Grid, page};

use self::drawn::{DRAWN_MAX, drawn};
use crate::spreading::Verdict;
use crate::tree::{Tree, trees};
use crate::words::{For, Keyed, Named, Time, kind};
use crate::{Deadlock, Snapshot, Table, deadlocks};

/// Lines of a table at most.
const ROWS_MAX: usize = 500;

/// A snapshot as one page of HTML that needs no other file and no network: deadlocks, who waits for
/// whom, maps of the slots, who waits and who holds, histograms, the busiest keys. It is light or
/// dark as its reader has chosen. Of long lists the oldest 500 lines are shown.
///
/// What looks like a deadlock in this one look is called a suspicion; see [`page_sure`].
///
/// ```
/// let text = slotpark_inspect::page(&slotpark_inspect::Snapshot::take());
/// assert!(text.starts_with("<!DOCTYPE html>"));
/// ```
#[must_use]
pub fn page(snapshot: &Snapshot) -> String {
    let title = "Suspected deadlocks";
    let said = "Seen in one look; two that agree would make it sure.";
    whole(snapshot, title, said, &snapshot.suspects())
}

/// As [`page`](page()) of the second of two looks, with the deadlocks on which both agree.
///
/// ```
/// use slotpark_inspect::{Snapshot, page_sure};
/// let first = Snapshot::take();
/// assert!(!page_sure(&first, &Snapshot::take()).contains("id=\"deadlocks\""));
/// ```
#[must_use]
pub fn page_sure(first: &Snapshot, second: &Snapshot) -> String {
    let said = "Two looks agree: the same waits and holds, since the same moments.";
    whole(second, "Deadlocks", said, &deadlocks(first, second))
}

fn whole(snapshot: &Snapshot, title: &str, said: &str, found: &[Deadlock]) -> String {
    let name = format!("{} ({})", snapshot.program, snapshot.process);
    let detail = format!("{:?}", snapshot.detail).to_lowercase();
    let (trees, is_cut) = trees(snapshot);
    let body = html! {
        h1 { "Who waits on what in " (name) }
        (page::facts(&[
            ("process", snapshot.process.to_string()),
            ("program", snapshot.program.clone()),
            ("detail", detail),
            ("the look took", Time(snapshot.took_ns).to_string()),
        ]))
        @if !found.is_empty() {
            (page::section("deadlocks", title, &html! {
                (page::note(said))
                @for deadlock in found { (circle(snapshot, deadlock)) }
            }))
        }
        (page::section("waits-for", "Who waits for whom", &forest(snapshot, &trees, is_cut)))
        @for (number, table) in snapshot.tables.iter().enumerate() {
            (page::section(&format!("table-{number}"), &table.name, &of_table(snapshot, table)))
        }
    };
    page::page(&format!("slotpark: {name}"), &body)
}

/// A deadlock: a picture of the circle, and each of it in words.
fn circle(snapshot: &Snapshot, deadlock: &Deadlock) -> Markup {
    html! {
        @if (2..=DRAWN_MAX).contains(&deadlock.links.len()) { (drawn(deadlock)) }
        ul {
            @for link in &deadlock.links {
                li {
                    strong class="bad" { (Named(&link.by)) }
                    @for blocked in &link.waits {
                        @let wait = &blocked.wait;
                        br;
                        "waits for " (what(&blocked.table, wait.kind, &wait.key))
                        (since(snapshot, wait.since_ns)) (at(wait.location.as_deref()))
                        @for held in &blocked.held {
                            br;
                            "held by " (Named(&held.by))
                            @if let Some(label) = &held.label { " (" (label) ")" }
                            (since(snapshot, held.since_ns)) (at(held.location.as_deref()))
                        }
                        @if let Some(before) = &blocked.behind {
                            br; "behind " (Named(before)) ", who waits to write"
                        }
                    }
                    @if let Some(thread) = &link.polled_by {
                        br; "is being polled by " (Named(thread)) ", which waits"
                    }
                }
            }
        }
        @if !deadlock.behind.is_empty() {
            @let names = deadlock.behind.iter().map(|party| Named(party).to_string());
            p { "Behind them: " (names.take(ROWS_MAX).collect::<Vec<_>>().join(", ")) "." }
        }
    }
}

fn forest(snapshot: &Snapshot, trees: &[Tree<'_>], is_cut: bool) -> Markup {
    html! {
        @if trees.is_empty() {
            p class="quiet" { "Nobody waits for somebody whom this look knows." }
        } @else {
            ul { @for tree in trees { (branch(snapshot, tree)) } }
        }
        @if is_cut { p class="quiet" { "There are more, which are not shown." } }
    }
}

fn branch(snapshot: &Snapshot, tree: &Tree<'_>) -> Markup {
    html! {
        li {
            @if tree.is_stuck { strong class="bad" { (Named(&tree.by)) } }
            @else { (Named(&tree.by)) }
            @if let Some((table, wait)) = tree.wait {
                " waits for " (what(table, wait.kind, &wait.key)) (since(snapshot, wait.since_ns))
            }
            @if tree.is_again { " (again)" }
            @if !tree.behind.is_empty() {
                ul { @for below in &tree.behind { (branch(snapshot, below)) } }
            }
        }
    }
}

fn of_table(snapshot: &Snapshot, table: &Table) -> Markup {
    let spreading = table.spreading();
    let mut hash = format!(
        "{} keys in {} slots: {} collisions, {:.1} expected",
        spreading.keys, spreading.slots, spreading.collisions, spreading.expected
    );
    if spreading.verdict != Verdict::TooFewKeys {
        // Writing to a `String` does not fail.
        let _ = write!(hash, " (give or take {:.1})", spreading.deviation);
    }
    html! {
        (page::facts(&[
            ("slots", table.slot_count.to_string()),
            ("waiting", (table.waits.len()).to_string()),
            ("holding", (table.holders.len()).to_string()),
            ("hash", format!("{hash}: {}", spreading.verdict)),
        ]))
        @if table.left_out > 0 {
            (page::note(&format!("{} more were not looked at.", table.left_out)))
        }
        @if table.unlisted > 0 {
            (page::note(&format!(
                "{} locks were taken so far with no room to note by whom.", table.unlisted
            )))
        }
        @if !table.slots.is_empty() {
            (page::heat_map("Keys in each slot now", &map(table, |slot| number(slot.keys))))
            (page::heat_map("Waits in each slot so far", &map(table, |slot| slot.parks)))
        }
        @if !table.waits.is_empty() { (waits(snapshot, table)) }
        @if !table.holders.is_empty() { (holders(snapshot, table)) }
        @if !table.top_keys.is_empty() { (top_keys(table)) }
        @if !table.histograms.is_empty() {
            @let spreads = table.histograms.iter();
            @let spreads = spreads.map(|spread| (&*spread.of, &*spread.percentiles));
            @let spreads = spreads.collect::<Vec<_>>();
            (page::percentile_plot("How long it took", &spreads))
            (page::percentile_table("How long it took", &spreads))
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn map(table: &Table, value: impl Fn(&crate::Slot) -> u32) -> Vec<u32> {
    // As many as there can be, whatever a file says.
    let count = table.slot_count.min(slotpark_core::SLOTS_MAX);
    let mut map = vec![0; count];
    for slot in table.slots.iter().filter(|slot| slot.index < count) {
        map[slot.index] = value(slot);
    }
    map
}

fn waits(snapshot: &Snapshot, table: &Table) -> Markup {
    let mut waits = table.waits.iter().collect::<Vec<_>>();
    waits.sort_by_key(|wait| (wait.since_ns.is_none(), wait.since_ns));
    let mut grid = Grid::new(["who", "waits for", "of", "for", "behind", "slot", "where"]);
    for wait in waits.iter().take(ROWS_MAX) {
        grid.push([
            Cell::plain(Named(&wait.by).to_string()),
            Cell::plain(kind(wait.kind)),
            Cell::plain(Keyed(&wait.key).to_string()),
            Cell::plain(time(snapshot, wait.since_ns)),
            Cell::plain(wait.place.to_string()),
            Cell::plain(wait.slot.to_string()),
            Cell::plain(wait.location.clone().unwrap_or_default()),
        ]);
    }
    listed("Who waits", &grid, waits.len())
}

fn holders(snapshot: &Snapshot, table: &Table) -> Markup {
    let mut holders = table.holders.iter().collect::<Vec<_>>();
    holders.sort_by_key(|holder| (holder.since_ns.is_none(), holder.since_ns));
    let mut grid = Grid::new(["who", "holds", "of", "for", "slot", "where"]);
    for holder in holders.iter().take(ROWS_MAX) {
        grid.push([
            Cell::plain(Named(&holder.by).to_string()),
            Cell::plain(kind(holder.kind)),
            Cell::plain(Keyed(&holder.key).to_string()),
            Cell::plain(time(snapshot, holder.since_ns)),
            Cell::plain(
                holder
                    .slot
                    .map_or_else(String::new, |slot| slot.to_string()),
            ),
            Cell::plain(holder.location.clone().unwrap_or_default()),
        ]);
    }
    listed("Who holds", &grid, holders.len())
}

fn top_keys(table: &Table) -> Markup {
    let mut grid = Grid::new(["key", "waits", "waited together"]);
    for top in table.top_keys.iter().take(ROWS_MAX) {
        grid.push([
            Cell::plain(Keyed(&top.key).to_string()),
            Cell::plain(top.waits.to_string()),
            Cell::plain(
                top.waited_ns
                    .map_or_else(String::new, |ns| Time(ns).to_string()),
            ),
        ]);
    }
    listed("The busiest keys", &grid, table.top_keys.len())
}

fn listed(caption: &str, grid: &Grid, count: usize) -> Markup {
    html! {
        (page::text_table(caption, grid))
        @if count > grid.rows.len() {
            p class="quiet" { (count - grid.rows.len()) " more are not shown." }
        }
    }
}

fn what(table: &str, of: crate::Kind, key: &crate::Key) -> Markup {
    html! { (kind(of)) " " code { (table) "/" (Keyed(key)) } }
}

fn since(snapshot: &Snapshot, since_ns: Option<u64>) -> String {
    let at_ns = snapshot.at_ns;
    For { since_ns, at_ns }.to_string()
}

fn time(snapshot: &Snapshot, since_ns: Option<u64>) -> String {
    let since = since_ns.map(|since| snapshot.at_ns.saturating_sub(since));
    since.map_or_else(String::new, |ns| Time(ns).to_string())
}

fn at(location: Option<&str>) -> Markup {
    html! { @if let Some(location) = location { " at " code { (location) } } }
}
