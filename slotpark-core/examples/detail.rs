//! What each level of detail costs: nanoseconds of the fastest of many short rounds, and the bytes
//! of what is recorded in.
//!
//! `cargo run --release -p slotpark-core --example detail`

use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use slotpark_core::{
    Detail, Held, HoldOptions, KeyedLock, ParkOptions, Sink, Table, Waited, finalize, set_detail,
    set_sink, set_stacks, word,
};

/// What a reader would do at the least.
struct Sum(AtomicU32);

impl Sink for Sum {
    fn waited(&self, _waited: &Waited) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn held(&self, _held: &Held) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

static SUM: Sum = Sum(AtomicU32::new(0));

const ROUNDS: u32 = 400;
const CALLS: u32 = 2_000;

/// Of one call, in the fastest round.
fn fastest_ns(mut call: impl FnMut(u64)) -> f64 {
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for number in 0..CALLS {
            call(u64::from(number));
        }
        fastest = fastest.min(begin.elapsed().as_nanos() as f64 / f64::from(CALLS));
    }
    fastest
}

fn stale_wait(table: &Table<u64>) -> f64 {
    fastest_ns(|key| {
        let parked = table.park(finalize(key), &key, ParkOptions::new(), || black_box(false));
        let _stale = black_box(parked);
    })
}

fn wake_of_nobody(table: &Table<u64>) -> f64 {
    fastest_ns(|key| {
        black_box(table.unpark(finalize(key), &key, 1, 0));
    })
}

/// A task waits and is woken, polled by hand.
fn task_wait(table: &Table<u64>) -> f64 {
    let mut context = Context::from_waker(Waker::noop());
    fastest_ns(|key| {
        let hash = finalize(key);
        let mut wait = pin!(table.wait_async(hash, key, ParkOptions::new(), || true));
        assert!(wait.as_mut().poll(&mut context).is_pending());
        assert_eq!(table.unpark(hash, &key, 1, 0), 1);
        assert!(matches!(wait.as_mut().poll(&mut context), Poll::Ready(_)));
    })
}

fn lock_in_a_frame(lock: &KeyedLock<u64>) -> f64 {
    fastest_ns(|key| {
        let one = HoldOptions::new(1);
        let _ran = black_box(lock.with(finalize(key), &key, one, || black_box(())));
    })
}

fn lock_by_a_guard(lock: &KeyedLock<u64>) -> f64 {
    fastest_ns(|key| {
        drop(black_box(lock.hold(
            finalize(key),
            key,
            HoldOptions::new(1),
        )))
    })
}

/// Two threads wake each other in turn: the median round, which depends on where they run.
fn round_trip(table: &Table<u64>) -> f64 {
    const TURNS: u32 = 1_000;
    let (ball, mut rounds) = (AtomicU32::new(0), Vec::new());
    let hash = finalize(7);
    let pass = |mine: u32| {
        for turn in 0..TURNS {
            let expected = 2 * turn + mine;
            while word::load(&ball) != expected {
                let away = || word::load(&ball) != expected;
                let _ended = table.park(hash, &7, ParkOptions::new(), away);
            }
            ball.store(expected + 1, Ordering::Release);
            let _woken = table.unpark(hash, &7, 1, 0);
        }
    };
    for _ in 0..15 {
        ball.store(0, Ordering::Relaxed);
        let begin = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| pass(1));
            pass(0);
        });
        rounds.push(begin.elapsed().as_nanos() as f64 / f64::from(TURNS));
    }
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn main() {
    assert!(set_sink(&SUM));
    println!("ns of a call     |  stale |  nobody |   task | frame | guard | round trip");
    for detail in [Detail::Off, Detail::Counters, Detail::Timing, Detail::Full] {
        set_detail(detail);
        set_stacks(0);
        let (table, lock) = (Table::new(), KeyedLock::new(1));
        println!(
            "{:<16} | {:>6.1} | {:>7.1} | {:>6.1} | {:>5.1} | {:>5.1} | {:>8.0}",
            format!("{detail:?}"),
            stale_wait(&table),
            wake_of_nobody(&table),
            task_wait(&table),
            lock_in_a_frame(&lock),
            lock_by_a_guard(&lock),
            round_trip(&table),
        );
    }
    let (table, lock) = (Table::<u64>::new(), KeyedLock::<u64>::new(1));
    let options = ParkOptions::new();
    let sizes = [
        (
            "wait of a task",
            size_of_val(&table.wait_async(1, 7, options, || true)),
        ),
        (
            "wait of a task on two keys",
            size_of_val(&table.wait_any_async([(1, 7), (2, 8)], options, None, |_| true)),
        ),
        (
            "lock of a task",
            size_of_val(&lock.hold_async(1, 7, HoldOptions::new(1))),
        ),
        ("a lock of 512 slots and 256 places", lock.memory_bytes()),
    ];
    for (what, bytes) in sizes {
        println!("{what}: {bytes} bytes");
    }
}
