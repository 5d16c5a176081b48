//! The state of one process, under one lock: what it does about signals, what is pending, and its
//! threads.
//!
//! **Invariants**
//! - G1 A signal that is pending for the process and that a thread does not block has been told to
//!   such a thread, unless the process is stopped: when it is sent, and again whenever a thread
//!   that may have been told blocks it or leaves.
//! - G2 `queued` is the number of infos in all queues of the process.

use std::sync::Arc;

use super::action::{Handler, SignalAction};
use super::bell::{Bell, Tells};
use super::info::SignalInfo;
use super::job::{Job, Reports};
use super::number::{DefaultAction, Signal};
use super::pending::Pending;
use super::set::SignalSet;
use crate::{ExitStatus, Pid};

/// Actions by signal. Shared by a parent and its children until one of them changes its own.
pub(super) type Actions = [SignalAction; 64];

#[derive(Debug)]
pub(super) struct State {
    pub(super) pid: Pid,
    pub(super) actions: Arc<Actions>,
    pub(super) pending: Pending,
    /// By number.
    pub(super) threads: Vec<ThreadState>,
    pub(super) job: Job,
    pub(super) reports: Reports,
    /// How many SIGCONT have come: a stop that began before one of them is none.
    pub(super) conts: u64,
    /// The process ends, so.
    pub(super) exit: Option<ExitStatus>,
    /// This thread alone goes on.
    pub(super) survivor: Option<Pid>,
    pub(super) queued: usize,
    pub(super) limit: usize,
    /// What it does nothing about does nothing to it.
    pub(super) is_init: bool,
    /// Where the search for a thread to tell goes on.
    pub(super) turn: usize,
}

#[derive(Debug)]
pub(super) struct ThreadState {
    pub(super) tid: Pid,
    pub(super) bell: Arc<Bell>,
    pub(super) mask: SignalSet,
    /// What it blocked before it began to wait for signals, which are not blocked meanwhile.
    pub(super) awaiting: Option<SignalSet>,
    /// What it blocked before a mask for the time being, which ends with the next handler.
    pub(super) saved: Option<SignalSet>,
    pub(super) pending: Pending,
    /// It has been told of something, and has not looked since.
    pub(super) is_told: bool,
    pub(super) is_stopped: bool,
}

impl ThreadState {
    pub(super) fn new(tid: Pid, mask: SignalSet) -> Self {
        Self {
            tid,
            bell: Bell::new(),
            mask,
            awaiting: None,
            saved: None,
            pending: Pending::default(),
            is_told: false,
            is_stopped: false,
        }
    }

    fn is_blocked(&self, signal: Signal) -> bool {
        let before = self.awaiting.unwrap_or_default();
        (self.mask | before).contains(signal)
    }
}

impl State {
    pub(super) fn action(&self, signal: Signal) -> &SignalAction {
        &self.actions[signal.index()]
    }

    pub(super) fn action_mut(&mut self, signal: Signal) -> &mut SignalAction {
        &mut Arc::make_mut(&mut self.actions)[signal.index()]
    }

    /// Where thread `tid` stands.
    pub(super) fn thread(&self, tid: Pid) -> Option<usize> {
        let found = self.threads.binary_search_by_key(&tid, |thread| thread.tid);
        found.ok()
    }

    pub(super) fn insert(&mut self, thread: ThreadState) {
        let at = self.threads.partition_point(|other| other.tid < thread.tid);
        self.threads.insert(at, thread);
    }

    /// The thread that what is sent to the process is offered to first.
    fn leader(&self) -> usize {
        self.thread(self.pid).unwrap_or(0)
    }

    pub(super) fn tell(&mut self, at: usize, tells: &mut Tells) {
        let thread = &mut self.threads[at];
        thread.is_told = true;
        thread.bell.event.advance();
        tells.bell(&thread.bell);
    }

    pub(super) fn tell_all(&mut self, tells: &mut Tells) {
        for at in 0..self.threads.len() {
            self.tell(at, tells);
        }
    }

    /// A signal comes, to the process or to a thread of it. False: it is a real-time signal, and
    /// the limit is reached.
    pub(super) fn receive(
        &mut self,
        info: SignalInfo,
        thread: Option<usize>,
        tells: &mut Tells,
    ) -> bool {
        let signal = info.signal;
        if self.exit.is_some() {
            return true;
        }
        self.before_job_signal(signal, tells);
        let looker = thread.unwrap_or_else(|| self.leader());
        if self.discards(looker, signal) {
            return true;
        }
        if !self.enqueue(info, thread) {
            return false;
        }
        self.check();
        self.announce(signal, looker, thread.is_some(), tells);
        true
    }

    /// G2.
    pub(super) fn check(&self) {
        if cfg!(debug_assertions) {
            let own = self.threads.iter().map(|thread| thread.pending.len());
            let count = self.pending.len() + own.sum::<usize>();
            assert_eq!(self.queued, count, "G2");
        }
    }

