//! How long was waited and held, and how long the woken took to run.

use ratatui::Frame;
use ratatui::layout::{Constraint, Direction, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Bar, BarChart, BarGroup, Paragraph};
use slotpark_inspect::Spread;

use super::overview::titled;
use crate::shown;
use crate::top::state::State;
use crate::top::theme::Theme;

pub(super) fn draw(frame: &mut Frame, area: Rect, state: &State, theme: &Theme) -> usize {
    let spreads: Vec<&Spread> = state.table().map_or_else(Vec::new, |table| {
        let counted = table.histograms.iter().filter(|spread| spread.count > 0);
        counted.collect()
    });
    if spreads.is_empty() {
        let text = "No times are recorded. A program records them from the level `timing` on:\n\
                    slotpark_inspect::set_detail(Detail::Timing).\n\
                    Under `slotpark run` there are none.";
        frame.render_widget(Paragraph::new(text), area);
        return 0;
    }
    let areas = Layout::horizontal(vec![Constraint::Fill(1); spreads.len()])
        .spacing(2)
        .split(area);
    for (spread, area) in spreads.into_iter().zip(areas.iter()) {
        draw_one(frame, *area, spread, theme);
    }
    0
}

/// The percentiles that are shown, of those that there are.
const SHOWN: [f64; 6] = [0.0, 50.0, 90.0, 99.0, 99.9, 100.0];

fn draw_one(frame: &mut Frame, area: Rect, spread: &Spread, theme: &Theme) {
    let name = shown::plain(&spread.of).replace('_', " ");
    let block = titled(&format!("{name}: {}", spread.count), theme);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let percentiles: Vec<Line> = spread
        .percentiles
        .iter()
        .filter(|(percentile, _)| SHOWN.contains(percentile))
        .map(|(percentile, ns)| Line::from(format!("p{percentile:<5} {}", shown::duration(*ns))))
        .collect();
    let height = u16::try_from(percentiles.len() + 1).unwrap_or(u16::MAX);
    let height = height.min(inner.height / 2);
    let [numbers, bars] =
        Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(inner);
    frame.render_widget(Paragraph::new(percentiles), numbers);
    let merged = merge(&spread.buckets, bars.height.into());
    let bar = |&(end, count): &(u64, u64)| {
        Bar::default()
            .value(count)
            .label(Line::from(format!("{:>8}", shown::duration(end))))
            .text_value(count.to_string())
            .style(theme.bar())
    };
    let bars_shown: Vec<Bar> = merged.iter().map(bar).collect();
    let chart = BarChart::default()
        .direction(Direction::Horizontal)
        .bar_width(1)
        .bar_gap(0)
        .data(BarGroup::default().bars(&bars_shown));
    frame.render_widget(chart, bars);
}

/// Neighbours together, by powers of two and then by more, until no more are left than there is
/// room for. Ends stay upper ends.
pub(crate) fn merge(buckets: &[(u64, u64)], room: usize) -> Vec<(u64, u64)> {
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for &(end, count) in buckets.iter().filter(|(_, count)| *count > 0) {
        match merged.last_mut() {
            Some(last) if last.0.max(1).ilog2() == end.max(1).ilog2() => {
                *last = (end, last.1 + count);
            }
            _ => merged.push((end, count)),
        }
    }
    while merged.len() > room.max(1) {
        let pair = |pair: &[(u64, u64)]| match *pair {
            [(_, one), (end, other)] => (end, one + other),
            _ => pair[0],
        };
        merged = merged.chunks(2).map(pair).collect();
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::merge;

    #[test]
    fn merging_loses_nothing() {
        let buckets: Vec<(u64, u64)> = (0..100).map(|step| (step * step * 50, step)).collect();
        let all: u64 = (0..100).sum();
        for room in [0, 1, 2, 7, 50] {
            let merged = merge(&buckets, room);
            assert!(merged.len() <= room.max(1), "{room}");
            assert_eq!(merged.iter().map(|(_, count)| count).sum::<u64>(), all);
            assert_eq!(merged.last().map(|(end, _)| *end), Some(99 * 99 * 50));
        }
        assert!(merge(&[], 5).is_empty());
    }
}
