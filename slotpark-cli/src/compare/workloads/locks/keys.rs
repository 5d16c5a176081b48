//! The keys of locks, and one thread that goes through them.

use std::time::Instant;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Zipf};

use crate::measure::statistics::median;
use crate::measure::{Sample, Scale, allocator};

/// Every process draws its keys from this seed, so that all engines see the same ones.
pub(crate) const SEED: u64 = 0x51_07;
/// The calls between two looks at the clock.
const BATCH: usize = 1024;
/// The calls whose allocations are counted.
const COUNTED: usize = 4096;

/// A generator whose numbers belong to the stream alone.
fn random(stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    random.set_stream(stream);
    random
}

/// Keys from the whole range, of which none comes twice (or hardly ever).
pub(super) fn fresh(count: usize) -> Vec<u64> {
    random(0).random_iter().take(count).collect()
}

/// Keys of which the first few are drawn most, as Zipf says; each stream draws its own.
pub(super) fn zipf(count: usize, keys: u32, exponent: f64, stream: u64) -> Vec<u64> {
    let ranks = Zipf::new(f64::from(keys), exponent).expect("there are keys, and it falls");
    let drawn = ranks.sample_iter(random(stream)).take(count);
    drawn.map(|rank: f64| scattered(rank.to_bits())).collect()
}

/// Numbers in a row as keys all over the range: a bijection, so that others stay others.
pub(super) fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The nanoseconds of one call on a fresh key, the middle of the batches, and the allocations of
/// one.
pub(super) fn measure(scale: &Scale, mut call: impl FnMut(u64)) -> Sample {
    let keys = fresh(scale.pick(1 << 17, 1 << 21));
    let (counted, timed) = keys.split_at(COUNTED);
    let (warm_up, timed) = timed.split_at(timed.len() / 8);
    let mut batch = |keys: &[u64]| {
        let start = Instant::now();
        for &key in keys {
            call(key);
        }
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let calls = keys.len() as f64;
        start.elapsed().as_secs_f64() * 1e9 / calls
    };
    let start = Instant::now();
    let warm_up = warm_up.chunks(BATCH);
    warm_up
        .take_while(|_| start.elapsed() < scale.warm_up / 4)
        .for_each(|keys| {
            batch(keys);
        });
    let start = Instant::now();
    let timed = timed.chunks_exact(BATCH);
    let mut times: Vec<f64> = timed
        .take_while(|_| start.elapsed() < scale.window)
        .map(&mut batch)
        .collect();
    allocator::start_counting();
    batch(counted);
    let allocations = allocator::counted().allocations;
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    Sample::new([median(&mut times), allocations as f64 / COUNTED as f64])
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn fresh_keys_differ_and_are_the_same_in_every_process() {
        let keys = fresh(1 << 16);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        assert_eq!(keys[..100], fresh(100));
    }

    #[test]
    fn a_few_keys_of_zipf_are_drawn_most_and_streams_differ() {
        let drawn = zipf(100_000, 1_000_000, 0.99, 0);
        assert_ne!(drawn[..100], zipf(100, 1_000_000, 0.99, 1));
        let mut counts: HashMap<u64, u32> = HashMap::new();
        for key in drawn {
            *counts.entry(key).or_default() += 1;
        }
        let first = counts[&scattered(1.0_f64.to_bits())];
        assert_eq!(counts.values().max(), Some(&first));
        // One in 15.4 of a million keys at 0.99.
        assert!((6_000..7_000).contains(&first), "{first}");
        assert!(counts.len() > 10_000, "and there are many others");
    }

    #[test]
    fn calls_are_timed_and_their_allocations_counted() {
        let mut calls = 0_u64;
        let sample = measure(&Scale::QUICK, |key| {
            calls += 1;
            // Much more than drawing a key, whose time is taken off.
            for _ in 0..64 {
                drop(std::hint::black_box(Box::new(key)));
            }
        });
        assert!(calls > COUNTED as u64);
        // Other tests may allocate at the same time.
        assert!(sample.values[1] >= Some(64.0), "{sample:?}");
        assert!(sample.values[0] > Some(0.0), "{sample:?}");
    }
}
