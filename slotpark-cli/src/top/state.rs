//! What the terminal view is in the middle of, and what keys do to it.

use slotpark_inspect::{Deadlock, Snapshot, Table, deadlocks};

use super::rows::{Choice, Sort};
use crate::forms::{self, Form};

/// The views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tab {
    #[default]
    Overview,
    Waits,
    Holders,
    Histograms,
    Hash,
    WaitFor,
}

impl Tab {
    pub(crate) const ALL: [Self; 6] = [
        Self::Overview,
        Self::Waits,
        Self::Holders,
        Self::Histograms,
        Self::Hash,
        Self::WaitFor,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Waits => "waits",
            Self::Holders => "holders",
            Self::Histograms => "times",
            Self::Hash => "hash",
            Self::WaitFor => "wait-for",
        }
    }

    fn moved(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}

/// What the heat map shows of a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Heat {
    #[default]
    Waiting,
    Parks,
    Collisions,
}

impl Heat {
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Waiting => Self::Parks,
            Self::Parks => Self::Collisions,
            Self::Collisions => Self::Waiting,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting now",
            Self::Parks => "parks",
            Self::Collisions => "collisions",
        }
    }

    pub(crate) fn of(self, slot: &slotpark_inspect::Slot) -> u64 {
        match self {
            Self::Waiting => slot.waiting as u64,
            Self::Parks => slot.parks.into(),
            Self::Collisions => slot.collisions.into(),
        }
    }
}

/// Where keys go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Views,
    Filter,
    Export,
    Help,
    Detail,
    Diff,
}

/// What a key asks for beyond the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asks {
    Nothing,
    Quit,
    /// To choose another process.
    Other,
    Export(Form),
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The latest, and the one before it: a deadlock is one if both have it.
    pub(crate) live: Option<Snapshot>,
    pub(crate) before: Option<Snapshot>,
    /// Those that both have; of a file, which has but one look, those that it may have.
    pub(crate) deadlocks: Vec<Deadlock>,
    /// What the view was frozen at; after that it is what a diff compares with.
    pub(crate) frozen: Option<Snapshot>,
    pub(crate) is_frozen: bool,
    pub(crate) tab: Tab,
    /// One table, or all.
    pub(crate) table: Option<usize>,
    pub(crate) heat: Heat,
    pub(crate) sort: Sort,
    pub(crate) is_reversed: bool,
    pub(crate) filter: String,
    pub(crate) mode: Mode,
    /// The row that the cursor is on.
    pub(crate) row: usize,
    /// How many rows there are, as of the last drawing.
    pub(crate) rows: usize,
    /// What to say in the last line.
    pub(crate) message: Option<String>,
    /// Why no more snapshots come.
    pub(crate) lost: Option<String>,
}

impl State {
    /// A new look at the process. The same look again, which readers may share, changes nothing.
    pub(crate) fn take(&mut self, snapshot: Snapshot) {
        if self
            .live
            .as_ref()
            .is_some_and(|live| live.at_ns == snapshot.at_ns)
        {
            return;
        }
        let found = self.live.as_ref().map(|live| deadlocks(live, &snapshot));
        self.deadlocks = found.unwrap_or_default();
        self.before = self.live.replace(snapshot);
    }

    /// The only look that there will be: what looks like a deadlock in it is shown as one.
    pub(crate) fn take_only(&mut self, snapshot: Snapshot) {
        self.deadlocks = snapshot.suspects();
        self.live = Some(snapshot);
    }

    /// What is shown: the latest, or what was frozen.
    pub(crate) fn shown(&self) -> Option<&Snapshot> {
        if self.is_frozen {
            self.frozen.as_ref()
        } else {
            self.live.as_ref()
        }
    }

    /// The table of views that show one: the chosen one, or the busiest.
    pub(crate) fn table(&self) -> Option<&Table> {
        let tables = &self.shown()?.tables;
        match self.table {
            Some(index) => tables.get(index),
            None => busiest(tables),
        }
    }

    /// The deadlocks as text.
    pub(crate) fn deadlock_text(&self) -> String {
        forms::deadlocks(&self.deadlocks, self.before.is_some())
    }

    pub(crate) fn choice(&self) -> Choice<'_> {
        Choice {
            table: self.table,
            sort: self.sort,
            is_reversed: self.is_reversed,
            filter: &self.filter,
        }
    }

    pub(crate) fn select(&mut self, tab: Tab) {
        self.tab = tab;
        self.row = 0;
    }

    pub(crate) fn turn(&mut self, by: usize) {
        self.select(self.tab.moved(by));
    }

    pub(crate) fn freeze(&mut self) {
        self.is_frozen = !self.is_frozen && self.live.is_some();
        if self.is_frozen {
            self.frozen.clone_from(&self.live);
            self.say("frozen: f goes on, d shows what has changed since");
        }
    }

    pub(crate) fn diff(&mut self) {
        if self.frozen.is_some() {
            self.mode = Mode::Diff;
            self.row = 0;
        } else {
            self.say("freeze first (f), then d shows what has changed since");
        }
    }

    /// All tables, then one after the other.
    pub(crate) fn next_table(&mut self) {
        let count = self.shown().map_or(0, |snapshot| snapshot.tables.len());
        self.table = match self.table {
            None if count > 1 => Some(0),
            Some(index) if index + 1 < count => Some(index + 1),
            _ => None,
        };
        self.row = 0;
    }

    pub(crate) fn move_row(&mut self, by: isize) {
        let last = self.rows.saturating_sub(1);
        self.row = self.row.min(last).saturating_add_signed(by).min(last);
    }

    pub(crate) fn say(&mut self, text: impl Into<String>) {
        self.message = Some(text.into());
    }
}

/// The table with the most waits now, or else with the most ever.
fn busiest(tables: &[Table]) -> Option<&Table> {
    let parks =
        |table: &Table| -> u64 { table.slots.iter().map(|slot| u64::from(slot.parks)).sum() };
    // Of equals the first.
    tables
        .iter()
        .rev()
        .max_by_key(|table| (table.waits.len(), parks(table)))
}
