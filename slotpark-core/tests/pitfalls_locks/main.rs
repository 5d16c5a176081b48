//! Stories of locks: who is overtaken, who is let in with whom, who is woken for nothing, and what
//! is touched after its end.

#[path = "../common/mod.rs"]
mod common;
mod condvar;
mod mutex;
mod rwlock;

use std::cell::UnsafeCell;
use std::thread::JoinHandle;

use common::{leak, sleepy, until};
use slotpark_core::{At, Deadline, Platform, RawCondvar, RawMutex, RawOnce, RawRwLock, Table};

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
