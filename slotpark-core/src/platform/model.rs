//! The kernel of the model checkers: a compare and a list of bits under one mutex.
//!
//! It has no clock. A deadline of 0 is past from the start; any other is not past when a wait
//! begins. A deadline of 1 is past as soon as the waiter would sleep, a deadline of n + 1 after n
//! looks at what others have done meanwhile.

use super::{Clock, Deadline, Platform, Slept};
use crate::sync::{AtomicU32, Condvar, Mutex, lazy_static, yield_now};
use crate::word;

/// The scheduler of loom or of shuttle, with a stand-in for the futex.
#[derive(Clone, Copy, Debug)]
pub enum Model {}

/// One sleeper: the address of its word, its bits, and a number of its own.
struct Sleeper {
    word: usize,
    bits: u32,
    number: usize,
}

struct Kernel {
    sleepers: Mutex<(Vec<Sleeper>, usize)>,
    changed: Condvar,
}

lazy_static! {
    static ref KERNEL: Kernel =
        Kernel { sleepers: Mutex::new((Vec::new(), 0)), changed: Condvar::new() };
}

impl Kernel {
    /// Looks up to `looks` times whether the sleeper with this number is woken, then leaves.
    fn look(&self, number: usize, looks: u64) -> Slept {
        for _ in 0..looks {
            yield_now();
            let sleepers = self.sleepers.lock().unwrap();
            if sleepers.0.iter().all(|sleeper| sleeper.number != number) {
                return Slept::Early;
            }
        }
        let mut sleepers = self.sleepers.lock().unwrap();
        sleepers.0.retain(|sleeper| sleeper.number != number);
        Slept::TimedOut
    }

    fn wake(&self, word: usize, bits: u32, count_max: usize) {
        let mut sleepers = self.sleepers.lock().unwrap();
        let mut count = 0;
        sleepers.0.retain(|sleeper| {
            let woken = sleeper.word == word && sleeper.bits & bits != 0 && count < count_max;
            count += usize::from(woken);
            !woken
        });
        if count > 0 {
            self.changed.notify_all();
        }
    }
}

// SAFETY: word and expected value are compared under the mutex that a wake takes; the sleeper is in
// the list before the mutex is released.
unsafe impl Platform for Model {
    const GROUP_SLEEP: bool = true;
    type Handle = ();
    type Critical = ();

    fn handle() {}

    fn critical() {}

    fn sleep(word: &AtomicU32, expected: u32, bits: u32, deadline: Option<Deadline>) -> Slept {
        if deadline.is_some_and(|deadline| deadline.at_ns() <= 1) {
            return Slept::TimedOut;
        }
        let mut sleepers = KERNEL.sleepers.lock().unwrap();
        if word::load(word) != expected {
            return Slept::Early;
        }
        let number = sleepers.1;
        sleepers.1 += 1;
        sleepers.0.push(Sleeper {
            word: core::ptr::from_ref(word).addr(),
            bits,
            number,
        });
        let Some(deadline) = deadline else {
            while sleepers.0.iter().any(|sleeper| sleeper.number == number) {
                sleepers = KERNEL.changed.wait(sleepers).unwrap();
            }
            return Slept::Early;
        };
        drop(sleepers);
        KERNEL.look(number, deadline.at_ns() - 1)
    }

    fn wake_group(word: &AtomicU32, bits: u32) {
        KERNEL.wake(core::ptr::from_ref(word).addr(), bits, usize::MAX);
    }

    fn wake_thread(word: *const AtomicU32, _handle: &()) {
        KERNEL.wake(word.addr(), u32::MAX, 1);
    }

    fn lock_sleep(word: &AtomicU32, expected: u32) {
        Self::sleep(word, expected, u32::MAX, None);
    }

    fn lock_wake(word: &AtomicU32) {
        KERNEL.wake(core::ptr::from_ref(word).addr(), u32::MAX, 1);
    }

    fn now_ns(_clock: Clock) -> u64 {
        0
    }

    fn ticks() -> u64 {
        0
    }
}

/// Contenders draw different candidates, or the race for a seed has no loser.
pub(crate) fn entropy(_address: usize) -> u64 {
    let mut sleepers = KERNEL.sleepers.lock().unwrap();
    sleepers.1 += 1;
    sleepers.1 as u64
}
