//! Deadlocks, and who keeps whom waiting.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::counted;
use super::overview::titled;
use crate::top::state::State;
use crate::top::theme::Theme;
use crate::top::tree;

pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) -> usize {
    let Some(snapshot) = state.shown() else {
        return 0;
    };
    let deadlocks = &state.deadlocks;
    let alarm = |line: &str| Line::from(Span::styled(line.to_owned(), theme.alarm()));
    let mut lines: Vec<Line> = state.deadlock_text().lines().map(alarm).collect();
    let tree = tree::lines(snapshot);
    if tree.is_empty() {
        lines.push(Line::from("Nobody waits for what somebody holds."));
    }
    for line in tree {
        let text = format!("{}{}", "  ".repeat(line.depth), line.text);
        let style = if line.is_circle {
            theme.alarm()
        } else if line.depth == 0 {
            theme.title()
        } else {
            ratatui::style::Style::new()
        };
        lines.push(Line::from(Span::styled(text, style)));
    }
    let waits = snapshot.tables.iter().flat_map(|table| &table.waits);
    let free = waits.filter(|wait| !tree::has_owner(wait.kind)).count();
    if free > 0 {
        let text = format!(
            "{} for a wake: nobody holds what they wait for.",
            counted(free, "wait")
        );
        lines.push(Line::from(Span::styled(text, theme.dim())));
    }
    let title = match deadlocks.len() {
        0 => "who keeps whom waiting".to_owned(),
        count => format!("{} FOUND", counted(count, "deadlock").to_uppercase()),
    };
    let count = lines.len();
    let seen: Vec<_> = lines.into_iter().skip(state.row.min(count - 1)).collect();
    let block = titled(&title, theme);
    frame.render_widget(
        Paragraph::new(seen).wrap(Wrap { trim: false }).block(block),
        area,
    );
    count
}
