//! What is recorded of waits that are over: how long they took, and on which keys most were.
//!
//! The engine tells the thread's own; here that costs a lock that is shared by a quarter of the
//! threads, and no allocation: each registered table has its record before anybody is told of it.
//!
//! **Invariants**
//! - K1: a record is made and dropped with nobody's wait, and only for tables that are registered.
//!
//! **Lock order**: the list of records, then one part of one record. Neither is held while a table
//! is looked at.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use hdrhistogram::Histogram;
use slotpark_core::{Held, Locking, Sink, Waited};

use crate::busiest::Busiest;
use crate::{Key, Spread, TopKey, order, stacks};

/// Tables that are recorded at most; of others no histograms are kept.
const TABLES_MAX: usize = 64;

/// Parts of a record, each for some of the threads.
const PARTS: usize = 4;

/// Longer times count as this: an hour.
const NS_MAX: u64 = 3_600_000_000_000;

/// Digits of a time that count.
const DIGITS: u8 = 2;

static RECORDS: RwLock<Vec<(u64, Arc<Record>)>> = RwLock::new(Vec::new());

type Record = [Mutex<Part>; PARTS];

struct Part {
    wait: Timed,
    wake_to_run: Timed,
    hold: Timed,
    keys: Busiest,
}

#[derive(Clone)]
struct Timed {
    times: Histogram<u64>,
    sum_ns: u64,
}

impl Timed {
    fn new() -> Self {
        let times = Histogram::new_with_bounds(1, NS_MAX, DIGITS);
        Self {
            times: times.expect("the bounds are good"),
            sum_ns: 0,
        }
    }

    fn add(&mut self, ns: u64) {
        self.times.saturating_record(ns.min(NS_MAX));
        self.sum_ns = self.sum_ns.saturating_add(ns);
    }

    fn merge(&mut self, other: &Self) {
        let merged = self.times.add(&other.times);
        merged.expect("both have the same bounds");
        self.sum_ns = self.sum_ns.saturating_add(other.sum_ns);
    }
}

impl Part {
    fn new() -> Self {
        Self {
            wait: Timed::new(),
            wake_to_run: Timed::new(),
            hold: Timed::new(),
            keys: Busiest::new(),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.wait.merge(&other.wait);
        self.wake_to_run.merge(&other.wake_to_run);
        self.hold.merge(&other.hold);
        self.keys.merge(&other.keys);
    }
}

/// Whom the engine tells.
pub(crate) struct Recorder;

pub(crate) static RECORDER: Recorder = Recorder;

thread_local! {
    /// Which part is this thread's, and whether it is in it now.
    static PART: Cell<(usize, bool)> = const { Cell::new((usize::MAX, false)) };
}

impl Sink for Recorder {
    fn waited(&self, waited: &Waited) {
        tell(waited.table, |part| {
            part.keys.add(waited.hash, waited.waited_ns);
            if let Some(ns) = waited.waited_ns {
                part.wait.add(ns);
            }
            if let Some(ns) = waited.wake_to_run_ns {
                part.wake_to_run.add(ns);
            }
        });
    }

    fn held(&self, held: &Held) {
        tell(held.table, |part| part.hold.add(held.held_ns));
        order::gave_up(held);
    }

    fn asks(&self, lock: &Locking) {
        order::asks(lock);
    }

    fn holds(&self, lock: &Locking) {
        order::holds(lock);
    }

    fn stack(&self) -> Option<NonZeroU64> {
        stacks::take()
    }
}

/// Adds to this thread's part of a table's record. Nothing, if this is told of itself, as it is
/// where an allocator waits in a table; or where the thread's variables have gone.
fn tell(table: u64, add: impl FnOnce(&mut Part)) {
    let _ = PART.try_with(|own| {
        let (part, is_inside) = own.get();
        if is_inside {
            return;
        }
        let part = if part == usize::MAX {
            next_part()
        } else {
            part
        };
        own.set((part, true));
        let records = RECORDS.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, record)) = records.iter().find(|(id, _)| *id == table) {
            add(&mut lock(&record[part]));
        }
        drop(records);
        own.set((part, false));
    });
}

