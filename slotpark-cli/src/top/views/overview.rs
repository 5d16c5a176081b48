//! The heat map of the slots, who waits longest, and for which keys most is waited.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Cell, Paragraph, Row, Table};
use slotpark_inspect::Snapshot;

use super::counted;
use super::table::{Columns, draw_rows};
use crate::shown;
use crate::top::heat::{self, LEVELS, SHADES};
use crate::top::hot;
use crate::top::rows::{Choice, Sort};
use crate::top::state::State;
use crate::top::theme::Theme;

pub(super) fn draw(
    frame: &mut Frame,
    area: Rect,
    state: &State,
    snapshot: &Snapshot,
    theme: &Theme,
) -> usize {
    let map = map_height(area, state);
    let [top, below] = Layout::vertical([Constraint::Length(map), Constraint::Fill(1)]).areas(area);
    draw_map(frame, top, state, theme);
    let [left, right] = Layout::horizontal([Constraint::Fill(2), Constraint::Fill(1)])
        .spacing(1)
        .areas(below);
    let choice = Choice {
        sort: Sort::Since,
        is_reversed: false,
        ..state.choice()
    };
    let rows = choice.waits(snapshot);
    let title = format!("longest waits, of {}", rows.len());
    let columns = Columns {
        has_table: false,
        note: None,
        is_short: true,
    };
    draw_rows(frame, left, &title, &rows, None, &columns, theme);
    draw_hot(frame, right, state, theme);
    rows.len().min(usize::from(left.height))
}

/// Half of the view at most, and no more than the map and its legend take.
fn map_height(area: Rect, state: &State) -> u16 {
    let most = (area.height / 2).clamp(3, 22);
    let slots = state.table().map_or(0, |table| table.slot_count);
    let width = area.width.saturating_sub(legend_width(area)).into();
    let grid = heat::Grid::fit(slots, width, usize::from(most) - 1);
    let rows = grid.map_or(1, |grid| {
        slots.div_ceil(grid.per_cell).div_ceil(grid.columns)
    });
    most.min(u16::try_from(rows.max(LEGEND_LINES) + 1).unwrap_or(most))
}

/// Lines of the legend.
const LEGEND_LINES: usize = 5;

/// Beside the map, where it is not too narrow for that.
fn legend_width(area: Rect) -> u16 {
    if area.width > 60 { 22 } else { 0 }
}

fn draw_map(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) {
    let Some(table) = state.table() else {
        frame.render_widget(Paragraph::new("no table is registered"), area);
        return;
    };
    let values = hot::values(table, state.heat);
    let title = format!(
        "{}: {} of {}",
        shown::plain(&table.name),
        state.heat.name(),
        counted(table.slot_count, "slot"),
    );
    let block = titled(&title, theme);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let legend_width = legend_width(inner);
    let [map, legend] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(legend_width)]).areas(inner);
    let Some(grid) = heat::draw(frame.buffer_mut(), map, &values, theme) else {
        return;
    };
    if legend_width == 0 {
        return;
    }
    let used = values.iter().filter(|&&value| value > 0).count();
    let mut lines = vec![Line::from(format!("in {}", counted(used, "slot")))];
    let highest = values.iter().copied().enumerate();
    if let Some((index, most)) = highest.max_by_key(|(index, most)| (*most, usize::MAX - index)) {
        lines.push(Line::from(format!("most: {most} in {index}")));
        let key = [0, 1, LEVELS].map(|level| Span::styled(SHADES[level], theme.heat(level)));
        let [none, low, high] = key;
        let text = Line::from(vec![none, " 0 ".into(), low, " 1 .. ".into(), high]);
        lines.push(text + Span::from(format!(" {most}")));
    }
    if grid.per_cell > 1 {
        lines.push(Line::from(format!("cell: most of {}", grid.per_cell)));
    }
    lines.push(Line::from(Span::styled("m: another measure", theme.dim())));
    frame.render_widget(Paragraph::new(lines), legend);
}

/// Keys by what is known best: counted waits, or else who waits now.
fn draw_hot(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) {
    let keys = state.table().map(hot::keys).unwrap_or_default();
    let rows = keys.rows.iter().map(|hot| {
        Row::new([
            Cell::from(hot.key.clone()),
            Cell::from(Line::from(hot.waits.to_string()).right_aligned()),
        ])
    });
    let title = if keys.is_counted {
        "hot keys: waits"
    } else {
        "hot keys: waiting now"
    };
    let widget =
        Table::new(rows, [Constraint::Fill(1), Constraint::Length(9)]).block(titled(title, theme));
    frame.render_widget(widget, area);
}

/// A frame that is a line with a title.
pub(super) fn titled<'a>(title: &str, theme: &Theme) -> Block<'a> {
    Block::new()
        .borders(Borders::TOP)
        .border_style(theme.dim())
        .title(Span::styled(format!(" {title} "), theme.title()))
}
