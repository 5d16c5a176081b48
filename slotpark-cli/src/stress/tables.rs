//! The tables under stress. They live as long as the process and are shared by all scenes, so that
//! the keys of each collide with those of the others.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hash::BuildHasher;

use slotpark::core::{self, Inspect, KeyedOptions, Latch, Table, finalize};
use slotpark::{FutexWait, Mailbox, Seeded, ShardedWait, SlotStats, Spin};

use super::planned::Key;

/// A `ShardedWait` of numbers, whose hash is known, so that the engine's table can be called too.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) waits: ShardedWait<Key>,
    hasher: Seeded,
    seed: u64,
}

impl Numbers {
    fn new(slots: usize, spin: Spin, seed: u64) -> Self {
        let table = Table::with_slots(slots).with_spin(spin).with_key_text();
        Self {
            waits: ShardedWait::from_table(table, Seeded::with_seed(seed)),
            hasher: Seeded::with_seed(seed),
            seed,
        }
    }

    pub(super) fn table(&self) -> &Table<Key> {
        self.waits.table()
    }

    pub(super) fn hash(&self, key: Key) -> u64 {
        finalize(self.hasher.hash_one(key))
    }

    /// With the same hashes and slots, so that the same keys are crowded.
    pub(super) fn mailbox<V>(&self) -> Mailbox<Key, V> {
        let engine = core::Mailbox::try_with_slots(self.waits.slots()).unwrap_or_default();
        Mailbox::from_engine(engine.with_key_text(), Seeded::with_seed(self.seed))
    }

    /// The same again, with nobody in it.
    pub(super) fn own_table(&self) -> Table<Key> {
        Table::with_slots(self.waits.slots())
            .with_spin(self.waits.spin())
            .with_key_text()
    }

    /// `count` keys that no other call with another `family` returns. All of them in the first
    /// slots, if they shall be crowded.
    pub(super) fn keys(&self, family: u64, count: usize, crowded: bool) -> Vec<Key> {
        /// A number of slots that a few keys fill.
        const CROWDED_SLOTS: usize = 2;
        let keys = (family << 40..).map(Key);
        keys.filter(|key| !crowded || self.waits.slot_of(key) < CROWDED_SLOTS)
            .take(count)
            .collect()
    }
}

/// Which of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Which {
    /// Numbers, whose waits spin as they learn.
    Spinning,
    /// Numbers, whose waits sleep at once.
    Sleeping,
    /// As the first two, with waits that may go away: then a wake is passed on.
    Tasks,
    SleepingTasks,
    Names,
    Futex,
    /// The table inside a mailbox, whose counters cannot be read.
    Mailbox,
    /// A table of the scene's own, which closes its books by itself.
    Own,
}

const ALL: [Which; 6] = [
    Which::Spinning,
    Which::Sleeping,
    Which::Tasks,
    Which::SleepingTasks,
    Which::Names,
    Which::Futex,
];

/// See the file.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) spinning: Numbers,
    pub(super) sleeping: Numbers,
    pub(super) tasks: Numbers,
    pub(super) sleeping_tasks: Numbers,
    pub(super) names: ShardedWait<String>,
    pub(super) futex: FutexWait,
    /// Their guards are kept from one operation to the next.
    pub(super) latches: Latch<Key>,
}

/// The waiters of one key, as the library counts them.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) table: Which,
    pub(super) key: String,
    pub(super) slot: usize,
    pub(super) waiters: usize,
}

