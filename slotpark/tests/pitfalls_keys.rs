//! Stories of keys: collisions, hostile keys, and a table whose seed is not drawn yet.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::hash::Hash;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use common::{Lines, Numbers, Rounds, a_second, leak, until, watchdog};
use slotpark::core::finalize;
use slotpark::{FutexKey, Seeded, ShardedWait, WaitOutcome};

/// One slot for fifty keys: each wake finds its own thread, and no other moves.
#[test]
fn collision_wakes_the_right_key() {
    let _watch = watchdog("collision_wakes_the_right_key");
    let waits: &'static ShardedWait<String> = leak(ShardedWait::with_slots(1));
    let keys: Vec<String> = (0..50).map(|number| format!("key {number}")).collect();
    let threads: Vec<_> = keys
        .iter()
        .map(|key| {
            let key = key.clone();
            std::thread::spawn(move || waits.wait(&key, || true))
        })
        .collect();
    until("all wait", || {
        keys.iter().all(|key| waits.waiters(key.as_str()) == 1)
    });
    assert_eq!(waits.wake_all("key 50"), 0);
    for (token, (key, thread)) in (0..).zip(keys.iter().zip(threads)) {
        assert_eq!(waits.wake_with_token(key.as_str(), 1, token), 1);
        let outcome = thread.join().expect("a wait does not panic");
        assert_eq!(outcome, WaitOutcome::Woken { token }, "{key}");
        let waiting = keys.iter().map(|key| waits.waiters(key.as_str()));
        assert_eq!(waiting.sum::<usize>(), keys.len() - 1 - token as usize);
    }
}

const KEYS: u64 = 1_000;
const SEEDS: u64 = 64;

/// How many of 512 slots the keys use, on the average of all seeds.
fn slots_used<K: Hash + Eq>(keys: impl Fn(u64, &mut Numbers) -> K) -> f64 {
    let mut total = 0;
    for number in 0..SEEDS {
        let mut numbers = Numbers::new(number);
        let waits = ShardedWait::<K, _>::with_hasher(seed(number));
        let mut is_used = [false; 512];
        for index in 0..KEYS {
            is_used[waits.slot_of(&keys(index, &mut numbers))] = true;
        }
        total += is_used.iter().filter(|used| **used).count();
    }
    total as f64 / SEEDS as f64
}

/// The fixed seed with this number.
fn seed(number: u64) -> Seeded {
    Seeded::with_seed(finalize(1_000 + number))
}

/// `finalize`, backwards.
fn unfinalize(mut hash: u64) -> u64 {
    hash ^= hash >> 27 ^ hash >> 54;
    hash = hash.wrapping_mul(inverse(0x1C69_B3F7_4AC4_AE35));
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(inverse(0x3C79_AC49_2BA7_B653));
    hash ^ hash >> 27 ^ hash >> 54
}

/// Of an odd factor modulo 2^64, by Newton's iteration, which doubles the right bits.
fn inverse(factor: u64) -> u64 {
    (0..6).fold(factor, |guess, _| {
        guess.wrapping_mul(2_u64.wrapping_sub(factor.wrapping_mul(guess)))
    })
}

