//! Delivering: what a thread is to do about what has come for it.

use super::action::{Handler, SignalFlags};
use super::info::SignalInfo;
use super::job::Job;
use super::number::{DefaultAction, Signal};
use super::set::SignalSet;
use super::state::State;
use super::{SignalManager, Tells};
use crate::{Errno, ExitStatus, Pid};

/// What a thread is to do before it goes on.
///
/// ```
/// use slotpark_managers::{Delivered, Pid, Signal, SignalInfo, SignalManager};
/// let signals = SignalManager::new(Default::default());
/// signals.register(Pid(1))?;
/// signals.send(Pid(1), SignalInfo::user(Signal::TSTP, Pid(2)))?;
/// assert_eq!(signals.deliver(Pid(1)), Ok(Some(Delivered::Stop)));
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what is delivered is not delivered again"]
pub enum Delivered {
    /// To run a function of the guest's; its mask is set already.
    Handler(HandlerCall),
    /// To wait in [`SignalManager::while_stopped`].
    Stop,
    /// To leave, since the whole process ends, so.
    Exit(ExitStatus),
    /// To leave, since another thread goes on alone: it runs another program.
    ExitThread,
}

/// A function of the guest's that is to run. When it returns, [`SignalManager::end_handler`].
///
/// ```
/// use slotpark_managers::{Delivered, Pid, Signal, SignalAction, SignalInfo, SignalManager};
/// let signals = SignalManager::new(Default::default());
/// signals.register(Pid(1))?;
/// signals.set_action(Pid(1), Signal::INT, SignalAction::call(7))?;
/// signals.send(Pid(1), SignalInfo::user(Signal::INT, Pid(2)))?;
/// let Some(Delivered::Handler(call)) = signals.deliver(Pid(1))? else { panic!() };
/// assert!(call.blocks.contains(Signal::INT) && call.restores.is_empty());
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerCall {
    /// Which, by the number in its action.
    pub function: u64,
    /// What it is told.
    pub info: SignalInfo,
    /// The flags of its action.
    pub flags: SignalFlags,
    /// What the thread blocks while it runs.
    pub blocks: SignalSet,
    /// What the thread blocks again when it is done.
    pub restores: SignalSet,
}

/// What became of one look.
enum Look {
    Done(Option<Delivered>),
    /// A stop signal that an orphaned group does not heed; and the count of SIGCONT.
    IsOrphaned(Signal, u64),
}

impl SignalManager {
    /// Takes the next signal that thread `tid` does not block, and says what it is to do about it;
    /// `None`: nothing more. To be asked again until it says that, by the thread itself, at the end
    /// of each call and whenever a wait was interrupted.
    ///
    /// Of several handlers the one delivered last runs first, inside of those before, as their
    /// frames would lie on a stack. What an instruction has brought on comes first, then what was
    /// sent to the thread, then what was sent to the process; the lowest number of each.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Delivered, ExitStatus, Pid, Signal, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// assert_eq!(signals.deliver(Pid(1))?, None);
    /// signals.send(Pid(1), SignalInfo::user(Signal::TERM, Pid(2)))?;
    /// let end = ExitStatus::signaled(Signal::TERM);
    /// assert_eq!(signals.deliver(Pid(1))?, Some(Delivered::Exit(end)));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn deliver(&self, tid: Pid) -> Result<Option<Delivered>, Errno> {
        let member = self.member(tid)?;
        // First this, then the look: an interrupt that is forgotten here was for something that is
        // seen there.
        member.bell.interrupter.clear();
        let mut tells = Tells::default();
        let mut orphaned = None;
        let delivered = loop {
            let look = {
                let mut state = member.process.lock();
                let at = state.thread(tid).ok_or(Errno::NoProcess)?;
                let look = state.look(at, orphaned.take(), &mut tells);
                if let Look::Done(delivered) = &look {
                    // The clear above was for all that there is: also for what comes next.
                    state.threads[at].is_told = state.is_due(at);
                    if delivered.is_some() && state.threads[at].is_told {
                        state.tell(at, &mut tells);
                    }
                }
                look
            };
            match look {
                Look::Done(delivered) => break delivered,
                Look::IsOrphaned(signal, conts) => {
                    let pid = member.process.pid;
                    let is_orphaned = self.watch().is_some_and(|watch| watch.is_orphaned(pid));
                    orphaned = Some((signal, conts, is_orphaned));
                }
            }
        };
        self.ring(tells);
        Ok(delivered)
    }

    /// A handler has returned: the thread blocks what [`HandlerCall::restores`] says. sigreturn(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.end_handler(Pid(1), SignalSet::EMPTY.with(Signal::HUP))?;
    /// assert!(signals.mask(Pid(1))?.contains(Signal::HUP));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn end_handler(&self, tid: Pid, restores: SignalSet) -> Result<(), Errno> {
        self.set_mask(tid, restores)?;
        Ok(())
    }

    /// The image of a process's memory was written, as [`DefaultAction::Core`] asks for: the status
    /// with which it ends says so. Before its last thread leaves.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process. [`Errno::Invalid`]: no signal ends it.
    ///
    /// ```
    /// use slotpark_managers::{Delivered, ExitStatus, Pid, Signal, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.send(Pid(1), SignalInfo::user(Signal::ABRT, Pid(1)))?;
    /// let _first = signals.deliver(Pid(1))?;
    /// signals.set_dumped(Pid(1))?;
    /// let end = ExitStatus::signaled(Signal::ABRT).dumped();
    /// assert_eq!(signals.deliver(Pid(1))?, Some(Delivered::Exit(end)));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn set_dumped(&self, pid: Pid) -> Result<(), Errno> {
        let process = self.process(pid)?;
        let mut state = process.lock();
        let Some(status @ ExitStatus::Signaled { .. }) = state.exit else {
            return Err(Errno::Invalid);
        };
        state.exit = Some(status.dumped());
        Ok(())
    }
}

