//! The map that managers keep their entries in, beside the simplest other one: 32 locks, each over
//! a map of the standard library. Both do what managers do, by two threads, in turns; prints
//! times and their ratios, and asserts nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::time::Instant;

use dashmap::DashMap;

type State = Arc<Mutex<u64>>;

const KEYS: u64 = 100_000;
const OPERATIONS: u64 = 200_000;
const THREADS: u64 = 2;
const ROUNDS: usize = 9;

/// An entry, and how many use it.
#[derive(Default)]
struct Users(u64, State);

trait Map: Sync {
    /// Finds an entry, or makes it, and counts a user.
    fn enter(&self, key: u64) -> State;
    /// Takes a user away, and the entry with the last one.
    fn leave(&self, key: u64);
    fn find(&self, key: u64) -> Option<State>;
}

impl Map for DashMap<u64, Users> {
    fn enter(&self, key: u64) -> State {
        let mut users = self.entry(key).or_default();
        users.0 += 1;
        Arc::clone(&users.1)
    }

    fn leave(&self, key: u64) {
        self.remove_if_mut(&key, |_, users| {
            users.0 -= 1;
            users.0 == 0
        });
    }

    fn find(&self, key: u64) -> Option<State> {
        self.get(&key).map(|users| Arc::clone(&users.1))
    }
}

#[repr(align(128))]
#[derive(Default)]
struct Shard(Mutex<HashMap<u64, Users>>);

/// Hashes twice, as who uses a map of the standard library must.
#[derive(Default)]
struct Sharded {
    shards: [Shard; 32],
    hasher: RandomState,
}

impl Sharded {
    fn with<R>(&self, key: u64, work: impl FnOnce(&mut HashMap<u64, Users>) -> R) -> R {
        let shard = self.hasher.hash_one(key) as usize % self.shards.len();
        let shard = self.shards[shard].0.lock();
        work(&mut shard.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Map for Sharded {
    fn enter(&self, key: u64) -> State {
        self.with(key, |map| {
            let users = map.entry(key).or_default();
            users.0 += 1;
            Arc::clone(&users.1)
        })
    }

    fn leave(&self, key: u64) {
        self.with(key, |map| {
            let users = map.get_mut(&key)?;
            users.0 -= 1;
            (users.0 == 0).then(|| map.remove(&key))
        });
    }

    fn find(&self, key: u64) -> Option<State> {
        self.with(key, |map| map.get(&key).map(|users| Arc::clone(&users.1)))
    }
}

type Work = fn(&dyn Map, u64);

fn find_and_lock(map: &dyn Map, key: u64) {
    let state = map.find(key % KEYS).expect("it is there");
    *state.lock().unwrap_or_else(PoisonError::into_inner) += 1;
}

fn come_and_go(map: &dyn Map, key: u64) {
    // Beyond the keys that stay.
    let key = KEYS + key % (1 << 40);
    drop(map.enter(key));
    map.leave(key);
}

fn use_by_turns(map: &dyn Map, key: u64) {
    let key = KEYS + key % 64;
    let state = map.enter(key);
    *state.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    map.leave(key);
}

/// Nanoseconds for an operation of one thread, while the others make theirs.
fn time_ns(map: &dyn Map, work: Work) -> f64 {
    let start = &Barrier::new(THREADS as usize);
    let thread = |seed: u64| {
        start.wait();
        let begin = Instant::now();
        let mut key = seed;
        for _ in 0..OPERATIONS {
            key = key
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(seed);
            work(map, key >> 20);
        }
        begin.elapsed().as_nanos() as f64 / OPERATIONS as f64
    };
    std::thread::scope(|scope| {
        let threads = [1, 3].map(|seed| scope.spawn(move || thread(seed)));
        let times = threads.map(|thread| thread.join().expect("no work panics"));
        times.iter().sum::<f64>() / THREADS as f64
    })
}

fn main() {
    let (ours, other) = (DashMap::new(), Sharded::default());
    for key in 0..KEYS {
        drop((ours.enter(key), other.enter(key)));
    }
    let works: [(&str, Work); 3] = [
        ("find, lock", find_and_lock),
        ("come, go", come_and_go),
        ("use by turns", use_by_turns),
    ];
    for (name, work) in works {
        let round = |_| (time_ns(&ours, work), time_ns(&other, work));
        let mut rounds: Vec<_> = (0..ROUNDS).map(round).collect();
        rounds.sort_by(|one, next| (one.0 / one.1).total_cmp(&(next.0 / next.1)));
        let ratio = |at: usize| rounds[at].0 / rounds[at].1;
        let (ours_ns, other_ns) = rounds[ROUNDS / 2];
        let (low, middle, high) = (ratio(1), ratio(ROUNDS / 2), ratio(ROUNDS - 2));
        println!(
            "{name:12}  DashMap {ours_ns:4.0} ns, locks {other_ns:4.0} ns: \
             {middle:.2} ({low:.2} to {high:.2})"
        );
    }
}
