//! The books of one key: how much of it is held, what it guards, and what became of notifications.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

/// All relaxed: what a check relies on is read after all threads were seen to be quiet.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Too little seems to be held, never too much.
    held: AtomicU64,
    /// What the key guards, and how often it was changed.
    cell: AtomicU64,
    changes: AtomicU64,
    /// Somebody holds and waits for more; two would wait for each other.
    pub(super) growing: AtomicBool,
    pub(super) counted: Notified,
    pub(super) all: Notified,
}

/// What became of the notifications of one condition.
#[derive(Debug, Default)]
pub(super) struct Notified {
    /// As many as were counted, and those that may be about to be.
    sent_max: AtomicI64,
    received: AtomicI64,
    /// Waits that went away without telling how.
    dropped: AtomicI64,
}

/// The future that a thread waits with: of which key, and how many notifications had come to
/// nothing, at most, when it had been queued.
pub(super) type Note = Mutex<Option<(usize, i64)>>;

impl Books {
    /// False if more is held than there is.
    pub(super) fn hold(&self, amount: u32, capacity: u32, spins: u32) -> bool {
        let amount = u64::from(amount);
        let held = self.held.fetch_add(amount, Ordering::Relaxed) + amount;
        if amount == u64::from(capacity) {
            let value = self.cell.load(Ordering::Relaxed);
            spin(spins);
            self.cell.store(value + 1, Ordering::Relaxed);
            self.changes.fetch_add(1, Ordering::Relaxed);
        } else {
            spin(spins);
        }
        held <= u64::from(capacity)
    }

    pub(super) fn give_up(&self, amount: u32) {
        self.held.fetch_sub(u64::from(amount), Ordering::Relaxed);
    }

    pub(super) fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Everybody has come home.
    pub(super) fn close(&self) -> Result<(), String> {
        let [cell, changes] =
            [&self.cell, &self.changes].map(|count| count.load(Ordering::Relaxed));
        if cell != changes {
            return Err(format!(
                "what it guards was changed {changes} times, and {cell} are left"
            ));
        }
        self.counted.close()?;
        self.all.close()
    }
}

fn spin(count: u32) {
    for _ in 0..count {
        std::hint::spin_loop();
    }
}

impl Notified {
    /// Runs a notification of so many at most, which returns of how many it was.
    pub(super) fn sends(&self, count_max: usize, notify: impl FnOnce() -> usize) -> usize {
        self.sent_max.fetch_add(count_max as i64, Ordering::Relaxed);
        let count = notify();
        self.sent_max
            .fetch_sub(count_max as i64 - count as i64, Ordering::Relaxed);
        count
    }

    pub(super) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were sent and not received: exact if nobody acts, else at least those that have
    /// come to nothing before the caller was queued.
    pub(super) fn lost_max(&self) -> i64 {
        self.sent_max.load(Ordering::Relaxed) - self.received.load(Ordering::Relaxed)
    }

    fn close(&self) -> Result<(), String> {
        let dropped = self.dropped.load(Ordering::Relaxed);
        match self.lost_max() {
            lost if (0..=dropped).contains(&lost) => Ok(()),
            _ => Err(format!("notifications do not add up: {self:?}")),
        }
    }
}
