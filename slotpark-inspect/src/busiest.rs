//! The busiest keys of a table, in fixed memory: space-saving with a filter (Homem and Carvalho,
//! 2010). Of keys that are not counted one by one, as many as share a cell of the filter are
//! counted together; a key that may have come more often than the rarest of the others displaces
//! it. So no count is too small, and none of a key that was always there is too large.
//!
//! Counting must not allocate, since who waited may be an allocator; and keys are hashes already.
//! The crates for this keep maps, which grow now and then when what they hold comes and goes.

/// Keys that are counted one by one.
pub(crate) const KEYS: usize = 64;

/// Cells of the filter: six for each of those, as the authors advise.
const CELLS: usize = 6 * KEYS;

/// What is known of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Busy {
    pub(crate) hash: u64,
    /// How often it was waited for, at most.
    pub(crate) waits: u64,
    /// How long together, at least, where that is recorded.
    pub(crate) waited_ns: Option<u64>,
}

/// See the file.
#[derive(Clone, Debug)]
pub(crate) struct Busiest {
    keys: [Busy; KEYS],
    used: usize,
    cells: [u64; CELLS],
}

impl Busiest {
    pub(crate) const fn new() -> Self {
        const NOBODY: Busy = Busy {
            hash: 0,
            waits: 0,
            waited_ns: None,
        };
        Self {
            keys: [NOBODY; KEYS],
            used: 0,
            cells: [0; CELLS],
        }
    }

    fn known(&mut self, hash: u64) -> Option<&mut Busy> {
        let mut keys = self.keys[..self.used].iter_mut();
        keys.find(|known| known.hash == hash)
    }

    /// A wait for this key is over.
    pub(crate) fn add(&mut self, hash: u64, waited_ns: Option<u64>) {
        match self.known(hash) {
            Some(known) => {
                known.waits = known.waits.saturating_add(1);
                known.waited_ns = sum(known.waited_ns, waited_ns);
            }
            None => self.put(Busy {
                hash,
                waits: self.cells[cell(hash)].saturating_add(1),
                waited_ns,
            }),
        }
    }

    /// One that is not known comes in, if it may have come more often than the rarest.
    fn put(&mut self, busy: Busy) {
        let keys = &mut self.keys[..self.used];
        let rarest = keys.iter_mut().min_by_key(|known| known.waits);
        let gone = match rarest {
            Some(rarest) if self.used == KEYS => {
                if busy.waits < rarest.waits {
                    busy
                } else {
                    core::mem::replace(rarest, busy)
                }
            }
            _ => {
                self.keys[self.used] = busy;
                self.used += 1;
                return;
            }
        };
        let cell = &mut self.cells[cell(gone.hash)];
        *cell = gone.waits.max(*cell);
    }

    /// What another part of the threads has waited for, too.
    pub(crate) fn merge(&mut self, other: &Self) {
        let before = self.cells;
        for (cell, more) in self.cells.iter_mut().zip(&other.cells) {
            *cell = cell.saturating_add(*more);
        }
        let others = &other.keys[..other.used];
        for known in &mut self.keys[..self.used] {
            let same = others.iter().find(|busy| busy.hash == known.hash);
            let more = same.map_or(other.cells[cell(known.hash)], |busy| busy.waits);
            known.waits = known.waits.saturating_add(more);
            known.waited_ns = sum(known.waited_ns, same.and_then(|busy| busy.waited_ns));
        }
        let own = self.clone();
        let own = &own.keys[..own.used];
        for busy in others {
            if own.iter().all(|known| known.hash != busy.hash) {
                let waits = busy.waits.saturating_add(before[cell(busy.hash)]);
                self.put(Busy { waits, ..*busy });
            }
        }
    }

    /// The busiest first.
    pub(crate) fn sorted(mut self) -> impl Iterator<Item = Busy> {
        self.keys[..self.used].sort_by_key(|busy| (core::cmp::Reverse(busy.waits), busy.hash));
        self.keys.into_iter().take(self.used)
    }
}

/// The cell of a key, by bits that choose no slot.
#[allow(clippy::cast_possible_truncation, reason = "less than CELLS")]
fn cell(hash: u64) -> usize {
    (hash.rotate_left(32) % CELLS as u64) as usize
}

fn sum(one: Option<u64>, more: Option<u64>) -> Option<u64> {
    match (one, more) {
        (Some(one), Some(more)) => Some(one.saturating_add(more)),
        (one, more) => one.or(more),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash for each number.
    fn hash(number: u64) -> u64 {
        slotpark_core::finalize(number)
    }

    #[test]
    fn few_keys_are_counted_exactly() {
        let mut parts = [Busiest::new(), Busiest::new()];
        for (turn, number) in (0..3_000_u64).map(|turn| (turn, turn % 30)) {
            let part = &mut parts[usize::from(turn % 2 == 1)];
            part.add(hash(number), (number > 0).then_some(7));
        }
        let [mut all, other] = parts;
        all.merge(&other);
        let found: Vec<_> = all.sorted().collect();
        assert_eq!(found.len(), 30);
        for busy in found {
            let waited_ns = (busy.hash != hash(0)).then_some(700);
            assert_eq!((busy.waits, busy.waited_ns), (100, waited_ns));
        }
    }

    #[test]
    fn the_busiest_are_found_among_many_that_come_once() {
        let mut parts = [Busiest::new(), Busiest::new()];
        let mut rare = 1_000..;
        for turn in 0..2_000_u64 {
            let part = &mut parts[usize::from(turn % 2 == 1)];
            for often in 1..=8 {
                if turn % often == 0 {
                    part.add(hash(often), None);
                }
            }
            for number in rare.by_ref().take(4) {
                part.add(hash(number), None);
            }
        }
        let [mut all, other] = parts;
        all.merge(&other);
        let found: Vec<_> = all.sorted().collect();
        assert_eq!(found.len(), KEYS);
        for (place, busy) in found.iter().take(8).enumerate() {
            let often = place as u64 + 1;
            assert_eq!(busy.hash, hash(often), "{found:?}");
            // No count is too small; 8,000 others in 384 cells make it too large by few.
            let least = 2_000_u64.div_ceil(often);
            assert!((least..least + 100).contains(&busy.waits), "{busy:?}");
        }
    }
}
