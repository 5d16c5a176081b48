//! Descriptors against the host's kernel: the same random calls, the same numbers and errors.
//!
//! The calls are made in threads with tables of their own (`unshare`), so that neither the test
//! harness nor its output is concerned; a child's table is that of a thread begun by its parent's.
//! The limit is that of the process: there is one test in here.
#![cfg(target_os = "linux")]

mod calls;
#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
mod host;

use std::sync::Arc;

use calls::{Call, NUMBERS, call, made_by};
use common::{skip, watchdog};
use host::HostTable;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use slotpark_managers::{Description, FdTable, Waits};

/// A table here, and the same on the host.
struct Both {
    ours: FdTable<u32>,
    theirs: HostTable,
}

impl Both {
    /// What each number is: the object that it leads to, and whether an exec closes it.
    fn compare(&self) -> Result<(), TestCaseError> {
        let theirs = self.theirs.numbers();
        let ours = self.ours.numbers().into_iter().map(|number| {
            let open = self.ours.get(number).expect("it is open");
            let close = self.ours.close_on_exec(number).expect("it is open");
            (number, *open, close)
        });
        let ours: Vec<_> = ours.collect();
        prop_assert_eq!(ours, theirs);
        Ok(())
    }
}

fn compare(calls: &[(usize, Call)]) -> Result<(), TestCaseError> {
    let mut tables = vec![Both {
        ours: FdTable::new(Arc::new(Waits::new())),
        theirs: HostTable::empty(),
    }];
    tables[0].ours.set_limit(NUMBERS);
    for (object, (at, call)) in (1..).zip(calls) {
        let table = &tables[at % tables.len()];
        match *call {
            Call::Fork => {
                let (ours, theirs) = (table.ours.fork(), table.theirs.fork());
                tables.push(Both { ours, theirs });
            }
            // The host's is that of the whole process.
            Call::SetLimit { limit } => {
                host::set_limit(limit);
                for table in &tables {
                    table.ours.set_limit(limit);
                }
            }
            _ => {
                let ours = made_by(&table.ours, call, Description::new(object));
                prop_assert_eq!(ours, table.theirs.make(call, object), "{:?}", call);
            }
        }
        for table in &tables {
            table.compare()?;
        }
    }
    Ok(())
}

#[test]
fn descriptors_are_as_the_hosts() {
    let _watchdog = watchdog("descriptors_are_as_the_hosts");
    if let Err(why) = host::prepare(NUMBERS) {
        return skip("descriptors_are_as_the_hosts", &why);
    }
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let sequences = vec((any::<usize>(), call()), 1..60);
    let result = TestRunner::new(config).run(&sequences, |calls| {
        host::set_limit(NUMBERS);
        compare(&calls)
    });
    host::set_limit(NUMBERS);
    if let Err(TestError::Fail(why, calls)) = result {
        panic!("{why}: {calls:#?}");
    }
}
