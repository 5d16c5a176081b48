//! How a thread is told that something has come for it.

use std::sync::Arc;

use slotpark::Interrupter;

use super::job::JobChange;
use crate::event::Event;
use crate::{Pid, Waits};

/// What a thread is told by. A thread that waits for signals waits for the event; one that waits
/// for anything else is interrupted.
#[derive(Debug)]
pub(super) struct Bell {
    pub(super) event: Event,
    pub(super) interrupter: Arc<Interrupter>,
}

impl Bell {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            event: Event::new("signals of a thread"),
            interrupter: Arc::new(Interrupter::new()),
        })
    }

    /// Without locks.
    pub(super) fn ring(&self, waits: &Waits) {
        // All: it is one thread, whose waits for signals are one at a time, or futures of which
        // each looks at the state again.
        self.event.wake_all(waits);
        self.interrupter.interrupt();
    }
}

/// Whom to tell once all locks are given back.
#[derive(Debug, Default)]
#[must_use = "a thread that is not told sleeps on"]
pub(crate) struct Tells {
    /// Mostly there is one, which allocates nothing.
    first: Option<Arc<Bell>>,
    others: Vec<Arc<Bell>>,
    jobs: Vec<(Pid, JobChange)>,
}

impl Tells {
    /// Under the lock of the state; its event was moved on.
    pub(super) fn bell(&mut self, bell: &Arc<Bell>) {
        let bell = Arc::clone(bell);
        match self.first {
            None => self.first = Some(bell),
            Some(_) => self.others.push(bell),
        }
    }

    /// A process has stopped or goes on: its parent is to know.
    pub(super) fn job(&mut self, pid: Pid, change: JobChange) {
        self.jobs.push((pid, change));
    }

    /// Rings, and hands out what parents are to know.
    pub(super) fn ring(self, waits: &Waits) -> Vec<(Pid, JobChange)> {
        for bell in self.first.iter().chain(&self.others) {
            bell.ring(waits);
        }
        self.jobs
    }
}
