//! Locks that are handed over, under load: as a program uses them, with its own exchanges where
//! nobody waits. The kernel's run proves the program.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use slotpark_core::{FutexTimespec, PI_OWNER};

use super::calls::*;
use super::common::{Numbers, watchdog};
use super::sides::{Side, address_of, sides};

/// A mutex as glibc makes one with PTHREAD_PRIO_INHERIT, and what it guards.
struct Guarded {
    side: Side,
    word: AtomicU32,
    inside: UnsafeCell<u64>,
}

// SAFETY: `inside` is accessed by the owner of the word only; if not, this is what is to be found.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new(side: Side) -> Self {
        Self {
            side,
            word: AtomicU32::new(0),
            inside: UnsafeCell::new(0),
        }
    }

    fn call(&self, op: i32, time: usize) -> isize {
        // SAFETY: the word lives, and the time is 0 or that of a timespec.
        unsafe {
            let null = std::ptr::null_mut();
            self.side.futex(self.word.as_ptr(), op, 0, time, null, 0)
        }
    }

    /// Locks; false if the time was over.
    fn lock(&self, time: Option<FutexTimespec>) -> bool {
        let me = thread_id();
        let word = &self.word;
        if word
            .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            match self.call(LOCK_PI, address_of(time.as_ref())) {
                0 => {}
                ETIMEDOUT => return false,
                other => panic!("{}: {other}", self.side.name()),
            }
        }
        assert_eq!(word.load(Ordering::Relaxed) & PI_OWNER, me);
        true
    }

    fn unlock(&self) {
        let me = thread_id();
        let word = &self.word;
        if word
            .compare_exchange(me, 0, Ordering::Release, Ordering::Relaxed)
            .is_err()
        {
            assert_eq!(self.call(UNLOCK_PI, 0), 0, "{}", self.side.name());
        }
    }

    /// What the owner does: a change that two at a time would lose.
    fn change(&self, change: impl FnOnce(u64) -> u64) -> u64 {
        let inside = self.inside.get();
        // SAFETY: the caller owns the word.
        let value = change(unsafe { inside.read_volatile() });
        // SAFETY: as above, and still: the caller owns the word.
        unsafe { inside.write_volatile(value) };
        value
    }
}

fn soon() -> FutexTimespec {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let time = since.expect("it is past 1970") + Duration::from_micros(20);
    FutexTimespec {
        seconds: time.as_secs() as i64,
        nanoseconds: time.subsec_nanos().into(),
    }
}

#[test]
fn one_at_a_time() {
    let _watchdog = watchdog("one_at_a_time");
    const ROUNDS: u64 = 2_000;
    for side in sides() {
        let lock = Guarded::new(side);
        let turn = |seed| {
            let mut numbers = Numbers::new(seed);
            let mut count = 0;
            for _ in 0..ROUNDS {
                let time = (numbers.below(4) == 0).then(soon);
                if !lock.lock(time) {
                    continue;
                }
                count += 1;
                lock.change(|value| value + 1);
                if numbers.below(8) == 0 {
                    thread::yield_now();
                }
                lock.unlock();
            }
            count
        };
        let turn = &turn;
        let counts: u64 = thread::scope(|scope| {
            let threads = [1, 2, 3, 4].map(|seed| scope.spawn(move || turn(seed)));
            threads.map(|it| it.join().expect("no panics")).iter().sum()
        });
        assert_eq!(lock.change(|value| value), counts, "{}", side.name());
        // The last one out leaves the word free.
        assert_eq!(lock.word.load(Ordering::SeqCst), 0, "{}", side.name());
    }
}

/// A condition variable over such a mutex: waiters are moved to it, and each wakes as its owner.
#[test]
fn conditions_of_a_handed_over_lock() {
    let _watchdog = watchdog("conditions_of_a_handed_over_lock");
    const ITEMS: u64 = 500;
    const CONSUMERS: u64 = 3;
    for side in sides() {
        let lock = Guarded::new(side);
        let sequence = AtomicU32::new(0);
        let consume = || {
            let mut taken = 0;
            while taken < ITEMS {
                assert!(lock.lock(None));
                while lock.change(|value| value) == 0 {
                    let seen = sequence.load(Ordering::Relaxed);
                    lock.unlock();
                    // SAFETY: both words live, and there is no timeout.
                    let waited = unsafe {
                        let (from, to) = (sequence.as_ptr(), lock.word.as_ptr());
                        side.futex(from, WAIT_REQUEUE_PI, seen, 0, to, 0)
                    };
                    match waited {
                        0 => {
                            let owner = lock.word.load(Ordering::Relaxed) & PI_OWNER;
                            assert_eq!(owner, thread_id(), "{}", side.name());
                        }
                        EAGAIN => assert!(lock.lock(None)),
                        other => panic!("{}: {other}", side.name()),
                    }
                }
                lock.change(|value| value - 1);
                taken += 1;
                lock.unlock();
            }
        };
        let consume = &consume;
        thread::scope(|scope| {
            for _ in 0..CONSUMERS {
                scope.spawn(consume);
            }
            for made in 0..ITEMS * CONSUMERS {
                assert!(lock.lock(None));
                lock.change(|value| value + 1);
                let seen = sequence.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
                let moves = if made % 3 == 0 { ALL } else { 0 };
                // SAFETY: the words live for the whole test; the mover holds the lock.
                let moved = unsafe {
                    let (from, to) = (sequence.as_ptr(), lock.word.as_ptr());
                    side.futex(from, CMP_REQUEUE_PI, 1, moves as usize, to, seen)
                };
                assert!(moved >= 0, "{}: {moved}", side.name());
                lock.unlock();
            }
        });
        assert_eq!(lock.change(|value| value), 0, "{}", side.name());
        assert_eq!(lock.word.load(Ordering::SeqCst), 0, "{}", side.name());
    }
}
