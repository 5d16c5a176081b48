//! Stories of threads at their end, on the process-wide table.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{skip, until, watchdog};
use slotpark::{FutexWait, WaitOutcome};

static GO: AtomicU32 = AtomicU32::new(0);
static GONE: AtomicU32 = AtomicU32::new(0);

/// What a thread does when its thread-local values are destroyed: it waits, then it wakes.
struct LastWords(Cell<u32>);

impl Drop for LastWords {
    fn drop(&mut self) {
        assert_eq!(self.0.get(), 1);
        let futex = FutexWait::process();
        while GO.load(Ordering::Acquire) == 0 {
            let _outcome = futex.wait(&GO, 0);
        }
        GONE.fetch_add(1, Ordering::Release);
        let _woken = futex.wake(&GONE, usize::MAX);
    }
}

thread_local! {
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
                // The thread's first ordinary wait stands between the two.
                assert_eq!(futex.wait(&GO, 1), WaitOutcome::Stale);
                LATE.with(|words| words.0.set(1));
            })
        })
        .collect();
    until("all wait at their end", || {
        futex.waiters(&GO) == THREADS as usize
    });
    GO.store(1, Ordering::Release);
    assert_eq!(futex.wake(&GO, usize::MAX), THREADS as usize);
    loop {
        let gone = GONE.load(Ordering::Acquire);
        if gone == 2 * THREADS {
            break;
        }
        let _outcome = futex.wait(&GONE, gone);
    }
    for thread in threads {
        thread.join().expect("its end was orderly");
    }
}
