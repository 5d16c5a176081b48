//! Which values of an axis are named, and how.

use crate::amount::place;
use crate::{Unit, amount, short};

/// The next of 1, 2, 5, 10, ... that is not below.
pub(super) fn step_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let found = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|step| step * power >= value * 0.999_999);
    found.unwrap_or(10.0) * power
}

/// The next of 1, 2, 5, 10, ... that is not above.
pub(super) fn step_down(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let found = [5.0, 2.0]
        .into_iter()
        .find(|step| step * power <= value * 1.000_001);
    found.unwrap_or(1.0) * power
}

/// What is named between two values: every power, fewer where that is too many, more where too few.
pub(super) fn decades(first: f64, last: f64) -> Vec<f64> {
    let powers = (first.log10().floor() as i32, last.log10().ceil() as i32);
    let count = powers.1 - powers.0;
    let steps: &[f64] = if count <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = (count / 6 + 1).max(1);
    let is_inside = |value: &f64| *value >= first * 0.999_999 && *value <= last * 1.000_001;
    (powers.0..=powers.1)
        .filter(|power| (power - powers.0) % every == 0)
        .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)))
        .filter(is_inside)
        .collect()
}

/// What is named between two amounts of memory: 1 KiB, 32 KiB, 1 MiB, ...; more where that is too
/// few.
pub(super) fn powers_of_two(first: f64, last: f64) -> Vec<f64> {
    let every = |step: usize| -> Vec<f64> {
        let powers = (0..64).step_by(step).map(|power| 2_f64.powi(power));
        powers
            .filter(|value| (first..=last).contains(value))
            .collect()
    };
    let few = [5, 2].map(every).into_iter().find(|named| named.len() > 2);
    few.unwrap_or_else(|| every(1))
}

pub(super) fn tick_name(value: f64, unit: Option<Unit>) -> String {
    match unit {
        Some(Unit::Bytes) if (1024.0..10_240.0).contains(&value) && value % 1024.0 == 0.0 => {
            format!("{} KiB", short(value / 1024.0))
        }
        Some(unit) => amount(value, unit),
        None if value >= 1e6 && value % 1e5 == 0.0 => format!("{}M", short(value / 1e6)),
        None if value >= 1e4 => format!("{}k", short(value / 1e3)),
        None if value >= 1000.0 => place(value.round()),
        None => short(value),
    }
}

#[cfg(test)]
mod tests {
    use super::{step_down, step_up};

    #[test]
    fn steps_enclose_a_value() {
        assert_eq!((step_down(3.0), step_up(3.0)), (2.0, 5.0));
        assert_eq!((step_down(0.7), step_up(0.7)), (0.5, 1.0));
        assert_eq!((step_down(10.0), step_up(10.0)), (10.0, 10.0));
    }
}
