//! A heat map: slots as cells, as large as there is room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::theme::Theme;

/// The cells that the slots are shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) columns: usize,
    /// Slots of one cell, of which it shows the highest.
    pub(crate) per_cell: usize,
    /// Characters of one cell.
    pub(crate) cell_width: usize,
}

impl Grid {
    /// The largest cells that fit, a power of two of them in a row; `None` where there is no room.
    pub(crate) fn fit(slots: usize, width: usize, height: usize) -> Option<Self> {
        if width == 0 || height == 0 || slots == 0 {
            return None;
        }
        let mut per_cell = 1;
        loop {
            let cells = slots.div_ceil(per_cell);
            for cell_width in [2, 1] {
                let fitting = width / cell_width;
                if fitting == 0 {
                    continue;
                }
                let columns = (1 << fitting.ilog2()).min(cells.next_power_of_two());
                if cells.div_ceil(columns) <= height {
                    return Some(Self {
                        columns,
                        per_cell,
                        cell_width,
                    });
                }
            }
            per_cell *= 2;
        }
    }
}

/// The highest level.
pub(crate) const LEVELS: usize = 4;

/// What stands for each level, also without colours.
pub(crate) const SHADES: [&str; LEVELS + 1] = ["·", "░", "▒", "▓", "█"];

/// How hot a value is beside the highest: 0 for nothing, else 1 to 4, by its logarithm.
pub(crate) fn level(value: u64, highest: u64) -> usize {
    if value == 0 || highest == 0 {
        return 0;
    }
    if highest == 1 {
        return 1;
    }
    let steps = (LEVELS - 1) as f64;
    let part = (value as f64).ln() / (highest as f64).ln();
    let level = 1 + (part * steps).round() as usize;
    // Small numbers are not made hotter than they are.
    level
        .min(LEVELS)
        .min(usize::try_from(value).unwrap_or(LEVELS))
}

/// The values of the cells.
pub(crate) fn cells(values: &[u64], per_cell: usize) -> Vec<u64> {
    let highest = |slots: &[u64]| slots.iter().copied().max().unwrap_or(0);
    values.chunks(per_cell.max(1)).map(highest).collect()
}

/// Draws the map at the top left of the area.
pub(crate) fn draw(buffer: &mut Buffer, area: Rect, values: &[u64], theme: &Theme) -> Option<Grid> {
    let grid = Grid::fit(values.len(), area.width.into(), area.height.into())?;
    let highest = values.iter().copied().max().unwrap_or(0);
    for (index, value) in cells(values, grid.per_cell).into_iter().enumerate() {
        let level = level(value, highest);
        let x = usize::from(area.x) + index % grid.columns * grid.cell_width;
        let y = usize::from(area.y) + index / grid.columns;
        let place = u16::try_from(x).ok().zip(u16::try_from(y).ok());
        if let Some((x, y)) = place.filter(|place| area.contains((*place).into())) {
            let shade = SHADES[level].repeat(grid.cell_width);
            buffer.set_stringn(x, y, shade, grid.cell_width, theme.heat(level));
        }
    }
    Some(grid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_slots_fits() {
        for slots in [1, 2, 3, 100, 512, 4096, 65_536, 1 << 20] {
            for (width, height) in [(1, 1), (1, 30), (80, 1), (78, 9), (200, 60)] {
                let grid = Grid::fit(slots, width, height).unwrap();
                assert!(grid.columns * grid.cell_width <= width, "{slots} {grid:?}");
                let rows = slots.div_ceil(grid.per_cell).div_ceil(grid.columns);
                assert!(rows <= height && rows > 0, "{slots} {grid:?}");
            }
        }
        assert_eq!(Grid::fit(512, 0, 5), None);
    }

    #[test]
    fn cells_are_as_large_as_fits() {
        let grid = Grid::fit(512, 128, 8).unwrap();
        assert_eq!((grid.columns, grid.per_cell, grid.cell_width), (64, 1, 2));
        let grid = Grid::fit(512, 80, 4).unwrap();
        assert_eq!((grid.columns, grid.per_cell, grid.cell_width), (64, 2, 1));
    }

    #[test]
    fn levels_rise_with_values() {
        let levels: Vec<_> = (0..=4_000).map(|value| level(value, 4_000)).collect();
        assert!(levels.is_sorted());
        assert_eq!((levels[0], levels[1], levels[4_000]), (0, 1, 4));
        // One waiter in a slot is nothing hot, even if no slot has more.
        assert_eq!(level(1, 1), 1);
        assert_eq!(level(2, 2), 2);
    }
}
