//! 100,000 futures are dropped at random points while threads wake them by ones: afterwards the
//! table is empty, and every wake is accounted for.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use slotpark::{ShardedWait, WaitOutcome};

const FUTURES: u64 = 100_000;
const KEYS: u64 = 7;
/// So many futures of one thread wait at a time.
const CROWD: usize = 40;
const DROPPERS: u64 = 2;

/// Counts the futures that were chosen: the Waker of each is called, once.
#[derive(Default)]
struct Rings(AtomicU64);

impl Wake for Rings {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// xorshift64: the same choices in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn main() {
    let waits = ShardedWait::<u64>::with_slots(4);
    let (returned, counted) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let rings = Arc::new(Rings::default());
    std::thread::scope(|scope| {
        let droppers: Vec<_> = (1..=DROPPERS)
            .map(|seed| {
                let waker = Waker::from(Arc::clone(&rings));
                let (waits, returned) = (&waits, &returned);
                scope.spawn(move || drop_futures(waits, &waker, Numbers(seed), returned))
            })
            .collect();
        for seed in 0..2 {
            let (waits, counted, is_over) = (&waits, &counted, &is_over);
            scope.spawn(move || {
                let mut numbers = Numbers(seed + 99);
                while !is_over.load(Ordering::Relaxed) {
                    let woken = waits.wake(&numbers.below(KEYS), 1 + numbers.below(3) as usize);
                    counted.fetch_add(woken as u64, Ordering::Relaxed);
                }
            });
        }
        for dropper in droppers {
            dropper.join().expect("no panic");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let chosen = rings.0.load(Ordering::Relaxed);
    account(&waits, chosen, returned.into_inner(), counted.into_inner());
}

/// Queues futures, polls some again, and drops them in any order.
fn drop_futures(
    waits: &ShardedWait<u64>,
    waker: &Waker,
    mut numbers: Numbers,
    returned: &AtomicU64,
) {
    let mut context = Context::from_waker(waker);
    let mut crowd = VecDeque::new();
    for _ in 0..FUTURES / DROPPERS {
        let mut future = Box::pin(waits.wait_async(numbers.below(KEYS), || true));
        poll(future.as_mut(), &mut context, returned);
        crowd.push_back(future);
        if crowd.len() == CROWD {
            let place = numbers.below(CROWD as u64) as usize;
            let mut future = crowd.remove(place).expect("it is full");
            if numbers.below(2) == 0 {
                poll(future.as_mut(), &mut context, returned);
            }
            drop(future);
        }
    }
}

fn poll(
    future: Pin<&mut impl Future<Output = WaitOutcome>>,
    context: &mut Context<'_>,
    returned: &AtomicU64,
) {
    if let Poll::Ready(outcome) = future.poll(context) {
        assert!(outcome.is_woken());
        returned.fetch_add(1, Ordering::Relaxed);
    }
}

/// Each wait that was queued was chosen or left by itself; each that was chosen had its Waker
/// called; and the wakes were counted once, however often they were passed on.
fn account(waits: &ShardedWait<u64>, chosen: u64, returned: u64, counted: u64) {
    let (mut parks, mut wakes, mut cancels) = (0, 0, 0);
    for slot in 0..waits.slots() {
        let stats = waits.slot_stats(slot);
        parks += u64::from(stats.parks);
        wakes += u64::from(stats.wakes);
        cancels += u64::from(stats.cancels);
    }
    for key in 0..KEYS {
        assert_eq!(waits.waiters(&key), 0, "nobody is left");
    }
    assert_eq!(
        parks,
        wakes + cancels,
        "who was queued was chosen or left, once"
    );
    assert_eq!(
        chosen, wakes,
        "the Waker of each that was chosen was called, once"
    );
    assert!(returned <= counted && counted <= chosen);
    println!(
        "{parks} waits: {cancels} dropped while they waited, {returned} returned a wake; of the {} \
         that were dropped with one, {} passed it on and {} had no heir",
        chosen - returned,
        chosen - counted,
        counted - returned,
    );
}
