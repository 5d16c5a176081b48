//! How keys are spread over slots: as many share one as chance would have it, or more.
//!
//! Of `n` keys thrown into `m` slots at random, `m * (1 - (1 - 1/m)^n)` slots are expected to have
//! one at least; the other keys have met one that was there: `n - m * (1 - (1 - 1/m)^n)`
//! collisions. The number of empty slots has the variance
//! `m (m - 1) (1 - 2/m)^n + m (1 - 1/m)^n - m^2 (1 - 1/m)^(2n)`, and that of collisions the same.
//! With that, the probability that a good hash does as badly as what is seen, or worse, is that of
//! the normal distribution. Where there are 5 keys and more for each slot, hardly one is empty
//! whatever the hash; there the counts of all slots are compared by chi-squared instead.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

use crate::Table;

/// Fewer keys tell nothing.
const KEYS_MIN: usize = 16;

/// From so many keys per slot on, chi-squared is used.
const DENSE: f64 = 5.0;

/// Less probable than this is no chance.
const CHANCE_MIN: f64 = 0.001;

/// How many keys meet another one in their slot, of so many at random: each key that is not the
/// first of its slot counts.
///
/// ```
/// use slotpark_inspect::expected_collisions;
/// assert_eq!(expected_collisions(512, 1), 0.0);
/// assert!((expected_collisions(512, 512) - 188.0).abs() < 1.0);
/// assert_eq!(expected_collisions(0, 7), 7.0);
/// ```
#[must_use]
pub fn expected_collisions(slots: usize, keys: usize) -> f64 {
    float(keys) - float(slots) * (1.0 - empty(slots, keys, 1.0))
}

/// The probability that each of `some` slots gets none of the keys.
fn empty(slots: usize, keys: usize, some: f64) -> f64 {
    if float(slots) <= some {
        return if keys == 0 { 1.0 } else { 0.0 };
    }
    (float(keys) * (-some / float(slots)).ln_1p()).exp()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "numbers of keys and slots are far below 2^52"
)]
fn float(count: usize) -> f64 {
    count as f64
}

/// Whether a hash spreads the keys of a table as it should.
///
/// ```
/// use slotpark_inspect::{Snapshot, Verdict};
/// let table = slotpark_core::Table::<u64>::new();
/// let snapshot = Snapshot::of(&[("mine", &table)]);
/// let spreading = snapshot.tables[0].spreading();
/// assert_eq!((spreading.keys, spreading.verdict), (0, Verdict::TooFewKeys));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Spreading {
    /// Slots of the table.
    pub slots: usize,
    /// Keys that are in them now.
    pub keys: usize,
    /// Keys that are not the first of their slot.
    pub collisions: usize,
    /// How many of those chance would make.
    pub expected: f64,
    /// By how much that goes up and down: its standard deviation.
    pub deviation: f64,
    /// How probable it is that a good hash does as badly, or worse.
    pub chance: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// What is to be said of a hash.
///
/// ```
/// assert_eq!(slotpark_inspect::Verdict::AsExpected.to_string(), "as good as chance");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// There are fewer than 16 keys.
    TooFewKeys,
    /// A good hash does the same.
    AsExpected,
    /// Of a thousand good hashes not one does so badly.
    Worse,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooFewKeys => "too few keys to tell",
            Self::AsExpected => "as good as chance",
            Self::Worse => "worse than chance: the hash is bad, or somebody chooses the keys",
        })
    }
}

impl Table {
    /// Measured against expected collisions of the keys that are in the table now, and a verdict on
    /// the hash.
    ///
    /// ```
    /// use slotpark_inspect::{Slot, Table, Verdict};
    /// let crowded = Slot { keys: 100, ..Slot::default() };
    /// let table = Table { slot_count: 512, slots: vec![crowded], ..Table::default() };
    /// assert_eq!(table.spreading().verdict, Verdict::Worse);
    /// ```
    #[must_use]
    pub fn spreading(&self) -> Spreading {
        let slots = self.slot_count;
        let sum = |of: fn(usize) -> usize| {
            let counts = self.slots.iter().map(|slot| of(slot.keys));
            counts.fold(0, usize::saturating_add)
        };
        let (keys, collisions) = (sum(|keys| keys), sum(|keys| keys.saturating_sub(1)));
        let expected = expected_collisions(slots, keys);
        let deviation = deviation(slots, keys);
        let chance = if float(keys) >= DENSE * float(slots) {
            self.chance_dense(keys)
        } else {
            chance(float(collisions), expected, deviation)
        };
        let verdict = match chance {
            _ if keys < KEYS_MIN || slots < 2 => Verdict::TooFewKeys,
            chance if chance < CHANCE_MIN => Verdict::Worse,
            _ => Verdict::AsExpected,
        };
        Spreading {
            slots,
            keys,
            collisions,
            expected,
            deviation,
            chance,
            verdict,
        }
    }

