//! Threads and processes end.

use std::sync::Arc;

use super::tree::{Life, Tree};
use super::{ChildChange, ExitStatus, Inner, News, ProcessManager, lock};
use crate::{Errno, Pid, Signal, SignalInfo};

impl ProcessManager {
    /// Runs `hook` for each process that ends, once its last thread has left: to clean up what
    /// other managers keep for it. It runs on that thread, without locks, before the parent learns
    /// of the end; hooks run in the order in which they came.
    ///
    /// ```
    /// use slotpark_managers::{Pid, ProcessManager, SignalManager, Waits};
    /// use std::sync::{Arc, Mutex};
    /// # let waits = Arc::new(Waits::new());
    /// # let signals = Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let ended = Arc::new(Mutex::new(Vec::new()));
    /// let seen = Arc::clone(&ended);
    /// processes.on_exit(move |pid| seen.lock().unwrap().push(pid));
    /// processes.exit_group(processes.fork(processes.init())?, 0)?;
    /// assert_eq!(*ended.lock().unwrap(), [Pid(2)]);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn on_exit(&self, hook: impl Fn(Pid) + Send + Sync + 'static) {
        lock(&self.inner.hooks).push(Arc::new(hook));
    }

    /// Thread `tid` leaves. With the last thread the process ends: its hooks run; its children go
    /// to the nearest ancestor that takes them, or the first process; it is a zombie until its
    /// parent has waited for it, or gone at once where the parent wants no zombies.
    ///
    /// Its status is what [`exit_group`](Self::exit_group) or a signal has said first, else the
    /// code of its first thread. So a thread that was told
    /// [`Delivered::Exit`](crate::Delivered::Exit) can say anything.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// # Panics
    /// Passes a panic of a hook on; the thread has left, but the process never ends.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let thread = processes.add_thread(processes.init())?;
    /// processes.exit_thread(thread, 0)?;
    /// assert_eq!(processes.len(), 1);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn exit_thread(&self, tid: Pid, code: i32) -> Result<(), Errno> {
        let inner = &*self.inner;
        let mut news = News::default();
        let (pid, is_last) = {
            let mut tree = inner.tree();
            let pid = tree.of_thread(tid)?;
            tree.threads.remove(&tid);
            let process = tree.get_mut(pid)?;
            process.threads -= 1;
            if tid == pid {
                process.leader_code = Some(code);
            }
            let is_last = process.threads == 0;
            if is_last {
                process.life = Life::Ending;
            }
            // For one that waits to be the only one.
            let changes = Arc::clone(&process.changes);
            news.changed(&changes);
            if !is_last {
                // It is registered, unless somebody has removed it there.
                let _removed = inner.signals.remove_thread_into(tid, &mut news.tells);
            }
            (pid, is_last)
        };
        inner.tell(news);
        if is_last {
            inner.end(pid, tid, code);
        }
        Ok(())
    }

    /// The process of thread `tid` ends with this code; the thread leaves at once, and each other
    /// one is interrupted and told [`Delivered::Exit`](crate::Delivered::Exit). exit_group(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// # Panics
    /// As [`exit_thread`](Self::exit_thread).
    ///
    /// ```
    /// use slotpark_managers::{Delivered, ExitStatus, ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let init = processes.init();
    /// let thread = processes.add_thread(init)?;
    /// processes.exit_group(thread, 7)?;
    /// let told = processes.signals().deliver(init)?;
    /// assert_eq!(told, Some(Delivered::Exit(ExitStatus::exited(7))));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn exit_group(&self, tid: Pid, code: i32) -> Result<(), Errno> {
        let pid = self.process_of(tid)?;
        let status = ExitStatus::exited(code);
        self.inner.signals.exit_group(pid, status)?;
        self.exit_thread(tid, code)
    }

    /// Whether the children of descendants of `pid` come to it when their parents end.
    /// PR_SET_CHILD_SUBREAPER.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let shell = processes.fork(processes.init())?;
    /// processes.set_subreaper(shell, true)?;
    /// let child = processes.fork(shell)?;
    /// let grandchild = processes.fork(child)?;
    /// processes.exit_group(child, 0)?;
    /// assert_eq!(processes.parent(grandchild), Ok(Some(shell)));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn set_subreaper(&self, pid: Pid, is_subreaper: bool) -> Result<(), Errno> {
        self.inner.tree().get_mut(pid)?.is_subreaper = is_subreaper;
        Ok(())
    }
}

