//! What the engine tells of locks by key, for orders that listen.
//!
//! **Lock order**: the list of listeners, then one part of one order's list of what is held; the
//! names of tables alone. None of them is held while a report runs.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use slotpark_core::{Held, Locking};

use super::{Label, LockOrder, Place};

/// Locks that are kept of one order at most: of more that are held at once nothing is known.
const HELD_MAX: usize = 4096;

/// Names of tables that are kept, for ever, at most.
const NAMES_MAX: usize = 1024;

/// Parts of what is held, each for some of the parties.
const PARTS: usize = 16;

static LISTENERS: RwLock<Vec<Arc<LockOrder>>> = RwLock::new(Vec::new());

/// How many listen: who is told looks here first.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// What tables are called, by their ids.
static TABLES: RwLock<Option<HashMap<u64, Label>>> = RwLock::new(None);

/// Every name that a table had while somebody listened.
static NAMES: Mutex<Option<HashSet<Label>>> = Mutex::new(None);

thread_local! {
    /// Whether this thread is being told something now: what it locks meanwhile, in a report or in
    /// an allocator, is not told.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// The number of this thread, once the engine has said it.
    static THREAD: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Who holds and asks: what a thread locks in the poll of a named task is the task's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Party {
    Thread(u32),
    Task(u64),
}

impl Party {
    fn of(lock: &Locking) -> Option<Self> {
        match (lock.task, lock.thread) {
            (Some(task), _) => Some(Self::Task(task)),
            // A task without a name goes on on any thread: nobody knows what it holds.
            (None, _) if lock.is_task => None,
            (None, thread) => thread.map(Self::Thread),
        }
    }

    fn of_held(held: &Held) -> Option<Self> {
        let task = held.task.map(Self::Task);
        task.or(held.thread.map(Self::Thread))
    }

    /// This thread, if it has ever locked a key.
    pub(super) fn here() -> Option<Self> {
        THREAD.try_with(Cell::get).ok()?.map(Self::Thread)
    }
}

/// What each party holds: the holder's number, its label, its place.
type HeldBy = HashMap<Party, Vec<(u64, Label, Place)>>;

/// What is held by way of the engine.
#[derive(Default)]
pub(super) struct ByEngine {
    parts: [Mutex<HeldBy>; PARTS],
    count: AtomicUsize,
    unlisted: AtomicUsize,
}

