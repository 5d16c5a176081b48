//! Everything that can be seen of a table between two steps is as the model says.

use slotpark_core::{Candidate, Filter, Platform};

use crate::host::{self, Key};
use crate::lookout;
use crate::machine::Machine;
use crate::outcomes::Stats;
use crate::program::{ALL, BELLS, KEYS};

/// Up to here each sleeper of a slot has a bit of its own.
const BITS: usize = 32;

impl<P: Platform> Machine<'_, P> {
    pub(crate) fn check(&mut self) {
        // A choice is one moment: when the first Waker is called, it is made.
        let counts = std::array::from_fn(|key| self.expected.queues.count(key as u64));
        for look in lookout::found() {
            assert_eq!(look, counts, "seen by a Waker");
        }
        for key in 0..KEYS {
            self.check_key(key);
        }
        for index in 0..self.expected.stats.len() {
            self.check_stats(index);
        }
        self.check_sleepers();
        self.check_tasks();
        let table = &self.ground.table;
        assert_eq!(table.is_closed(), self.expected.is_closed);
        let interrupters = self.ground.interrupters.iter();
        for (found, expected) in interrupters.zip(&self.expected.interrupters) {
            assert_eq!(found.is_pending(), expected.is_pending, "{expected:?}");
        }
    }

    fn check_key(&self, key: u64) {
        let table = &self.ground.table;
        let mut queue = Vec::new();
        let look = |waiter: &Candidate| {
            queue.push(waiter.tag >> 32);
            Filter::Skip
        };
        let (hash, locks) = (self.hash(key), host::counts().0);
        let woken = table.unpark_filter(hash, &Key(key), ALL, look, 0);
        assert_eq!(
            (woken, &queue),
            (0, &self.expected.queues.waiters(key)),
            "queue {key}"
        );
        assert_eq!(table.waiters(hash, &Key(key)), queue.len());
        // A wake looks behind the lock exactly where somebody is announced.
        let looks = host::counts().0 - locks;
        let is_used = self.expected.is_used(self.expected.slot(key));
        assert_eq!(
            looks,
            if is_used { 2 } else { 0 },
            "announced in the slot of {key}"
        );
        // Where nobody can be chosen, it does not look.
        let (count, locks) = (if is_used { 0 } else { ALL }, host::counts().0);
        let all = |_: &Candidate| Filter::Unpark;
        let woken = table.unpark(hash, &Key(key), count, 0)
            + table.unpark_bitset(hash, &Key(key), count, u32::MAX, 0)
            + table.unpark_filter(hash, &Key(key), count, all, 0);
        let of_last = (!is_used).then(|| table.unpark_last(hash, &Key(key), 0));
        let woken = woken + of_last.unwrap_or(0);
        assert_eq!((woken, host::counts().0), (0, locks), "{count} of {key}");
    }

    pub(crate) fn stats(&self, index: usize) -> Stats {
        let stats = self.ground.table.slot_stats(index);
        Stats {
            parks: stats.parks,
            wakes: stats.wakes,
            timeouts: stats.timeouts,
            cancels: stats.cancels,
            requeues: stats.requeues,
            collisions: stats.collisions,
        }
    }

    fn check_stats(&self, index: usize) {
        let expected = self.expected.stats[index];
        assert_eq!(self.stats(index), expected, "slot {index}");
    }

    fn check_sleepers(&mut self) {
        let sleepers = self.expected.waits.iter().filter(|(_, state)| state.sleeps);
        self.was_crowded |= sleepers.clone().count() > BITS;
        for (wait, state) in sleepers {
            let (is_woken, is_told) = (host::is_woken(*wait), state.told.is_some());
            assert!(is_woken || !is_told, "wait {wait} sleeps on");
            assert!(
                is_told || !is_woken || self.was_crowded,
                "wait {wait} is woken for nothing"
            );
        }
    }

    /// Each Waker was called as often as it had to be, and no table keeps one that is not to be.
    fn check_tasks(&self) {
        for (number, task) in &self.guests.tasks {
            let rings = self.expected.rings.get(number).copied();
            assert_eq!(task.rings(), rings.unwrap_or_default(), "task {number}");
            let wait = self.expected.waits.get(number);
            let mut wakers = [0; BELLS];
            if let Some(bell) = wait.and_then(|wait| wait.waker) {
                wakers[bell] = 1;
            }
            assert_eq!(task.wakers(), wakers, "Wakers of task {number}");
        }
    }
}
