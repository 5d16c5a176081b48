//! The overview as text of a fixed width, for scripts and for where there is no terminal.

use std::fmt::Write;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use super::heat::{SHADES, cells, level};
use super::hot;
use super::rows::{Choice, Sort};
use super::state::{Heat, State};
use super::views;
use crate::shown;

/// No line is longer, but for names that are.
const WIDTH: usize = 100;

/// Cells of a line of the heat map.
const COLUMNS: usize = 64;

/// Lines of the heat map.
const LINES: usize = 8;

/// Rows of each table.
const ROWS: usize = 20;

pub(crate) fn overview(state: &State) -> String {
    let mut text = String::new();
    let Some(snapshot) = state.shown() else {
        return text;
    };
    line(&mut text, &views::head_text(snapshot));
    for table in &snapshot.tables {
        line(&mut text, "");
        let sum = |heat: Heat| -> u64 { hot::values(table, heat).iter().sum() };
        line(
            &mut text,
            &format!(
                "table {}: {} slots, {} waiting, {} holding, {} parks, {} collisions",
                shown::plain(&table.name),
                table.slot_count,
                table.waits.len(),
                table.holders.len(),
                sum(Heat::Parks),
                sum(Heat::Collisions),
            ),
        );
        for heat in [Heat::Waiting, Heat::Parks] {
            map(&mut text, table, heat);
        }
    }
    waits(&mut text, state, snapshot);
    hot_keys(&mut text, state);
    if state.deadlocks.is_empty() {
        line(&mut text, "\nno deadlock");
    } else {
        line(&mut text, &format!("\n{}", state.deadlock_text()));
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// A heat map of characters, if there is anything in it.
fn map(text: &mut String, table: &slotpark_inspect::Table, heat: Heat) {
    let values = hot::values(table, heat);
    let highest = values.iter().copied().max().unwrap_or(0);
    if highest == 0 {
        return;
    }
    let per_cell = values.len().div_ceil(COLUMNS * LINES).next_power_of_two();
    let cell = match per_cell {
        1 => "a slot".to_owned(),
        count => format!("the most of {count} slots"),
    };
    let name = heat.name();
    line(
        text,
        &format!("{name}: at most {highest}; a character is {cell}"),
    );
    for row in cells(&values, per_cell).chunks(COLUMNS) {
        let shades = row.iter().map(|&value| SHADES[level(value, highest)]);
        line(text, &format!("  {}", shades.collect::<String>()));
    }
}

fn waits(text: &mut String, state: &State, snapshot: &slotpark_inspect::Snapshot) {
    let choice = Choice {
        sort: Sort::Since,
        ..state.choice()
    };
    let rows = choice.waits(snapshot);
    if rows.is_empty() {
        return line(text, "\nnobody waits");
    }
    let shown = rows.len().min(ROWS);
    line(text, &format!("\nlongest waits, {shown} of {}", rows.len()));
    let mut table = plain_table(["since", "who", "kind", "key", "table", "where"]);
    for row in &rows[..shown] {
        table.add_row([
            shown::age(row.age_ns),
            cut(&row.who, 28),
            row.kind.clone(),
            cut(&row.key, 24),
            cut(&row.table, 12),
            shown::tail(&row.location, 30),
        ]);
    }
    align_right(&mut table, 0);
    line(text, &table.trim_fmt());
}

fn hot_keys(text: &mut String, state: &State) {
    let Some(table) = state.table() else { return };
    let keys = hot::keys(table);
    if keys.rows.is_empty() {
        return;
    }
    let what = if keys.is_counted {
        "waits"
    } else {
        "waiting now"
    };
    let name = shown::plain(&table.name);
    line(text, &format!("\nhot keys of {name}, by {what}"));
    let mut rows = plain_table(["waits", "key"]);
    for hot in keys.rows.iter().take(ROWS / 2) {
        rows.add_row([hot.waits.to_string(), cut(&hot.key, WIDTH / 2)]);
    }
    align_right(&mut rows, 0);
    line(text, &rows.trim_fmt());
}

fn plain_table<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(head);
    table
}

fn align_right(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// The first so many characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(2)).collect();
    // Writing to a string does not fail.
    let _ = write!(cut, "..");
    cut
}
