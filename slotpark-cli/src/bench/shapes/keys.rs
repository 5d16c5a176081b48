//! Words whose keys and addresses lie a stride apart, and threads that sleep on some of them.

use crate::measure::threads::{Sight, sleep_until, start_seen};
use crate::measure::{Engine, Place, Word};

/// Bytes that a word takes, so that none shares its cache line.
const WORD_BYTES: u64 = size_of::<Word>() as u64;

/// The words of keys.
#[derive(Debug)]
pub(super) struct Words {
    words: Vec<Word>,
    /// From one to the next.
    step: usize,
    stride: u64,
}

impl Words {
    /// For `count` keys whose numbers lie `stride` apart, and whose words lie as many bytes apart,
    /// but at least one word.
    pub(super) fn new(count: usize, stride: u64) -> &'static Self {
        let step =
            usize::try_from((stride / WORD_BYTES).max(1)).expect("a file's values are checked");
        Box::leak(Box::new(Self {
            words: (0..count * step).map(|_| Word::default()).collect(),
            step,
            stride,
        }))
    }

    /// The places of these keys, as a list to walk over.
    pub(super) fn places(&self, indices: &[u32]) -> Vec<Place<'_>> {
        let places = indices.iter().map(|&index| self.place(index as usize));
        lengthened(&places.collect::<Vec<_>>())
    }

    /// The first key is 1 stride, so that no key is 0.
    #[inline]
    pub(super) fn place(&self, index: usize) -> Place<'_> {
        Place {
            key: (index as u64 + 1) * self.stride,
            word: &self.words[index * self.step],
        }
    }
}

/// So many items are walked over before the count is written.
const LIST: usize = 1024;

/// The list, again and again until it is not too short for that.
pub(super) fn lengthened<T: Copy>(list: &[T]) -> Vec<T> {
    let length = list.len() * LIST.div_ceil(list.len());
    list.iter().copied().cycle().take(length).collect()
}

/// Lets a thread wait on each of these keys; returns when all of them sleep. They are left behind.
pub(super) fn put_to_sleep<E: Engine>(
    engine: &'static E,
    words: &'static Words,
    keys: std::ops::Range<usize>,
) {
    let first = keys.start;
    let sleepers = start_seen(keys.len(), move |number| {
        loop {
            engine.wait_while(words.place(first + number), 0);
        }
    });
    // Twice, since one of them may sleep on its way into the wait.
    sleep_until(|| (0..2).all(|_| sleepers.iter().all(Sight::asleep)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_words_lie_a_stride_apart() {
        for (stride, bytes) in [(4, 64), (64, 64), (4096, 4096)] {
            let words = Words::new(3, stride);
            let [first, second] = [0, 1].map(|index| words.place(index));
            assert_eq!((first.key, second.key), (stride, 2 * stride));
            let address = |place: Place<'_>| std::ptr::from_ref(place.word).addr();
            assert_eq!(address(second) - address(first), bytes, "{stride}");
        }
    }
}
