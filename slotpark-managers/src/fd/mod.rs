//! Descriptors of a process.
//!
//! A table is a vector: its keys are small numbers, the lowest free of which is wanted, and one
//! process has no part in another's. It needs no map. What a blocked call waits for beside its own
//! event is that of its descriptor, in the shared table of slots.
//!
//! **Lock order**: a table's lock, and nothing inside it. Descriptions end, and waiters are woken,
//! after it is given back.

mod change;
mod description;
mod duplicate;
mod numbers;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Errno, Waits};
pub use change::CloseRange;
pub use description::{Description, OpenFd};
use numbers::{Entry, Numbers};

/// How many descriptors a table has at most, unless
/// [`set_limit`](FdTable::set_limit) says otherwise: Linux's soft limit.
const LIMIT_DEFAULT: usize = 1024;

/// The descriptors of a process, as Linux has them: see `open(2)`, `dup(2)`, `fcntl(2)`,
/// `close_range(2)`. A random sequence of calls, made here and on the host, gives the same numbers
/// and the same errors.
///
/// ```
/// use slotpark_managers::{Description, Errno, FdTable, Waits};
/// use std::sync::Arc;
/// let files = FdTable::new(Arc::new(Waits::new()));
/// let terminal = files.install(Description::new("terminal"), false)?;
/// assert_eq!((terminal, files.dup(terminal)?), (0, 1));
/// let child = files.fork();
/// files.close(0)?;
/// assert_eq!(files.install(Description::new("file"), true)?, 0); // the lowest that is free
/// assert_eq!(*child.get(0)?, "terminal");
/// files.exec();
/// assert_eq!(files.get(0).err(), Some(Errno::BadFd)); // it was to be closed
/// # Ok::<_, Errno>(())
/// ```
///
/// **Threads** of a process (`CLONE_FILES`) share an `Arc` of one table; `unshare` is
/// [`fork`](Self::fork). A table that is dropped, when the last thread of its process has gone,
/// closes all.
///
/// **Blocked calls.** A call [gets](Self::get) what its number leads to, and may block in any
/// manager, by [`Block::through`](crate::Block::through) or [`OpenFd::until_closed`]: when its
/// number is closed meanwhile, or overwritten by `dup2`, it ends with EBADF.
///
/// **Where it differs from Linux**
///
/// | what | here | Linux |
/// |---|---|---|
/// | a number is closed while a call is blocked through it | EBADF | it stays blocked |
/// | ... was the last of its description | that ends at once | when that call has returned |
/// | a number that is being opened by another thread (`dup2`) | free | EBUSY |
/// | `CLOSE_RANGE_UNSHARE`, exec of a shared table | [`fork`](Self::fork) first | by itself |
/// | limits | that of the table | also of the user, of the system: ENFILE |
/// | errors of a close | none | the file system's |
pub struct FdTable<T> {
    waits: Arc<Waits>,
    numbers: Mutex<Numbers<T>>,
}

