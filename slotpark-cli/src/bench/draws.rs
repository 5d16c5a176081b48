//! The keys that threads go through, drawn from the run's seed.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Zipf};

use super::shape::Draw;

/// How many are drawn before they come again.
const DRAWN: usize = 1 << 14;

/// A generator whose numbers belong to the stream alone.
pub(crate) fn random(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// Numbers in a row as keys all over the range: a bijection, so that others stay others.
#[inline]
pub(crate) fn scattered(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The numbers of keys below `keys` that one thread goes through, again and again.
///
/// Of Zipf's keys the first is drawn most. Fresh keys have no list: whoever wants them counts.
pub(crate) fn indices(draw: Draw, keys: u32, exponent: f64, seed: u64, stream: u64) -> Vec<u32> {
    match draw {
        Draw::InTurn | Draw::Fresh => (0..keys).collect(),
        Draw::Uniform => {
            let mut random = random(seed, stream);
            (0..DRAWN).map(|_| random.random_range(0..keys)).collect()
        }
        Draw::Zipf => {
            let ranks = Zipf::new(f64::from(keys), exponent).expect("a file's values are checked");
            let drawn = ranks.sample_iter(random(seed, stream)).take(DRAWN);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole numbers from 1 to the number of keys"
            )]
            drawn.map(|rank: f64| rank as u32 - 1).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_keys_and_others_draw_others() {
        for draw in [Draw::Uniform, Draw::Zipf] {
            let drawn = |seed, stream| indices(draw, 1000, 0.99, seed, stream);
            assert_eq!(drawn(7, 0), drawn(7, 0), "{draw:?}");
            assert_ne!(drawn(7, 0), drawn(7, 1), "{draw:?}: streams differ");
            assert_ne!(drawn(7, 0), drawn(8, 0), "{draw:?}: seeds differ");
            assert!(drawn(7, 0).iter().all(|&index| index < 1000), "{draw:?}");
        }
        assert_eq!(indices(Draw::InTurn, 3, 0.99, 7, 0), [0, 1, 2]);
    }

    #[test]
    fn zipf_draws_the_first_key_most_and_uniform_none() {
        let share = |draw| {
            let drawn = indices(draw, 1000, 0.99, 7, 0);
            drawn.iter().filter(|&&index| index == 0).count() * 1000 / drawn.len()
        };
        // One in 7.4 of a thousand keys at 0.99.
        assert!((120..150).contains(&share(Draw::Zipf)));
        assert!(share(Draw::Uniform) < 5);
    }
}
