//! Measured against expected collisions, and what that says of the hash.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};
use slotpark_inspect::{Spreading, Table, Verdict};

use super::overview::titled;
use crate::shown;
use crate::top::hot;
use crate::top::state::{Heat, State};
use crate::top::theme::Theme;

pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) -> usize {
    let Some(table) = state.table() else {
        return 0;
    };
    let title = format!(
        "{}: does the hash spread the keys?",
        shown::plain(&table.name)
    );
    let text = Paragraph::new(lines(table, theme)).wrap(Wrap { trim: false });
    frame.render_widget(text.block(titled(&title, theme)), area);
    0
}

fn lines<'a>(table: &Table, theme: &Theme) -> Vec<Line<'a>> {
    let spreading = table.spreading();
    let (mark, style) = match spreading.verdict {
        Verdict::AsExpected => ("good: ", theme.good()),
        Verdict::Worse => ("BAD: ", theme.alarm()),
        _ => ("", theme.warning()),
    };
    let verdict = format!("{mark}{}", spreading.verdict);
    let mut lines = vec![Line::from(Span::styled(verdict, style)), Line::default()];
    lines.extend(numbers(&spreading).into_iter().map(Line::from));
    lines.push(Line::default());
    lines.extend(formula(&spreading).into_iter().map(Line::from));
    lines.push(Line::default());
    lines.extend(history(table).into_iter().map(Line::from));
    lines
}

fn numbers(spreading: &Spreading) -> Vec<String> {
    vec![
        format!("keys in the table now   {:>10}", spreading.keys),
        format!("slots                   {:>10}", spreading.slots),
        format!("collisions, measured    {:>10}", spreading.collisions),
        format!(
            "collisions, expected    {:>10.1}  give or take {:.1}",
            spreading.expected, spreading.deviation
        ),
        format!(
            "chance of as many       {:>10.3}  below 0.001 it is no chance",
            spreading.chance
        ),
    ]
}

/// The formula, with the numbers in it.
fn formula(spreading: &Spreading) -> Vec<String> {
    let (keys, slots) = (spreading.keys, spreading.slots);
    vec![
        "A key collides that is not the first of its slot. Of n keys thrown into m slots"
            .to_owned(),
        format!(
            "n - m (1 - (1 - 1/m)^n) = {keys} - {slots} (1 - (1 - 1/{slots})^{keys}) = {:.1} do.",
            spreading.expected
        ),
    ]
}

/// What was counted since the table was made.
fn history(table: &Table) -> Vec<String> {
    let sum = |heat: Heat| hot::values(table, heat).iter().sum::<u64>();
    let (parks, collisions) = (sum(Heat::Parks), sum(Heat::Collisions));
    let part = if parks == 0 {
        0.0
    } else {
        collisions as f64 * 100.0 / parks as f64
    };
    vec![
        format!(
            "Of {parks} waits so far {collisions} ({part:.1} %) began among waiters of other keys \
             only."
        ),
        "That costs each of them comparisons; it wakes nobody who is not meant.".to_owned(),
        "Too few slots show as many collisions with a good verdict: give the table more."
            .to_owned(),
    ]
}
