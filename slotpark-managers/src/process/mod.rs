//! Processes: who is whose child, in which group and session, how each ended, and who waits for it.
//!
//! **Where this differs from Linux**
//!
//! | | Linux | here |
//! |---|---|---|
//! | who may signal whom | EPERM by users | everybody: there are no users here |
//! | children | of a thread: `__WNOTHREAD`, `__WCLONE` | of a process |
//! | ptrace(2) | reparents and reports | none: a debugger is its kernel's |
//! | P_PIDFD | a descriptor | none: a descriptor can hold a [`Pid`] |
//! | the first process ends | and all others | children lose their parent, leave no zombies |
//! | a wait | has no time-out | as its [`Block`](crate::Block) says |
//! | terminals | SIGHUP, foreground groups | none: a terminal is a device |
//! | numbers, second round | 300 and more | 1 and more |
//!
//! As there: a group that is orphaned while a member is stopped gets SIGHUP and SIGCONT; in one
//! that is orphaned, SIGTSTP, SIGTTIN and SIGTTOU stop nobody.
//!
//! **Inside.** What spans processes is one tree under one lock, as the kernel has it: a wait for
//! any child, a fork into a group that is being killed, two ends at once that inherit each other's
//! children are each one step. Signals have their state by process, and who waits for a child waits
//! for the event of its own process. **Lock order**: the tree, then what the signals lock.

mod exit;
mod fork;
mod group;
mod news;
mod status;
mod tree;
mod wait;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::{Errno, Pid, SignalManager, Waits};
use news::News;
use tree::Tree;

pub use group::KillTarget;
pub use status::{ChildChange, ChildReport, Children, ExitStatus, WaitFor};

/// The processes of a guest system: fork(2), wait(2), exit(2), setpgid(2), kill(2).
///
/// It keeps the [`SignalManager`] in step: a process and a thread are registered there when they
/// begin and removed when they end, and parents are sent SIGCHLD.
///
/// ```
/// use slotpark_managers::{Block, ChildChange, Children, Errno, ExitStatus, ProcessManager};
/// use slotpark_managers::{SignalManager, WaitFor, Waits};
/// use std::sync::Arc;
/// let waits = Arc::new(Waits::new());
/// let signals = Arc::new(SignalManager::new(waits.clone()));
/// let processes = ProcessManager::new(waits, signals)?;
/// let init = processes.init();
/// let child = processes.fork(init)?;
/// processes.exit_group(child, 7)?;
/// let report = processes.wait(init, Children::Any, WaitFor::EXITED, Block::FOREVER)?;
/// assert_eq!(report.child, child);
/// assert_eq!(report.change, ChildChange::Ended(ExitStatus::exited(7)));
/// # Ok::<_, Errno>(())
/// ```
pub struct ProcessManager {
    inner: Arc<Inner>,
}

type Hook = Arc<dyn Fn(Pid) + Send + Sync>;

struct Inner {
    waits: Arc<Waits>,
    signals: Arc<SignalManager>,
    tree: Mutex<Tree>,
    hooks: Mutex<Vec<Hook>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProcessManager {
    /// The greatest number, unless [`with_numbers`](Self::with_numbers) says another.
    pub const PID_MAX: u32 = 4_194_303;

    /// With the first process, [`init`](Self::init), and nobody else. Threads wait in `waits`.
    ///
    /// # Errors
    /// [`Errno::Busy`]: the signals are those of another manager. [`Errno::Exists`]: the number of
    /// the first process is registered there.
    ///
    /// ```
    /// use slotpark_managers::{Errno, ProcessManager, SignalManager, Waits};
    /// use std::sync::Arc;
    /// let waits = Arc::new(Waits::new());
    /// let signals = Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits.clone(), signals.clone())?;
    /// assert_eq!(processes.len(), 1);
    /// assert_eq!(ProcessManager::new(waits, signals).err(), Some(Errno::Busy));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn new(waits: Arc<Waits>, signals: Arc<SignalManager>) -> Result<Self, Errno> {
        Self::with_numbers(waits, signals, Self::PID_MAX)
    }

    /// As [`new`](Self::new), with numbers from 1 to `max`: so many processes, threads, and groups
    /// and sessions that have outlived those that began them, there can be.
    ///
    /// ```
    /// use slotpark_managers::{Errno, ProcessManager, SignalManager, Waits};
    /// use std::sync::Arc;
    /// let waits = Arc::new(Waits::new());
    /// let signals = Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::with_numbers(waits, signals, 2)?;
    /// processes.fork(processes.init())?;
    /// assert_eq!(processes.fork(processes.init()), Err(Errno::Again));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn with_numbers(
        waits: Arc<Waits>,
        signals: Arc<SignalManager>,
        max: u32,
    ) -> Result<Self, Errno> {
        let mut tree = Tree::new(max);
        let init = tree.allocate()?;
        tree.insert(init, None, init, init);
        let inner = Arc::new(Inner {
            waits,
            signals,
            tree: Mutex::new(tree),
            hooks: Mutex::new(Vec::new()),
        });
        inner.signals.set_watch(Arc::downgrade(&inner) as Weak<_>)?;
        inner.signals.register_init(init)?;
        Ok(Self { inner })
    }

    /// The first process: the parent of those whose parents end. Signals that it has no handler for
    /// do nothing to it.
    ///
    /// ```
    /// use slotpark_managers::{Pid, ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// assert_eq!(processes.init(), Pid(1));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub const fn init(&self) -> Pid {
        Pid(1)
    }

    /// The signals of these processes.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// assert_eq!(processes.signals().len(), 1);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn signals(&self) -> &Arc<SignalManager> {
        &self.inner.signals
    }

    /// How many processes there are, those that have ended and were not waited for included.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// processes.fork(processes.init())?;
    /// assert_eq!(processes.len(), 2);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.tree().processes.len()
    }

    /// Whether no process, thread, group or session is left: the first process has ended too.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// processes.exit_group(processes.init(), 0)?;
    /// assert!(processes.is_empty() && processes.signals().is_empty());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.tree().is_empty()
    }

    /// How many threads and tasks wait for children of `pid` at this moment.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such process.
    ///
    /// ```
    /// use slotpark_managers::{ProcessManager, SignalManager, Waits};
    /// # let waits = std::sync::Arc::new(Waits::new());
    /// # let signals = std::sync::Arc::new(SignalManager::new(waits.clone()));
    /// let processes = ProcessManager::new(waits, signals)?;
    /// assert_eq!(processes.waiters(processes.init()), Ok(0));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn waiters(&self, pid: Pid) -> Result<usize, Errno> {
        let changes = Arc::clone(&self.inner.tree().get(pid)?.changes);
        Ok(changes.waiters(&self.inner.waits))
    }
}

impl Inner {
    fn tree(&self) -> MutexGuard<'_, Tree> {
        lock(&self.tree)
    }
}

impl fmt::Debug for ProcessManager {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessManager").finish_non_exhaustive()
    }
}
