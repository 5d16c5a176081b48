//! Processes and threads come and go.

use std::sync::{Arc, Mutex};

use dashmap::mapref::entry::Entry;

use super::action::{Handler, SignalAction};
use super::job::{Job, Reports};
use super::pending::Pending;
use super::set::SignalSet;
use super::state::{Actions, State, ThreadState};
use super::{Member, Process, SignalManager, Tells};
use crate::{Errno, ExitStatus, Pid};

impl SignalManager {
    /// A process begins, with one thread of the same number: nothing is pending, nothing is
    /// blocked, every action is the default.
    ///
    /// # Errors
    /// [`Errno::Exists`]: the number is that of a process or a thread.
    ///
    /// ```
    /// use slotpark_managers::{Errno, Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// assert_eq!(signals.register(Pid(1)), Err(Errno::Exists));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn register(&self, pid: Pid) -> Result<(), Errno> {
        let actions = Arc::new([SignalAction::DEFAULT; 64]);
        self.begin(Self::state(pid, actions, SignalSet::EMPTY, Self::LIMIT))
    }

    /// As [`register`](Self::register), for the first process of a system: what it has no handler
    /// for does nothing to it, SIGKILL and SIGSTOP included.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register_init(Pid(1))?;
    /// signals.send(Pid(1), SignalInfo::user(Signal::KILL, Pid(2)))?;
    /// assert_eq!(signals.deliver(Pid(1)), Ok(None));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn register_init(&self, pid: Pid) -> Result<(), Errno> {
        let actions = Arc::new([SignalAction::DEFAULT; 64]);
        let mut state = Self::state(pid, actions, SignalSet::EMPTY, Self::LIMIT);
        state.is_init = true;
        self.begin(state)
    }

    /// A process begins as a copy of that of thread `tid`: with its actions and limit and the
    /// thread's mask; nothing is pending. fork(2).
    ///
    /// # Errors
    /// [`Errno::Interrupted`]: a signal was there before; deliver it, then fork: so nobody escapes
    /// a signal to a group by forking. [`Errno::NoProcess`]: there is no such thread.
    /// [`Errno::Exists`]: `child` is the number of a process or a thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalAction, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.set_action(Pid(1), Signal::HUP, SignalAction::IGNORE)?;
    /// signals.fork(Pid(1), Pid(2))?;
    /// assert_eq!(signals.action(Pid(2), Signal::HUP), Ok(SignalAction::IGNORE));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn fork(&self, tid: Pid, child: Pid) -> Result<(), Errno> {
        let state = self.with_thread(tid, |state, at, _| {
            if state.is_due(at) {
                return Err(Errno::Interrupted);
            }
            let mask = state.threads[at].mask;
            let actions = Arc::clone(&state.actions);
            Ok(Self::state(child, actions, mask, state.limit))
        })?;
        self.begin(state)
    }

    /// A thread begins in the process of thread `tid`, with that one's mask; nothing is pending for
    /// it alone. clone(2) with CLONE_THREAD.
    ///
    /// # Errors
    /// As [`fork`](Self::fork). [`Errno::Again`]: the process is about to run another program.
    ///
    /// ```
    /// use slotpark_managers::{Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.add_thread(Pid(1), Pid(2))?;
    /// assert_eq!(signals.len(), 1);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn add_thread(&self, tid: Pid, thread: Pid) -> Result<(), Errno> {
        let process = self.member(tid)?.process;
        match self.threads.entry(thread) {
            Entry::Occupied(_) => return Err(Errno::Exists),
            Entry::Vacant(entry) => {
                let mut state = process.lock();
                let at = state.thread(tid).ok_or(Errno::NoProcess)?;
                if state.is_due(at) {
                    return Err(Errno::Interrupted);
                }
                if state.survivor.is_some() {
                    return Err(Errno::Again);
                }
                let mask = state.threads[at].mask;
                let thread = ThreadState::new(thread, mask);
                let bell = Arc::clone(&thread.bell);
                state.insert(thread);
                drop(state);
                entry.insert(Member { process, bell });
            }
        }
        Ok(())
    }

    /// The process of thread `tid`, its only one, runs another program: handlers become the
    /// default, what is ignored stays so, and so do masks and what is pending. execve(2).
    ///
    /// # Errors
    /// [`Errno::Busy`]: it has other threads. [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalAction, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.set_action(Pid(1), Signal::HUP, SignalAction::call(7))?;
    /// signals.exec(Pid(1))?;
    /// assert_eq!(signals.action(Pid(1), Signal::HUP), Ok(SignalAction::DEFAULT));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn exec(&self, tid: Pid) -> Result<(), Errno> {
        self.with_thread(tid, |state, _, _| {
            if state.threads.len() > 1 {
                return Err(Errno::Busy);
            }
            for action in Arc::make_mut(&mut state.actions) {
                let is_ignored = action.handler == Handler::Ignore;
                *action = if is_ignored {
                    SignalAction::IGNORE
                } else {
                    SignalAction::DEFAULT
                };
            }
            state.survivor = None;
            Ok(())
        })
    }

    /// The whole process is to end: each of its threads is interrupted, and each is told
    /// [`Delivered::Exit`](crate::Delivered::Exit). Returns how it ends: as the first who said so
    /// has said. exit_group(2).
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{Delivered, ExitStatus, Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.add_thread(Pid(1), Pid(2))?;
    /// let status = signals.exit_group(Pid(1), ExitStatus::exited(7))?;
    /// assert_eq!(signals.deliver(Pid(2)), Ok(Some(Delivered::Exit(status))));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn exit_group(&self, pid: Pid, status: ExitStatus) -> Result<ExitStatus, Errno> {
        let process = self.process(pid)?;
        let mut tells = Tells::default();
        let status = process.lock().end(status, &mut tells);
        self.ring(tells);
        Ok(status)
    }

    /// A thread is gone; with the last one its process is. What was pending for it alone is lost,
    /// what others could take is told to them.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.remove_thread(Pid(1))?;
    /// assert!(signals.is_empty());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn remove_thread(&self, tid: Pid) -> Result<(), Errno> {
        let mut tells = Tells::default();
        let removed = self.remove_thread_into(tid, &mut tells);
        self.ring(tells);
        removed
    }

    /// As [`remove_thread`](Self::remove_thread); tells later.
    pub(crate) fn remove_thread_into(&self, tid: Pid, tells: &mut Tells) -> Result<(), Errno> {
        let (_, member) = self.threads.remove(&tid).ok_or(Errno::NoProcess)?;
        let process = member.process;
        let (pid, is_last) = {
            let mut state = process.lock();
            let at = state.thread(tid).ok_or(Errno::NoProcess)?;
            state.retarget(at, SignalSet::ALL, tells);
            // Its own waits, if it left them behind, find it gone.
            state.tell(at, tells);
            let mut thread = state.threads.remove(at);
            state.queued -= thread.pending.discard(SignalSet::ALL);
            state.check();
            let is_last = state.threads.is_empty();
            if !is_last {
                state.complete_stop(tells);
            }
            (state.pid, is_last)
        };
        if is_last {
            self.processes
                .remove_if(&pid, |_, entry| Arc::ptr_eq(entry, &process));
        }
        Ok(())
    }

    /// All threads of the process but `tid` are to leave.
    pub(crate) fn begin_exec(&self, tid: Pid) -> Result<(), Errno> {
        self.with_thread(tid, |state, at, tells| {
            if state.is_due(at) {
                return Err(Errno::Interrupted);
            }
            state.survivor = Some(tid);
            state.tell_all(tells);
            Ok(())
        })
    }

    /// The last thread of a process takes the process's number for its own.
    pub(crate) fn take_over(&self, tid: Pid, pid: Pid) {
        let Some((_, member)) = self.threads.remove(&tid) else {
            return;
        };
        {
            let mut state = member.process.lock();
            if let Some(at) = state.thread(tid) {
                // The only one: the order by number holds.
                state.threads[at].tid = pid;
            }
            state.survivor = Some(pid);
        }
        self.threads.insert(pid, member);
    }

    /// How a process that was told to end ends.
    pub(crate) fn exit_status(&self, pid: Pid) -> Option<ExitStatus> {
        let process = self.process(pid).ok()?;
        let state = process.lock();
        state.exit
    }

    fn state(pid: Pid, actions: Arc<Actions>, mask: SignalSet, limit: usize) -> State {
        State {
            pid,
            actions,
            pending: Pending::default(),
            threads: vec![ThreadState::new(pid, mask)],
            job: Job::Running,
            reports: Reports::default(),
            conts: 0,
            exit: None,
            survivor: None,
            queued: 0,
            limit,
            is_init: false,
            turn: 0,
        }
    }

    fn begin(&self, state: State) -> Result<(), Errno> {
        let pid = state.pid;
        let bell = Arc::clone(&state.threads[0].bell);
        let process = Arc::new(Process {
            pid,
            state: Mutex::new(state),
        });
        match self.processes.entry(pid) {
            Entry::Occupied(_) => return Err(Errno::Exists),
            Entry::Vacant(entry) => entry.insert(Arc::clone(&process)),
        };
        match self.threads.entry(pid) {
            Entry::Occupied(_) => {}
            Entry::Vacant(entry) => {
                entry.insert(Member { process, bell });
                return Ok(());
            }
        }
        self.processes.remove(&pid);
        Err(Errno::Exists)
    }
}
