//! Asks which process to look at.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::text::Line;
use ratatui::widgets::{List, ListState, Paragraph};
use ratatui::{DefaultTerminal, Frame};
use slotpark_inspect::socket::{Live, list};

use super::live::{Asked, End, pressed};
use super::theme::Theme;
use crate::source::name;

/// From one look at the sockets to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// The number of the process that was chosen, or how else it ended.
pub(super) fn pick(
    terminal: &mut DefaultTerminal,
    asked: &Asked,
    theme: &Theme,
) -> anyhow::Result<Result<u32, End>> {
    let mut found = list();
    let mut listed = Instant::now();
    let mut row = 0;
    loop {
        if let Some(signal) = asked.signal() {
            return Ok(Err(End::Signal(signal)));
        }
        if listed.elapsed() >= INTERVAL {
            found = list();
            listed = Instant::now();
        }
        row = row.min(found.len().saturating_sub(1));
        terminal.draw(|frame| draw(frame, &found, row, theme))?;
        let Some(key) = asked.next_event()?.as_ref().and_then(pressed) else {
            continue;
        };
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                return Ok(Err(End::Quit));
            }
            KeyCode::Char('q') | KeyCode::Esc => return Ok(Err(End::Quit)),
            KeyCode::Down | KeyCode::Char('j') => row += 1,
            KeyCode::Up | KeyCode::Char('k') => row = row.saturating_sub(1),
            KeyCode::Enter => {
                if let Some(live) = found.get(row) {
                    return Ok(Ok(live.process));
                }
            }
            _ => {}
        }
    }
}

fn draw(frame: &mut Frame, found: &[Live], row: usize, theme: &Theme) {
    let [head, body, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let title = Line::from("slotpark top: processes with an open socket").style(theme.title());
    frame.render_widget(title, head);
    let keys = Line::from("Up, Down move  Enter looks  q quits").style(theme.dim());
    frame.render_widget(keys, foot);
    if found.is_empty() {
        frame.render_widget(
            Paragraph::new("none; this list is renewed every second"),
            body,
        );
        return;
    }
    let names = found.iter().map(name);
    let widget = List::new(names).highlight_style(theme.selected());
    let mut state = ListState::default().with_selected(Some(row));
    frame.render_stateful_widget(widget, body, &mut state);
}