fn next_part() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // ORDERING: relaxed: a counter that spreads threads; nothing is published by it.
    NEXT.fetch_add(1, Ordering::Relaxed) % PARTS
}

/// What a panic left is whole enough for counts.
fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes records for these tables, and drops those of others.
pub(crate) fn keep(tables: &[u64]) {
    let mut records = RECORDS.write().unwrap_or_else(PoisonError::into_inner);
    records.retain(|(id, _)| tables.contains(id));
    for table in tables.iter().filter(|id| **id != 0) {
        if records.len() < TABLES_MAX && records.iter().all(|(id, _)| id != table) {
            let parts = std::array::from_fn(|_| Mutex::new(Part::new()));
            records.push((*table, Arc::new(parts)));
        }
    }
}

/// What is recorded of a table: histograms that have something in them, and its busiest keys.
pub(crate) fn of(table: u64) -> (Vec<Spread>, Vec<TopKey>) {
    let found = {
        let records = RECORDS.read().unwrap_or_else(PoisonError::into_inner);
        let record = records.iter().find(|(id, _)| *id == table);
        record.map(|(_, record)| Arc::clone(record))
    };
    let Some(record) = found else {
        return Default::default();
    };
    let mut all = Part::new();
    for part in record.iter() {
        all.merge(&lock(part));
    }
    let timed = [
        ("wait", &all.wait),
        ("wake_to_run", &all.wake_to_run),
        ("hold", &all.hold),
    ];
    let timed = timed
        .into_iter()
        .filter(|(_, timed)| !timed.times.is_empty());
    let spreads = timed.map(|(of, timed)| spread(of, timed)).collect();
    (spreads, top_keys(all))
}

fn spread(of: &str, timed: &Timed) -> Spread {
    let times = &timed.times;
    let percentiles = [
        0.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0,
    ];
    let percentiles = percentiles.map(|at| (at, times.value_at_percentile(at)));
    let buckets = times.iter_log(1024, 2.0);
    let buckets = buckets.map(|step| (step.value_iterated_to(), step.count_since_last_iteration()));
    Spread {
        of: of.to_owned(),
        count: times.len(),
        sum_ns: timed.sum_ns,
        percentiles: percentiles.into(),
        buckets: buckets.filter(|(_, count)| *count > 0).collect(),
    }
}

fn top_keys(all: Part) -> Vec<TopKey> {
    let top = all.keys.sorted().map(|busy| TopKey {
        key: Key {
            hash: busy.hash,
            ..Key::default()
        },
        waits: busy.waits,
        waited_ns: busy.waited_ns,
    });
    top.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_threads_told_comes_together() {
        const TABLE: u64 = 77;
        keep(&[TABLE]);
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                scope.spawn(move || {
                    for hash in 0..100 {
                        tell(TABLE, |part| {
                            part.keys.add(if hash < 50 { 1 } else { hash }, None);
                            part.wait.add(1_000 * (thread + 1));
                        });
                        tell(TABLE + 1, |_| panic!("it has no record"));
                    }
                });
            }
        });
        let (spreads, top) = of(TABLE);
        assert_eq!(spreads.len(), 1);
        let wait = &spreads[0];
        assert_eq!(
            (&*wait.of, wait.count, wait.sum_ns),
            ("wait", 800, 3_600_000)
        );
        let sum: u64 = wait.buckets.iter().map(|(_, count)| count).sum();
        assert_eq!(sum, 800);
        let (end, half) = wait.percentiles[3];
        assert!(
            (end - 50.0).abs() < 0.1 && (3_900..=4_100).contains(&half),
            "{half}"
        );
        assert_eq!((top[0].key.hash, top[0].waits), (1, 400));
        keep(&[]);
        assert!(of(TABLE).0.is_empty());
    }

    #[test]
    fn who_is_told_of_itself_is_not_told() {
        // Records of its own: `keep` is another test's.
        let mut count = 0;
        let _ = PART.try_with(|own| own.set((0, true)));
        tell(1, |_| count += 1);
        let _ = PART.try_with(|own| own.set((0, false)));
        assert_eq!(count, 0);
    }
}