impl Inner {
    /// The last thread of a process, `tid`, has left.
    fn end(&self, pid: Pid, tid: Pid, code: i32) {
        let hooks = lock(&self.hooks).clone();
        for hook in hooks {
            hook(pid);
        }
        let mut news = News::default();
        {
            let mut tree = self.tree();
            let leader_code = tree.get(pid).ok().and_then(|process| process.leader_code);
            let by_code = ExitStatus::exited(leader_code.unwrap_or(code));
            let status = self.signals.exit_status(pid).unwrap_or(by_code);
            // It is registered, unless somebody has removed it there.
            let _removed = self.signals.remove_thread_into(tid, &mut news.tells);
            self.leave_children(&mut tree, pid, &mut news);
            let parent = tree.get(pid).ok().and_then(|process| process.parent);
            self.cut_tie(&tree, (pid, parent), Some(pid), &mut news);
            self.bury(&mut tree, pid, status, &mut news);
        }
        self.tell(news);
    }

    /// The parent learns of an end; without one, or where it wants no zombies, the process is gone.
    fn bury(&self, tree: &mut Tree, pid: Pid, status: ExitStatus, news: &mut News) {
        tree.bury(pid, status);
        let Ok(process) = tree.get(pid) else {
            return;
        };
        // Those that wait as it find it gone.
        news.changed(&process.changes);
        let policy = process.parent.and_then(|parent| {
            self.notify_parent(tree, (pid, parent), ChildChange::Ended(status), news)
        });
        if policy.is_none_or(|policy| policy.leaves_none) {
            tree.remove(pid);
        }
    }

    /// The children of a process that ends go to another one, which learns of zombies among them.
    fn leave_children(&self, tree: &mut Tree, pid: Pid, news: &mut News) {
        let reaper = tree.reaper(pid);
        let children = tree.get(pid).map(|process| process.children.clone());
        for child in children.unwrap_or_default().into_values() {
            tree.adopt(child, reaper);
            self.cut_tie(tree, (child, Some(pid)), None, news);
            let life = tree.get(child).map(|process| process.life);
            if let Ok(Life::Zombie(status)) = life {
                self.bury(tree, child, status, news);
            }
        }
    }

    /// A child has lost its parent, or is `leaving` itself. If the parent was what tied its group
    /// to the rest of the session, nobody is left who would continue those of it that are stopped:
    /// they are told, and go on.
    fn cut_tie(
        &self,
        tree: &Tree,
        (child, parent): (Pid, Option<Pid>),
        leaving: Option<Pid>,
        news: &mut News,
    ) {
        let parent = parent.and_then(|parent| tree.get(parent).ok());
        let (Ok(process), Some(parent)) = (tree.get(child), parent) else {
            return;
        };
        let was_tie = parent.group != process.group && parent.session == process.session;
        if !was_tie || !tree.is_orphaned(process.group, leaving) {
            return;
        }
        let Some(group) = tree.groups.get(&process.group) else {
            return;
        };
        let is_stopped = |pid: &Pid| self.signals.is_stopped(*pid) == Ok(true);
        if !group.members.iter().any(is_stopped) {
            return;
        }
        for signal in [Signal::HUP, Signal::CONT] {
            for member in &group.members {
                let info = SignalInfo::kernel(signal, SignalInfo::KERNEL, Pid(0), 0);
                // A member that has ended is passed over.
                let _sent = self.signals.send_into(*member, info, &mut news.tells);
            }
        }
    }
}