impl State {
    /// Takes signals until one asks for something. `orphaned`: a stop signal that was taken, and
    /// whether the group is orphaned.
    fn look(
        &mut self,
        at: usize,
        mut orphaned: Option<(Signal, u64, bool)>,
        tells: &mut Tells,
    ) -> Look {
        loop {
            if let Some(status) = self.exit {
                return Look::Done(Some(Delivered::Exit(status)));
            }
            let tid = self.threads[at].tid;
            if self.survivor.is_some_and(|survivor| survivor != tid) {
                return Look::Done(Some(Delivered::ExitThread));
            }
            if let Some((signal, conts, false)) = orphaned.take() {
                // Not if SIGCONT came while nobody held the lock.
                if conts == self.conts && self.job == Job::Running {
                    self.stop(signal, tells);
                }
            }
            if self.job != Job::Running {
                return Look::Done(Some(Delivered::Stop));
            }
            let Some(info) = self.take(at, !self.threads[at].mask) else {
                let Some(mask) = self.threads[at].saved.take() else {
                    return Look::Done(None);
                };
                // It may unblock what the mask for the time being has blocked.
                self.set_mask(at, mask, tells);
                continue;
            };
            if let Some(look) = self.act(at, info, tells) {
                return look;
            }
        }
    }

    /// What is to be done about a signal that was taken; `None`: nothing.
    fn act(&mut self, at: usize, info: SignalInfo, tells: &mut Tells) -> Option<Look> {
        let signal = info.signal;
        match self.action(signal).handler {
            Handler::Ignore => return None,
            Handler::Default if self.is_init => return None,
            Handler::Default => {}
            Handler::Call(function) => {
                let call = self.handler_call(at, function, info, tells);
                return Some(Look::Done(Some(Delivered::Handler(call))));
            }
        }
        match signal.default_action() {
            DefaultAction::Ignore | DefaultAction::Continue => None,
            DefaultAction::Stop if signal == Signal::STOP => {
                self.stop(signal, tells);
                Some(Look::Done(Some(Delivered::Stop)))
            }
            DefaultAction::Stop => Some(Look::IsOrphaned(signal, self.conts)),
            DefaultAction::Terminate | DefaultAction::Core => {
                let status = self.end(ExitStatus::signaled(signal), tells);
                Some(Look::Done(Some(Delivered::Exit(status))))
            }
        }
    }

    fn handler_call(
        &mut self,
        at: usize,
        function: u64,
        info: SignalInfo,
        tells: &mut Tells,
    ) -> HandlerCall {
        let action = *self.action(info.signal);
        if action.flags.contains(SignalFlags::RESETHAND) {
            self.action_mut(info.signal).handler = Handler::Default;
        }
        let thread = &mut self.threads[at];
        let restores = thread.saved.take().unwrap_or(thread.mask);
        let mut blocks = thread.mask | action.mask;
        if !action.flags.contains(SignalFlags::NODEFER) {
            blocks = blocks.with(info.signal);
        }
        self.set_mask(at, blocks, tells);
        HandlerCall {
            function,
            info,
            flags: action.flags,
            blocks,
            restores,
        }
    }
}
