//! What the stories of panics and of re-entry share.

use std::panic::{AssertUnwindSafe, catch_unwind};

use slotpark_core::{Parked, RequeueOptions, Table};

use super::counting::{Counting, Counts};
use super::nest;

pub(crate) const AT: (u64, u64) = (5, 1);
pub(crate) const TO: (u64, u64) = (6, 2);
pub(crate) const ALL: usize = usize::MAX;

pub(crate) fn woken(tokens: impl IntoIterator<Item = u64>) -> Vec<Parked> {
    let woken = tokens.into_iter().map(|token| Parked::Woken { token });
    woken.collect()
}

/// Runs what must panic, and returns its message.
pub(crate) fn panics<R>(run: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else {
        panic!("this had to panic, and did not");
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().expect("a text").to_string(),
    }
}

pub(crate) fn ignore<T>(_outcome: T) {}

pub(crate) fn yes() -> Result<bool, ()> {
    Ok(true)
}

/// Nobody waits, no lock is held, nothing is announced: a wait and a wake still find each other.
pub(crate) fn assert_sound(table: &Table<u64, Counting>) {
    for (hash, key) in [AT, TO] {
        let (counts, woken_by_nobody) = Counts::of(|| table.unpark(hash, &key, ALL, 0));
        assert_eq!(
            (counts, woken_by_nobody),
            (Counts::default(), 0),
            "announced"
        );
        assert_eq!(table.waiters(hash, &key), 0);
        let outcomes = nest(table, (hash, key), 2, &mut || {
            assert_eq!(table.waiters(hash, &key), 2);
            assert_eq!(table.unpark(hash, &key, ALL, 3), 2);
        });
        assert_eq!(outcomes, woken([3, 3]));
    }
}

pub(crate) fn move_all() -> RequeueOptions {
    RequeueOptions {
        wake_max: 1,
        move_max: ALL,
        token: 0,
    }
}
