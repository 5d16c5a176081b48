//! Groups and sessions, and signals to them.

use super::tree::Tree;
use super::{News, ProcessManager};
use crate::{Errno, Pid, Signal, SignalInfo};

/// To whom kill(2) sends.
///
/// ```
/// use slotpark_managers::{KillTarget, Pid};
/// assert_ne!(KillTarget::Process(Pid(7)), KillTarget::Group(Pid(7)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KillTarget {
    /// This process.
    Process(Pid),
    /// The group of the caller: kill(0).
    OwnGroup,
    /// This group: kill(-group).
    Group(Pid),
    /// All but the first process and the caller: kill(-1).
    All,
}

impl ProcessManager {
    /// The parent of a process; `None` for one that has none.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// assert_eq!(processes.parent(processes.init()), Ok(None));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn parent(&self, pid: Pid) -> Result<Option<Pid>, Errno> {
        Ok(self.inner.tree().get(pid)?.parent)
    }

    /// The group of a process. getpgid(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// assert_eq!(processes.group(processes.init()), Ok(processes.init()));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn group(&self, pid: Pid) -> Result<Pid, Errno> {
        Ok(self.inner.tree().get(pid)?.group)
    }

    /// The session of a process. getsid(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// assert_eq!(processes.session(processes.init()), Ok(processes.init()));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn session(&self, pid: Pid) -> Result<Pid, Errno> {
        Ok(self.inner.tree().get(pid)?.session)
    }

    /// `caller` moves `pid`, itself or a child, to `group`, one of its session or a new one of the
    /// number of `pid`. Number 0 means the caller, and the number of `pid`. setpgid(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: `pid` is neither the caller nor a child of it.
    /// [`Errno::Access`]: the child runs another program already.
    /// [`Errno::NotPermitted`]: `pid` has begun a session or is in another one, or `group` is none
    /// of its session. [`Errno::Invalid`]: `pid` is a thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let child = processes.fork(processes.init())?;
    /// processes.set_group(processes.init(), child, Pid(0))?;
    /// assert_eq!(processes.group(child), Ok(child));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn set_group(&self, caller: Pid, pid: Pid, group: Pid) -> Result<(), Errno> {
        let pid = if pid == Pid(0) { caller } else { pid };
        let group = if group == Pid(0) { pid } else { group };
        let mut tree = self.inner.tree();
        let session = tree.get(caller)?.session;
        let Ok(process) = tree.get(pid) else {
            let is_thread = tree.threads.contains_key(&pid);
            return Err(if is_thread {
                Errno::Invalid
            } else {
                Errno::NoProcess
            });
        };
        if process.parent == Some(caller) {
            if process.session != session {
                return Err(Errno::NotPermitted);
            }
            if process.has_execed {
                return Err(Errno::Access);
            }
        } else if pid != caller {
            return Err(Errno::NoProcess);
        }
        let begins_session = process.session == pid;
        let is_of_session = |group: Pid| {
            let found = tree.groups.get(&group);
            found.is_some_and(|group| group.session == session)
        };
        if begins_session || group != pid && !is_of_session(group) {
            return Err(Errno::NotPermitted);
        }
        if process.group != group {
            tree.regroup(pid, group);
        }
        Ok(())
    }

    /// A process begins a session, and a group in it, both of its number. setsid(2).
    ///
    /// # Errors
    /// [`Errno::NotPermitted`]: there is a group of its number. [`Errno::NoProcess`]: there is no
    /// such process.
    ///
    /// ```
    /// use slotpark_managers::{Errno, ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let child = processes.fork(processes.init())?;
    /// assert_eq!(processes.begin_session(child), Ok(child));
    /// assert_eq!(processes.begin_session(child), Err(Errno::NotPermitted));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn begin_session(&self, pid: Pid) -> Result<Pid, Errno> {
        let mut tree = self.inner.tree();
        let process = tree.get(pid)?;
        if process.session == pid || tree.groups.contains_key(&pid) {
            return Err(Errno::NotPermitted);
        }
        tree.begin_session(pid);
        Ok(pid)
    }

    /// Sends a signal to a process, a group or all, as one step as far as forks and groups are
    /// concerned; `None` only asks whether somebody is there. Processes that have ended and were
    /// not waited for are there, and nothing happens to them. kill(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: nobody is there, or no process `caller`.
    ///
    /// ```
    /// use slotpark_managers::{Delivered, ExitStatus, KillTarget};
    /// use slotpark_managers::{ProcessManager, Signal, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let init = processes.init();
    /// let child = processes.fork(init)?;
    /// processes.kill(init, KillTarget::Group(init), Some(Signal::TERM))?;
    /// let end = Delivered::Exit(ExitStatus::signaled(Signal::TERM));
    /// assert_eq!(processes.signals().deliver(child), Ok(Some(end)));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn kill(
        &self,
        caller: Pid,
        target: KillTarget,
        signal: Option<Signal>,
    ) -> Result<(), Errno> {
        let mut news = News::default();
        {
            let tree = self.inner.tree();
            let receivers = receivers(&tree, caller, target)?;
            for pid in receivers {
                let Some(signal) = signal else { continue };
                let info = SignalInfo::user(signal, caller);
                // One that has ended has no signals any more; one sent by kill(2) has no limit.
                let _sent = self.inner.signals.send_into(pid, info, &mut news.tells);
            }
        }
        self.inner.tell(news);
        Ok(())
    }
}

fn receivers(tree: &Tree, caller: Pid, target: KillTarget) -> Result<Vec<Pid>, Errno> {
    let own = tree.get(caller)?.group;
    let group = |group| {
        let group = tree.groups.get(&group).ok_or(Errno::NoProcess)?;
        Ok(group.members.iter().copied().collect())
    };
    match target {
        KillTarget::Process(pid) => match tree.of_thread(pid) {
            // As the kernel does: a thread's number stands for its process here.
            Ok(pid) => Ok(vec![pid]),
            Err(_) => tree.get(pid).map(|_| vec![pid]),
        },
        KillTarget::OwnGroup => group(own),
        KillTarget::Group(number) => group(number),
        KillTarget::All => {
            let others = tree
                .processes
                .iter()
                .filter(|(pid, process)| **pid != caller && process.parent.is_some());
            let others: Vec<_> = others.map(|(pid, _)| *pid).collect();
            let is_nobody = others.is_empty();
            (!is_nobody).then_some(others).ok_or(Errno::NoProcess)
        }
    }
}
