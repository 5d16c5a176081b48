//! Who holds locks of a byte and of a word, as looks at the process-wide table tell it.
#![cfg(feature = "inspect")]

#[path = "../common/mod.rs"]
mod common;
#[cfg(all(target_os = "linux", not(miri)))]
#[path = "../common/forked.rs"]
mod forked;
#[cfg(all(target_os = "linux", not(miri)))]
mod forks;
mod levels;
mod looks;
mod programs;
mod waits;

use std::sync::{Mutex, MutexGuard, PoisonError};

use slotpark_core::{
    At, DefaultPlatform, Detail, FutexKey, Inspect, Kind, RawMutex, Seen, process_table, set_detail,
};

type Place = At<'static, FutexKey, DefaultPlatform>;

/// The level and the list are those of the process: one story at a time.
struct Alone {
    _others: MutexGuard<'static, ()>,
}

impl Alone {
    fn at(detail: Detail) -> Self {
        static STORIES: Mutex<()> = Mutex::new(());
        let others = STORIES.lock().unwrap_or_else(PoisonError::into_inner);
        set_detail(detail);
        Self { _others: others }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        set_detail(Detail::Off);
    }
}

/// All that is in a slot of the process-wide table.
fn look(index: usize) -> Vec<Seen> {
    let mut room = vec![Seen::default(); 256];
    let count = process_table().look(index, &mut room);
    assert!(count <= room.len(), "{count} nodes");
    room.truncate(count);
    room
}

fn slot(place: Place) -> usize {
    process_table().slot_index(place.hash)
}

fn waiters(place: Place) -> usize {
    process_table().waiters(place.hash, &place.key)
}

/// Who holds what lies at a place.
fn holders(place: Place) -> Vec<Seen> {
    let mut seen = look(slot(place));
    seen.retain(|seen| seen.holds && seen.hash == place.hash);
    seen
}

fn kinds(place: Place) -> Vec<Kind> {
    holders(place).iter().map(|seen| seen.kind).collect()
}

fn threads(place: Place) -> Vec<Option<u32>> {
    holders(place).iter().map(|seen| seen.thread).collect()
}

/// The number of the calling thread, as owners have it.
fn me() -> Option<u32> {
    let mutex = RawMutex::new();
    assert!(mutex.try_lock());
    let [own] = threads(mutex.place())[..] else {
        panic!("one holds it");
    };
    assert!(own.is_some());
    mutex.unlock_at(mutex.place());
    own
}

/// Nobody is in the list.
fn assert_nobody() {
    // Made once: an interpreter takes long for it.
    let mut room = [Seen::default(); 8];
    for index in 0..process_table().slot_count() {
        let count = process_table().look(index, &mut room);
        assert!(count <= room.len(), "{count} nodes");
        let held = room[..count].iter().find(|seen| seen.holds);
        assert!(held.is_none(), "{held:#?}");
    }
}
