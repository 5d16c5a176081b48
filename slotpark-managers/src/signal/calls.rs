//! Calls that look at state and change it, and do not block.

use super::SignalManager;
use super::action::SignalAction;
use super::number::Signal;
use super::set::SignalSet;
use crate::{Errno, Pid};

/// How a mask changes: sigprocmask(2).
///
/// ```
/// use slotpark_managers::{MaskChange, Signal, SignalSet};
/// let set = SignalSet::EMPTY.with(Signal::HUP);
/// assert_eq!(MaskChange::Unblock(set).of(SignalSet::ALL), !set);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskChange {
    /// SIG_BLOCK: these too.
    Block(SignalSet),
    /// SIG_UNBLOCK: these no more.
    Unblock(SignalSet),
    /// SIG_SETMASK: just these.
    Set(SignalSet),
}

impl MaskChange {
    /// What becomes of this mask.
    ///
    /// ```
    /// use slotpark_managers::{MaskChange, SignalSet};
    /// let all = SignalSet::ALL;
    /// assert_eq!(MaskChange::Block(all).of(SignalSet::EMPTY), all);
    /// ```
    #[must_use]
    pub fn of(self, mask: SignalSet) -> SignalSet {
        match self {
            Self::Block(set) => mask | set,
            Self::Unblock(set) => mask & !set,
            Self::Set(set) => set,
        }
    }
}

impl SignalManager {
    /// What a process does about a signal. sigaction(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalAction, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// assert_eq!(signals.action(Pid(1), Signal::KILL), Ok(SignalAction::DEFAULT));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn action(&self, pid: Pid, signal: Signal) -> Result<SignalAction, Errno> {
        let process = self.process(pid)?;
        let state = process.lock();
        Ok(*state.action(signal))
    }

    /// Changes what a process does about a signal, and returns what it did. If the signal is
    /// ignored from now on, what is pending of it is thrown away. sigaction(2).
    ///
    /// # Errors
    /// [`Errno::Invalid`]: it is SIGKILL or SIGSTOP. [`Errno::NoProcess`]: there is no such
    /// process.
    ///
    /// ```
    /// use slotpark_managers::{Errno, Pid, Signal, SignalAction, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.set_action(Pid(1), Signal::HUP, SignalAction::IGNORE)?;
    /// let kill = signals.set_action(Pid(1), Signal::KILL, SignalAction::IGNORE);
    /// assert_eq!(kill, Err(Errno::Invalid));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn set_action(
        &self,
        pid: Pid,
        signal: Signal,
        action: SignalAction,
    ) -> Result<SignalAction, Errno> {
        if signal.is_without_appeal() {
            return Err(Errno::Invalid);
        }
        let process = self.process(pid)?;
        let mut state = process.lock();
        let mask = action.mask.as_mask();
        let action = SignalAction { mask, ..action };
        let before = std::mem::replace(state.action_mut(signal), action);
        if action.ignores(signal) {
            state.discard(SignalSet::EMPTY.with(signal));
        }
        Ok(before)
    }

    /// What a thread blocks.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// assert_eq!(signals.mask(Pid(1)), Ok(SignalSet::EMPTY));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn mask(&self, tid: Pid) -> Result<SignalSet, Errno> {
        self.with_thread(tid, |state, at, _| Ok(state.threads[at].mask))
    }

    /// A thread blocks `mask` from now on, without SIGKILL and SIGSTOP; returns what it blocked.
    /// [`change_mask`](Self::change_mask) by SIG_SETMASK.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.set_mask(Pid(1), SignalSet::ALL)?;
    /// assert!(!signals.mask(Pid(1))?.contains(Signal::KILL));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn set_mask(&self, tid: Pid, mask: SignalSet) -> Result<SignalSet, Errno> {
        self.change_mask(tid, MaskChange::Set(mask))
    }

    /// Changes what a thread blocks, and returns what it blocked. What is pending and no longer
    /// blocked is there to deliver; what it blocks from now on, other threads are told of. Called
    /// by the thread itself. sigprocmask(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{MaskChange, Pid, Signal, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// let hup = SignalSet::EMPTY.with(Signal::HUP);
    /// signals.change_mask(Pid(1), MaskChange::Block(hup))?;
    /// assert_eq!(signals.change_mask(Pid(1), MaskChange::Unblock(hup)), Ok(hup));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn change_mask(&self, tid: Pid, change: MaskChange) -> Result<SignalSet, Errno> {
        self.with_thread(tid, |state, at, tells| {
            let before = state.threads[at].mask;
            state.set_mask(at, change.of(before).as_mask(), tells);
            if state.is_due(at) {
                // Its next wait ends, also if it does not ask for what there is to deliver.
                state.tell(at, tells);
            }
            Ok(before)
        })
    }

    /// What is pending for a thread or its process, and blocked by the thread. sigpending(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// assert!(signals.pending(Pid(1))?.is_empty());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn pending(&self, tid: Pid) -> Result<SignalSet, Errno> {
        self.with_thread(tid, |state, at, _| {
            Ok(state.pending_of(at) & state.threads[at].mask)
        })
    }

    /// How many signals can be pending for a process and its threads, with what is told of them.
    /// RLIMIT_SIGPENDING.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{Errno, Pid, Signal, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.set_limit(Pid(1), 0)?;
    /// let sent = signals.send(Pid(1), SignalInfo::queued(Signal::RT_MIN, Pid(2), 7));
    /// assert_eq!(sent, Err(Errno::Again));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn set_limit(&self, pid: Pid, limit: usize) -> Result<(), Errno> {
        let process = self.process(pid)?;
        process.lock().limit = limit;
        Ok(())
    }
}