impl<T> FdTable<T> {
    /// An empty one, with 1024 descriptors at most. Calls through its descriptors block in `waits`.
    ///
    /// ```
    /// use slotpark_managers::{FdTable, Waits};
    /// let files = FdTable::<()>::new(std::sync::Arc::new(Waits::new()));
    /// assert!(files.is_empty());
    /// assert_eq!(files.limit(), 1024);
    /// ```
    #[must_use]
    pub fn new(waits: Arc<Waits>) -> Self {
        Self {
            waits,
            numbers: Mutex::new(Numbers::new(LIMIT_DEFAULT)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Numbers<T>> {
        // No code of others runs under it, so nothing is left half done.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends descriptors that were taken out, with no lock held.
    fn end(&self, entries: impl IntoIterator<Item = Entry<T>>) {
        for entry in entries {
            entry.closed.wake_all(&self.waits);
        }
    }

    /// Gives a description the lowest number that is free: the last step of `open`, `pipe`,
    /// `socket`, or of receiving one in a message.
    ///
    /// # Errors
    /// EMFILE: no number below the limit is free; the description is dropped.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.set_limit(1);
    /// assert_eq!(files.install(Description::new("file"), false), Ok(0));
    /// assert_eq!(files.install(Description::new("file"), false), Err(Errno::TooManyFiles));
    /// ```
    pub fn install(&self, description: Description<T>, close_on_exec: bool) -> Result<i32, Errno> {
        let entry = Entry::new(description, close_on_exec);
        let mut numbers = self.lock();
        let Some(number) = numbers.lowest_free(0) else {
            drop(numbers);
            return Err(Errno::TooManyFiles);
        };
        let old = numbers.put(number, entry);
        debug_assert!(old.is_none(), "it was free");
        Ok(number as i32)
    }

    /// What a number leads to, for a call through it: see [`OpenFd`].
    ///
    /// # Errors
    /// EBADF: the number is not open.
    ///
    /// ```
    /// use slotpark_managers::{Errno, FdTable, Waits};
    /// let files = FdTable::<()>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(files.get(-1).err(), Some(Errno::BadFd));
    /// ```
    pub fn get(&self, number: i32) -> Result<OpenFd<T>, Errno> {
        let numbers = self.lock();
        let entry = numbers.get(number).ok_or(Errno::BadFd)?;
        Ok(OpenFd {
            object: Arc::clone(entry.description.object()),
            closed: Arc::clone(&entry.closed),
            waits: Arc::clone(&self.waits),
        })
    }

    /// The description that a number leads to, which is kept open by this: to be sent in a message,
    /// or [installed](Self::install) elsewhere.
    ///
    /// # Errors
    /// EBADF: the number is not open.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let waits = std::sync::Arc::new(Waits::new());
    /// let (from, to) = (FdTable::new(waits.clone()), FdTable::new(waits));
    /// let sent = from.install(Description::new("file"), false)?;
    /// let received = to.install(from.description(sent)?, true)?;
    /// from.close(sent)?;
    /// assert_eq!(*to.get(received)?, "file");
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn description(&self, number: i32) -> Result<Description<T>, Errno> {
        let numbers = self.lock();
        let entry = numbers.get(number).ok_or(Errno::BadFd)?;
        Ok(entry.description.clone())
    }

    /// How many descriptors are open.
    ///
    /// ```
    /// use slotpark_managers::{Description, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// let number = files.install(Description::new("file"), false)?;
    /// assert_eq!((number, files.len()), (0, 1));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().count()
    }

    /// Whether none is open.
    ///
    /// ```
    /// use slotpark_managers::{FdTable, Waits};
    /// assert!(FdTable::<()>::new(std::sync::Arc::new(Waits::new())).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The numbers that are open, in order: `/proc/self/fd`.
    ///
    /// ```
    /// use slotpark_managers::{Description, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), false)?;
    /// files.dup_from(0, 7, false)?;
    /// assert_eq!(files.numbers(), [0, 7]);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn numbers(&self) -> Vec<i32> {
        self.lock()
            .iter()
            .map(|(number, _)| number as i32)
            .collect()
    }

    /// How many threads and tasks are blocked through a number at this moment; 0 if it is not open.
    ///
    /// ```
    /// use slotpark_managers::{FdTable, Waits};
    /// let files = FdTable::<()>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(files.waiters(0), 0);
    /// ```
    #[must_use]
    pub fn waiters(&self, number: i32) -> usize {
        let closed = self
            .lock()
            .get(number)
            .map(|entry| Arc::clone(&entry.closed));
        closed.map_or(0, |closed| closed.waiters(&self.waits))
    }
}

impl<T> Drop for FdTable<T> {
    fn drop(&mut self) {
        let all = self.lock().take_where(0..=usize::MAX, |_| true);
        self.end(all);
    }
}

impl<T> fmt::Debug for FdTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FdTable").finish_non_exhaustive()
    }
}
