//! Locks: what excludes whom, who is handed what, and that nobody who waits is forgotten.

mod condvar;
mod mutex;
mod once;
mod rwlock;

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};
use slotpark_core::{At, RawCondvar, RawMutex, RawOnce, RawRwLock, Table};

use crate::host::{Host, OwnBit};
use crate::scene::{A, B};

type Place<'t> = At<'t, u64, Host<OwnBit>>;

/// One of each, a table for their waiters, and a cell that they guard.
struct Site {
    table: Table<u64, Host<OwnBit>>,
    mutex: RawMutex,
    condvar: RawCondvar,
    rwlock: RawRwLock,
    once: RawOnce,
    cell: UnsafeCell<u32>,
}

// SAFETY: the locks guard the cell; loom checks it.
unsafe impl Sync for Site {}
// SAFETY: the locks guard the cell; loom checks it.
unsafe impl Send for Site {}

impl Site {
    fn new() -> Arc<Self> {
        Self::with_slots(1)
    }

    fn with_slots(count: usize) -> Arc<Self> {
        Arc::new(Self {
            table: Table::with_slots(count),
            mutex: RawMutex::new(),
            condvar: RawCondvar::new(),
            rwlock: RawRwLock::new(),
            once: RawOnce::new(),
            cell: UnsafeCell::new(0),
        })
    }

    fn spawn<R: 'static>(
        self: &Arc<Self>,
        action: impl FnOnce(&Self) -> R + 'static,
    ) -> JoinHandle<R> {
        let site = Arc::clone(self);
        thread::spawn(move || action(&site))
    }

    /// Where everything but the condition variable waits.
    fn at(&self) -> Place<'_> {
        At {
            table: &self.table,
            hash: A,
            key: A,
        }
    }

    /// Where the condition variable waits.
    fn condvar_at(&self) -> Place<'_> {
        At {
            hash: B,
            key: B,
            ..self.at()
        }
    }

    /// By who has locked something for writing; what it was.
    fn add(&self) -> u32 {
        self.cell.with_mut(|number| {
            // SAFETY: the lock is held; loom checks it.
            let number = unsafe { &mut *number };
            *number += 1;
            *number - 1
        })
    }

    /// By who has locked something.
    fn read(&self) -> u32 {
        // SAFETY: the lock is held; loom checks it.
        self.cell.with(|number| unsafe { *number })
    }

    /// Nobody waits.
    fn assert_empty(&self) {
        for key in [A, B] {
            assert_eq!(self.table.waiters(key, &key), 0);
        }
    }
}
