//! The screen: a line on the process, the tabs, one view, a line on what can be done.

mod diff;
mod hash;
mod histograms;
mod overview;
mod popups;
mod table;
mod wait_for;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use slotpark_inspect::Snapshot;

use super::state::{Mode, State, Tab};
use super::theme::Theme;
use crate::shown;

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame, state: &mut State, theme: &Theme) {
    let [head, tabs, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(head_line(state, theme), head);
    frame.render_widget(tab_line(state, theme), tabs);
    frame.render_widget(foot_line(state, theme), foot);
    state.rows = draw_body(frame, body, state, theme);
    state.row = state.row.min(state.rows.saturating_sub(1));
    popups::draw(frame, body, state, theme);
}

/// Draws the view, and says how many rows it has that a cursor moves over.
fn draw_body(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) -> usize {
    let Some(snapshot) = state.shown() else {
        let text = state
            .lost
            .as_deref()
            .unwrap_or("waiting for the first look");
        frame.render_widget(Paragraph::new(text), area);
        return 0;
    };
    if state.mode == Mode::Diff {
        return diff::draw(frame, area, state, theme);
    }
    match state.tab {
        Tab::Overview => overview::draw(frame, area, state, snapshot, theme),
        Tab::Waits => table::waits(frame, area, state, snapshot, theme),
        Tab::Holders => table::holders(frame, area, state, snapshot, theme),
        Tab::Histograms => histograms::draw(frame, area, state, theme),
        Tab::Hash => hash::draw(frame, area, state, theme),
        Tab::WaitFor => wait_for::draw(frame, area, state, theme),
    }
}

fn head_line(state: &State, theme: &Theme) -> Line<'static> {
    let Some(snapshot) = state.shown() else {
        return Line::from(Span::styled("slotpark top", theme.title()));
    };
    let mut line = Line::from(Span::styled(head_text(snapshot), theme.title()));
    if let Some(table) = state.table {
        let name = snapshot.tables.get(table).map_or("", |table| &table.name);
        let shown = format!("; table {}", shown::plain(name));
        line.push_span(Span::styled(shown, theme.warning()));
    }
    if state.is_frozen {
        line.push_span(Span::styled(" FROZEN", theme.warning()));
    }
    line
}

/// The process and its totals.
pub(crate) fn head_text(snapshot: &Snapshot) -> String {
    let waits: usize = snapshot.tables.iter().map(|table| table.waits.len()).sum();
    let holders: usize = snapshot
        .tables
        .iter()
        .map(|table| table.holders.len())
        .sum();
    let detail = format!("{:?}", snapshot.detail).to_lowercase();
    format!(
        "{} ({}): {}, {waits} waiting, {holders} holding; detail {detail}; look {}",
        shown::plain(&snapshot.program),
        snapshot.process,
        counted(snapshot.tables.len(), "table"),
        shown::duration(snapshot.took_ns),
    )
}

/// A number and a noun.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn tab_line(state: &State, theme: &Theme) -> Line<'static> {
    let is_alarming = !state.deadlocks.is_empty();
    let mut line = Line::default();
    for (index, tab) in Tab::ALL.into_iter().enumerate() {
        let alarm = is_alarming && tab == Tab::WaitFor;
        let mark = if alarm { "!" } else { "" };
        let name = format!(" {} {}{mark} ", index + 1, tab.name());
        let style = theme.tab(tab == state.tab && state.mode != Mode::Diff, alarm);
        line.push_span(Span::styled(name, style));
    }
    if state.mode == Mode::Diff {
        line.push_span(Span::styled(" diff ", theme.tab(true, false)));
    }
    line
}

fn foot_line(state: &State, theme: &Theme) -> Line<'static> {
    if state.mode == Mode::Filter {
        return Line::from(format!(
            "filter: {}_   Enter keeps it, Esc clears it",
            state.filter
        ));
    }
    if state.mode == Mode::Export {
        let forms = "export: j JSON  h HTML  d dump  f folded stacks  p Prometheus  Esc none";
        return Line::from(Span::styled(forms, theme.warning()));
    }
    if let Some(message) = &state.message {
        return Line::from(Span::styled(message.clone(), theme.warning()));
    }
    if let Some(lost) = &state.lost {
        return Line::from(Span::styled(lost.clone(), theme.alarm()));
    }
    let order = if state.is_reversed { ", reversed" } else { "" };
    let mut text = format!("? help  q quit  s sort: {}{order}", state.sort.name());
    if !state.filter.is_empty() {
        text.push_str(&format!("  / filter: {}", state.filter));
    }
    text.push_str("  f freeze  d diff  e export");
    Line::from(Span::styled(text, theme.dim()))
}
