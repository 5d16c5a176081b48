//! Processes and threads begin, and run other programs.

use std::sync::Arc;

use super::ProcessManager;
use super::tree::Life;
use crate::event::{Event, Seen};
use crate::{Block, Errno, Pid};

impl ProcessManager {
    /// A child of the process of thread `tid` begins, with one thread: in its group and session,
    /// with its actions and the thread's mask. What else is copied (descriptors, memory) the
    /// guest's kernel copies before it lets the child run. fork(2).
    ///
    /// # Errors
    /// [`Errno::Interrupted`]: a signal was there before; deliver it, then fork:
    /// [`Restart::Always`](crate::Restart::Always). [`Errno::Again`]: there is no free number.
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let child = processes.fork(processes.init())?;
    /// assert_eq!(processes.parent(child), Ok(Some(processes.init())));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn fork(&self, tid: Pid) -> Result<Pid, Errno> {
        let mut tree = self.inner.tree();
        let parent = tree.of_thread(tid)?;
        let process = tree.get(parent)?;
        let (group, session) = (process.group, process.session);
        let child = tree.allocate()?;
        // Under the lock of the tree, so that a signal to the group comes before or after; it tells
        // nobody.
        self.inner.signals.fork(tid, child)?;
        tree.insert(child, Some(parent), group, session);
        Ok(child)
    }

    /// A thread begins in the process of thread `tid`. clone(2) with CLONE_THREAD.
    ///
    /// # Errors
    /// As [`fork`](Self::fork); [`Errno::Again`] also while `tid` is about to
    /// [`exec`](Self::exec).
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let thread = processes.add_thread(processes.init())?;
    /// assert_eq!(processes.process_of(thread), Ok(processes.init()));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn add_thread(&self, tid: Pid) -> Result<Pid, Errno> {
        let mut tree = self.inner.tree();
        let pid = tree.of_thread(tid)?;
        let thread = tree.allocate()?;
        self.inner.signals.add_thread(tid, thread)?;
        tree.threads.insert(thread, pid);
        tree.get_mut(pid)?.threads += 1;
        Ok(thread)
    }

    /// The process of a thread.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// assert_eq!(processes.process_of(processes.init()), Ok(processes.init()));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn process_of(&self, tid: Pid) -> Result<Pid, Errno> {
        self.inner.tree().of_thread(tid)
    }

    /// The process of thread `tid` runs another program, with this thread as its only one, which
    /// has the number of the process from then on. The others are told
    /// [`Delivered::ExitThread`](crate::Delivered::ExitThread), and are waited for. Then handlers
    /// are the default, and the parent may not move the process to another group any more.
    /// execve(2).
    ///
    /// # Errors
    /// [`Errno::Interrupted`]: a signal was there before, or the process ends; deliver it.
    /// [`Errno::Again`], [`Errno::TimedOut`]: others are there still, as `block` says; they leave
    /// all the same, and until another call succeeds no thread can begin. Interrupters do not end
    /// it. [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Block, ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// assert_eq!(processes.exec(processes.init(), Block::FOREVER), Ok(processes.init()));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn exec(&self, tid: Pid, block: Block<'_>) -> Result<Pid, Errno> {
        self.inner.signals.begin_exec(tid)?;
        let block = block.uninterruptible();
        loop {
            match self.try_exec(tid)? {
                Ok(pid) => return Ok(pid),
                Err((changes, seen)) => changes.wait(&self.inner.waits, seen, block)?,
            }
        }
    }

    /// As [`exec`](Self::exec), for a task. **Cancel safety**: when the future is dropped, the
    /// other threads leave all the same.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let exec = processes.exec_async(processes.init());
    /// assert_eq!(futures_lite::future::block_on(exec), Ok(processes.init()));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub async fn exec_async(&self, tid: Pid) -> Result<Pid, Errno> {
        self.inner.signals.begin_exec(tid)?;
        loop {
            match self.try_exec(tid)? {
                Ok(pid) => return Ok(pid),
                Err((changes, seen)) => changes.wait_async(&self.inner.waits, seen).await?,
            }
        }
    }

    /// The new program's process, or what to wait for until the other threads have left.
    fn try_exec(&self, tid: Pid) -> Result<Result<Pid, (Arc<Event>, Seen)>, Errno> {
        let mut tree = self.inner.tree();
        let pid = tree.of_thread(tid)?;
        let process = tree.get_mut(pid)?;
        if process.life != Life::Running {
            return Err(Errno::NoProcess);
        }
        if process.threads > 1 {
            let seen = process.changes.seen();
            return Ok(Err((Arc::clone(&process.changes), seen)));
        }
        if self.inner.signals.exit_status(pid).is_some() {
            return Err(Errno::Interrupted);
        }
        process.has_execed = true;
        process.leader_code = None;
        if tid != pid {
            tree.threads.remove(&tid);
            tree.threads.insert(pid, pid);
            self.inner.signals.take_over(tid, pid);
        }
        self.inner.signals.exec(pid)?;
        Ok(Ok(pid))
    }
}
