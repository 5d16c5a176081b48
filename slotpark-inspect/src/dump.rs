//! The dump: a snapshot as text for people, party by party.

use std::collections::HashMap;
use std::fmt::{self, Write};

use crate::words::{At, For, Keyed, Named, Time, kind};
use crate::{Deadlock, Holder, Party, PartyKind, Snapshot, Table, Wait, deadlocks};

/// Who holds a key, as far as a line has room.
const HOLDERS_SHOWN: usize = 3;

/// A snapshot as text: each thread and each task with what it waits for, since when and where, by
/// whom that is held, and with what it holds itself. What looks like a deadlock in this look stands
/// at the end.
///
/// ```
/// use slotpark_inspect::{Snapshot, dump};
/// let text = dump(&Snapshot::take());
/// assert!(text.starts_with(&format!("process {} (", std::process::id())));
/// ```
#[must_use]
pub fn dump(snapshot: &Snapshot) -> String {
    let mut text = body(snapshot);
    let suspects = snapshot.suspects();
    if !suspects.is_empty() {
        text.push_str("\nIn one look; a second would make it sure:\n");
    }
    end(&mut text, &suspects);
    text
}

/// As [`dump`] of the second of two looks; at the end stand the deadlocks on which both agree.
///
/// ```
/// use slotpark_inspect::{Snapshot, dump_sure};
/// let first = Snapshot::take();
/// let text = dump_sure(&first, &Snapshot::take());
/// assert!(!text.contains("deadlock"));
/// ```
#[must_use]
pub fn dump_sure(first: &Snapshot, second: &Snapshot) -> String {
    let mut text = body(second);
    end(&mut text, &deadlocks(first, second));
    text
}

fn end(text: &mut String, found: &[Deadlock]) {
    for deadlock in found {
        let _ = write!(text, "\n{deadlock}");
    }
}

fn body(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    let _ = head(&mut text, snapshot);
    let mut dumped = Dumped::new(snapshot);
    dumped
        .parties
        .sort_by_key(|of| (of.by.id.is_none(), of.by.kind as u8, of.by.id));
    for of in &dumped.parties {
        let _ = dumped.party(&mut text, of);
    }
    text
}

fn head(text: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let (process, program) = (snapshot.process, &snapshot.program);
    let detail = format!("{:?}", snapshot.detail).to_lowercase();
    let took = Time(snapshot.took_ns);
    writeln!(
        text,
        "process {process} ({program}), detail {detail}, looked at for {took}"
    )?;
    for table in &snapshot.tables {
        let (waits, holders) = (table.waits.len(), table.holders.len());
        let (name, slots) = (&table.name, table.slot_count);
        write!(
            text,
            "table {name}: {slots} slots, {waits} waiting, {holders} holding"
        )?;
        if table.left_out > 0 {
            write!(text, ", {} not shown", table.left_out)?;
        }
        if table.unlisted > 0 {
            write!(
                text,
                ", {} locked so far with no room to note by whom",
                table.unlisted
            )?;
        }
        writeln!(text)?;
    }
    Ok(())
}

/// All of one party.
struct Of<'s> {
    by: Party,
    waits: Vec<(&'s Table, &'s Wait)>,
    holds: Vec<(&'s Table, &'s Holder)>,
}

type Name<'s> = (&'s str, Option<usize>, u32, u64);

struct Dumped<'s> {
    at_ns: u64,
    parties: Vec<Of<'s>>,
    holders: HashMap<Name<'s>, Vec<&'s Holder>>,
}

impl<'s> Dumped<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        let mut dumped = Self {
            at_ns: snapshot.at_ns,
            parties: Vec::new(),
            holders: HashMap::new(),
        };
        let mut known = HashMap::new();
        for table in &snapshot.tables {
            for wait in &table.waits {
                dumped.of(&mut known, &wait.by).waits.push((table, wait));
            }
            for holder in &table.holders {
                dumped
                    .of(&mut known, &holder.by)
                    .holds
                    .push((table, holder));
                let name = (&*table.name, holder.slot, holder.queue, holder.key.hash);
                dumped.holders.entry(name).or_default().push(holder);
            }
        }
        dumped
    }

    /// Who has no number stands for itself, each time.
    fn of(&mut self, known: &mut HashMap<(PartyKind, u64), usize>, by: &Party) -> &mut Of<'s> {
        let next = self.parties.len();
        let place = match by.id {
            Some(id) => *known.entry((by.kind, id)).or_insert(next),
            None => next,
        };
        if place == next {
            self.parties.push(Of {
                by: by.clone(),
                waits: Vec::new(),
                holds: Vec::new(),
            });
        }
        let of = &mut self.parties[place];
        of.by.name = of.by.name.take().or_else(|| by.name.clone());
        of
    }

    fn since(&self, since_ns: Option<u64>) -> For {
        For {
            since_ns,
            at_ns: self.at_ns,
        }
    }

    fn party(&self, text: &mut String, of: &Of<'s>) -> fmt::Result {
        write!(text, "\n{}", Named(&of.by))?;
        if let Some(thread) = of.by.thread {
            write!(text, ", polled last by thread {thread}")?;
        }
        if let Some(task) = of.by.task {
            write!(text, ", in a poll of task {task}")?;
        }
        writeln!(text)?;
        for (table, wait) in &of.waits {
            self.wait(text, table, wait)?;
        }
        for (table, held) in &of.holds {
            let (what, key, name) = (kind(held.kind), Keyed(&held.key), &table.name);
            let (since, at) = (self.since(held.since_ns), At(held.location.as_deref()));
            writeln!(text, "  holds {what} {name}/{key}{since}{at}")?;
            stack(text, &held.stack)?;
        }
        Ok(())
    }

    fn wait(&self, text: &mut String, table: &Table, wait: &Wait) -> fmt::Result {
        let (what, key, name) = (kind(wait.kind), Keyed(&wait.key), &table.name);
        let (since, at) = (self.since(wait.since_ns), At(wait.location.as_deref()));
        write!(text, "  waits for {what} {name}/{key}{since}{at}")?;
        match wait.place {
            0 => writeln!(text)?,
            place => writeln!(text, ", behind {place}")?,
        }
        stack(text, &wait.stack)?;
        let name = (&**name, Some(wait.slot), wait.queue, wait.key.hash);
        let holders = self.holders.get(&name).map_or(&[][..], Vec::as_slice);
        for held in holders.iter().take(HOLDERS_SHOWN) {
            let (by, since) = (Named(&held.by), self.since(held.since_ns));
            let at = At(held.location.as_deref());
            writeln!(text, "    held by {by}{since}{at}")?;
        }
        match holders.len().saturating_sub(HOLDERS_SHOWN) {
            0 => Ok(()),
            more => writeln!(text, "    and by {more} more"),
        }
    }
}

fn stack(text: &mut String, frames: &[String]) -> fmt::Result {
    for frame in frames {
        writeln!(text, "      {frame}")?;
    }
    Ok(())
}