    /// Whether a signal is thrown away instead of becoming pending. What is blocked is not: its
    /// action may be another one by the time it no longer is.
    fn discards(&self, looker: usize, signal: Signal) -> bool {
        if self.threads[looker].is_blocked(signal) {
            return false;
        }
        let action = self.action(signal);
        action.ignores(signal) || self.is_init && action.handler == Handler::Default
    }

    fn enqueue(&mut self, info: SignalInfo, thread: Option<usize>) -> bool {
        let signal = info.signal;
        let is_full = self.queued >= self.limit;
        let pending = match thread {
            Some(at) => &mut self.threads[at].pending,
            None => &mut self.pending,
        };
        if !signal.is_real_time() && pending.set().contains(signal) {
            return true;
        }
        // The kernel's rules: no limit for what it sends itself or by kill(2), but for real-time
        // signals; where one is over the limit, kill(2) loses only the info.
        let is_queued = !is_full || !signal.is_real_time() && info.code >= SignalInfo::USER;
        if is_queued {
            pending.add(info);
            self.queued += 1;
        } else if signal.is_real_time() && info.code != SignalInfo::USER {
            return false;
        } else {
            pending.add_without_info(signal);
        }
        true
    }

    /// Tells a thread that does not block it, or ends the process if that is what it will come to.
    fn announce(&mut self, signal: Signal, first: usize, only: bool, tells: &mut Tells) {
        let Some(at) = self.receiver(signal, first, only) else {
            return;
        };
        let awaited = self.threads[at].awaiting;
        let is_awaited = awaited.is_some_and(|before| before.contains(signal));
        let is_end = self.action(signal).handler == Handler::Default
            && signal.default_action() == DefaultAction::Terminate;
        if is_end && !is_awaited && !self.is_init {
            // At once, as the kernel does it: what comes later changes nothing.
            self.end(ExitStatus::signaled(signal), tells);
        } else {
            self.tell(at, tells);
        }
    }

    /// A thread that takes the signal: the first choice, else each in its turn; one that has
    /// nothing else to take, if there is one.
    fn receiver(&mut self, signal: Signal, first: usize, only: bool) -> Option<usize> {
        let takes = |thread: &ThreadState| {
            !thread.mask.contains(signal) && (signal == Signal::KILL || !thread.is_stopped)
        };
        let is_free = |thread: &ThreadState| takes(thread) && !thread.is_told;
        if only || is_free(&self.threads[first]) {
            return takes(&self.threads[first]).then_some(first);
        }
        let count = self.threads.len();
        let others = (0..count).map(|step| (self.turn + step) % count);
        let free = others.clone().find(|at| is_free(&self.threads[*at]));
        let chosen = free.or_else(|| others.clone().find(|at| takes(&self.threads[*at])))?;
        self.turn = chosen + 1;
        Some(chosen)
    }

    /// The process ends so, unless it ends already.
    pub(super) fn end(&mut self, status: ExitStatus, tells: &mut Tells) -> ExitStatus {
        if let Some(status) = self.exit {
            return status;
        }
        self.exit = Some(status);
        self.job = Job::Running;
        self.tell_all(tells);
        status
    }

    /// Thread `at` blocks `mask` from now on, and what it leaves is told to others (G1).
    pub(super) fn set_mask(&mut self, at: usize, mask: SignalSet, tells: &mut Tells) {
        let left = mask & !self.threads[at].mask;
        self.threads[at].mask = mask;
        self.retarget(at, left, tells);
    }

    /// What thread `at` takes no more of `left` is told to threads that take it (G1).
    pub(super) fn retarget(&mut self, at: usize, left: SignalSet, tells: &mut Tells) {
        let mut left = left & self.pending.set();
        for other in 0..self.threads.len() {
            if left.is_empty() {
                return;
            }
            let thread = &self.threads[other];
            let taken = left & !thread.mask;
            if other == at || thread.is_stopped || taken.is_empty() {
                continue;
            }
            left = left & !taken;
            self.tell(other, tells);
        }
    }

    /// Takes the next signal of `wanted` that is pending for thread `at` or for the process.
    pub(super) fn take(&mut self, at: usize, wanted: SignalSet) -> Option<SignalInfo> {
        let own = self.threads[at].pending.take(wanted);
        let (info, counts) = own.or_else(|| self.pending.take(wanted))?;
        self.queued -= usize::from(counts);
        self.check();
        Some(info)
    }

    /// Throws away what is pending of `unwanted`, for the process and for each thread.
    pub(super) fn discard(&mut self, unwanted: SignalSet) {
        let mut count = self.pending.discard(unwanted);
        for thread in &mut self.threads {
            count += thread.pending.discard(unwanted);
        }
        self.queued -= count;
        self.check();
    }

    /// What is pending that thread `at` could take if it did not block it.
    pub(super) fn pending_of(&self, at: usize) -> SignalSet {
        self.threads[at].pending.set() | self.pending.set()
    }

    /// Whether there is something for thread `at` to deliver.
    pub(super) fn is_due(&self, at: usize) -> bool {
        let thread = &self.threads[at];
        self.exit.is_some()
            || self.survivor.is_some_and(|tid| tid != thread.tid)
            || self.job != Job::Running
            || !(self.pending_of(at) & !thread.mask).is_empty()
    }
}
