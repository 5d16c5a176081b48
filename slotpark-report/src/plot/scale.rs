//! An axis: where values stand on it, and which of them are named.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::ticks::{decades, powers_of_two, step_down, step_up, tick_name};
use crate::Unit;

/// Where values stand, as numbers that a plot may space evenly.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    is_logarithmic: bool,
    /// Where zero stands on a logarithmic axis that must show it: below all others.
    zero: f64,
    /// From where to where, as positions.
    pub(crate) range: (f64, f64),
    /// Positions and what is written there.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Scale {
    /// An axis for things that are numbered from 0, the first on top, without names.
    pub(crate) fn rows(count: usize) -> Self {
        Self {
            is_logarithmic: false,
            zero: 0.0,
            range: (count as f64, 0.0),
            ticks: Vec::new(),
        }
    }

    /// An axis along the bottom: it begins where the values do.
    pub(crate) fn along(values: &[f64], is_logarithmic: bool) -> Self {
        let mut scale = Self::of(values, is_logarithmic, None);
        if is_logarithmic {
            return scale;
        }
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let least = finite().min_by(f64::total_cmp).unwrap_or(0.0);
        let most = finite().max_by(f64::total_cmp).unwrap_or(1.0);
        if most > least {
            scale.range = (least, most);
            scale
                .ticks
                .retain(|(value, _)| (least..=most).contains(value));
        }
        scale
    }

    /// An axis on which all of `values` have a place.
    pub(crate) fn of(values: &[f64], is_logarithmic: bool, unit: Option<Unit>) -> Self {
        let finite = values.iter().copied().filter(|value| value.is_finite());
        if is_logarithmic {
            Self::logarithmic(&finite.collect::<Vec<_>>(), unit)
        } else {
            Self::linear(&finite.collect::<Vec<_>>(), unit)
        }
    }

    /// Percentiles, so that 90, 99 and 99.9 stand as far apart as what they leave out differs.
    pub(crate) fn percentiles(last: f64) -> Self {
        let end = percentile(last);
        let named = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999];
        let shown = named
            .into_iter()
            .filter(|&percent| percentile(percent) <= end + 0.01);
        Self {
            is_logarithmic: false,
            zero: 0.0,
            range: (0.0, end.max(1.0)),
            ticks: shown
                .map(|percent| (percentile(percent), percent.to_string()))
                .collect(),
        }
    }

    /// The position of a value.
    pub(crate) fn at(&self, value: f64) -> f64 {
        if !self.is_logarithmic {
            value
        } else if value > 0.0 {
            value.log10()
        } else {
            self.zero
        }
    }

    /// What is written at a position.
    pub(crate) fn name(&self, position: f64) -> String {
        let near = |&&(tick, _): &&(f64, String)| (tick - position).abs() < 1e-9;
        self.ticks
            .iter()
            .find(near)
            .map_or_else(String::new, |(_, name)| name.clone())
    }

    fn logarithmic(values: &[f64], unit: Option<Unit>) -> Self {
        let positive = || values.iter().copied().filter(|&value| value > 0.0);
        let lowest = positive().min_by(f64::total_cmp).unwrap_or(1.0);
        let highest = positive().max_by(f64::total_cmp).unwrap_or(1.0);
        let (first, last) = (step_down(lowest), step_up(highest));
        let has_zero = values.iter().any(|&value| value <= 0.0);
        let zero = first.log10() - ((last / first).log10() * 0.12).max(0.5);
        let named = if unit == Some(Unit::Bytes) {
            powers_of_two
        } else {
            decades
        };
        let mut ticks: Vec<_> = named(first, last)
            .into_iter()
            .map(|value| (value.log10(), tick_name(value, unit)))
            .collect();
        let mut range = (first.log10(), last.log10());
        if has_zero {
            ticks.insert(0, (zero, "0".to_owned()));
            range.0 = zero;
        }
        if range.1 - range.0 < 0.3 {
            range = (range.0 - 0.15, range.1 + 0.15);
        }
        Self {
            is_logarithmic: true,
            zero,
            range,
            ticks,
        }
    }

    fn linear(values: &[f64], unit: Option<Unit>) -> Self {
        let lowest = values
            .iter()
            .copied()
            .min_by(f64::total_cmp)
            .unwrap_or(0.0)
            .min(0.0);
        let highest = values.iter().copied().max_by(f64::total_cmp).unwrap_or(1.0);
        let highest = if highest > lowest {
            highest
        } else {
            lowest + 1.0
        };
        // Between whole numbers nothing has a name.
        let are_whole = values.iter().all(|value| value.fract() == 0.0);
        let step = step_up((highest - lowest) / 6.0).max(if are_whole { 1.0 } else { 0.0 });
        let steps = (lowest / step).floor() as i64..=(highest / step).ceil() as i64;
        let marks: Vec<f64> = steps.map(|index| index as f64 * step).collect();
        let ticks = marks.iter().map(|&value| (value, tick_name(value, unit)));
        Self {
            is_logarithmic: false,
            zero: 0.0,
            range: (marks[0], marks[marks.len() - 1]),
            ticks: ticks.collect(),
        }
    }
}

