//! Stopping and going on: job control of one process.
//!
//! A stop begins when a thread takes a stop signal, and is complete when each thread of the process
//! has come to rest: only then does the parent learn of it, so that nothing of the process runs any
//! more. SIGCONT works when it is sent, also where it is blocked or ignored; each of the two sorts
//! of signals takes back what is pending of the other.

use super::SignalManager;
use super::bell::Tells;
use super::number::Signal;
use super::set::SignalSet;
use super::state::State;
use crate::{Block, ChildChange, Errno, Pid};

/// Whether a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Running,
    /// Not all of its threads have come to rest.
    Stopping(Signal),
    Stopped(Signal),
}

/// What a parent is told by SIGCHLD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobChange {
    Stopped(Signal),
    Continued,
}

/// What of a stop its parent has not waited for yet; beside [`Job`], as it is taken by a wait.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reports {
    stopped: Option<Signal>,
    is_continued: bool,
}

/// Who knows parents and groups.
pub(crate) trait Watch: Send + Sync {
    /// A process has stopped or goes on. Without locks.
    fn job_changed(&self, pid: Pid, change: JobChange);

    /// Whether nobody outside its group could continue it: then only SIGSTOP stops it. Without
    /// locks.
    fn is_orphaned(&self, pid: Pid) -> bool;
}

impl State {
    /// What a stop signal or SIGCONT does when it is sent.
    pub(super) fn before_job_signal(&mut self, signal: Signal, tells: &mut Tells) {
        if signal.stops() {
            self.discard(SignalSet::EMPTY.with(Signal::CONT));
        } else if signal == Signal::CONT {
            self.discard(SignalSet::STOPS);
            self.conts += 1;
            self.go_on(tells);
        }
    }

    fn go_on(&mut self, tells: &mut Tells) {
        let change = match self.job {
            Job::Running => return,
            // The kernel's way to say that a stop was not completed.
            Job::Stopping(signal) => JobChange::Stopped(signal),
            Job::Stopped(_) => JobChange::Continued,
        };
        self.job = Job::Running;
        self.reports = Reports {
            stopped: None,
            is_continued: true,
        };
        for thread in &mut self.threads {
            thread.is_stopped = false;
        }
        self.tell_all(tells);
        tells.job(self.pid, change);
    }

    /// A stop begins.
    pub(super) fn stop(&mut self, signal: Signal, tells: &mut Tells) {
        self.job = Job::Stopping(signal);
        self.tell_all(tells);
    }

    /// Complete, if each thread has come to rest.
    pub(super) fn complete_stop(&mut self, tells: &mut Tells) {
        let Job::Stopping(signal) = self.job else {
            return;
        };
        if !self.threads.iter().all(|thread| thread.is_stopped) {
            return;
        }
        self.job = Job::Stopped(signal);
        self.reports = Reports {
            stopped: Some(signal),
            is_continued: false,
        };
        tells.job(self.pid, JobChange::Stopped(signal));
    }
}

impl SignalManager {
    /// A thread of a stopped process comes to rest, until the process is continued or ends: what
    /// [`Delivered::Stop`](crate::Delivered::Stop) asks for. Once all threads of the process are
    /// here, or have left, the stop is complete and the parent is told. Deliver again afterwards.
    ///
    /// Nothing but SIGCONT, SIGKILL and the end of the process ends it; the interrupter of `block`
    /// is not used. A thread whose time is over is still at rest as far as the stop is concerned.
    ///
    /// # Errors
    /// [`Errno::Again`] and [`Errno::TimedOut`] as `block` says; [`Errno::NoProcess`]: there is no
    /// such thread.
    ///
    /// ```
    /// use slotpark_managers::{Block, Delivered, Errno, Pid, Signal, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.send(Pid(1), SignalInfo::user(Signal::STOP, Pid(1)))?;
    /// assert_eq!(signals.deliver(Pid(1))?, Some(Delivered::Stop));
    /// assert_eq!(signals.while_stopped(Pid(1), Block::NO), Err(Errno::Again));
    /// signals.send(Pid(1), SignalInfo::user(Signal::CONT, Pid(1)))?;
    /// assert_eq!(signals.while_stopped(Pid(1), Block::FOREVER), Ok(()));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn while_stopped(&self, tid: Pid, block: Block<'_>) -> Result<(), Errno> {
        let block = block.uninterruptible();
        while let Some((bell, seen)) = self.rest(tid)? {
            bell.event.wait(&self.waits, seen, block)?;
        }
        Ok(())
    }

    /// As [`while_stopped`](Self::while_stopped), for a task. **Cancel safety**: a dropped future
    /// leaves the thread at rest, as if its time were over.
    ///
    /// ```
    /// use slotpark_managers::{Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// // Nothing has stopped it.
    /// futures_lite::future::block_on(signals.while_stopped_async(Pid(1)))?;
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub async fn while_stopped_async(&self, tid: Pid) -> Result<(), Errno> {
        while let Some((bell, seen)) = self.rest(tid)? {
            bell.event.wait_async(&self.waits, seen).await?;
        }
        Ok(())
    }

    /// Whether a process is stopped, all of its threads.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// assert_eq!(signals.is_stopped(Pid(1)), Ok(false));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn is_stopped(&self, pid: Pid) -> Result<bool, Errno> {
        let process = self.process(pid)?;
        let state = process.lock();
        Ok(matches!(state.job, Job::Stopped(_)))
    }

    /// The thread is at rest from now on; what to wait for, if it is to be.
    fn rest(&self, tid: Pid) -> Result<Option<super::wait::Awaited>, Errno> {
        let process = self.member(tid)?.process;
        let mut tells = Tells::default();
        let awaited = {
            let mut state = process.lock();
            let at = state.thread(tid).ok_or(Errno::NoProcess)?;
            if state.job == Job::Running {
                None
            } else {
                state.threads[at].is_stopped = true;
                state.complete_stop(&mut tells);
                let bell = &state.threads[at].bell;
                Some((bell.clone(), bell.event.seen()))
            }
        };
        self.ring(tells);
        Ok(awaited)
    }

    /// What a parent that asks for it has not been told of a child yet.
    pub(crate) fn job_report(
        &self,
        pid: Pid,
        (wants_stopped, wants_continued): (bool, bool),
        keeps: bool,
    ) -> Option<ChildChange> {
        let process = self.process(pid).ok()?;
        let mut state = process.lock();
        let reports = &mut state.reports;
        if let Some(signal) = reports.stopped.filter(|_| wants_stopped) {
            reports.stopped = if keeps { Some(signal) } else { None };
            return Some(ChildChange::Stopped(signal));
        }
        if reports.is_continued && wants_continued {
            reports.is_continued = keeps;
            return Some(ChildChange::Continued);
        }
        None
    }
}
