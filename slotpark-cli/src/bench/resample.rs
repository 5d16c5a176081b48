//! How sure a ratio is: the percentile bootstrap of paired ratios.
//!
//! Each round gives one ratio of two engines that ran within the same second. Drawing as many of
//! them as there are, with repetition, and taking their median, again and again, shows how far the
//! median would move in another run. The interval holds 95 of 100 of those medians.

use rand::Rng as _;
use slotpark_report::{Interval, Metric, Verdict};

use super::draws;
use crate::measure::statistics::median;

const DRAWS: usize = 2000;
/// Of fewer rounds no interval of the median holds 95 of 100: all of five are on one side of it
/// once in 16 runs.
const ENOUGH_ROUNDS: usize = 6;

/// The median of the ratios and its interval, the same for the same seed; `None` of nothing.
pub(crate) fn interval(ratios: &[f64], seed: u64) -> Option<Interval> {
    if ratios.is_empty() {
        return None;
    }
    let mut random = draws::random(seed, u64::MAX);
    let mut medians: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let draw = |_| ratios[random.random_range(0..ratios.len())];
            median(&mut (0..ratios.len()).map(draw).collect::<Vec<_>>())
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    let tail = DRAWS / 40;
    Some(Interval {
        median: median(&mut ratios.to_vec()),
        lo: medians[tail],
        hi: medians[DRAWS - 1 - tail],
    })
}

/// What may be concluded from so many rounds: nobody wins where the interval contains 1.
pub(crate) fn verdict(metric: Metric, rounds: usize, ratio: Option<&Interval>) -> Verdict {
    // What an allocator has given out is the same in every round.
    let counted = metric == Metric::LiveBytes && rounds > 0;
    let Some(ratio) = ratio.filter(|_| counted || rounds >= ENOUGH_ROUNDS) else {
        return Verdict::TooFewRounds;
    };
    let (less, more) = (ratio.hi < 1.0, ratio.lo > 1.0);
    match (less, more, metric.less_is_better()) {
        (true, _, true) | (_, true, false) => Verdict::Better,
        (_, true, true) | (true, _, false) => Verdict::Worse,
        _ => Verdict::NoDifferenceShown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_comes_again_from_its_seed_and_holds_the_median() {
        let ratios = [0.8, 0.9, 1.0, 1.1, 0.7, 0.95, 1.3, 0.85, 0.9, 1.05, 0.75];
        let found = interval(&ratios, 7).unwrap();
        assert_eq!(interval(&ratios, 7), Some(found));
        assert_eq!(found.median, 0.9);
        assert!(found.lo <= 0.9 && 0.9 <= found.hi, "{found:?}");
        assert!(found.lo >= 0.7 && found.hi <= 1.3, "{found:?}");
    }

    #[test]
    fn it_is_that_of_the_order_statistics_of_a_median() {
        // Of 11 values in order, the bootstrap's median is at most the third with probability
        // P(Binomial(11, 3/11) >= 6) = 0.038, the second 0.006: 2.5 % lies at the third.
        let ratios: Vec<f64> = (1..=11).map(f64::from).collect();
        let found = interval(&ratios, 7).unwrap();
        assert_eq!((found.median, found.lo, found.hi), (6.0, 3.0, 9.0));
    }

    #[test]
    fn without_spread_it_is_a_point_and_of_nothing_there_is_none() {
        let found = interval(&[0.5; 8], 7).unwrap();
        assert_eq!((found.lo, found.median, found.hi), (0.5, 0.5, 0.5));
        assert_eq!(interval(&[], 7), None);
    }

    #[test]
    fn nobody_wins_where_the_interval_contains_one_or_rounds_are_few() {
        let of = |lo, hi| Interval {
            median: f64::midpoint(lo, hi),
            lo,
            hi,
        };
        let time = |rounds, lo, hi| verdict(Metric::Time, rounds, Some(&of(lo, hi)));
        assert_eq!(time(11, 0.5, 0.9), Verdict::Better);
        assert_eq!(time(11, 0.5, 1.0), Verdict::NoDifferenceShown);
        assert_eq!(time(11, 1.0, 1.4), Verdict::NoDifferenceShown);
        assert_eq!(time(11, 1.1, 1.4), Verdict::Worse);
        assert_eq!(time(5, 0.5, 0.6), Verdict::TooFewRounds);
        assert_eq!(verdict(Metric::Time, 11, None), Verdict::TooFewRounds);
        let share = verdict(Metric::LeastShare, 11, Some(&of(1.1, 1.4)));
        assert_eq!(share, Verdict::Better);
        let bytes = verdict(Metric::LiveBytes, 1, Some(&of(0.1, 0.1)));
        assert_eq!(bytes, Verdict::Better);
    }
}