/// Positions, as plotters wants them.
impl Ranged for Scale {
    type ValueType = f64;
    type FormatOption = NoDefaultFormatting;

    fn map(&self, position: &f64, (from, to): (i32, i32)) -> i32 {
        let part = (position - self.range.0) / (self.range.1 - self.range.0);
        from + (part * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(position, _)| *position).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.0..self.range.1
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, position: &f64) -> String {
        self.name(*position)
    }
}

/// Where a percentile stands: each nine as wide as the one before.
pub(crate) fn percentile(percent: f64) -> f64 {
    -(1.0 - percent / 100.0).max(1e-9).log10()
}

#[cfg(test)]
mod tests {
    use super::Scale;
    use crate::Unit;

    fn names(scale: &Scale) -> Vec<&str> {
        scale.ticks.iter().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn zero_has_a_place_on_a_logarithmic_axis() {
        let scale = Scale::of(&[0.0, 1.0, 100_000.0], true, None);
        assert_eq!(
            names(&scale),
            ["0", "1", "10", "100", "1,000", "10k", "100k"]
        );
        assert!(scale.at(0.0) < scale.at(1.0) && scale.at(0.0) >= scale.range.0);
        assert_eq!(scale.name(scale.at(10.0)), "10");
    }

    #[test]
    fn narrow_axes_have_more_names_and_wide_ones_fewer() {
        let scale = Scale::of(&[13.0, 84.0], true, Some(Unit::Ns));
        assert_eq!(names(&scale), ["10 ns", "20 ns", "50 ns", "100 ns"]);
        let scale = Scale::of(&[1.0, 1e9], true, Some(Unit::Ns));
        assert!(scale.ticks.len() <= 7, "{:?}", names(&scale));
    }

    #[test]
    fn memory_is_named_by_powers_of_two() {
        let scale = Scale::of(&[0.0, 140.0, 14e6], true, Some(Unit::Bytes));
        assert_eq!(names(&scale), ["0", "1 KiB", "32 KiB", "1 MiB"]);
        let scale = Scale::of(&[1.1e6, 9.2e6], true, Some(Unit::Bytes));
        assert_eq!(names(&scale), ["1 MiB", "2 MiB", "4 MiB", "8 MiB"]);
    }

    #[test]
    fn the_axis_along_the_bottom_begins_where_the_values_do() {
        let scale = Scale::along(&[1.0, 2.0, 4.0], false);
        assert_eq!(
            (scale.range, names(&scale)),
            ((1.0, 4.0), vec!["1", "2", "3", "4"])
        );
        let scale = Scale::along(&[3.0], false);
        assert!(scale.range.0 < scale.range.1);
    }

    #[test]
    fn a_linear_axis_begins_at_zero() {
        let scale = Scale::of(&[1.0, 4.0], false, None);
        assert_eq!(names(&scale), ["0", "1", "2", "3", "4"]);
        for odd in [&[][..], &[0.0], &[f64::NAN], &[f64::INFINITY, 2.0]] {
            for is_logarithmic in [false, true] {
                let scale = Scale::of(odd, is_logarithmic, None);
                assert!(
                    scale.range.0 < scale.range.1 && !scale.ticks.is_empty(),
                    "{odd:?}"
                );
            }
        }
    }

    #[test]
    fn percentiles_stand_by_what_they_leave_out() {
        let scale = Scale::percentiles(99.99);
        assert_eq!(names(&scale), ["0", "50", "90", "99", "99.9", "99.99"]);
    }
}
