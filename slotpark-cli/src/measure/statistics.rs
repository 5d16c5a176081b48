//! Medians, spreads and paired ratios of the rounds, and what may be concluded from them.

use super::Unit;

/// Rounds below which a ratio of times names nobody, however far apart they are.
const ENOUGH_ROUNDS: usize = 3;

/// The middle of the rounds and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) rounds: usize,
}

impl Spread {
    /// Of the given figures; `None` of nothing.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: median_of_sorted(&sorted)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
            rounds: sorted.len(),
        })
    }

    /// Of the ratios of / to, each made within one round.
    ///
    /// `None` where a round has no figure, or where `to` is 0 in any round.
    pub(crate) fn of_ratios(of: &[Option<f64>], to: &[Option<f64>]) -> Option<Self> {
        if of.len() != to.len() {
            return None;
        }
        let pairs = of.iter().zip(to);
        let ratios: Option<Vec<f64>> = pairs.map(|(&of, &to)| ratio(of?, to?)).collect();
        Self::of(ratios?)
    }

    /// Which side a ratio shows to be the lower one: nobody where its spread contains 1.
    pub(crate) fn verdict(&self, unit: Unit) -> &'static str {
        let timed = matches!(unit, Unit::Ns | Unit::Ms);
        if timed && self.rounds < ENOUGH_ROUNDS {
            return "too few rounds";
        }
        match (self.max < 1.0, self.min > 1.0, timed) {
            (true, _, true) => "faster",
            (true, _, false) => "less",
            (_, true, true) => "slower",
            (_, true, false) => "more",
            _ => "no difference shown",
        }
    }
}

fn ratio(of: f64, to: f64) -> Option<f64> {
    (to != 0.0).then(|| of / to)
}

fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len() % 2 == 1 {
        upper
    } else {
        sorted[middle - 1].midpoint(upper)
    })
}

/// The middle of figures in any order; 0 of nothing.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    median_of_sorted(figures).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratios(of: &[f64], to: &[f64]) -> Option<Spread> {
        let some = |figures: &[f64]| figures.iter().copied().map(Some).collect::<Vec<_>>();
        Spread::of_ratios(&some(of), &some(to))
    }

    #[test]
    fn median_and_spread_of_odd_even_and_nothing() {
        let odd = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!(
            (odd.median, odd.min, odd.max, odd.rounds),
            (2.0, 1.0, 3.0, 3)
        );
        let even = Spread::of([4.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((even.median, even.min, even.max), (2.5, 1.0, 4.0));
        assert_eq!(Spread::of([]), None);
        assert_eq!(median(&mut []), 0.0);
        assert_eq!(median(&mut [5.0, 1.0]), 3.0);
    }

    #[test]
    fn ratios_are_paired_within_a_round() {
        // Each round ran at its own speed; the ratio is 0.5 in all of them.
        let paired = ratios(&[1.0, 10.0, 100.0], &[2.0, 20.0, 200.0]).unwrap();
        assert_eq!((paired.median, paired.min, paired.max), (0.5, 0.5, 0.5));
        // The ratio of the medians would be 2 here.
        let crossed = ratios(&[2.0, 8.0, 2.0], &[1.0, 1.0, 4.0]).unwrap();
        assert_eq!((crossed.median, crossed.min, crossed.max), (2.0, 0.5, 8.0));
    }

    #[test]
    fn a_ratio_to_zero_or_to_nothing_is_none() {
        assert_eq!(ratios(&[1.0, 1.0], &[1.0, 0.0]), None);
        assert_eq!(ratios(&[0.0], &[0.0]), None);
        assert_eq!(ratios(&[], &[]), None);
        assert_eq!(Spread::of_ratios(&[Some(1.0)], &[None]), None);
        assert_eq!(Spread::of_ratios(&[None], &[Some(1.0)]), None);
        assert_eq!(
            Spread::of_ratios(&[Some(1.0), Some(1.0)], &[Some(1.0)]),
            None
        );
        assert_eq!(ratios(&[0.0], &[3.0]).unwrap().median, 0.0);
    }

    #[test]
    fn nobody_is_named_where_the_spread_contains_one() {
        let verdict = |of: &[f64], unit| ratios(of, &vec![1.0; of.len()]).unwrap().verdict(unit);
        assert_eq!(verdict(&[0.2, 0.5, 0.9], Unit::Ns), "faster");
        assert_eq!(verdict(&[0.2, 0.5, 1.0], Unit::Ns), "no difference shown");
        assert_eq!(verdict(&[0.2, 0.5, 1.1], Unit::Ms), "no difference shown");
        assert_eq!(verdict(&[1.0, 2.0, 3.0], Unit::Ns), "no difference shown");
        assert_eq!(verdict(&[1.1, 2.0, 3.0], Unit::Ns), "slower");
        assert_eq!(verdict(&[0.2, 0.3], Unit::Ns), "too few rounds");
        assert_eq!(verdict(&[0.0], Unit::Count), "less");
        assert_eq!(verdict(&[2.0], Unit::Bytes), "more");
    }
}
