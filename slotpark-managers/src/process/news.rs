//! Who learns of what has become of a process.

use std::sync::Arc;

use super::tree::{Life, Tree};
use super::{ChildChange, Inner};
use crate::event::Event;
use crate::signal::{ChildPolicy, JobChange, Tells, Watch};
use crate::{Pid, Signal, SignalInfo};

/// Whom to tell once all locks are given back.
#[derive(Default)]
#[must_use = "who is not told sleeps on"]
pub(super) struct News {
    events: Vec<Arc<Event>>,
    pub(super) tells: Tells,
}

impl News {
    /// Under the lock of the tree.
    pub(super) fn changed(&mut self, event: &Arc<Event>) {
        event.advance();
        self.events.push(Arc::clone(event));
    }
}

impl Inner {
    /// A parent learns of a child: by SIGCHLD, if it wants that, and by a wake of those that wait.
    /// Returns what it wants. Under the lock of the tree.
    pub(super) fn notify_parent(
        &self,
        tree: &Tree,
        (child, parent): (Pid, Pid),
        change: ChildChange,
        news: &mut News,
    ) -> Option<ChildPolicy> {
        news.changed(&tree.get(parent).ok()?.changes);
        let policy = self.signals.child_policy(parent)?;
        let is_wanted = match change {
            ChildChange::Ended(_) => !policy.is_ignored,
            ChildChange::Stopped(_) | ChildChange::Continued => policy.of_stops,
        };
        if is_wanted {
            let status = change.status() as u64;
            let info = SignalInfo::kernel(Signal::CHLD, change.code(), child, status);
            // A standard signal of the kernel's has no limit, and a parent that is in the tree has
            // threads.
            let _sent = self.signals.send_into(parent, info, &mut news.tells);
        }
        Some(policy)
    }

    /// Tells all that are to be told. Without locks.
    pub(super) fn tell(&self, news: News) {
        for event in news.events {
            // All: each may wait for another child, or for another change of it.
            event.wake_all(&self.waits);
        }
        self.signals.ring(news.tells);
    }
}

impl Watch for Inner {
    fn job_changed(&self, pid: Pid, change: JobChange) {
        let change = match change {
            JobChange::Stopped(signal) => ChildChange::Stopped(signal),
            JobChange::Continued => ChildChange::Continued,
        };
        let mut news = News::default();
        {
            let tree = self.tree();
            let running = tree
                .get(pid)
                .ok()
                .filter(|process| process.life == Life::Running);
            if let Some(parent) = running.and_then(|process| process.parent) {
                let _policy = self.notify_parent(&tree, (pid, parent), change, &mut news);
            }
        }
        self.tell(news);
    }

    fn is_orphaned(&self, pid: Pid) -> bool {
        let tree = self.tree();
        tree.get(pid)
            .is_ok_and(|process| tree.is_orphaned(process.group, None))
    }
}
