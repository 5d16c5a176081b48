//! The story of a lock inside the global allocator: parking_lot says that it cannot be used there.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use common::watchdog::watchdog_with;
use common::{Numbers, skip};
use slotpark::FutexWait;

/// The allocator that every allocation of this process goes through, from before `main` on.
struct Locked {
    /// 0 free, 1 locked, 2 locked and somebody may sleep.
    word: AtomicU32,
}

#[global_allocator]
static ALLOCATOR: Locked = Locked {
    word: AtomicU32::new(0),
};

thread_local! {
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
    static PASSES_BY: Cell<bool> = const { Cell::new(false) };
}

/// Where threads have handles of std's, taking one may allocate.
const WORKS_HERE: bool = cfg!(all(target_os = "linux", not(slotpark_portable)));

impl Locked {
    fn locked<R>(&self, run: impl FnOnce() -> R) -> R {
        if !WORKS_HERE || PASSES_BY.get() {
            return run();
        }
        if IS_INSIDE.replace(true) {
            let complaint = b"the lock of the allocator allocates\n";
            let _ = std::io::stderr().write_all(complaint);
            std::process::abort();
        }
        self.lock();
        let result = run();
        self.unlock();
        IS_INSIDE.set(false);
        result
    }

    fn lock(&self) {
        let free = self
            .word
            .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed);
        if free.is_err() {
            while self.word.swap(2, Ordering::Acquire) != 0 {
                let _outcome = FutexWait::process().wait(&self.word, 2);
            }
        }
    }

    fn unlock(&self) {
        if self.word.swap(0, Ordering::Release) == 2 {
            let _woken = FutexWait::process().wake(&self.word, 1);
        }
    }
}

// SAFETY: everything is passed to the system's allocator; the lock around it neither allocates nor
// unwinds.
unsafe impl GlobalAlloc for Locked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Long enough, now and then, for others to find the lock taken.
        let hold = || {
            if layout.size() == CROWDED {
                std::thread::yield_now();
            }
        };
        self.locked(|| {
            hold();
            // SAFETY: the caller's contract is the same.
            unsafe { System.alloc(layout) }
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.locked(|| {
            // SAFETY: the caller's contract is the same.
            unsafe { System.dealloc(block, layout) }
        })
    }
}

/// Allocations of this size hold the lock for a while.
const CROWDED: usize = 1_234;

/// Four threads allocate and free through a lock that waits on the process-wide table.
#[test]
fn works_inside_a_global_allocator() {
    const STORY: &str = "works_inside_a_global_allocator";
    if !WORKS_HERE {
        return skip(STORY, "taking std's handle of a thread may allocate");
    }
    let _watch = watchdog_with(STORY, || PASSES_BY.set(true));
    let threads: Vec<_> = (0..4)
        .map(|number| {
            std::thread::spawn(move || {
                let mut numbers = Numbers::new(number);
                let mut kept: Vec<Vec<u8>> = Vec::new();
                for round in 0..20_000 {
                    let size = if round % 50 == 0 {
                        CROWDED
                    } else {
                        1 + numbers.below(500) as usize
                    };
                    let mut block = Vec::with_capacity(size);
                    block.resize(size, number as u8);
                    kept.push(block);
                    if kept.len() > 20 {
                        let block = kept.swap_remove(numbers.below(20) as usize);
                        assert!(block.iter().all(|byte| *byte == number as u8));
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("its memory was its own");
    }
    let futex = FutexWait::process();
    let parks: u32 = (0..512)
        .map(|slot| futex.table().slot_stats(slot).parks)
        .sum();
    assert!(parks > 0, "nobody ever found the allocator locked");
}
