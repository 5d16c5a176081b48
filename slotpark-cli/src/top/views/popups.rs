//! What lies over a view: the help, and all that is known of one row.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use crate::shown;
use crate::top::keys::HELP;
use crate::top::rows::Row;
use crate::top::state::{Mode, State, Tab};
use crate::top::theme::Theme;

pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) {
    match state.mode {
        Mode::Help => draw_box(frame, area, "help", help(theme), theme),
        Mode::Detail => {
            if let Some(row) = selected(state) {
                draw_box(frame, area, "one row", detail(&row), theme);
            }
        }
        _ => {}
    }
}

fn draw_box(frame: &mut Frame, area: Rect, title: &str, lines: Vec<Line>, theme: &Theme) {
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inner = area.centered(Constraint::Max(76), Constraint::Max(height));
    let block = Block::bordered()
        .border_style(theme.title())
        .title(format!(" {title}: any key closes it "));
    frame.render_widget(Clear, inner);
    let text = Paragraph::new(lines).wrap(Wrap { trim: false });
    frame.render_widget(text.block(block), inner);
}

fn help(theme: &Theme) -> Vec<Line<'static>> {
    let line = |(keys, does): (&str, &str)| {
        Line::from(vec![
            Span::styled(format!("{keys:<27}"), theme.title()),
            Span::from(does.to_owned()),
        ])
    };
    HELP.into_iter().map(line).collect()
}

fn selected(state: &State) -> Option<Row> {
    let snapshot = state.shown()?;
    let rows = match state.tab {
        Tab::Waits => state.choice().waits(snapshot),
        _ => state.choice().holders(snapshot),
    };
    rows.into_iter().nth(state.row)
}

fn detail(row: &Row) -> Vec<Line<'static>> {
    let slot = row
        .slot
        .map_or_else(|| "none".to_owned(), |slot| slot.to_string());
    let mut lines: Vec<Line> = [
        ("who", row.who.clone()),
        ("key", row.key.clone()),
        ("kind", row.kind.clone()),
        ("table", row.table.clone()),
        ("slot", slot),
        ("since", shown::age(row.age_ns)),
        ("where", row.location.clone()),
    ]
    .into_iter()
    .map(|(name, value)| Line::from(format!("{name:<7}{value}")))
    .collect();
    let frames = row
        .stack
        .iter()
        .map(|frame| Line::from(format!("  {frame}")));
    if row.stack.is_empty() {
        lines.push(Line::from("no stack was taken"));
    }
    lines.extend(frames);
    lines
}
