//! Waits and holders, a row each.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::widgets::{Cell, Row as Line, Table, TableState};
use slotpark_inspect::Snapshot;

use super::overview::titled;
use crate::shown;
use crate::top::rows::Row;
use crate::top::state::State;
use crate::top::theme::Theme;

pub(super) fn waits(
    frame: &mut Frame,
    area: Rect,
    state: &State,
    snapshot: &Snapshot,
    theme: &Theme,
) -> usize {
    let rows = state.choice().waits(snapshot);
    let title = title("waits", rows.len(), state);
    let columns = Columns::of(state, snapshot, "place");
    draw_rows(frame, area, &title, &rows, Some(state.row), &columns, theme);
    rows.len()
}

pub(super) fn holders(
    frame: &mut Frame,
    area: Rect,
    state: &State,
    snapshot: &Snapshot,
    theme: &Theme,
) -> usize {
    let rows = state.choice().holders(snapshot);
    let title = title("holders", rows.len(), state);
    let columns = Columns::of(state, snapshot, "label");
    draw_rows(frame, area, &title, &rows, Some(state.row), &columns, theme);
    rows.len()
}

fn title(what: &str, count: usize, state: &State) -> String {
    let order = if state.is_reversed { ", reversed" } else { "" };
    let mut title = format!("{count} {what}, by {}{order}", state.sort.name());
    if !state.filter.is_empty() {
        title.push_str(&format!(", with `{}`", shown::plain(&state.filter)));
    }
    title
}

/// Which columns there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) has_table: bool,
    /// The head of the column for [`Row::note`].
    pub(super) note: Option<&'static str>,
    /// Only who, which key, since when and where.
    pub(super) is_short: bool,
}

impl Columns {
    fn of(state: &State, snapshot: &Snapshot, note: &'static str) -> Self {
        Self {
            has_table: state.table.is_none() && snapshot.tables.len() > 1,
            note: Some(note),
            is_short: false,
        }
    }

    fn head(&self) -> Vec<&'static str> {
        self.pick([
            "table",
            "slot",
            "key",
            "kind",
            "who",
            "since",
            self.note.unwrap_or(""),
            "where",
        ])
    }

    fn widths(&self) -> Vec<Constraint> {
        self.pick([
            Constraint::Length(10),
            Constraint::Length(5),
            Constraint::Fill(3),
            Constraint::Length(10),
            Constraint::Fill(4),
            Constraint::Length(7),
            Constraint::Length(8),
            Constraint::Fill(4),
        ])
    }

    /// Those of a row that are shown.
    fn pick<T>(&self, of: [T; 8]) -> Vec<T> {
        let are_shown = [
            self.has_table,
            !self.is_short,
            true,
            !self.is_short,
            true,
            true,
            self.note.is_some(),
            true,
        ];
        let picked = of.into_iter().zip(are_shown);
        picked
            .filter_map(|(one, is_shown)| is_shown.then_some(one))
            .collect()
    }

    /// How wide the last column is, which shows the end of what does not fit.
    fn last_width(&self, area: Rect) -> usize {
        let areas = Layout::horizontal(self.widths()).spacing(1).split(area);
        areas.last().map_or(0, |area| area.width.into())
    }

    fn cells(&self, row: &Row, last_width: usize) -> Vec<Cell<'static>> {
        let slot = row
            .slot
            .map_or_else(|| "-".to_owned(), |slot| slot.to_string());
        self.pick([
            Cell::from(row.table.clone()),
            Cell::from(slot),
            Cell::from(row.key.clone()),
            Cell::from(row.kind.clone()),
            Cell::from(row.who.clone()),
            Cell::from(shown::age(row.age_ns)),
            Cell::from(row.note.clone()),
            Cell::from(shown::tail(&row.location, last_width)),
        ])
    }
}

pub(super) fn draw_rows(
    frame: &mut Frame,
    area: Rect,
    title: &str,
    rows: &[Row],
    selected: Option<usize>,
    columns: &Columns,
    theme: &Theme,
) {
    // Of a long list only what can be seen is made: the part around the cursor.
    let seen = usize::from(area.height);
    let selected = selected.map(|row| row.min(rows.len().saturating_sub(1)));
    let from = selected.map_or(0, |row| {
        (row + 1).saturating_sub(seen.saturating_sub(2).max(1))
    });
    let last_width = columns.last_width(area);
    let lines = rows
        .iter()
        .skip(from)
        .take(seen)
        .map(|row| Line::new(columns.cells(row, last_width)));
    let widget = Table::new(lines, columns.widths())
        .header(Line::new(columns.head()).style(theme.dim()))
        .row_highlight_style(theme.selected())
        .block(titled(title, theme));
    let selected = selected.filter(|_| !rows.is_empty()).map(|row| row - from);
    frame.render_stateful_widget(widget, area, &mut TableState::new().with_selected(selected));
}
