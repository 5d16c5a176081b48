//! Stories of guests: threads that are processes and threads of a guest system, who wait for
//! signals and for each other.

#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
mod crowd;
mod ends;
mod interrupts;
mod programs;
mod signals;
mod stops;
mod targets;
mod tasks;
mod told;

use std::sync::Arc;
use std::thread::JoinHandle;

use common::{leak, until};
use slotpark_managers::*;

/// A guest system.
pub(crate) struct System {
    pub(crate) processes: ProcessManager,
    pub(crate) signals: Arc<SignalManager>,
}

impl System {
    /// For the rest of the program: a failing test can end while others still wait.
    pub(crate) fn new() -> &'static Self {
        let waits = Arc::new(Waits::new());
        let signals = Arc::new(SignalManager::new(waits.clone()));
        let processes = ProcessManager::new(waits, signals.clone()).expect("a new system");
        leak(Self { processes, signals })
    }

    pub(crate) fn init(&self) -> Pid {
        self.processes.init()
    }

    /// A child of the first process.
    pub(crate) fn child(&self) -> Pid {
        self.processes.fork(self.init()).expect("a number is free")
    }

    pub(crate) fn kill(&self, pid: Pid, signal: Signal) {
        let target = KillTarget::Process(pid);
        let sent = self.processes.kill(self.init(), target, Some(signal));
        sent.expect("it is there");
    }

    /// A thread that waits in a call of the signal manager's as `tid`.
    pub(crate) fn waiting<T: Send + 'static>(
        &'static self,
        tid: Pid,
        call: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let thread = std::thread::spawn(move || call(self));
        until("a guest waits for signals", || {
            self.signals.waiters(tid) == Ok(1)
        });
        thread
    }

    /// A thread that waits for children of `pid`.
    pub(crate) fn waiting_for_children<T: Send + 'static>(
        &'static self,
        pid: Pid,
        call: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let waiters = || self.processes.waiters(pid).expect("it is there");
        let others = waiters();
        let thread = std::thread::spawn(move || call(self));
        until("a guest waits for children", || waiters() > others);
        thread
    }
}

/// What a thread has returned.
pub(crate) fn result<T>(thread: JoinHandle<T>) -> T {
    until("a guest returns", || thread.is_finished());
    thread.join().expect("no guest panics")
}

pub(crate) fn set(signals: &[Signal]) -> SignalSet {
    signals.iter().copied().collect()
}
