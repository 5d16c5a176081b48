//! Figures as people read them.

use crate::{Interval, Loop, Report, Unit};

/// A figure with its unit, as short as it can be read; three digits count.
///
/// # Examples
///
/// ```
/// use slotpark_report::{amount, Unit};
///
/// assert_eq!(amount(25_432.0, Unit::Ns), "25.4 us");
/// assert_eq!(amount(0.25, Unit::Count), "0.25");
/// assert_eq!(amount(104_857_600.0, Unit::Bytes), "100 MiB");
/// ```
#[must_use]
pub fn amount(value: f64, unit: Unit) -> String {
    const MIB: f64 = 1_048_576.0;
    match unit {
        Unit::Count => short(value),
        Unit::Bytes if value >= 1024.0 * MIB => format!("{} GiB", short(value / 1024.0 / MIB)),
        Unit::Bytes if value >= MIB => format!("{} MiB", short(value / MIB)),
        Unit::Bytes if value >= 10_240.0 => format!("{} KiB", short(value / 1024.0)),
        Unit::Bytes => format!("{} B", short(value)),
        Unit::Ns if value >= 1e9 => format!("{} s", short(value / 1e9)),
        Unit::Ns if value >= 1e6 => format!("{} ms", short(value / 1e6)),
        Unit::Ns if value >= 1e3 => format!("{} us", short(value / 1e3)),
        Unit::Ns => format!("{} ns", short(value)),
    }
}

/// A number, as short as it can be read: three digits count, and zeros at the end do not.
///
/// # Examples
///
/// ```
/// use slotpark_report::short;
///
/// assert_eq!(short(0.450), "0.45");
/// assert_eq!(short(1234.6), "1235");
/// assert_eq!(short(0.000_042_1), "4.2e-5");
/// ```
#[must_use]
pub fn short(value: f64) -> String {
    if value > 0.0 && value < 0.001 {
        return format!("{value:.1e}");
    }
    let digits = match value {
        _ if value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ if value >= 1.0 => 2,
        _ if value >= 0.1 => 3,
        _ if value >= 0.01 => 4,
        _ => 5,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A place on an axis: a whole number, in groups of three digits.
pub(crate) fn place(at: f64) -> String {
    if at.fract() != 0.0 || at.abs() >= 1e15 {
        return short(at);
    }
    let digits = format!("{:.0}", at.abs());
    let mut text = if at < 0.0 {
        "-".to_owned()
    } else {
        String::new()
    };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The middle, and from where to where it reaches.
pub(crate) fn spread(figure: &Interval, unit: Unit) -> String {
    let [middle, lo, hi] = [figure.median, figure.lo, figure.hi].map(|value| amount(value, unit));
    if figure.lo == figure.hi {
        return middle;
    }
    let name = |text: &str| text.split_once(' ').map(|(_, name)| name.to_owned());
    let number = |text: &str| text.split_once(' ').map(|(number, _)| number.to_owned());
    if name(&lo) == name(&middle) && name(&hi) == name(&middle) {
        let ends = [lo, hi].map(|end| number(&end).unwrap_or(end));
        return format!("{middle} ({} .. {})", ends[0], ends[1]);
    }
    format!("{middle} ({lo} .. {hi})")
}

/// A ratio and its confidence interval.
pub(crate) fn ratio(ratio: &Interval) -> String {
    spread(ratio, Unit::Count)
}

/// When the run began, in UTC.
pub(crate) fn date(report: &Report) -> String {
    let seconds = i64::try_from(report.machine.unix_time).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| "at no known time".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

/// What sets the pace, in words.
pub(crate) fn pace(pace: Loop) -> String {
    match pace {
        Loop::Closed => "closed loop".to_owned(),
        Loop::Open {
            operations_per_second,
        } => format!("open loop, {} a second", place(operations_per_second)),
    }
}

#[cfg(test)]
mod tests {
    use super::{amount, place, short, spread};
    use crate::{Interval, Unit};

    #[test]
    fn amounts_are_short_and_have_a_unit() {
        assert_eq!(amount(2.0, Unit::Ns), "2 ns");
        assert_eq!(amount(1.2345, Unit::Ns), "1.23 ns");
        assert_eq!(amount(5e9, Unit::Ns), "5 s");
        assert_eq!(amount(8192.0, Unit::Bytes), "8192 B");
        assert_eq!(amount(32768.0, Unit::Bytes), "32 KiB");
        assert_eq!(amount(3.0e9, Unit::Bytes), "2.79 GiB");
        assert_eq!(amount(0.0, Unit::Count), "0");
        assert_eq!(short(100.0), "100");
        assert_eq!(short(0.0421), "0.0421");
        assert_eq!(short(0.007_71), "0.00771");
        assert_eq!(short(0.125_4), "0.125");
    }

    #[test]
    fn places_have_groups_of_digits() {
        assert_eq!(place(0.0), "0");
        assert_eq!(place(999.0), "999");
        assert_eq!(place(1000.0), "1,000");
        assert_eq!(place(-1_234_567.0), "-1,234,567");
        assert_eq!(place(0.5), "0.5");
    }

    #[test]
    fn a_spread_of_nothing_is_left_out_and_a_unit_said_once() {
        let figure = |median, lo, hi| spread(&Interval { median, lo, hi }, Unit::Ns);
        assert_eq!(figure(2.0, 2.0, 2.0), "2 ns");
        assert_eq!(figure(2.0, 1.0, 1500.0), "2 ns (1 ns .. 1.5 us)");
        assert_eq!(figure(2.0, 1.0, 3.5), "2 ns (1 .. 3.5)");
    }
}
