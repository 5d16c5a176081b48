//! Taking a snapshot: one slot at a time, into memory that is there before the slot is locked.

use std::collections::HashMap;

use slotpark_core::{Clock, DefaultPlatform, Inspect, Platform, Seen};

use crate::registry;
use crate::threads::Names;
use crate::{SCHEMA, Snapshot, Table, detail, record, seen};

/// Nodes for which there is room at first.
const ROOM: usize = 64;

/// Nodes of one slot that a look copies at most, which bounds how long it holds a slot lock.
pub(crate) const ROOM_MAX: usize = 1 << 14;

impl Snapshot {
    /// What there is in all tables of this process that are registered, and in the process-wide
    /// one.
    ///
    /// One slot at a time is locked, for as long as it takes to copy what is in it; nothing is
    /// allocated meanwhile. So it is exact for each slot, and the slots are of different moments.
    /// Safe while the program hangs, unless it hangs under a slot lock.
    ///
    /// ```
    /// let snapshot = slotpark_inspect::Snapshot::take();
    /// assert_eq!(snapshot.process, std::process::id());
    /// ```
    #[must_use]
    pub fn take() -> Self {
        let tables = registry::tables();
        let tables = tables.iter().map(|(name, table)| (&**name, table.get()));
        Self::of(&tables.collect::<Vec<_>>())
    }

    /// As [`take`](Self::take), of these tables.
    ///
    /// ```
    /// use slotpark_inspect::Snapshot;
    /// let table = slotpark_core::Table::<u64>::new();
    /// let snapshot = Snapshot::of(&[("mine", &table)]);
    /// assert_eq!(snapshot.tables[0].name, "mine");
    /// assert!(snapshot.tables[0].waits.is_empty());
    /// ```
    #[must_use]
    pub fn of(tables: &[(&str, &dyn Inspect)]) -> Self {
        let at_ns = now_ns();
        let mut room = vec![Seen::default(); ROOM];
        let mut names = Names::default();
        let look = |(name, table): &(&str, &dyn Inspect)| look(name, *table, &mut room, &mut names);
        let tables = tables.iter().map(look).collect();
        Self {
            schema: SCHEMA,
            process: std::process::id(),
            program: program(),
            at_ns,
            took_ns: now_ns() - at_ns,
            detail: detail::now(),
            tables,
        }
    }
}

fn look(name: &str, table: &dyn Inspect, room: &mut Vec<Seen>, names: &mut Names) -> Table {
    let mut found = Table {
        name: name.to_owned(),
        slot_count: table.slot_count(),
        ..Table::default()
    };
    for index in 0..found.slot_count {
        let there = fill(table, index, room);
        let nodes = &room[..there.min(room.len())];
        found.left_out += there - nodes.len();
        seen::add(&mut found, index, table.slot_stats(index), nodes, names);
    }
    found.unlisted = table.unlisted();
    (found.histograms, found.top_keys) = record::of(table.table_id());
    name_keys(&mut found);
    found
}

/// Of the busiest keys only hashes are recorded; those that are in the table now have a text.
fn name_keys(table: &mut Table) {
    let keys = table.waits.iter().map(|wait| &wait.key);
    let keys = keys.chain(table.holders.iter().map(|holder| &holder.key));
    let keys = keys.map(|key| (key.hash, key)).collect::<HashMap<_, _>>();
    for top in &mut table.top_keys {
        if let Some(key) = keys.get(&top.key.hash) {
            top.key = (*key).clone();
        }
    }
}

/// Copies what is in a slot, into more room and once more while there was too little. Says how many
/// nodes there are.
fn fill(table: &dyn Inspect, index: usize, room: &mut Vec<Seen>) -> usize {
    loop {
        let there = table.look(index, room);
        if there <= room.len() || room.len() >= ROOM_MAX {
            return there;
        }
        // Some more than there are, since more may come meanwhile.
        let wanted = (there + there / 4).clamp(room.len() * 2, ROOM_MAX.max(room.len() * 2));
        room.resize(wanted.min(ROOM_MAX), Seen::default());
    }
}

/// The clock of all times in a snapshot.
pub(crate) fn now_ns() -> u64 {
    DefaultPlatform::now_ns(Clock::Monotonic)
}

pub(crate) fn program() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&path).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
