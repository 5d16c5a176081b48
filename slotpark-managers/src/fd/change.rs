//! What ends descriptors, and what is set of them.

use super::FdTable;
use crate::Errno;

/// What [`FdTable::close_range`] does.
///
/// ```
/// assert_ne!(slotpark_managers::CloseRange::Close, slotpark_managers::CloseRange::OnExec);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseRange {
    /// Closes them.
    Close,
    /// Marks them to be closed in an exec: `CLOSE_RANGE_CLOEXEC`.
    OnExec,
}

impl<T> FdTable<T> {
    /// Closes a number: `close(2)`. Calls that are blocked through it end with EBADF. If it was the
    /// last of its description, that ends before this returns.
    ///
    /// # Errors
    /// EBADF: the number is not open.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), false)?;
    /// assert_eq!((files.close(0), files.close(0)), (Ok(()), Err(Errno::BadFd)));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn close(&self, number: i32) -> Result<(), Errno> {
        let number = usize::try_from(number).map_err(|_| Errno::BadFd)?;
        let entry = self.lock().take(number);
        let entry = entry.ok_or(Errno::BadFd)?;
        self.end([entry]);
        Ok(())
    }

    /// Closes all numbers from `first` to `last`, or marks them: `close_range(2)`. Those that are
    /// not open are passed over.
    ///
    /// # Errors
    /// EINVAL: `first` is greater than `last`.
    ///
    /// ```
    /// use slotpark_managers::{CloseRange, Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), false)?;
    /// files.dup2(0, 9)?;
    /// files.close_range(3, u32::MAX, CloseRange::Close)?;
    /// assert_eq!(files.numbers(), [0]);
    /// assert_eq!(files.close_range(4, 3, CloseRange::Close), Err(Errno::Invalid));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn close_range(&self, first: u32, last: u32, how: CloseRange) -> Result<(), Errno> {
        if first > last {
            return Err(Errno::Invalid);
        }
        let range = first as usize..=last as usize;
        match how {
            CloseRange::Close => {
                let taken = self.lock().take_where(range, |_| true);
                self.end(taken);
            }
            CloseRange::OnExec => {
                let mut numbers = self.lock();
                for (_, entry) in numbers
                    .iter_mut()
                    .filter(|(number, _)| range.contains(number))
                {
                    entry.close_on_exec = true;
                }
            }
        }
        Ok(())
    }

    /// Closes what is marked to be closed in an exec: `execve(2)`.
    ///
    /// ```
    /// use slotpark_managers::{Description, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), true)?;
    /// files.dup(0)?;
    /// files.exec();
    /// assert_eq!(files.numbers(), [1]);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn exec(&self) {
        let is_meant = |entry: &super::Entry<T>| entry.close_on_exec;
        let taken = self.lock().take_where(0..=usize::MAX, is_meant);
        self.end(taken);
    }

    /// Whether an exec closes a number: `F_GETFD` of `fcntl(2)`.
    ///
    /// # Errors
    /// EBADF: the number is not open.
    ///
    /// ```
    /// use slotpark_managers::{Description, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), true)?;
    /// assert_eq!(files.close_on_exec(0), Ok(true));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn close_on_exec(&self, number: i32) -> Result<bool, Errno> {
        let numbers = self.lock();
        let entry = numbers.get(number).ok_or(Errno::BadFd)?;
        Ok(entry.close_on_exec)
    }

    /// Says whether an exec closes a number: `F_SETFD` of `fcntl(2)`.
    ///
    /// # Errors
    /// EBADF: the number is not open.
    ///
    /// ```
    /// use slotpark_managers::{Description, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), true)?;
    /// files.set_close_on_exec(0, false)?;
    /// assert_eq!(files.close_on_exec(0), Ok(false));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn set_close_on_exec(&self, number: i32, close: bool) -> Result<(), Errno> {
        let mut numbers = self.lock();
        let entry = numbers.get_mut(number).ok_or(Errno::BadFd)?;
        entry.close_on_exec = close;
        Ok(())
    }

    /// All numbers are below this: `RLIMIT_NOFILE`.
    ///
    /// ```
    /// use slotpark_managers::{FdTable, Waits};
    /// assert_eq!(FdTable::<()>::new(std::sync::Arc::new(Waits::new())).limit(), 1024);
    /// ```
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.lock().limit as u32
    }

    /// Sets the limit for what is opened from now on: `setrlimit(2)`. What is open beyond it stays.
    /// Numbers end at `i32::MAX`, whatever the limit.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), false)?;
    /// files.set_limit(0);
    /// assert_eq!(files.dup(0), Err(Errno::TooManyFiles));
    /// assert!(files.get(0)?.is_open());
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn set_limit(&self, limit: u32) {
        self.lock().limit = limit.min(i32::MAX as u32) as usize;
    }
}
