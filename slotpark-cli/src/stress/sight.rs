//! What one look at a slot may show, and what it must not: every node belongs to the slot, its key
//! is the one whose text it shows, nobody waits who does not act, nothing is of the future.

use slotpark::core::{Inspect, Seen};
use slotpark::{Clock, DefaultPlatform, Platform};

use super::director::Phase;
use super::planned::Key;
use super::tables::Tables;

/// Where looks go, and what is known of those who may be seen.
#[derive(Clone, Copy)]
pub(super) struct Sight<'p> {
    pub(super) phase: &'p Phase,
    pub(super) tables: &'static Tables,
}

impl<'p> Sight<'p> {
    pub(super) fn new(phase: &'p Phase, tables: &'static Tables) -> Self {
        Self { phase, tables }
    }

    /// All tables, and whether their keys are numbers.
    pub(super) fn tables(&self) -> Vec<(&'p dyn Inspect, bool)> {
        let mut tables: Vec<(&'p dyn Inspect, bool)> = self.tables.shown().to_vec();
        for scene in &self.phase.scenes {
            tables.extend(scene.tables().into_iter().map(|table| (table, true)));
        }
        tables
    }

    /// Looks at one slot, with as much room as there is. How many nodes stand there.
    pub(super) fn look(
        &self,
        (table, is_numbered): (&dyn Inspect, bool),
        slot: usize,
        room: &mut [Seen],
    ) -> Result<usize, String> {
        let count = table.look(slot, room);
        let nodes = &room[..count.min(room.len())];
        for node in nodes {
            self.check(node, is_numbered)
                .and_then(|()| self.check_slot(node, table.slot_count(), slot))
                .map_err(|what| format!("a look at slot {slot} has seen {what}: {node:?}"))?;
        }
        let queues = check_queues(nodes).and_then(|()| self.check_crowd(nodes));
        queues.map_err(|what| format!("a look at slot {slot} has seen {what}: {nodes:?}"))?;
        Ok(count)
    }

    fn check(&self, node: &Seen, is_numbered: bool) -> Result<(), &'static str> {
        let text = node.key.as_ref().map(slotpark::core::KeyText::as_str);
        if is_numbered {
            let number = text.and_then(|text| text.strip_prefix("Key(")?.strip_suffix(')'));
            let key = number.and_then(|number| number.parse().ok()).map(Key);
            let hash = key.map(|key| self.tables.spinning.hash(key));
            if hash != Some(node.hash) {
                return Err("another key's text");
            }
        }
        if node.thread.is_some_and(|id| !self.phase.stage.has(id)) {
            return Err("a thread that does not act");
        }
        let times = self.phase.begin_ns..=now_ns();
        if node.since_ns.is_some_and(|since| !times.contains(&since)) {
            return Err("a time at which nobody has begun");
        }
        let is_place = |file: &str, line| file.ends_with(".rs") && line > 0;
        let place = node.location.map(|place| (place.file(), place.line()));
        if place.is_some_and(|(file, line)| !is_place(file, line)) {
            return Err("a place that is none");
        }
        Ok(())
    }

    fn check_slot(&self, node: &Seen, slots: usize, slot: usize) -> Result<(), &'static str> {
        let numbers = &self.tables.spinning.waits;
        let index = numbers.table().slot_index(node.hash);
        match slots != numbers.slots() || index == slot {
            true => Ok(()),
            false => Err("a key of another slot"),
        }
    }

    /// A thread that waits acts in one wait only.
    fn check_crowd(&self, nodes: &[Seen]) -> Result<(), &'static str> {
        let threads = nodes.iter().filter(|node| !node.holds && !node.is_task);
        let mut waits: Vec<u64> = threads.map(|node| node.wait).collect();
        waits.sort_unstable();
        waits.dedup();
        match waits.len() <= self.phase.stage.boards.len() {
            true => Ok(()),
            false => Err("more threads than there are"),
        }
    }

    /// How many wait, if nobody acts: who waits at several keys counts once.
    pub(super) fn waiters(&self) -> Result<usize, String> {
        let mut room = vec![Seen::default(); 4096];
        let mut waiters = 0;
        for shown in self.tables() {
            let mut waits = Vec::new();
            for slot in 0..shown.0.slot_count() {
                let count = self.look(shown, slot, &mut room)?;
                let nodes = room.iter().take(count).filter(|node| !node.holds);
                waits.extend(nodes.map(|node| node.wait));
            }
            waits.sort_unstable();
            waits.dedup();
            waiters += waits.len();
        }
        Ok(waiters)
    }
}

/// Those of one queue have one key, and holders stand behind those who wait.
fn check_queues(nodes: &[Seen]) -> Result<(), &'static str> {
    for pair in nodes.windows(2) {
        let [before, node] = pair else { continue };
        if node.queue == before.queue {
            let text = |node: &Seen| node.key.as_ref().map(|text| text.as_str().to_owned());
            if node.hash != before.hash || text(node) != text(before) {
                return Err("two keys in a queue");
            }
            if before.holds && !node.holds {
                return Err("a waiter behind a holder");
            }
        } else if node.queue < before.queue {
            // Between them there may be queues of those who are chosen, and not shown.
            return Err("a queue in pieces");
        }
    }
    Ok(())
}

/// The clock of what is seen.
pub(super) fn now_ns() -> u64 {
    DefaultPlatform::now_ns(Clock::Monotonic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(queue: u32, hash: u64, holds: bool) -> Seen {
        let mut seen = Seen::default();
        (seen.queue, seen.hash, seen.holds) = (queue, hash, holds);
        seen
    }

    #[test]
    fn queues_are_of_one_key_each_and_end_in_holders() {
        let [first, held, second] = [seen(0, 7, false), seen(0, 7, true), seen(1, 8, false)];
        assert_eq!(check_queues(&[first, held, second]), Ok(()));
        for wrong in [
            [held, first, second],
            [second, first, held],
            [first, seen(0, 8, false), second],
            [second, second, seen(0, 8, false)],
        ] {
            assert!(check_queues(&wrong).is_err(), "{wrong:?}");
        }
    }
}