    /// The probability of these counts by chi-squared: slots that are not listed have none.
    fn chance_dense(&self, keys: usize) -> f64 {
        let mean = float(keys) / float(self.slot_count);
        let square = |count: usize| (float(count) - mean).powi(2) / mean;
        let listed = self.slots.iter().map(|slot| square(slot.keys));
        let others = self.slot_count.saturating_sub(self.slots.len());
        let sum = listed.sum::<f64>() + float(others) * square(0);
        let freedom = float(self.slot_count.saturating_sub(1));
        ChiSquared::new(freedom).map_or(1.0, |distribution| distribution.sf(sum))
    }
}

fn deviation(slots: usize, keys: usize) -> f64 {
    let count = float(slots);
    let (one, two) = (empty(slots, keys, 1.0), empty(slots, keys, 2.0));
    let variance = count * (count - 1.0) * two + count * one - (count * one).powi(2);
    variance.max(0.0).sqrt()
}

/// The probability of so many collisions or more. Half of one is taken off, since they are whole.
fn chance(collisions: f64, expected: f64, deviation: f64) -> f64 {
    match Normal::new(expected, deviation) {
        Ok(distribution) if deviation > 0.0 => distribution.sf(collisions - 0.5),
        _ if collisions > expected + 0.5 => 0.0,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Slot;

    /// A sequence that is random enough, and the same at each run.
    fn random(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn table(slot_count: usize, slots: impl Iterator<Item = usize>) -> Table {
        let mut keys = vec![0; slot_count];
        slots.for_each(|slot| keys[slot] += 1);
        let slots = keys.iter().enumerate().filter(|(_, keys)| **keys > 0);
        let slots = slots.map(|(index, keys)| Slot {
            index,
            keys: *keys,
            ..Slot::default()
        });
        Table {
            slot_count,
            slots: slots.collect(),
            ..Table::default()
        }
    }

    #[test]
    fn expected_collisions_are_those_of_many_throws() {
        let mut state = 7;
        for (slots, keys) in [(512, 100), (512, 512), (64, 200)] {
            let throws = (0..400).map(|_| {
                let spots = (0..keys).map(|_| random(&mut state) as usize % slots);
                table(slots, spots).spreading().collisions
            });
            let throws = throws.map(float).collect::<Vec<_>>();
            let mean = throws.iter().sum::<f64>() / 400.0;
            let squares = throws.iter().map(|throw| (throw - mean).powi(2));
            let spread = (squares.sum::<f64>() / 399.0).sqrt();
            let expected = expected_collisions(slots, keys);
            assert!(
                (mean - expected).abs() < expected * 0.03,
                "{mean} for {expected}"
            );
            let deviation = deviation(slots, keys);
            assert!(
                (spread - deviation).abs() < deviation * 0.15,
                "{spread} for {deviation}"
            );
        }
    }

    #[test]
    fn a_good_hash_is_called_good() {
        let mut state = 1;
        for keys in [16, 100, 512, 2_000, 3_000, 20_000] {
            let spots = (0..keys).map(|_| random(&mut state) as usize % 512);
            let found = table(512, spots).spreading();
            assert_eq!(found.verdict, Verdict::AsExpected, "{found:?}");
        }
    }

    #[test]
    fn a_bad_hash_is_called_bad() {
        for (keys, stride) in [(64, 64), (512, 4), (20_000, 2)] {
            let found = table(512, (0..keys).map(|key| key * stride % 512)).spreading();
            assert_eq!(found.verdict, Verdict::Worse, "{found:?}");
        }
    }

    #[test]
    fn better_than_chance_is_not_worse() {
        let found = table(512, 0..512).spreading();
        assert_eq!((found.collisions, found.verdict), (0, Verdict::AsExpected));
    }

    #[test]
    fn one_slot_and_few_keys_tell_nothing() {
        let verdict = |slots, keys| table(slots, (0..keys).map(|_| 0)).spreading().verdict;
        assert_eq!(verdict(1, 100), Verdict::TooFewKeys);
        assert_eq!(verdict(512, 15), Verdict::TooFewKeys);
        assert_eq!(verdict(2, 16), Verdict::Worse);
    }
}