impl ByEngine {
    fn part(&self, party: Party) -> MutexGuard<'_, HeldBy> {
        let number = match party {
            Party::Thread(thread) => u64::from(thread),
            Party::Task(task) => task,
        };
        let index = usize::try_from(number % PARTS as u64).unwrap_or(0);
        self.parts[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn of(&self, party: Party) -> Vec<(Label, Place)> {
        let part = self.part(party);
        let held = part.get(&party).into_iter().flatten();
        held.map(|held| (held.1, held.2)).collect()
    }

    fn add(&self, party: Party, holder: u64, label: Label, place: Place) {
        // ORDERING: relaxed: a bound that may be missed by as many as add at once.
        if self.count.load(Ordering::Relaxed) >= HELD_MAX {
            // ORDERING: relaxed: a statistic.
            self.unlisted.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // ORDERING: relaxed: as above.
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut part = self.part(party);
        part.entry(party).or_default().push((holder, label, place));
    }

    fn remove(&self, party: Party, holder: u64) {
        let mut part = self.part(party);
        let Some(held) = part.get_mut(&party) else {
            return;
        };
        let before = held.len();
        held.retain(|held| held.0 != holder);
        let removed = before - held.len();
        if held.is_empty() {
            part.remove(&party);
        }
        // ORDERING: relaxed: as in `add`.
        self.count.fetch_sub(removed, Ordering::Relaxed);
    }

    fn clear(&self) {
        for part in &self.parts {
            part.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        // ORDERING: relaxed: nobody adds any more but who was told before.
        self.count.store(0, Ordering::Relaxed);
    }

    pub(super) fn unlisted(&self) -> usize {
        // ORDERING: relaxed: a statistic.
        self.unlisted.load(Ordering::Relaxed)
    }
}

/// Runs `tell` for each order that listens, unless this thread is in one already.
fn each(mut tell: impl FnMut(&LockOrder)) {
    // ORDERING: relaxed: who begins to listen hears what comes after it is seen.
    if COUNT.load(Ordering::Relaxed) == 0
        || INSIDE.try_with(|inside| inside.replace(true)) != Ok(false)
    {
        return;
    }
    /// Also by the panic of a report.
    struct Outside;
    impl Drop for Outside {
        fn drop(&mut self) {
            let _ = INSIDE.try_with(|inside| inside.set(false));
        }
    }
    let _outside = Outside;
    // A report may begin or end to listen.
    let listeners = LISTENERS
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    for order in &listeners {
        tell(order);
    }
}

/// What a lock is called: by who asked for it, or as its table.
fn label(lock: &Locking) -> Option<Label> {
    let of_table = || {
        let tables = TABLES.read().unwrap_or_else(PoisonError::into_inner);
        tables.as_ref()?.get(&lock.table).copied()
    };
    lock.label.or_else(of_table)
}

pub(crate) fn asks(lock: &Locking) {
    if !lock.waits {
        return;
    }
    each(|order| {
        let _ = THREAD.try_with(|own| own.set(lock.thread));
        let (Some(party), Some(label)) = (Party::of(lock), label(lock)) else {
            return;
        };
        let mut held = order.by_engine.of(party);
        if !lock.is_task {
            held.extend(order.held_here());
        }
        order.asked(&held, label, lock.location);
    });
}

pub(crate) fn holds(lock: &Locking) {
    each(|order| {
        if let (Some(party), Some(label)) = (Party::of(lock), label(lock)) {
            (order.by_engine).add(party, lock.holder, label, lock.location);
        }
    });
}

pub(crate) fn gave_up(held: &Held) {
    each(|order| {
        if let Some(party) = Party::of_held(held) {
            order.by_engine.remove(party, held.holder);
        }
    });
}

pub(super) fn listen(order: &Arc<LockOrder>) {
    let mut listeners = LISTENERS.write().unwrap_or_else(PoisonError::into_inner);
    listeners.push(Arc::clone(order));
    // ORDERING: relaxed: as in `each`.
    COUNT.store(listeners.len(), Ordering::Relaxed);
}

pub(super) fn end(order: &Arc<LockOrder>) {
    let mut listeners = LISTENERS.write().unwrap_or_else(PoisonError::into_inner);
    let mut all = listeners.iter();
    let ended = all.position(|other| Arc::ptr_eq(other, order));
    let ended = ended.map(|at| listeners.remove(at));
    // ORDERING: relaxed: as in `each`.
    COUNT.store(listeners.len(), Ordering::Relaxed);
    drop(listeners);
    if let Some(order) = ended {
        order.by_engine.clear();
    }
}

/// Takes over what tables are called, if somebody listens.
pub(crate) fn name<'n>(tables: impl Iterator<Item = (u64, &'n str)>) {
    // ORDERING: relaxed: as in `each`.
    if COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    let mut named = HashMap::new();
    for (id, name) in tables {
        if let Some(label) = kept(name) {
            named.entry(id).or_insert(label);
        }
    }
    *TABLES.write().unwrap_or_else(PoisonError::into_inner) = Some(named);
}

/// The same name, for ever; `None` if too many are kept.
fn kept(name: &str) -> Option<Label> {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(label) = names.get(name) {
        return Some(label);
    }
    if names.len() == NAMES_MAX {
        return None;
    }
    let label: Label = Box::leak(name.into());
    names.insert(label);
    Some(label)
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_counted_and_nothing_stays() {
        let held = ByEngine::default();
        let party = |number: u64| Party::Task(number % 64);
        let more = HELD_MAX as u64 + 10;
        for holder in 0..more {
            held.add(party(holder), holder, "a", Location::caller());
        }
        assert_eq!(held.unlisted(), 10);
        assert_eq!(held.of(party(7)).len(), HELD_MAX / 64);
        for holder in 0..more {
            held.remove(party(holder), holder);
        }
        held.add(party(1), 1, "a", Location::caller());
        assert_eq!((held.unlisted(), held.of(party(1)).len()), (10, 1));
        held.remove(party(1), 1);
        let parts = held.parts.iter();
        assert!(
            parts
                .map(|part| part.lock().unwrap().len())
                .all(|len| len == 0)
        );
        assert_eq!(held.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_name_is_kept_once() {
        let first = kept("kept once").unwrap();
        let again = kept(&String::from("kept once")).unwrap();
        assert!(std::ptr::eq(first, again));
    }
}
