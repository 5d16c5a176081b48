//! Waits and holders as rows of text: in order, and only those that a filter leaves.

use std::cmp::Ordering;

use slotpark_inspect::{Holder, Snapshot, Wait};

use crate::shown;

/// One who waits or holds.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) table: String,
    pub(crate) slot: Option<usize>,
    pub(crate) key: String,
    pub(crate) kind: String,
    pub(crate) who: String,
    /// Of a wait: how many are ahead. Of a holder: what the lock is called.
    pub(crate) note: String,
    pub(crate) age_ns: Option<u64>,
    pub(crate) location: String,
    pub(crate) stack: Vec<String>,
}

/// What rows are in order of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The longest first.
    #[default]
    Since,
    Key,
    Slot,
    Who,
}

impl Sort {
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Since => Self::Key,
            Self::Key => Self::Slot,
            Self::Slot => Self::Who,
            Self::Who => Self::Since,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Since => "since",
            Self::Key => "key",
            Self::Slot => "slot",
            Self::Who => "who",
        }
    }

    fn compare(self, one: &Row, other: &Row) -> Ordering {
        match self {
            // Whose age is unknown comes last.
            Self::Since => other.age_ns.cmp(&one.age_ns),
            Self::Key => one.key.cmp(&other.key),
            Self::Slot => one.slot.cmp(&other.slot),
            Self::Who => one.who.cmp(&other.who),
        }
    }
}

/// What is shown of a snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'a> {
    /// One table, or all.
    pub(crate) table: Option<usize>,
    pub(crate) sort: Sort,
    pub(crate) is_reversed: bool,
    /// Text that a row must have somewhere, in capitals or not.
    pub(crate) filter: &'a str,
}

impl Choice<'_> {
    pub(crate) fn waits(&self, snapshot: &Snapshot) -> Vec<Row> {
        self.rows(snapshot, |table| {
            let row = |wait| wait_row(snapshot, &table.name, wait);
            table.waits.iter().map(row).collect()
        })
    }

    pub(crate) fn holders(&self, snapshot: &Snapshot) -> Vec<Row> {
        self.rows(snapshot, |table| {
            let row = |holder| holder_row(snapshot, &table.name, holder);
            table.holders.iter().map(row).collect()
        })
    }

    fn rows(
        &self,
        snapshot: &Snapshot,
        of: impl Fn(&slotpark_inspect::Table) -> Vec<Row>,
    ) -> Vec<Row> {
        let tables = snapshot.tables.iter().enumerate();
        let chosen = tables.filter(|(index, _)| self.table.is_none_or(|chosen| chosen == *index));
        let mut rows: Vec<Row> = chosen.flat_map(|(_, table)| of(table)).collect();
        let filter = self.filter.to_lowercase();
        rows.retain(|row| row.has(&filter));
        rows.sort_by(|one, other| self.sort.compare(one, other));
        if self.is_reversed {
            rows.reverse();
        }
        rows
    }
}

impl Row {
    fn has(&self, filter: &str) -> bool {
        let texts = [
            &self.table,
            &self.key,
            &self.kind,
            &self.who,
            &self.note,
            &self.location,
        ];
        texts
            .into_iter()
            .any(|text| text.to_lowercase().contains(filter))
    }
}

pub(crate) fn wait_row(snapshot: &Snapshot, table: &str, wait: &Wait) -> Row {
    Row {
        table: shown::plain(table),
        slot: Some(wait.slot),
        key: shown::key(&wait.key),
        kind: shown::kind(wait.kind, wait.weight),
        who: shown::who(&wait.by),
        note: match wait.place {
            0 => "next".to_owned(),
            place => format!("{place} ahead"),
        },
        age_ns: age(snapshot, wait.since_ns),
        location: shown::location(wait.location.as_ref()),
        stack: wait.stack.iter().map(|frame| shown::plain(frame)).collect(),
    }
}

fn holder_row(snapshot: &Snapshot, table: &str, holder: &Holder) -> Row {
    let stack = holder.stack.iter().map(|frame| shown::plain(frame));
    Row {
        table: shown::plain(table),
        slot: holder.slot,
        key: shown::key(&holder.key),
        kind: shown::kind(holder.kind, holder.weight),
        who: shown::who(&holder.by),
        note: holder
            .label
            .as_deref()
            .map_or_else(String::new, shown::plain),
        age_ns: age(snapshot, holder.since_ns),
        location: shown::location(holder.location.as_ref()),
        stack: stack.collect(),
    }
}

fn age(snapshot: &Snapshot, since_ns: Option<u64>) -> Option<u64> {
    since_ns.map(|since| snapshot.at_ns.saturating_sub(since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::fixture;

    fn keys(sort: Sort, is_reversed: bool, filter: &str) -> Vec<String> {
        let choice = Choice {
            table: None,
            sort,
            is_reversed,
            filter,
        };
        let rows = choice.waits(&fixture::deadlocked());
        rows.into_iter().map(|row| row.key).collect()
    }

    #[test]
    fn rows_come_in_order() {
        let by_key = keys(Sort::Key, false, "");
        assert!(by_key.is_sorted() && by_key.len() > 3);
        let reversed: Vec<_> = by_key.iter().rev().cloned().collect();
        assert_eq!(keys(Sort::Key, true, ""), reversed);
        assert_ne!(keys(Sort::Since, false, ""), by_key);
    }

    #[test]
    fn a_filter_knows_no_capitals() {
        assert_eq!(keys(Sort::Key, false, "ACCOUNT 7"), ["account 7"]);
        assert!(keys(Sort::Key, false, "no such text").is_empty());
    }
}