/// libstdc++ puts 1000 pages into 1 slot of 16; against a fixed hash a guest puts 3000 waiters into
/// one. Strided and crafted keys use as many slots as random ones do.
#[test]
fn strided_and_hostile_keys_spread() {
    let random = slots_used(|_, numbers| numbers.below(u64::MAX));
    let assert_spread = |what: &str, used: f64| {
        let is_good = used >= 0.95 * random;
        assert!(is_good, "{what}: {used} of 512 slots, random keys {random}");
    };
    for stride in [1, 4, 64, 128, 2008, 4096, 65536, 1 << 32, 1 << 48, 1 << 54] {
        let base = 0x7f00_0000_0000_u64;
        let key = |index: u64| base.wrapping_add(index.wrapping_mul(stride));
        assert_spread(&format!("u64, stride {stride}"), slots_used(|i, _| key(i)));
        let guest = slots_used(|index, _| FutexKey::new(7, key(index)));
        assert_spread(&format!("addresses, stride {stride}"), guest);
        let spaces = slots_used(|index, _| FutexKey::new(key(index), 0x1000));
        assert_spread(&format!("spaces, stride {stride}"), spaces);
        let pair = slots_used(|index, _| (key(index) as u32, index));
        assert_spread(&format!("pairs, stride {stride}"), pair);
    }
    assert_spread("strings", slots_used(|index, _| format!("job {index}")));
    // Keys that all meet in slot 0 of a table without a seed.
    let crafted = |index: u64| unfinalize(index << 9);
    assert!((0..KEYS).all(|index| finalize(crafted(index)) % 512 == 0));
    assert_spread("without a seed", slots_used(|index, _| crafted(index)));
    // And of one whose seed has become known, on tables with others.
    let known = ShardedWait::<u64, _>::with_hasher(Seeded::with_seed(12345));
    let crafted = |index: u64| unfinalize(index << 9) ^ 12345;
    assert!((0..KEYS).all(|index| known.slot_of(&crafted(index)) == 0));
    assert_spread("for another seed", slots_used(|index, _| crafted(index)));
}

/// More than can be used for the first time in a second.
const TABLES: usize = 100_000;

fn fresh_tables() -> &'static [ShardedWait<u64>] {
    let tables: Vec<_> = (0..TABLES).map(|_| ShardedWait::with_slots(1)).collect();
    Vec::leak(tables)
}

/// The first wait and the first wake of a table race to draw its seed. Both must use the winner's;
/// and a waker must not take "no seed yet" for "nobody was ever here".
#[test]
fn unseeded_table_loses_nothing() {
    let _watch = watchdog("unseeded_table_loses_nothing");
    both_use_the_winners_seed();
    no_seed_is_no_answer();
}

/// The waiter waits whatever happens; the waker wakes until it has counted one.
fn both_use_the_winners_seed() {
    let (tables, rounds) = (fresh_tables(), leak(Rounds::new()));
    let waiter = std::thread::spawn(move || {
        for waits in tables {
            if !rounds.begin(0) {
                return;
            }
            let outcome = waits.wait(&7, || true);
            assert!(outcome.is_woken(), "{outcome:?}");
        }
    });
    let mut time_is_left = a_second();
    for waits in tables.iter().take_while(|_| time_is_left()) {
        rounds.begin(1);
        loop {
            let is_queued = waits.slot_stats(0).parks == 1;
            if waits.wake_one(&7) == 1 {
                break;
            }
            assert!(
                !is_queued,
                "a waiter is queued, and its waker does not find it"
            );
            std::hint::spin_loop();
        }
    }
    rounds.stop();
    waiter.join().expect("every wait is woken");
}

/// The waker changes the word and wakes once, with whatever it finds.
fn no_seed_is_no_answer() {
    let (tables, rounds) = (fresh_tables(), leak(Rounds::new()));
    let (word, lines) = (leak(AtomicU32::new(0)), leak(Lines::new()));
    let waiter = std::thread::spawn(move || {
        for waits in tables {
            word.store(0, Ordering::Relaxed);
            lines.write(0);
            if !rounds.begin(0) {
                return;
            }
            let _outcome = waits.wait(&7, || word.load(Ordering::Relaxed) == 0);
            rounds.end(0);
        }
    });
    let mut numbers = Numbers::new(3);
    let mut time_is_left = a_second();
    for waits in tables.iter().take_while(|_| time_is_left()) {
        rounds.begin(1);
        // About as long as the waiter takes to draw a seed from the kernel.
        let delay = Duration::from_nanos(numbers.below(1_000));
        let begin = Instant::now();
        while begin.elapsed() < delay {
            std::hint::spin_loop();
        }
        lines.write(1);
        word.store(1, Ordering::Relaxed);
        let woken = waits.wake_one(&7);
        rounds.end_after(1, || {
            let is_lost = woken == 0 && waits.slot_stats(0).parks > 0;
            assert!(!is_lost, "a wake of a table without a seed was lost");
        });
    }
    rounds.stop();
    waiter.join().expect("every wait ends");
}
