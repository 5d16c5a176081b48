//! Signals as POSIX has them: what processes do about them, what threads block, what is pending.
//!
//! **Where this differs from Linux**
//!
//! | | Linux | here |
//! |---|---|---|
//! | who may send | EPERM by users | everybody: there are no users here |
//! | the limit | by user | by process, for the same reason |
//! | an image of the memory | by RLIMIT_CORE | said by [`set_dumped`] |
//! | frames of handlers | on the guest's stack | [`HandlerCall`], kept by the guest's kernel |
//! | a fork, while a group is sent a signal | is made again | the same, or comes before |
//! | EINTR | for what there is to deliver | also for what is gone, if not in `timed_wait` |
//!
//! [`set_dumped`]: SignalManager::set_dumped
//!
//! **Inside.** An entry by process with one lock ([`state`]), and the process by thread. A send
//! changes the state, gives back the lock, and then rings the bell of a thread: an event of the
//! shared table that it waits for if it waits for signals, and its interrupter if it waits for
//! anything else. A thread that looks for signals first forgets interrupts, then looks: what comes
//! later interrupts again. **Lock order**: the locks of `process`, an entry of a map, the lock of a
//! state.

mod action;
mod bell;
mod calls;
mod deliver;
mod info;
mod job;
mod lifecycle;
mod number;
mod pending;
mod restart;
mod send;
mod set;
mod state;
mod suspend;
mod wait;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use dashmap::DashMap;
use slotpark::Interrupter;

use crate::{Errno, Pid, Waits};
use bell::Bell;
use state::State;

pub use action::{Handler, SignalAction, SignalFlags};
pub(crate) use bell::Tells;
pub use calls::MaskChange;
pub use deliver::{Delivered, HandlerCall};
pub use info::SignalInfo;
pub(crate) use job::{JobChange, Watch};
pub use number::{DefaultAction, Signal};
pub use restart::Restart;
pub(crate) use send::ChildPolicy;
pub use set::SignalSet;

/// The signals of all processes of a guest system: signal(7).
///
/// A process is registered with its first thread, which has its number; [`fork`](Self::fork) and
/// [`add_thread`](Self::add_thread) make more, or a [`ProcessManager`](crate::ProcessManager) does.
/// Each thread has an [`interrupter`](Self::interrupter): calls that block take it along in their
/// [`Block`](crate::Block), and a signal that the thread does not block ends them with EINTR. At
/// the end of each call of a guest, its kernel asks [`deliver`](Self::deliver) what is to be done
/// until there is nothing.
///
/// ```
/// use slotpark_managers::{Delivered, Errno, Pid, Signal, SignalAction, SignalInfo, SignalManager};
/// let signals = SignalManager::new(Default::default());
/// let guest = Pid(1);
/// signals.register(guest)?;
/// signals.set_action(guest, Signal::USR1, SignalAction::call(0x4000))?;
/// signals.send(guest, SignalInfo::user(Signal::USR1, guest))?;
/// let Some(Delivered::Handler(call)) = signals.deliver(guest)? else { panic!() };
/// assert_eq!((call.function, call.info.signal), (0x4000, Signal::USR1));
/// // The guest runs its function. Then:
/// signals.end_handler(guest, call.restores)?;
/// assert_eq!(signals.deliver(guest)?, None);
/// # Ok::<_, Errno>(())
/// ```
pub struct SignalManager {
    waits: Arc<Waits>,
    processes: DashMap<Pid, Arc<Process>>,
    threads: DashMap<Pid, Member>,
    watch: OnceLock<Weak<dyn Watch>>,
}

#[derive(Debug)]
struct Process {
    pid: Pid,
    state: Mutex<State>,
}

/// A thread: its process, and what it is told by.
#[derive(Clone)]
struct Member {
    process: Arc<Process>,
    bell: Arc<Bell>,
}

impl Process {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignalManager {
    /// How many signals can be pending with what is told of them, for a process and its threads
    /// together, unless [`set_limit`](Self::set_limit) says otherwise.
    pub const LIMIT: usize = 1024;

    /// Nobody is registered. Threads wait in `waits`.
    ///
    /// ```
    /// use slotpark_managers::{SignalManager, Waits};
    /// let waits = std::sync::Arc::new(Waits::new());
    /// assert!(SignalManager::new(waits).is_empty());
    /// ```
    #[must_use]
    pub fn new(waits: Arc<Waits>) -> Self {
        Self {
            waits,
            processes: DashMap::new(),
            threads: DashMap::new(),
            watch: OnceLock::new(),
        }
    }

    /// How many processes are registered.
    ///
    /// ```
    /// use slotpark_managers::{Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// assert_eq!(signals.len(), 1);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.processes.len()
    }

    /// Whether neither a process nor a thread is registered.
    ///
    /// ```
    /// use slotpark_managers::SignalManager;
    /// assert!(SignalManager::new(Default::default()).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.processes.is_empty() && self.threads.is_empty()
    }

    /// What a signal to this thread interrupts. One wait at a time can use it, the thread's own.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Block, Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// let interrupter = signals.interrupter(Pid(1))?;
    /// let block = Block::FOREVER.interruptible(&interrupter);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn interrupter(&self, tid: Pid) -> Result<Arc<Interrupter>, Errno> {
        Ok(Arc::clone(&self.member(tid)?.bell.interrupter))
    }

    /// How many threads and tasks wait as `tid` in calls of this manager at this moment: 0 or 1.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Pid, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// assert_eq!(signals.waiters(Pid(1)), Ok(0));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn waiters(&self, tid: Pid) -> Result<usize, Errno> {
        Ok(self.member(tid)?.bell.event.waiters(&self.waits))
    }

    /// Once, before anything is registered.
    pub(crate) fn set_watch(&self, watch: Weak<dyn Watch>) -> Result<(), Errno> {
        self.watch.set(watch).map_err(|_| Errno::Busy)
    }

    fn watch(&self) -> Option<Arc<dyn Watch>> {
        self.watch.get()?.upgrade()
    }

    fn process(&self, pid: Pid) -> Result<Arc<Process>, Errno> {
        let found = self.processes.get(&pid).map(|entry| Arc::clone(&entry));
        found.ok_or(Errno::NoProcess)
    }

    fn member(&self, tid: Pid) -> Result<Member, Errno> {
        let found = self.threads.get(&tid).map(|entry| entry.clone());
        found.ok_or(Errno::NoProcess)
    }

    /// Runs `change` on the state of a thread's process, and tells whom it says.
    fn with_thread<T>(
        &self,
        tid: Pid,
        change: impl FnOnce(&mut State, usize, &mut Tells) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let process = self.member(tid)?.process;
        let mut tells = Tells::default();
        let result = {
            let mut state = process.lock();
            let at = state.thread(tid).ok_or(Errno::NoProcess)?;
            change(&mut state, at, &mut tells)
        };
        self.ring(tells);
        result
    }

    /// Tells all that are to be told. Without locks.
    pub(crate) fn ring(&self, tells: Tells) {
        let jobs = tells.ring(&self.waits);
        if jobs.is_empty() {
            return;
        }
        if let Some(watch) = self.watch() {
            for (pid, change) in jobs {
                watch.job_changed(pid, change);
            }
        }
    }
}

impl fmt::Debug for SignalManager {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignalManager").finish_non_exhaustive()
    }
}
