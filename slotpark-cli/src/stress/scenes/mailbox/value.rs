//! Values that know where they belong, and count their drops.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::stress::planned::Key;

/// How many values were made and dropped. Relaxed: compared when every thread has come home.
#[derive(Debug, Default)]
pub(super) struct Census {
    made: AtomicU64,
    dropped: AtomicU64,
}

impl Census {
    /// Nobody has a value any more.
    pub(super) fn close(&self) -> Result<(), String> {
        let [made, dropped] =
            [&self.made, &self.dropped].map(|count| count.load(Ordering::Relaxed));
        if made == dropped {
            Ok(())
        } else {
            Err(format!("{made} values were made and {dropped} dropped"))
        }
    }
}

/// See the file.
#[derive(Debug)]
pub(super) struct Value {
    key: Key,
    serial: u64,
    /// The serial once more, elsewhere: a value that was freed or copied in part shows.
    copy: Box<u64>,
    taken: bool,
    census: Arc<Census>,
}

/// Values that this thread has dropped and nobody had taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    pub(super) count: u64,
    /// The sum of their serials.
    pub(super) serials: u64,
}

thread_local! {
    static LOSSES: Cell<Losses> = const { Cell::new(Losses { count: 0, serials: 0 }) };
}

/// Runs `call`; what was lost by it.
pub(super) fn losses<R>(call: impl FnOnce() -> R) -> (R, Losses) {
    let before = LOSSES.take();
    let result = call();
    let lost = LOSSES.replace(before);
    (result, lost)
}

impl Value {
    pub(super) fn new(key: Key, serial: u64, census: Arc<Census>) -> Self {
        census.made.fetch_add(1, Ordering::Relaxed);
        Self {
            key,
            serial,
            copy: Box::new(serial),
            taken: false,
            census,
        }
    }

    pub(super) fn key(&self) -> Key {
        self.key
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    /// Its serial, if it is whole and belongs to `key`.
    pub(super) fn take(mut self, key: Key) -> Option<u64> {
        let is_whole = !self.taken && *self.copy == self.serial;
        self.taken = true;
        (is_whole && self.key == key).then_some(self.serial)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.census.dropped.fetch_add(1, Ordering::Relaxed);
        if !self.taken {
            let Losses { count, serials } = LOSSES.get();
            LOSSES.set(Losses {
                count: count + 1,
                serials: serials.wrapping_add(self.serial),
            });
        }
    }
}
