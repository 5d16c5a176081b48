//! Who is whose child, and in which group and session: what spans processes, under one lock, as the
//! kernel has it under its `tasklist_lock`.
//!
//! **Invariants**
//! - R1 A process that has ended and whose end was not waited for (a zombie) is in the tree, in its
//!   group and in its session, and among `zombies` of its parent.
//! - R2 A number is free if no process, thread, group or session has it.
//! - R3 Who has no parent leaves no zombie. Only the first process has none, and those that it
//!   left.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::event::Event;
use crate::{Errno, ExitStatus, Pid};

#[derive(Debug)]
pub(super) struct Tree {
    pub(super) processes: HashMap<Pid, Process>,
    /// The process of each thread that has not left.
    pub(super) threads: HashMap<Pid, Pid>,
    pub(super) groups: HashMap<Pid, Group>,
    /// How many processes are in each.
    sessions: HashMap<Pid, usize>,
    /// The number given out last.
    last: u32,
    max: u32,
    arrivals: u64,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) session: Pid,
    pub(super) members: BTreeSet<Pid>,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) parent: Option<Pid>,
    /// Among the children of its parent it has this place.
    arrival: u64,
    pub(super) children: BTreeMap<u64, Pid>,
    /// Those of them that have ended.
    pub(super) zombies: BTreeMap<u64, Pid>,
    /// Threads that have not left.
    pub(super) threads: usize,
    pub(super) group: Pid,
    pub(super) session: Pid,
    pub(super) life: Life,
    /// What its first thread has left with.
    pub(super) leader_code: Option<i32>,
    pub(super) has_execed: bool,
    pub(super) is_subreaper: bool,
    /// Changes of its children, and of the number of its threads.
    pub(super) changes: Arc<Event>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Running,
    /// Its last thread has left, and what it had is cleaned up.
    Ending,
    Zombie(ExitStatus),
}

impl Tree {
    /// With numbers from 1 to `max`.
    pub(super) fn new(max: u32) -> Self {
        Self {
            processes: HashMap::new(),
            threads: HashMap::new(),
            groups: HashMap::new(),
            sessions: HashMap::new(),
            last: 0,
            max,
            arrivals: 0,
        }
    }

    pub(super) fn get(&self, pid: Pid) -> Result<&Process, Errno> {
        self.processes.get(&pid).ok_or(Errno::NoProcess)
    }

    pub(super) fn get_mut(&mut self, pid: Pid) -> Result<&mut Process, Errno> {
        self.processes.get_mut(&pid).ok_or(Errno::NoProcess)
    }

    /// The process of a thread that has not left.
    pub(super) fn of_thread(&self, tid: Pid) -> Result<Pid, Errno> {
        self.threads.get(&tid).copied().ok_or(Errno::NoProcess)
    }

    fn is_taken(&self, number: Pid) -> bool {
        self.processes.contains_key(&number)
            || self.threads.contains_key(&number)
            || self.groups.contains_key(&number)
            || self.sessions.contains_key(&number)
    }

    /// The next free number (R2), round and round, so that one that was given back is not met again
    /// soon.
    pub(super) fn allocate(&mut self) -> Result<Pid, Errno> {
        for _ in 0..self.max {
            self.last = if self.last >= self.max {
                1
            } else {
                self.last + 1
            };
            if !self.is_taken(Pid(self.last)) {
                return Ok(Pid(self.last));
            }
        }
        Err(Errno::Again)
    }

    /// A process begins, with one thread.
    pub(super) fn insert(&mut self, pid: Pid, parent: Option<Pid>, group: Pid, session: Pid) {
        let process = Process {
            parent: None,
            arrival: 0,
            children: BTreeMap::new(),
            zombies: BTreeMap::new(),
            threads: 1,
            group,
            session,
            life: Life::Running,
            leader_code: None,
            has_execed: false,
            is_subreaper: false,
            changes: Arc::new(Event::new("children of a process")),
        };
        self.processes.insert(pid, process);
        self.threads.insert(pid, pid);
        *self.sessions.entry(session).or_default() += 1;
        self.join(pid, group, session);
        self.adopt(pid, parent);
    }

