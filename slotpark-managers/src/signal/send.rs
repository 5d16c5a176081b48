//! Sending.

use super::action::{Handler, SignalFlags};
use super::info::SignalInfo;
use super::number::Signal;
use super::{SignalManager, Tells};
use crate::{Errno, Pid};

/// What a parent wants to know of its children.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChildPolicy {
    /// SIGCHLD is ignored.
    pub(crate) is_ignored: bool,
    /// Children leave no zombies.
    pub(crate) leaves_none: bool,
    /// SIGCHLD also when one stops or goes on.
    pub(crate) of_stops: bool,
}

impl SignalManager {
    /// Sends a signal to a process: one of its threads that do not block it is told. kill(2),
    /// sigqueue(3).
    ///
    /// It is taken for sent also where it is ignored, where a standard signal is pending already,
    /// and where the process is about to end.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process. [`Errno::Again`]: it is a real-time signal,
    /// not sent by kill(2), and too many are pending.
    ///
    /// ```
    /// use slotpark_managers::{Errno, Pid, Signal, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// let sent = signals.send(Pid(1), SignalInfo::user(Signal::TERM, Pid(2)));
    /// assert_eq!(sent, Err(Errno::NoProcess));
    /// ```
    pub fn send(&self, pid: Pid, info: SignalInfo) -> Result<(), Errno> {
        let mut tells = Tells::default();
        let sent = self.send_into(pid, info, &mut tells);
        self.ring(tells);
        sent
    }

    /// Sends a signal to a thread. tgkill(2), pthread_sigqueue(3).
    ///
    /// What it does by default, and whether it is ignored, is still the affair of the whole
    /// process.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalInfo, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.add_thread(Pid(1), Pid(2))?;
    /// signals.set_mask(Pid(2), SignalSet::ALL)?;
    /// signals.send_thread(Pid(2), SignalInfo::thread(Signal::TERM, Pid(1)))?;
    /// assert_eq!(signals.deliver(Pid(1)), Ok(None));
    /// assert!(signals.pending(Pid(2))?.contains(Signal::TERM));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn send_thread(&self, tid: Pid, info: SignalInfo) -> Result<(), Errno> {
        self.with_thread(tid, |state, at, tells| {
            let is_received = state.receive(info, Some(at), tells);
            is_received.then_some(()).ok_or(Errno::Again)
        })
    }

    /// Sends a signal to each of these processes: a group, or all. Those that are not there are
    /// passed over. [`ProcessManager::kill`](crate::ProcessManager::kill) knows who is in a group,
    /// and lets nobody join or leave meanwhile.
    ///
    /// # Errors
    /// If it came to none: that of the last, or [`Errno::NoProcess`].
    ///
    /// ```
    /// use slotpark_managers::{Errno, Pid, Signal, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.send_each([Pid(1), Pid(2)], SignalInfo::user(Signal::HUP, Pid(3)))?;
    /// let sent = signals.send_each([], SignalInfo::user(Signal::HUP, Pid(3)));
    /// assert_eq!(sent, Err(Errno::NoProcess));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn send_each(
        &self,
        pids: impl IntoIterator<Item = Pid>,
        info: SignalInfo,
    ) -> Result<(), Errno> {
        let mut tells = Tells::default();
        let mut sent = Err(Errno::NoProcess);
        for pid in pids {
            sent = self.send_into(pid, info, &mut tells).or(sent);
        }
        self.ring(tells);
        sent
    }

    /// As [`send`](Self::send); tells later.
    pub(crate) fn send_into(
        &self,
        pid: Pid,
        info: SignalInfo,
        tells: &mut Tells,
    ) -> Result<(), Errno> {
        let process = self.process(pid)?;
        let mut state = process.lock();
        if state.threads.is_empty() {
            return Err(Errno::NoProcess);
        }
        let is_received = state.receive(info, None, tells);
        is_received.then_some(()).ok_or(Errno::Again)
    }

    /// What a process wants to know of its children.
    pub(crate) fn child_policy(&self, pid: Pid) -> Option<ChildPolicy> {
        let process = self.process(pid).ok()?;
        let state = process.lock();
        let action = state.action(Signal::CHLD);
        let is_ignored = action.handler == Handler::Ignore;
        Some(ChildPolicy {
            is_ignored,
            leaves_none: is_ignored || action.flags.contains(SignalFlags::NOCLDWAIT),
            of_stops: !is_ignored && !action.flags.contains(SignalFlags::NOCLDSTOP),
        })
    }
}
