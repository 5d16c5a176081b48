//! Stories of locks: who is overtaken, who is let in with whom, who is woken for nothing, and what
//! is touched after its end.

#[path = "../common/mod.rs"]
mod common;
mod condvar;
mod mutex;
mod rwlock;

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use common::spied::{Spied, before_wake};
use common::{Waiting, asleep, leak, sleepy, until};
use slotpark_core::{
    At, Deadline, Parked, Platform, RawCondvar, RawMutex, RawOnce, RawRwLock, Table,
};

const LOCKS: (u64, u64) = (5, 1);
const CONDVAR: (u64, u64) = (6, 2);

/// Locks and a table for their waiters, who sleep at once.
struct Site<P: Platform> {
    table: &'static Table<u64, P>,
    mutex: RawMutex,
    condvar: RawCondvar,
    rwlock: RawRwLock,
    once: RawOnce,
}

impl<P: Platform> Site<P> {
    fn new() -> &'static Self {
        leak(Self {
            table: sleepy(4),
            mutex: RawMutex::new(),
            condvar: RawCondvar::new(),
            rwlock: RawRwLock::new(),
            once: RawOnce::new(),
        })
    }

    fn place(&self, (hash, key): (u64, u64)) -> At<'static, u64, P> {
        At {
            table: self.table,
            hash,
            key,
        }
    }

    /// Where the locks wait: a test uses one of them.
    fn at(&self) -> At<'static, u64, P> {
        self.place(LOCKS)
    }

    fn waiters(&self, (hash, key): (u64, u64)) -> usize {
        self.table.waiters(hash, &key)
    }

    /// A thread that waits at `place`.
    fn queued<R: Send + 'static>(
        &'static self,
        place: (u64, u64),
        wait: impl FnOnce(&'static Self) -> R + Send + 'static,
    ) -> JoinHandle<R> {
        let others = self.waiters(place);
        let thread = std::thread::spawn(move || wait(self));
        until("a thread is queued", || self.waiters(place) > others);
        thread
    }

    fn lock(&self) {
        assert!(self.mutex.lock_at(self.at(), None));
    }

    fn unlock(&self) {
        self.mutex.unlock_at(self.at());
    }

    /// With the mutex locked.
    fn wait(&self, deadline: Option<Deadline>) -> bool {
        let place = self.place(CONDVAR);
        // SAFETY: the condition variable is used at this place alone.
        unsafe {
            self.condvar
                .wait_at(place, (&self.mutex, self.at()), deadline)
        }
    }

    fn notify(&self, count: usize) -> usize {
        let place = self.place(CONDVAR);
        // SAFETY: the condition variable is used at this place alone.
        unsafe { self.condvar.notify_at(place, count, |_| self.at()) }
    }
}

fn joined<R>(thread: JoinHandle<R>) -> R {
    until("a thread returns", || thread.is_finished());
    thread.join().expect("it does not panic")
}

/// Locks again and again before a waiter that has just been woken, as long as the waiter is not
/// handed the lock.
fn overtake(try_lock: fn(&Site<Spied>) -> bool, lock: fn(&Site<Spied>), unlock: fn(&Site<Spied>)) {
    let site: &'static Site<Spied> = Site::new();
    lock(site);
    let waiting = Waiting::started(move || {
        lock(site);
        Parked::Stale
    });
    let is_mine = leak(AtomicBool::new(true));
    // The waiter sleeps, and this thread is faster.
    before_wake(move || is_mine.store(try_lock(site), Ordering::Relaxed));
    let mut unlocks = 0;
    while is_mine.load(Ordering::Relaxed) {
        assert!(unlocks < 9, "it is woken, and too late, for ever");
        until("the waiter sleeps", || {
            site.waiters(LOCKS) == 1 && asleep(&waiting.task)
        });
        unlocks += 1;
        is_mine.store(false, Ordering::Relaxed);
        unlock(site);
    }
    let _stale = waiting.outcome();
    unlock(site);
    assert!(try_lock(site), "it was the waiter's");
}

/// A number, guarded by a lock.
struct Guarded(UnsafeCell<[u64; 2]>);

// SAFETY: the tests access it under a lock.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new() -> &'static Self {
        leak(Self(UnsafeCell::new([0; 2])))
    }

    /// In two halves: who comes in between sees it.
    fn add(&self) {
        self.check();
        // SAFETY: the lock is held for writing.
        unsafe { (*self.0.get())[0] += 1 };
        // SAFETY: the lock is held for writing.
        unsafe { (*self.0.get())[1] += 1 };
    }

    fn check(&self) -> u64 {
        // SAFETY: the lock is held, for reading at least.
        let [first, second] = unsafe { *self.0.get() };
        assert_eq!(first, second, "somebody writes beside this");
        first
    }
}
