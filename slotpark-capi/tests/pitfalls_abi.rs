//! Stories of the border to C: handles that go too early, counts, times.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::ffi::{c_int, c_long};
use std::ptr::{null, null_mut};
use std::thread::JoinHandle;

use common::{leak, until, watchdog};
use slotpark_capi::{
    SLOT_ALL, SlotInterrupter, SlotTable, slot_futex_on, slot_interrupter_create,
    slot_interrupter_destroy, slot_interrupter_interrupt, slot_table_create, slot_table_destroy,
    slot_wait, slot_wait_interruptible, slot_wait_until, slot_waiters, slot_wake,
};

const EINTR: c_int = 4;
const EBUSY: c_int = 16;
const FOR_EVER: i64 = -1;
const WAKE_PRIVATE: c_int = 129;

/// A handle that threads share.
struct Shared<T>(*mut T);
impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Shared<T> {}
// SAFETY: the functions of the C ABI may be called from any thread.
unsafe impl<T> Send for Shared<T> {}

impl<T> Shared<T> {
    /// All of it, where a closure would take the field alone.
    fn get(self) -> *mut T {
        self.0
    }
}

type Table = Shared<SlotTable>;

fn table() -> Table {
    let mut table = null_mut();
    // SAFETY: the pointer is writable.
    assert_eq!(unsafe { slot_table_create(&raw mut table, 1, 0) }, 0);
    Shared(table)
}

fn waiters(table: Table, word: &u32) -> c_long {
    // SAFETY: the table lives: the test has not destroyed it.
    unsafe { slot_waiters(table.get(), (&raw const *word).cast()) }
}

fn wake(table: Table, word: &u32, count: u32) -> c_long {
    // SAFETY: the table lives: the test has not destroyed it.
    unsafe { slot_wake(table.get(), (&raw const *word).cast(), count) }
}

fn destroy(table: Table) -> c_int {
    // SAFETY: the table lives, and the tests call it no more if this succeeds.
    unsafe { slot_table_destroy(table.get()) }
}

/// A thread that waits; returns once it is queued, or over.
fn queued(
    table: Table,
    word: &'static u32,
    wait: impl FnOnce(Table) -> c_int + Send + 'static,
) -> JoinHandle<c_int> {
    let others = waiters(table, word);
    let thread = std::thread::spawn(move || wait(table));
    let is_queued = || waiters(table, word) > others || thread.is_finished();
    until("a thread is queued", is_queued);
    thread
}

/// A thread that waits for ever while the word is 0.
fn waiting(table: Table, word: &'static u32) -> JoinHandle<c_int> {
    queued(table, word, move |table| {
        // SAFETY: table and word live.
        unsafe { slot_wait(table.get(), word, 0, FOR_EVER) }
    })
}

fn result(thread: JoinHandle<c_int>) -> c_int {
    thread.join().expect("a wait does not panic")
}

/// A table is destroyed while somebody sleeps in it: its slots would go under the sleeper.
#[test]
fn a_table_in_use_is_not_destroyed() {
    let _watch = watchdog("a_table_in_use_is_not_destroyed");
    let (table, word) = (table(), leak(0));
    let waiter = waiting(table, word);
    assert_eq!(destroy(table), -EBUSY);
    assert_eq!(wake(table, word, 1), 1);
    assert_eq!(result(waiter), 0);
    assert_eq!(destroy(table), 0);
}

/// glibc's `sem_post` and the like: who was woken frees the object at once, while the call that has
/// woken it is still inside. Here that call is counted, and the one who is too early is told.
#[test]
fn a_waker_is_inside_when_its_waiter_runs() {
    let _watch = watchdog("a_waker_is_inside_when_its_waiter_runs");
    let mut was_early = false;
    until("a waiter was back before its waker", || {
        let (table, word) = (table(), leak(0));
        let waiter = queued(table, word, move |table| {
            // SAFETY: table and word live.
            assert_eq!(unsafe { slot_wait(table.get(), word, 0, FOR_EVER) }, 0);
            let mut early = 0;
            while destroy(table) == -EBUSY {
                early += 1;
            }
            early
        });
        assert_eq!(wake(table, word, 1), 1);
        was_early |= result(waiter) > 0;
        was_early
    });
}

