//! What has changed since the view was frozen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::overview::titled;
use crate::shown;
use crate::top::changes::{self, Change, Changes};
use crate::top::state::State;
use crate::top::theme::Theme;

pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) -> usize {
    let (Some(then), Some(now)) = (&state.frozen, &state.live) else {
        return 0;
    };
    let changes = changes::between(then, now);
    let lines = lines(&changes, theme);
    let count = lines.len();
    let title = format!(
        "{} later: {} new, {} gone, {} still",
        shown::duration(now.at_ns.saturating_sub(then.at_ns)),
        changes.new.len(),
        changes.gone.len(),
        changes.same,
    );
    let from = state.row.min(count.saturating_sub(1));
    let seen = lines.into_iter().skip(from);
    frame.render_widget(
        Paragraph::new(seen.collect::<Vec<_>>()).block(titled(&title, theme)),
        area,
    );
    count
}

fn lines(changes: &Changes, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for Change { table, what, by } in &changes.growth {
        lines.push(Line::from(format!("{table}: {what} +{by}")));
    }
    for (mark, rows, style) in [
        ("+", &changes.new, theme.good()),
        ("-", &changes.gone, theme.dim()),
    ] {
        for row in rows {
            let text = format!(
                "{mark} {} waits for {} ({}) {}",
                row.who, row.key, row.table, row.location
            );
            lines.push(Line::from(Span::styled(text, style)));
        }
    }
    if lines.is_empty() {
        lines.push(Line::from(
            "Nothing has changed: nobody came, nobody was woken.",
        ));
    }
    lines
}
