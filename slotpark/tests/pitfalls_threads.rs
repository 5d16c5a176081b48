//! Stories of threads at their end, on the process-wide table.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use common::{skip, until, watchdog};
use slotpark::{FutexWait, Requeued, WaitOutcome};

static GO: AtomicU32 = AtomicU32::new(0);
static GONE: AtomicU32 = AtomicU32::new(0);
/// Waits on GO that were woken, and wakes of waits on GONE.
static WOKEN: AtomicU32 = AtomicU32::new(0);
static WAKES: AtomicUsize = AtomicUsize::new(0);

/// What a thread does when its thread-local values are destroyed: it tries everything, waits until
/// it is woken, then wakes.
struct LastWords(Cell<u32>);

impl Drop for LastWords {
    fn drop(&mut self) {
        assert_eq!(self.0.get(), 1);
        let futex = FutexWait::process();
        let own = [AtomicU32::new(0), AtomicU32::new(0)];
        assert_eq!(futex.wait(&own[0], 1), WaitOutcome::Stale);
        let moment = Duration::from_micros(300);
        let outcome = futex.wait_for(&own[0], 0, moment);
        assert_eq!(outcome, WaitOutcome::TimedOut);
        let moved = futex.requeue(&own[0], &own[1], 1, usize::MAX);
        assert_eq!(moved, Requeued::default());
        assert_eq!((futex.wake(&own[0], 1), futex.waiters(&own[1])), (0, 0));
        let round = ROUND.replace(ROUND.get() + 1);
        while GO.load(Ordering::Acquire) == round {
            let outcome = futex.wait(&GO, round);
            WOKEN.fetch_add(u32::from(outcome.is_woken()), Ordering::Relaxed);
        }
        GONE.fetch_add(1, Ordering::Release);
        WAKES.fetch_add(futex.wake(&GONE, usize::MAX), Ordering::Relaxed);
    }
}

thread_local! {
    /// How many last words of this thread have begun; it has no destructor of its own.
    static ROUND: Cell<u32> = const { Cell::new(0) };
    static EARLY: LastWords = const { LastWords(Cell::new(0)) };
    static LATE: LastWords = const { LastWords(Cell::new(0)) };
}

/// Libraries that keep their waiter in thread-local storage panic or hang when it is already gone.
#[test]
fn thread_exit_and_tls_destructor() {
    const THREADS: u32 = 3;
    const STORY: &str = "thread_exit_and_tls_destructor";
    if cfg!(any(slotpark_portable, not(target_os = "linux"))) {
        return skip(STORY, "std's handle of a thread is gone by then");
    }
    let _watch = watchdog(STORY);
    let futex = FutexWait::process();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            std::thread::spawn(|| {
                EARLY.with(|words| words.0.set(1));
                // The thread's first ordinary wait, which is queued, stands between the two.
                let own = AtomicU32::new(0);
                let outcome = futex.wait_for(&own, 0, Duration::from_micros(300));
                assert_eq!(outcome, WaitOutcome::TimedOut);
                LATE.with(|words| words.0.set(1));
            })
        })
        .collect();
    // Each destructor waits: one of the two comes after whatever the ordinary wait left to destroy.
    for round in 1..=2 {
        until("all wait at their end", || {
            futex.waiters(&GO) == THREADS as usize
        });
        GO.store(round, Ordering::Release);
        assert_eq!(futex.wake(&GO, usize::MAX), THREADS as usize);
    }
    let mut woken = 0;
    loop {
        let gone = GONE.load(Ordering::Acquire);
        if gone == 2 * THREADS {
            break;
        }
        woken += usize::from(futex.wait(&GONE, gone).is_woken());
    }
    for thread in threads {
        // A destructor that panics ends the process.
        thread.join().expect("its end was orderly");
    }
    assert_eq!(WOKEN.load(Ordering::Relaxed), 2 * THREADS);
    assert_eq!(WAKES.load(Ordering::Relaxed), woken);
    assert_eq!((futex.waiters(&GO), futex.waiters(&GONE)), (0, 0));
}