    /// A child has this parent from now on, as the youngest of its children. A zombie is to be
    /// buried anew (R1).
    pub(super) fn adopt(&mut self, child: Pid, parent: Option<Pid>) {
        self.arrivals += 1;
        let arrival = self.arrivals;
        let Some(process) = self.processes.get_mut(&child) else {
            return;
        };
        let before = process.parent.zip(Some(process.arrival));
        process.parent = parent;
        process.arrival = arrival;
        if let Some((parent, arrival)) = before {
            self.disown(parent, arrival);
        }
        let parent = parent.and_then(|parent| self.processes.get_mut(&parent));
        if let Some(parent) = parent {
            parent.children.insert(arrival, child);
        }
    }

    fn disown(&mut self, parent: Pid, arrival: u64) {
        if let Some(parent) = self.processes.get_mut(&parent) {
            parent.children.remove(&arrival);
            parent.zombies.remove(&arrival);
        }
    }

    /// A process is a zombie from now on (R1).
    pub(super) fn bury(&mut self, pid: Pid, status: ExitStatus) {
        let Some(process) = self.processes.get_mut(&pid) else {
            return;
        };
        process.life = Life::Zombie(status);
        let (parent, arrival) = (process.parent, process.arrival);
        let parent = parent.and_then(|parent| self.processes.get_mut(&parent));
        if let Some(parent) = parent {
            parent.zombies.insert(arrival, pid);
        }
    }

    /// A process is gone, and its number is free.
    pub(super) fn remove(&mut self, pid: Pid) {
        let Some(process) = self.processes.remove(&pid) else {
            return;
        };
        if let Some(parent) = process.parent {
            self.disown(parent, process.arrival);
        }
        self.quit(pid, process.group);
        self.quit_session(process.session);
    }

    fn join(&mut self, pid: Pid, group: Pid, session: Pid) {
        let group = self.groups.entry(group).or_insert_with(|| Group {
            session,
            members: BTreeSet::new(),
        });
        group.members.insert(pid);
    }

    fn quit(&mut self, pid: Pid, group: Pid) {
        if let Some(entry) = self.groups.get_mut(&group) {
            entry.members.remove(&pid);
            if entry.members.is_empty() {
                self.groups.remove(&group);
            }
        }
    }

    fn quit_session(&mut self, session: Pid) {
        if let Some(count) = self.sessions.get_mut(&session) {
            *count -= 1;
            if *count == 0 {
                self.sessions.remove(&session);
            }
        }
    }

    /// A process goes to a group of its session, which may be a new one.
    pub(super) fn regroup(&mut self, pid: Pid, group: Pid) {
        let Some(process) = self.processes.get_mut(&pid) else {
            return;
        };
        let before = std::mem::replace(&mut process.group, group);
        let session = process.session;
        self.quit(pid, before);
        self.join(pid, group, session);
    }

    /// A process begins a session and a group.
    pub(super) fn begin_session(&mut self, pid: Pid) {
        let Some(process) = self.processes.get_mut(&pid) else {
            return;
        };
        let before = std::mem::replace(&mut process.session, pid);
        *self.sessions.entry(pid).or_default() += 1;
        self.quit_session(before);
        self.regroup(pid, pid);
    }

    /// Whether no member of a group has a parent in another group of its session, which could
    /// continue it; `leaving` does not count any more.
    pub(super) fn is_orphaned(&self, group: Pid, leaving: Option<Pid>) -> bool {
        let Some(group_entry) = self.groups.get(&group) else {
            return false;
        };
        let is_held = |member: &Pid| {
            let process = self.processes.get(member)?;
            if Some(*member) == leaving || matches!(process.life, Life::Zombie(_)) {
                return None;
            }
            let parent = self.processes.get(&process.parent?)?;
            let is_outside = parent.group != group && parent.session == group_entry.session;
            // The first process of all is nobody's shell.
            (is_outside && parent.parent.is_some()).then_some(())
        };
        !group_entry
            .members
            .iter()
            .any(|member| is_held(member).is_some())
    }

    /// Who takes the children of `pid`: the nearest ancestor that asked for it, or the first
    /// process.
    pub(super) fn reaper(&self, pid: Pid) -> Option<Pid> {
        let mut at = self.processes.get(&pid)?.parent?;
        loop {
            let process = self.processes.get(&at)?;
            let is_there = process.life == Life::Running;
            match process.parent {
                Some(_) if is_there && process.is_subreaper => return Some(at),
                Some(parent) => at = parent,
                None => return is_there.then_some(at),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.processes.is_empty()
            && self.threads.is_empty()
            && self.groups.is_empty()
            && self.sessions.is_empty()
    }
}
