//! A guest system whose every call is counted, and so is what became of it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use dashmap::DashMap;
use slotpark::SlotStats;
use slotpark_managers::*;

use crate::common::leak;

pub(crate) type Table = FdTable<PipeEnd>;

/// Why a guest does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trap {
    Failed(Errno),
    /// Its process ends.
    Ended,
}

impl From<Errno> for Trap {
    fn from(errno: Errno) -> Self {
        Self::Failed(errno)
    }
}

pub(crate) struct World {
    pub(crate) waits: Arc<Waits>,
    pub(crate) processes: ProcessManager,
    pub(crate) signals: Arc<SignalManager>,
    pub(crate) pipes: Arc<PipeManager>,
    tables: Arc<DashMap<Pid, Arc<Table>>>,
    pub(crate) forked: AtomicUsize,
    /// By parents; the first process reaps the others.
    pub(crate) reaped: AtomicUsize,
    /// Records in the log.
    pub(crate) logged: AtomicU64,
    begun: AtomicUsize,
    handlers: AtomicUsize,
    /// By call and by what became of it.
    outcomes: Mutex<BTreeMap<(&'static str, &'static str), usize>>,
}

/// The threads of a family, which are waited for together.
pub(crate) type Threads = Arc<Mutex<Vec<JoinHandle<()>>>>;

impl World {
    /// For the rest of the program: a failing test can end while others still wait.
    pub(crate) fn new() -> &'static Self {
        let waits = Arc::new(Waits::new());
        let signals = Arc::new(SignalManager::new(waits.clone()));
        let processes = ProcessManager::new(waits.clone(), signals.clone()).expect("a new system");
        let tables: Arc<DashMap<Pid, Arc<Table>>> = Arc::default();
        let ended = tables.clone();
        processes.on_exit(move |pid| drop(ended.remove(&pid)));
        leak(Self {
            pipes: Arc::new(PipeManager::new(waits.clone())),
            waits,
            processes,
            signals,
            tables,
            forked: AtomicUsize::new(0),
            reaped: AtomicUsize::new(0),
            logged: AtomicU64::new(0),
            begun: AtomicUsize::new(0),
            handlers: AtomicUsize::new(0),
            outcomes: Mutex::default(),
        })
    }

    pub(crate) fn table(&self, pid: Pid) -> Arc<Table> {
        let found = self.tables.get(&pid).map(|entry| Arc::clone(&entry));
        found.expect("it has not ended")
    }

    /// Two descriptors of a table, to read from and to write to.
    pub(crate) fn pipe(&'static self, table: &Table) -> (i32, i32) {
        let (reader, writer) = self.pipes.pipe();
        let [reader, writer] = [reader, writer].map(|end| {
            let description = Description::new(end);
            let opened = description.on_last_close(|end| _ = self.pipes.close(*end));
            table.install(opened, false).expect("there is room")
        });
        (reader, writer)
    }

    /// A process that has begun runs, with these descriptors, in a thread of these.
    pub(crate) fn start(
        &'static self,
        pid: Pid,
        (table, threads): (Table, &Threads),
        run: impl FnOnce(&Guest) -> Result<i32, Trap> + Send + 'static,
    ) {
        self.forked.fetch_add(1, Ordering::Relaxed);
        self.tables.insert(pid, Arc::new(table));
        let guest = Guest {
            world: self,
            pid,
            tid: pid,
            threads: threads.clone(),
        };
        guest.run(run);
    }

    fn count(&self, call: &'static str, outcome: &'static str) {
        let mut outcomes = self.outcomes.lock().expect("nobody panics here");
        *outcomes.entry((call, outcome)).or_default() += 1;
    }

    /// Each call has an outcome, and these have happened.
    pub(crate) fn check_outcomes(&self, wanted: &[(&'static str, &'static str)]) {
        let outcomes = self.outcomes.lock().expect("nobody panics here");
        let sum: usize = outcomes.values().sum();
        assert_eq!(sum, self.begun.load(Ordering::Relaxed), "{outcomes:?}");
        for each in wanted {
            assert!(outcomes.contains_key(each), "no {each:?} in {outcomes:?}");
        }
        assert!(self.handlers.load(Ordering::Relaxed) > 0);
    }

    /// How many waits of the table have begun and not ended, by its own books.
    pub(crate) fn waiting(&self) -> i32 {
        let slots = 0..self.waits.slots();
        let stats = slots.map(|index| self.waits.slot_stats(index));
        let open = |slot: SlotStats| {
            let ends = slot
                .wakes
                .wrapping_add(slot.timeouts)
                .wrapping_add(slot.cancels);
            slot.parks.wrapping_sub(ends) as i32
        };
        stats.map(open).sum()
    }

    /// Nothing is left in any map.
    pub(crate) fn check_empty(&self) {
        assert!(self.processes.is_empty(), "{} left", self.processes.len());
        assert!(self.signals.is_empty(), "{} left", self.signals.len());
        assert!(self.pipes.is_empty(), "{} left", self.pipes.len());
        assert!(self.tables.is_empty(), "{} left", self.tables.len());
    }
}

