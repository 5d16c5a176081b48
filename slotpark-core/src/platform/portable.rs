//! Any system with std: threads sleep in `std::thread::park`, slot locks on a striped condvar.
//!
//! Slower than the futex, and for ordinary threads only: `std::thread::current` may allocate and
//! is not to be had while thread-local values are destroyed, so use inside a global allocator and
//! from such destructors needs the Linux platform.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant, SystemTime};

use super::{Clock, Deadline, Platform, Slept};
use crate::sync::AtomicU32;
use crate::word;

/// `std::thread::park` and `unpark`.
///
/// ```
/// use slotpark_core::{Portable, Table};
/// assert_eq!(Table::<u64, Portable>::new().waiters(1, &7), 0);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Portable {}

/// Where takers of a contended slot lock sleep: a pair chosen by the address of the lock word.
struct Stripe {
    mutex: Mutex<()>,
    condvar: Condvar,
}

static STRIPES: [Stripe; 16] = [const {
    Stripe {
        mutex: Mutex::new(()),
        condvar: Condvar::new(),
    }
}; 16];

fn stripe(word: &AtomicU32) -> (&'static Stripe, MutexGuard<'static, ()>) {
    let stripe = &STRIPES[(std::ptr::from_ref(word).addr() / 64) % STRIPES.len()];
    (
        stripe,
        stripe.mutex.lock().unwrap_or_else(PoisonError::into_inner),
    )
}

// SAFETY: `park` returns after an `unpark` of its thread, also of one that came first; the engine
// looks at its state around it. A lock's word is compared under the mutex that `lock_wake` takes
// before it notifies. Nothing calls a table; nothing unwinds but out of memory for a thread handle.
unsafe impl Platform for Portable {
    const GROUP_SLEEP: bool = false;
    type Handle = Thread;
    type Critical = ();

    fn handle() -> Thread {
        thread::current()
    }

    #[inline(always)]
    fn critical() {}

    fn sleep(_word: &AtomicU32, _expected: u32, _bits: u32, deadline: Option<Deadline>) -> Slept {
        let Some(deadline) = deadline else {
            thread::park();
            return Slept::Early;
        };
        match deadline.remaining_ns::<Self>() {
            0 => Slept::TimedOut,
            left => {
                thread::park_timeout(Duration::from_nanos(left));
                Slept::Early
            }
        }
    }

    fn wake_group(_word: &AtomicU32, _bits: u32) {
        unreachable!("threads do not sleep in groups here");
    }

    fn wake_thread(_word: *const AtomicU32, handle: &Thread) {
        handle.unpark();
    }

    #[cold]
    fn lock_sleep(word: &AtomicU32, expected: u32) {
        let (stripe, guard) = stripe(word);
        if word::load(word) == expected {
            drop(
                stripe
                    .condvar
                    .wait(guard)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
    }

    #[cold]
    fn lock_wake(word: &AtomicU32) {
        let (stripe, guard) = stripe(word);
        drop(guard);
        stripe.condvar.notify_all();
    }

    fn give_way() {
        thread::yield_now();
    }

    fn now_ns(clock: Clock) -> u64 {
        let since = match clock {
            Clock::Monotonic => base().elapsed() + Duration::from_nanos(1),
            Clock::Realtime => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or(Duration::ZERO),
        };
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn ticks() -> u64 {
        Self::now_ns(Clock::Monotonic)
    }
}

/// The instant that monotonic nanoseconds count from: the first call.
fn base() -> Instant {
    static BASE: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *BASE.get_or_init(Instant::now)
}
