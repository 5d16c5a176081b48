//! Measured against expected collisions, and what that says of the hash.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Paragraph;

use super::overview::titled;
use crate::shown;
use crate::top::state::State;
use crate::top::theme::Theme;

pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) -> usize {
    let Some(table) = state.table() else {
        return 0;
    };
    let lines: Vec<Line> = Vec::new();
    let title = format!("{}: the hash", shown::plain(&table.name));
    frame.render_widget(Paragraph::new(lines).block(titled(&title, theme)), area);
    0
}