/// A thread of a process, as its program sees it.
pub(crate) struct Guest {
    pub(crate) world: &'static World,
    pub(crate) pid: Pid,
    pub(crate) tid: Pid,
    pub(crate) threads: Threads,
}

impl Guest {
    /// Its thread, from its first call to its exit.
    pub(crate) fn run(self, run: impl FnOnce(&Self) -> Result<i32, Trap> + Send + 'static) {
        let threads = self.threads.clone();
        let thread = std::thread::spawn(move || {
            let (processes, tid) = (&self.world.processes, self.tid);
            let ended = catch_unwind(AssertUnwindSafe(|| run(&self)));
            let exited = match &ended {
                Ok(Ok(code)) => processes.exit_group(tid, *code),
                Ok(Err(Trap::Failed(_))) => processes.exit_group(tid, 1),
                // The process ends already, or goes on with its other threads.
                Ok(Err(Trap::Ended)) => processes.exit_thread(tid, 0),
                // So that nobody waits for it.
                Err(_) => processes.exit_group(tid, 2),
            };
            if let Err(panic) = ended {
                resume_unwind(panic);
            }
            exited.expect("it runs until here");
        });
        threads.lock().expect("nobody panics here").push(thread);
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        self.world.table(self.pid)
    }

    /// Makes a call that can block, and counts what becomes of it.
    pub(crate) fn call<T>(
        &self,
        name: &'static str,
        restart: Restart,
        call: impl FnMut(Block<'_>) -> Result<T, Errno>,
    ) -> Result<T, Trap> {
        self.world.begun.fetch_add(1, Ordering::Relaxed);
        let result = self.called(restart, call);
        let outcome = match &result {
            Ok(_) => "done",
            Err(Trap::Failed(errno)) => errno.name(),
            Err(Trap::Ended) => "ended",
        };
        self.world.count(name, outcome);
        result
    }

    fn called<T>(
        &self,
        restart: Restart,
        mut call: impl FnMut(Block<'_>) -> Result<T, Errno>,
    ) -> Result<T, Trap> {
        let interrupter = self.world.signals.interrupter(self.tid)?;
        loop {
            let result = call(Block::FOREVER.interruptible(&interrupter));
            if result.as_ref().err() == Some(&Errno::Pipe) {
                let signal = SignalInfo::thread(Signal::PIPE, self.tid);
                self.world.signals.send_thread(self.tid, signal)?;
            }
            let handled = self.deliver()?;
            let is_interrupted = matches!(result, Err(Errno::Interrupted));
            if !is_interrupted || !restart.applies(handled.as_ref()) {
                return Ok(result?);
            }
        }
    }

    /// Does what signals ask for; the first handler that was called.
    pub(crate) fn deliver(&self) -> Result<Option<HandlerCall>, Trap> {
        let signals = &self.world.signals;
        let (mut frames, mut first) = (Vec::new(), None);
        loop {
            match signals.deliver(self.tid)? {
                Some(Delivered::Handler(call)) => {
                    first.get_or_insert(call);
                    frames.push(call);
                }
                Some(Delivered::Stop) => signals.while_stopped(self.tid, Block::FOREVER)?,
                Some(Delivered::Exit(_) | Delivered::ExitThread) => return Err(Trap::Ended),
                None => {
                    let Some(call) = frames.pop() else {
                        return Ok(first);
                    };
                    self.world.handlers.fetch_add(1, Ordering::Relaxed);
                    signals.end_handler(self.tid, call.restores)?;
                }
            }
        }
    }

    pub(crate) fn read(&self, number: i32, bytes: &mut [u8]) -> Result<usize, Trap> {
        let open = self.table().get(number)?;
        self.call("read", Restart::ByFlag, |block| {
            self.world.pipes.read(*open, bytes, block.through(&open))
        })
    }

    pub(crate) fn write(&self, number: i32, bytes: &[u8]) -> Result<usize, Trap> {
        let open = self.table().get(number)?;
        self.call("write", Restart::ByFlag, |block| {
            self.world.pipes.write(*open, bytes, block.through(&open))
        })
    }

    pub(crate) fn close(&self, number: i32) -> Result<(), Trap> {
        Ok(self.table().close(number)?)
    }

    pub(crate) fn fork(
        &self,
        run: impl FnOnce(&Self) -> Result<i32, Trap> + Send + 'static,
    ) -> Result<Pid, Trap> {
        let child = loop {
            match self.world.processes.fork(self.tid) {
                // A signal was there before.
                Err(Errno::Interrupted) => self.deliver()?,
                forked => break forked?,
            };
        };
        let table = self.table().fork();
        self.world.start(child, (table, &self.threads), run);
        Ok(child)
    }
}
