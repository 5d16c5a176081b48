//! What the engine shows of a node, in the words of the schema.

use std::collections::HashMap;
use std::panic::Location;

use slotpark_core::{KeyText, Seen, SlotStats};

use crate::stacks;
use crate::threads::Names;
use crate::{Detail, Holder, Key, Kind, Party, PartyKind, Slot, Table, Wait};

/// Adds what is in one slot to a table: the slot, if anything ever happened in it, and its nodes.
pub(crate) fn add(
    table: &mut Table,
    index: usize,
    stats: SlotStats,
    nodes: &[Seen],
    names: &mut Names,
) {
    let mut queues = HashMap::<_, usize>::new();
    for seen in nodes {
        let key = key(seen);
        let place = queues.entry((seen.queue, seen.hash)).or_default();
        if seen.holds {
            table.holders.push(holder(index, seen, key, names));
        } else {
            table.waits.push(wait(index, seen, key, *place, names));
            *place += 1;
        }
    }
    if stats == SlotStats::default() && nodes.is_empty() {
        return;
    }
    table.slots.push(Slot {
        index,
        waiting: queues.values().sum(),
        keys: queues.len(),
        longest: queues.values().copied().max().unwrap_or(0),
        parks: stats.parks,
        wakes: stats.wakes,
        timeouts: stats.timeouts,
        cancels: stats.cancels,
        requeues: stats.requeues,
        collisions: stats.collisions,
    });
}

fn wait(slot: usize, seen: &Seen, key: Key, place: usize, names: &mut Names) -> Wait {
    Wait {
        slot,
        key,
        kind: kind(seen.kind),
        queue: seen.queue,
        wait: seen.wait,
        place,
        weight: seen.weight,
        label: seen.label.map(str::to_owned),
        by: party(seen, names),
        since_ns: seen.since_ns,
        location: seen.location.map(location),
        stack: seen.stack.map_or_else(Vec::new, stacks::frames),
    }
}

fn holder(slot: usize, seen: &Seen, key: Key, names: &mut Names) -> Holder {
    Holder {
        slot: Some(slot),
        key,
        queue: seen.queue,
        hold: seen.wait,
        kind: kind(seen.kind),
        weight: seen.weight,
        label: seen.label.map(str::to_owned),
        by: party(seen, names),
        since_ns: seen.since_ns,
        location: seen.location.map(location),
        stack: seen.stack.map_or_else(Vec::new, stacks::frames),
    }
}

fn party(seen: &Seen, names: &mut Names) -> Party {
    let thread = seen.thread;
    if seen.is_task {
        return Party {
            kind: PartyKind::Task,
            id: seen.task,
            name: seen.task_label.map(str::to_owned),
            thread,
            task: None,
        };
    }
    Party {
        kind: PartyKind::Thread,
        id: thread.map(u64::from),
        name: thread.and_then(|thread| names.of(thread)),
        thread: None,
        task: seen.task,
    }
}

fn key(seen: &Seen) -> Key {
    Key {
        hash: seen.hash,
        text: seen.key.map(|text| text.as_str().to_owned()),
        is_cut: seen.key.as_ref().is_some_and(KeyText::is_cut),
    }
}

fn location(place: &'static Location<'static>) -> String {
    place.to_string()
}

fn kind(kind: slotpark_core::Kind) -> Kind {
    use slotpark_core::Kind as Core;
    match kind {
        Core::Wait => Kind::Wait,
        Core::Lock => Kind::Lock,
        Core::Read => Kind::Read,
        Core::Upgradable => Kind::Upgradable,
        Core::Permit => Kind::Permit,
        Core::Closed => Kind::Closed,
        _ => Kind::Unknown,
    }
}

impl From<slotpark_core::Detail> for Detail {
    /// A level that this crate does not know is the greatest that it knows.
    fn from(detail: slotpark_core::Detail) -> Self {
        use slotpark_core::Detail as Core;
        match detail {
            Core::Off => Self::Off,
            Core::Counters => Self::Counters,
            Core::Timing => Self::Timing,
            _ => Self::Full,
        }
    }
}
