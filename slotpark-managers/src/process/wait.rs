//! Waiting for children: each change of a child is reported once, to one that waits.

use std::sync::Arc;

use super::tree::{Life, Process, Tree};
use super::{ChildChange, ChildReport, Children, Inner, ProcessManager, WaitFor};
use crate::event::{Event, Seen};
use crate::{Block, Errno, Pid};

/// What a look has found.
enum Look {
    Found(ChildReport),
    Nothing(Arc<Event>, Seen),
}

impl ProcessManager {
    /// Waits until one of these children of `pid` has done what is waited for, and returns which
    /// and what. Of several, the one that has been its child for longest. A child that has ended is
    /// gone with this report, unless [`WaitFor::KEEP`]; of many that wait one gets it. waitpid(2),
    /// waitid(2).
    ///
    /// # Errors
    /// [`Errno::NoChild`]: there are none of these, or no more: also where they leave no zombies,
    /// once the last has ended. [`Errno::Invalid`]: nothing is waited for. [`Errno::Again`],
    /// [`Errno::TimedOut`], [`Errno::Interrupted`]: as `block` says; WNOHANG is
    /// [`try_wait`](Self::try_wait). [`Errno::NoProcess`]: there is no process `pid`.
    ///
    /// ```
    /// use slotpark_managers::{Block, Children, Errno, WaitFor};
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let init = processes.init();
    /// let waited = processes.wait(init, Children::Any, WaitFor::EXITED, Block::FOREVER);
    /// assert_eq!(waited, Err(Errno::NoChild));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn wait(
        &self,
        pid: Pid,
        children: Children,
        wait_for: WaitFor,
        block: Block<'_>,
    ) -> Result<ChildReport, Errno> {
        let children = self.inner.resolved(pid, children)?;
        loop {
            match self.inner.look(pid, children, wait_for)? {
                Look::Found(report) => return Ok(report),
                Look::Nothing(changes, seen) => changes.wait(&self.inner.waits, seen, block)?,
            }
        }
    }

    /// As [`wait`](Self::wait), at once: `None` if none of these children has done it yet. WNOHANG.
    ///
    /// # Errors
    /// [`Errno::NoChild`], [`Errno::Invalid`], [`Errno::NoProcess`], as [`wait`](Self::wait).
    ///
    /// ```
    /// use slotpark_managers::{Children, ProcessManager, SignalManager, WaitFor, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let init = processes.init();
    /// processes.fork(init)?;
    /// assert_eq!(processes.try_wait(init, Children::Any, WaitFor::EXITED), Ok(None));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn try_wait(
        &self,
        pid: Pid,
        children: Children,
        wait_for: WaitFor,
    ) -> Result<Option<ChildReport>, Errno> {
        let children = self.inner.resolved(pid, children)?;
        match self.inner.look(pid, children, wait_for)? {
            Look::Found(report) => Ok(Some(report)),
            Look::Nothing(..) => Ok(None),
        }
    }

    /// As [`wait`](Self::wait), for a task, as long as it takes. **Cancel safety**: a dropped
    /// future has taken no report.
    ///
    /// ```
    /// use slotpark_managers::{Children, ProcessManager, SignalManager, WaitFor, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// let init = processes.init();
    /// let child = processes.fork(init)?;
    /// processes.exit_group(child, 0)?;
    /// let wait = processes.wait_async(init, Children::One(child), WaitFor::EXITED);
    /// assert_eq!(futures_lite::future::block_on(wait)?.child, child);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub async fn wait_async(
        &self,
        pid: Pid,
        children: Children,
        wait_for: WaitFor,
    ) -> Result<ChildReport, Errno> {
        let children = self.inner.resolved(pid, children)?;
        loop {
            match self.inner.look(pid, children, wait_for)? {
                Look::Found(report) => return Ok(report),
                Look::Nothing(changes, seen) => {
                    changes.wait_async(&self.inner.waits, seen).await?;
                }
            }
        }
    }
}

impl Inner {
    /// The caller's group by number.
    fn resolved(&self, pid: Pid, children: Children) -> Result<Children, Errno> {
        match children {
            Children::OfOwnGroup => Ok(Children::OfGroup(self.tree().get(pid)?.group)),
            other => Ok(other),
        }
    }

    /// Takes a report, or says what to wait for.
    fn look(&self, pid: Pid, children: Children, wait_for: WaitFor) -> Result<Look, Errno> {
        let any = WaitFor::EXITED | WaitFor::STOPPED | WaitFor::CONTINUED;
        if !wait_for.intersects(any) {
            return Err(Errno::Invalid);
        }
        let mut tree = self.tree();
        let process = tree.get(pid)?;
        let found = self.report(&tree, (pid, process), children, wait_for)?;
        let Some(report) = found else {
            let seen = process.changes.seen();
            return Ok(Look::Nothing(Arc::clone(&process.changes), seen));
        };
        let is_end = matches!(report.change, ChildChange::Ended(_));
        if is_end && !wait_for.contains(WaitFor::KEEP) {
            tree.remove(report.child);
        }
        Ok(Look::Found(report))
    }

    /// The first report that fits; an error if no child is left that could make one.
    fn report(
        &self,
        tree: &Tree,
        (pid, process): (Pid, &Process),
        children: Children,
        wait_for: WaitFor,
    ) -> Result<Option<ChildReport>, Errno> {
        let is_of = |child: &Process| match children {
            Children::OfGroup(group) => child.group == group,
            _ => true,
        };
        let mut can_come = false;
        let mut consider = |child: Pid| {
            let found = tree.get(child).ok().filter(|child| is_of(child))?;
            let (report, can_report) = self.report_of(child, found, wait_for);
            can_come |= can_report;
            report
        };
        let report = match children {
            Children::One(child) => {
                let found = tree.get(child).ok();
                let is_child = found.is_some_and(|child| child.parent == Some(pid));
                is_child.then(|| consider(child)).flatten()
            }
            // Only those that have ended can have something to report, and they are listed.
            _ if !wait_for.intersects(WaitFor::STOPPED | WaitFor::CONTINUED) => {
                let mut ended = process.zombies.values().copied();
                let report = ended.find_map(&mut consider);
                let is_any = |child: &Pid| tree.get(*child).is_ok_and(is_of);
                can_come = report.is_none() && process.children.values().any(is_any);
                report
            }
            _ => process.children.values().copied().find_map(consider),
        };
        if report.is_none() && !can_come {
            return Err(Errno::NoChild);
        }
        Ok(report)
    }

    /// What a child has to report, and whether it could report anything later.
    fn report_of(
        &self,
        child: Pid,
        process: &Process,
        wait_for: WaitFor,
    ) -> (Option<ChildReport>, bool) {
        let report = |change| Some(ChildReport { child, change });
        if let Life::Zombie(status) = process.life {
            let is_wanted = wait_for.contains(WaitFor::EXITED);
            let ended = is_wanted.then_some(ChildChange::Ended(status));
            return (ended.and_then(report), is_wanted);
        }
        let wants = (
            wait_for.contains(WaitFor::STOPPED),
            wait_for.contains(WaitFor::CONTINUED),
        );
        let keeps = wait_for.contains(WaitFor::KEEP);
        let change = self.signals.job_report(child, wants, keeps);
        (change.and_then(report), true)
    }
}