impl Tables {
    pub(super) fn new(slots: usize, seed: u64) -> &'static Self {
        let table = Table::with_slots(slots).with_key_text();
        let names = ShardedWait::from_table(table, Seeded::with_seed(seed));
        let options = KeyedOptions::new().slots(slots);
        Box::leak(Box::new(Self {
            spinning: Numbers::new(slots, Spin::DEFAULT, seed),
            sleeping: Numbers::new(slots, Spin::Never, seed),
            tasks: Numbers::new(slots, Spin::DEFAULT, seed),
            sleeping_tasks: Numbers::new(slots, Spin::Never, seed),
            names,
            futex: FutexWait::with_slots(slots),
            latches: Latch::with_options(options)
                .unwrap_or_default()
                .with_key_text(),
        }))
    }

    pub(super) fn numbers(&self, which: Which) -> &Numbers {
        match which {
            Which::Sleeping => &self.sleeping,
            Which::Tasks => &self.tasks,
            Which::SleepingTasks => &self.sleeping_tasks,
            _ => &self.spinning,
        }
    }

    /// All of them, to be looked at; and whether their keys are numbers.
    pub(super) fn shown(&self) -> [(&dyn Inspect, bool); 7] {
        [
            (&self.spinning.waits, true),
            (&self.sleeping.waits, true),
            (&self.tasks.waits, true),
            (&self.sleeping_tasks.waits, true),
            (&self.latches, true),
            (&self.names, false),
            (&self.futex, false),
        ]
    }

    /// Read without a lock.
    fn stats(&self, which: Which) -> impl Iterator<Item = SlotStats> {
        let slots = self.futex.table().slot_count();
        (0..slots).map(move |slot| match which {
            Which::Names => self.names.slot_stats(slot),
            Which::Futex => self.futex.table().slot_stats(slot),
            Which::Mailbox | Which::Own => SlotStats::default(),
            numbers => self.numbers(numbers).waits.slot_stats(slot),
        })
    }

    /// Nobody waits: then who was queued was woken or has left, and the library's own counters say
    /// so. `sent` is what wakes have counted in all, by our books, and how often one may have been
    /// passed on: then the slots have counted it once more.
    pub(super) fn check_empty(&self, sent: impl Fn(Which) -> (u64, u64)) -> Result<(), String> {
        for which in ALL {
            let total = sum(self.stats(which));
            let is_right = balance(total);
            is_right.map_err(|what| format!("table {which:?}: {what}"))?;
            let (sent, passed_max) = sent(which);
            let passed = total.wakes.wrapping_sub(sent as u32);
            if u64::from(passed) > passed_max {
                return Err(format!(
                    "wakes of table {which:?} counted {sent} waiters, its slots {} (modulo 2^32), \
                     and at most {passed_max} wakes were passed on",
                    total.wakes
                ));
            }
        }
        Ok(())
    }

    /// The counters of the slots that queues stand in, and the sums, for a finding. Takes no lock.
    pub(super) fn show(&self, queues: &[Queue]) -> String {
        let mut text = String::new();
        for which in ALL {
            let slots: HashSet<usize> = queues
                .iter()
                .filter(|queue| queue.table == which)
                .map(|queue| queue.slot)
                .collect();
            let total = sum(self.stats(which));
            let _written = writeln!(text, "  table {which:?}: all slots: {}", shown(total));
            for (slot, stats) in self.stats(which).enumerate() {
                if slots.contains(&slot) {
                    let _written = writeln!(text, "    slot {slot}: {}", shown(stats));
                }
            }
        }
        text
    }
}

/// Nobody waits in this table, and its counters say so. How many were woken.
pub(super) fn adds_up(table: &Table<Key>) -> Result<u32, String> {
    let total = sum((0..table.slot_count()).map(|slot| table.slot_stats(slot)));
    balance(total).map(|()| total.wakes)
}

/// Who was queued was woken or has left.
fn balance(total: SlotStats) -> Result<(), String> {
    let gone = total.wakes.wrapping_add(total.timeouts);
    match total.parks == gone.wrapping_add(total.cancels) {
        true => Ok(()),
        false => Err(format!("the counters do not add up: {total:?}")),
    }
}

fn sum(stats: impl Iterator<Item = SlotStats>) -> SlotStats {
    stats.fold(SlotStats::default(), |mut sum, slot| {
        sum.parks = sum.parks.wrapping_add(slot.parks);
        sum.wakes = sum.wakes.wrapping_add(slot.wakes);
        sum.timeouts = sum.timeouts.wrapping_add(slot.timeouts);
        sum.cancels = sum.cancels.wrapping_add(slot.cancels);
        sum.requeues = sum.requeues.wrapping_add(slot.requeues);
        sum.collisions = sum.collisions.wrapping_add(slot.collisions);
        sum
    })
}

fn shown(stats: SlotStats) -> String {
    let SlotStats {
        parks,
        wakes,
        timeouts,
        cancels,
        requeues,
        collisions,
        ..
    } = stats;
    format!(
        "{parks} parks, {wakes} wakes, {timeouts} timeouts, {cancels} cancels, {requeues} \
         requeues, {collisions} collisions"
    )
}
