//! A hundred thousand processes: the children of one, each with its signals.
//!
//! They share what they have from their parent until they change it. After that each sets an action
//! of its own; then all end, and their parent waits for each. Bytes are counted apart from times,
//! since counting takes time.

use std::sync::Arc;
use std::time::Instant;

use slotpark_managers::{
    Block, Children, Pid, ProcessManager, Signal, SignalAction, SignalManager, WaitFor, Waits,
};

use crate::measure::allocator;
use crate::measure::locks::Plan;
use crate::measure::{Row, Sample, Scale, Unit};

/// How many, in a short run too: what maps keep depends on it.
const PROCESSES: u32 = 100_000;

/// What is told of each process.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Processes {
    /// What it takes to make one, and to end it and wait for it.
    Time,
    /// What one keeps as long as it lives, and what is kept when it is gone.
    Bytes,
}

impl Processes {
    /// One sample.
    pub(crate) fn sample(self) -> Sample {
        match self {
            Self::Time => Self::times(),
            Self::Bytes => Self::bytes(),
        }
    }

    fn times() -> Sample {
        let guests = Guests::new();
        let start = Instant::now();
        let children = guests.fork();
        let forked = Instant::now();
        guests.end(&children);
        let ended = forked.elapsed();
        let each = |span: std::time::Duration| span.as_secs_f64() * 1e9 / f64::from(PROCESSES);
        Sample::new([each(forked - start), each(ended)])
    }

    fn bytes() -> Sample {
        allocator::start_counting();
        let guests = Guests::new();
        // What lists the children is no part of their state.
        let list = i64::from(PROCESSES) * size_of::<Pid>() as i64;
        let before = allocator::counted().live_bytes;
        let children = guests.fork();
        let shared = allocator::counted().live_bytes;
        guests.set_an_action(&children);
        let own = allocator::counted().live_bytes;
        guests.end(&children);
        let gone = allocator::counted().live_bytes;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let each = |now: i64| (now - before - list) as f64 / f64::from(PROCESSES);
        Sample::new([shared, own, gone].map(each))
    }
}

impl Plan for Processes {
    fn rows(&self) -> Vec<Row> {
        let rows = |names: &[&'static str], unit| {
            let row = |&name| Row { name, unit };
            names.iter().map(row).collect()
        };
        match self {
            Self::Time => rows(&["process_fork", "process_exit_wait"], Unit::Ns),
            Self::Bytes => rows(
                &[
                    "process_bytes",
                    "process_bytes_own_actions",
                    "process_bytes_kept",
                ],
                Unit::Bytes,
            ),
        }
    }

    fn rounds(&self, scale: &Scale) -> usize {
        match self {
            Self::Time => scale.pick(3, 11),
            Self::Bytes => scale.pick(1, 3),
        }
    }
}

/// The processes of a guest system.
#[derive(Debug)]
struct Guests(ProcessManager);

impl Guests {
    fn new() -> Self {
        let waits = Arc::new(Waits::new());
        let signals = Arc::new(SignalManager::new(Arc::clone(&waits)));
        let processes = ProcessManager::new(waits, signals);
        Self(processes.expect("the signals are its own"))
    }

    fn fork(&self) -> Vec<Pid> {
        let mut children = Vec::with_capacity(PROCESSES as usize);
        for _ in 0..PROCESSES {
            let child = self.0.fork(self.0.init());
            children.push(child.expect("there are numbers enough"));
        }
        children
    }

    fn set_an_action(&self, children: &[Pid]) {
        let signals = self.0.signals();
        for &child in children {
            let set = signals.set_action(child, Signal::USR1, SignalAction::call(1));
            set.expect("it can be caught");
        }
    }

    fn end(&self, children: &[Pid]) {
        let parent = self.0.init();
        for &child in children {
            self.0.exit_group(child, 0).expect("it is there");
        }
        for &child in children {
            let report = self
                .0
                .wait(parent, Children::One(child), WaitFor::EXITED, Block::NO);
            assert_eq!(report.expect("it has ended").child, child);
        }
        assert_eq!(self.0.len(), 1, "all but the parent are gone");
    }
}
