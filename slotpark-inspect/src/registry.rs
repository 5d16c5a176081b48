//! The tables that a look at this process sees.
//!
//! **Invariants**
//! - R1: no two registered tables have one name.
//! - R2: the registry's lock is held for its own list only: never while a table is looked at.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use slotpark_core::Inspect;

use crate::{Detail, detail, order, record};

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    next: 0,
    entries: Vec::new(),
});

struct Registry {
    next: u64,
    entries: Vec<Entry>,
}

struct Entry {
    number: u64,
    name: String,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Counted(Weak<dyn Inspect>),
    Static(&'static dyn Inspect),
}

/// A table that a look has in hand.
pub(crate) enum Table {
    Counted(Arc<dyn Inspect>),
    Static(&'static dyn Inspect),
}

impl Table {
    pub(crate) fn get(&self) -> &dyn Inspect {
        match self {
            Self::Counted(table) => &**table,
            Self::Static(table) => *table,
        }
    }
}

/// Shows a table to whoever looks at this process, until the returned value is dropped or the table
/// is. It is not kept alive, but for the time of a look: where that is the last to let go of it, it
/// is dropped there.
///
/// The name is given a number if another table has it. The process-wide table needs no
/// registration: it is there as `process`.
///
/// ```
/// use std::sync::Arc;
/// use slotpark_core::Table;
/// use slotpark_inspect::{Snapshot, register};
///
/// let pages = Arc::new(Table::<u64>::new());
/// let shown = register("pages", &pages);
/// let snapshot = Snapshot::take();
/// let table = snapshot.tables.iter().find(|table| table.name == shown.name());
/// assert_eq!(table.unwrap().slot_count, 512);
/// ```
#[must_use = "the table is shown until the returned value is dropped"]
pub fn register<T: Inspect + 'static>(name: impl Into<String>, table: &Arc<T>) -> Registration {
    let counted: Weak<T> = Arc::downgrade(table);
    add(name.into(), Source::Counted(counted))
}

/// As [`register`], of a table that is there for ever.
///
/// ```
/// use slotpark_core::{Slots, Table};
/// use slotpark_inspect::register_static;
/// static SLOTS: Slots<u64> = Slots::new();
/// static TABLE: Table<u64> = Table::over(&SLOTS);
/// register_static("connections", &TABLE).keep();
/// ```
#[must_use = "the table is shown until the returned value is dropped"]
pub fn register_static(name: impl Into<String>, table: &'static dyn Inspect) -> Registration {
    add(name.into(), Source::Static(table))
}

fn add(name: String, source: Source) -> Registration {
    let mut registry = lock();
    registry.entries.retain(|entry| entry.source.is_there());
    let name = registry.free_name(name);
    registry.next += 1;
    let number = registry.next;
    registry.entries.push(Entry {
        number,
        name: name.clone(),
        source,
    });
    drop(registry);
    record();
    Registration { number, name }
}

/// Makes records for all tables, if anything is recorded; and looks at all slots, if owners are:
/// who locks a key by its slot's word alone leaves no name, and a look ends that.
pub(crate) fn record() {
    let detail = detail::now();
    if detail == Detail::Off {
        return;
    }
    let tables = tables();
    let ids = tables.iter().map(|(_, table)| table.get().table_id());
    let ids = ids.collect::<Vec<_>>();
    record::keep(&ids);
    let names = tables.iter().map(|(name, _)| name.as_str());
    order::name(ids.into_iter().zip(names));
    for (_, table) in tables.iter().filter(|_| detail >= Detail::Timing) {
        let table = table.get();
        for index in 0..table.slot_count() {
            let _count = table.look(index, &mut []);
        }
    }
}

/// The process-wide table, and those that are registered in the order of their registration.
pub(crate) fn tables() -> Vec<(String, Table)> {
    let entries = {
        let registry = lock();
        let pairs = registry.entries.iter();
        let pairs = pairs.map(|entry| (entry.name.clone(), entry.source.clone()));
        pairs.collect::<Vec<_>>()
    };
    let there = entries.into_iter();
    let there = there.filter_map(|(name, source)| Some((name, source.get()?)));
    let process: &'static dyn Inspect = slotpark_core::process_table();
    let process = (PROCESS.to_owned(), Table::Static(process));
    [process].into_iter().chain(there).collect()
}

/// A panic under the lock leaves the list whole.
fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    fn free_name(&self, name: String) -> String {
        let is_free =
            |name: &str| name != PROCESS && self.entries.iter().all(|entry| entry.name != name);
        if is_free(&name) {
            return name;
        }
        let mut numbered = (2u64..).map(|number| format!("{name}#{number}"));
        numbered
            .find(|name| is_free(name))
            .expect("there are fewer tables than numbers")
    }
}

/// What the process-wide table is called.
pub(crate) const PROCESS: &str = "process";

impl Source {
    fn is_there(&self) -> bool {
        match self {
            Self::Counted(table) => table.strong_count() > 0,
            Self::Static(_) => true,
        }
    }

    fn get(self) -> Option<Table> {
        match self {
            Self::Counted(table) => table.upgrade().map(Table::Counted),
            Self::Static(table) => Some(Table::Static(table)),
        }
    }
}

/// A table is shown as long as this lives.
///
/// ```
/// use std::sync::Arc;
/// let table = Arc::new(slotpark_core::Table::<u64>::new());
/// let first = slotpark_inspect::register("queue", &table);
/// let second = slotpark_inspect::register("queue", &table);
/// assert_eq!((first.name(), second.name()), ("queue", "queue#2"));
/// ```
#[must_use = "the table is shown until this is dropped"]
#[derive(PartialEq, Eq)]
pub struct Registration {
    number: u64,
    name: String,
}

impl Registration {
    /// What the table is called in snapshots: the name that was asked for, with a number where
    /// another has it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// let table = Arc::new(slotpark_core::Table::<u64>::new());
    /// assert_eq!(slotpark_inspect::register("jobs", &table).name(), "jobs");
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Leaves the table registered as long as it lives.
    ///
    /// ```
    /// use std::sync::Arc;
    /// let table = Arc::new(slotpark_core::Table::<u64>::new());
    /// slotpark_inspect::register("inodes", &table).keep();
    /// assert_eq!(slotpark_inspect::register("inodes", &table).name(), "inodes#2");
    /// ```
    pub fn keep(mut self) {
        drop(mem::take(&mut self.name));
        mem::forget(self);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let removed = {
            let mut registry = lock();
            let mut entries = registry.entries.iter();
            let place = entries.position(|entry| entry.number == self.number);
            place.map(|place| registry.entries.remove(place))
        };
        drop(removed);
        record();
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registration").field(&self.name).finish()
    }
}
