//! The accounts of keys: how much of each is held, what it guards, what became of notifications.
//!
//! None of it is a step of the program: the scheduler sees only that who holds lets others run.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::thread;

use super::program::KEYS;

/// See the file.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Counted so that too little seems to be held, never too much.
    held: [AtomicUsize; KEYS],
    /// What each key guards, and how often it was changed.
    cells: [AtomicUsize; KEYS],
    changes: [AtomicUsize; KEYS],
    pub(super) counted: [Notified; KEYS],
    pub(super) all: [Notified; KEYS],
    /// The futures that wait for a counted notification.
    waits: Mutex<Vec<Wait>>,
}

/// What became of the notifications of one condition of one key.
#[derive(Debug, Default)]
pub(super) struct Notified {
    /// As many as were counted, and those that may be about to be.
    sent_max: AtomicUsize,
    received: AtomicUsize,
    /// Waits that went away without telling how.
    dropped: AtomicUsize,
}

/// A future that was queued when so many notifications, at most, had come to nothing.
#[derive(Clone, Copy, Debug)]
struct Wait {
    key: usize,
    number: usize,
    lost_max: isize,
}

impl Books {
    pub(super) fn hold(&self, key: usize, amount: u32, capacity: u32, pauses: u32) {
        let amount = amount as usize;
        let held = self.held[key].fetch_add(amount, Ordering::Relaxed) + amount;
        assert!(held <= capacity as usize, "{held} of {key} are held");
        if amount == capacity as usize {
            let value = self.cells[key].load(Ordering::Relaxed);
            pause(pauses);
            self.cells[key].store(value + 1, Ordering::Relaxed);
            self.changes[key].fetch_add(1, Ordering::Relaxed);
        } else {
            pause(pauses);
        }
    }

    pub(super) fn give_up(&self, key: usize, amount: u32) {
        self.held[key].fetch_sub(amount as usize, Ordering::Relaxed);
    }

    pub(super) fn held(&self, key: usize) -> usize {
        self.held[key].load(Ordering::Relaxed)
    }

    /// A future was queued; its number.
    pub(super) fn queued(&self, key: usize) -> usize {
        let lost_max = self.counted[key].lost_max();
        let mut waits = self.waits.lock().expect("no holder panics");
        let number = waits.last().map_or(0, |wait| wait.number + 1);
        waits.push(Wait {
            key,
            number,
            lost_max,
        });
        number
    }

    pub(super) fn gone(&self, number: usize) {
        let mut waits = self.waits.lock().expect("no holder panics");
        waits.retain(|wait| wait.number != number);
    }

    /// Nobody acts: no notification has come to nothing while somebody waited for one.
    pub(super) fn check_quiet(&self) {
        let waits = self.waits.lock().expect("no holder panics");
        for wait in &*waits {
            let lost = self.counted[wait.key].lost_max();
            assert!(
                lost <= wait.lost_max,
                "a notification was lost: {lost} came to nothing, and {wait:?} waits"
            );
        }
    }

    pub(super) fn check_end(&self) {
        for key in 0..KEYS {
            assert_eq!(self.held(key), 0);
            let [cell, changes] =
                [&self.cells, &self.changes].map(|count| count[key].load(Ordering::Relaxed));
            assert_eq!(cell, changes, "what {key} guards was changed by two");
        }
        for notified in self.counted.iter().chain(&self.all) {
            let dropped = notified.dropped.load(Ordering::Relaxed) as isize;
            let lost = notified.lost_max();
            assert!(0 <= lost && lost <= dropped, "{notified:?}");
        }
    }
}

impl Notified {
    /// Runs a notification of so many at most, which returns of how many it was.
    pub(super) fn sends(&self, count_max: usize, notify: impl FnOnce() -> usize) -> usize {
        self.sent_max.fetch_add(count_max, Ordering::Relaxed);
        let count = notify();
        assert!(count <= count_max, "{count} were notified, not {count_max}");
        self.sent_max
            .fetch_sub(count_max - count, Ordering::Relaxed);
        count
    }

    pub(super) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were sent and not received; exact if nobody acts.
    fn lost_max(&self) -> isize {
        let [sent, received] =
            [&self.sent_max, &self.received].map(|count| count.load(Ordering::Relaxed) as isize);
        sent - received
    }
}

pub(super) fn pause(pauses: u32) {
    for _ in 0..pauses {
        thread::yield_now();
    }
}
