//! Snapshots made by hand.

use slotpark_inspect::{
    Deadlock, Holder, Key, Kind, Party, PartyKind, Snapshot, Table, Wait, deadlocks,
};

/// What is written down of a program: who waits, who holds.
#[derive(Clone, Default)]
pub(crate) struct Scene {
    pub(crate) table: Table,
    at_ns: u64,
    next: u64,
}

pub(crate) const fn thread(id: u64) -> (PartyKind, u64) {
    (PartyKind::Thread, id)
}

pub(crate) const fn task(id: u64) -> (PartyKind, u64) {
    (PartyKind::Task, id)
}

fn party((kind, id): (PartyKind, u64)) -> Party {
    Party {
        kind,
        id: Some(id),
        ..Party::default()
    }
}

fn key(name: &str) -> Key {
    Key {
        hash: name.bytes().map(u64::from).sum(),
        text: Some(name.into()),
        is_cut: false,
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self {
            table: Table {
                name: "scene".into(),
                ..Table::default()
            },
            at_ns: 1_000,
            next: 1,
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(crate) fn holds(mut self, by: (PartyKind, u64), name: &str, kind: Kind) -> Self {
        let number = self.number();
        self.table.holders.push(Holder {
            slot: Some(0),
            key: key(name),
            kind,
            hold: number,
            weight: 1,
            by: party(by),
            since_ns: Some(number),
            ..Holder::default()
        });
        self
    }

    pub(crate) fn waits(mut self, by: (PartyKind, u64), name: &str, kind: Kind) -> Self {
        let number = self.number();
        let key = key(name);
        let before = self
            .table
            .waits
            .iter()
            .filter(|wait| wait.key == key)
            .count();
        self.table.waits.push(Wait {
            key,
            kind,
            wait: number,
            place: before,
            by: party(by),
            since_ns: Some(number),
            ..Wait::default()
        });
        self
    }

    /// The last two waits are one, on two keys.
    pub(crate) fn joined(mut self) -> Self {
        let [.., first, second] = &mut self.table.waits[..] else {
            panic!("there are two")
        };
        second.wait = first.wait;
        self
    }

    /// The last wait is inside the poll of a task.
    pub(crate) fn inside(mut self, task: u64) -> Self {
        let wait = self.table.waits.last_mut().expect("there is one");
        wait.by.task = Some(task);
        self
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            schema: 1,
            at_ns: self.at_ns,
            tables: vec![self.table.clone()],
            ..Snapshot::default()
        }
    }

    /// What is found in two looks at it.
    pub(crate) fn found(&self) -> Vec<Deadlock> {
        let first = self.snapshot();
        let mut second = first.clone();
        second.at_ns += 1_000;
        deadlocks(&first, &second)
    }
}