/// A panic of the engine must not reach a C program that names one interrupter in two waits.
#[test]
fn an_interrupter_in_use_is_refused() {
    let _watch = watchdog("an_interrupter_in_use_is_refused");
    let (table, word) = (table(), leak(0));
    let mut interrupter = null_mut();
    // SAFETY: the pointer is writable.
    assert_eq!(unsafe { slot_interrupter_create(&raw mut interrupter) }, 0);
    let interrupter: Shared<SlotInterrupter> = Shared(interrupter);
    let wait = move |table: Table| {
        let interrupter = interrupter.get();
        // SAFETY: table, interrupter and word live.
        unsafe { slot_wait_interruptible(table.get(), interrupter, word, 0, 1, FOR_EVER) }
    };
    let waiter = queued(table, word, wait);
    assert_eq!(wait(table), -EBUSY);
    // SAFETY: the interrupter lives: it is destroyed below.
    let destroyed = unsafe { slot_interrupter_destroy(interrupter.get()) };
    assert_eq!(destroyed, -EBUSY);
    // SAFETY: as above, the interrupter lives.
    assert_eq!(unsafe { slot_interrupter_interrupt(interrupter.get()) }, 1);
    assert_eq!(result(waiter), -EINTR);
    // SAFETY: as above, the interrupter lives.
    let destroyed = unsafe { slot_interrupter_destroy(interrupter.get()) };
    assert_eq!(destroyed, 0);
    assert_eq!(destroy(table), 0);
}

/// The kernel wakes one for a count of 0 and of less, which is not what a program means that has
/// computed 0. Each of the two calls keeps its own rule.
#[test]
fn counts_are_those_of_their_call() {
    let _watch = watchdog("counts_are_those_of_their_call");
    let (table, word) = (table(), leak(0));
    let waits: Vec<_> = (0..5).map(|_| waiting(table, word)).collect();
    assert_eq!(wake(table, word, 0), 0);
    for count in [0, u32::MAX, i32::MIN as u32] {
        let uaddr = (&raw const *word).cast_mut();
        // SAFETY: the table lives; a wake reads nothing.
        let woken =
            unsafe { slot_futex_on(table.get(), uaddr, WAKE_PRIVATE, count, 0, null_mut(), 0) };
        assert_eq!(woken, 1, "{count}");
    }
    assert_eq!(wake(table, word, SLOT_ALL), 2);
    for wait in waits {
        assert_eq!(result(wait), 0);
    }
    assert_eq!(destroy(table), 0);
}

/// No time is no deadline, and no reason to look at the clock's number.
#[test]
fn a_null_time_is_for_ever() {
    let _watch = watchdog("a_null_time_is_for_ever");
    let (table, word) = (table(), leak(0));
    let waiter = queued(table, word, move |table| {
        // SAFETY: table and word live.
        unsafe { slot_wait_until(table.get(), word, 0, 1, null(), 77) }
    });
    assert_eq!(wake(table, word, 1), 1);
    assert_eq!(result(waiter), 0);
    assert_eq!(destroy(table), 0);
}

/// A negative time is for ever, not over.
#[test]
fn a_negative_time_is_for_ever() {
    let _watch = watchdog("a_negative_time_is_for_ever");
    let (table, word) = (table(), leak(0));
    let waits = [-1, i64::MIN].map(|timeout_ns| {
        queued(table, word, move |table| {
            // SAFETY: table and word live.
            unsafe { slot_wait(table.get(), word, 0, timeout_ns) }
        })
    });
    assert_eq!(wake(table, word, SLOT_ALL), 2);
    for wait in waits {
        assert_eq!(result(wait), 0);
    }
    assert_eq!(destroy(table), 0);
}
