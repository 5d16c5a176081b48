//! Descriptors made of descriptors.

use super::{Entry, FdTable};
use crate::Errno;

impl<T> FdTable<T> {
    /// Another number of the same description, the lowest that is free: `dup(2)`. The new one stays
    /// open in an exec.
    ///
    /// # Errors
    /// EBADF: the number is not open. EMFILE: none below the limit is free.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(files.dup(0), Err(Errno::BadFd));
    /// files.install(Description::new("file"), true)?;
    /// assert_eq!(files.dup(0), Ok(1));
    /// assert_eq!(files.close_on_exec(1), Ok(false));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn dup(&self, number: i32) -> Result<i32, Errno> {
        self.dup_lowest(number, |_| Ok(0), false)
    }

    /// As [`dup`](Self::dup), from `min` on: `F_DUPFD` and `F_DUPFD_CLOEXEC` of `fcntl(2)`.
    ///
    /// # Errors
    /// As [`dup`](Self::dup). EINVAL: `min` is negative or not below the limit.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), false)?;
    /// assert_eq!(files.dup_from(0, 10, true), Ok(10));
    /// assert_eq!(files.dup_from(0, 1024, true), Err(Errno::Invalid));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn dup_from(&self, number: i32, min: i32, close_on_exec: bool) -> Result<i32, Errno> {
        let min = |limit| match usize::try_from(min) {
            Ok(min) if min < limit => Ok(min),
            _ => Err(Errno::Invalid),
        };
        self.dup_lowest(number, min, close_on_exec)
    }

    /// `min` is asked only if the number is open: EBADF comes first.
    fn dup_lowest(
        &self,
        number: i32,
        min: impl FnOnce(usize) -> Result<usize, Errno>,
        close_on_exec: bool,
    ) -> Result<i32, Errno> {
        let mut numbers = self.lock();
        let description = &numbers.get(number).ok_or(Errno::BadFd)?.description;
        let entry = Entry::new(description.clone(), close_on_exec);
        let min = min(numbers.limit)?;
        let new = numbers.lowest_free(min).ok_or(Errno::TooManyFiles)?;
        let old = numbers.put(new, entry);
        debug_assert!(old.is_none(), "it was free");
        Ok(new as i32)
    }

    /// Makes `new` lead where `number` does, and closes what it was before, in one step: `dup2(2)`.
    /// If they are one and the same, nothing happens to it. Returns `new`.
    ///
    /// # Errors
    /// EBADF: `number` is not open, or `new` is negative or not below the limit.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), true)?;
    /// assert_eq!(files.dup2(0, 5), Ok(5));
    /// assert_eq!(files.dup2(0, 0), Ok(0));
    /// assert_eq!((files.close_on_exec(0), files.close_on_exec(5)), (Ok(true), Ok(false)));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn dup2(&self, number: i32, new: i32) -> Result<i32, Errno> {
        if number == new {
            let numbers = self.lock();
            return numbers.get(number).map(|_| new).ok_or(Errno::BadFd);
        }
        self.dup3(number, new, false)
    }

    /// As [`dup2`](Self::dup2), which says whether an exec closes the new one: `dup3(2)`.
    ///
    /// # Errors
    /// As [`dup2`](Self::dup2). EINVAL: they are one and the same.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), false)?;
    /// assert_eq!(files.dup3(0, 5, true), Ok(5));
    /// assert_eq!(files.dup3(0, 0, true), Err(Errno::Invalid));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn dup3(&self, number: i32, new: i32, close_on_exec: bool) -> Result<i32, Errno> {
        if number == new {
            return Err(Errno::Invalid);
        }
        let mut numbers = self.lock();
        let place = usize::try_from(new).map_err(|_| Errno::BadFd)?;
        if place >= numbers.limit {
            return Err(Errno::BadFd);
        }
        let description = &numbers.get(number).ok_or(Errno::BadFd)?.description;
        let entry = Entry::new(description.clone(), close_on_exec);
        let old = numbers.put(place, entry);
        drop(numbers);
        self.end(old);
        Ok(new)
    }

    /// The table of a child, or of a thread that no longer shares its own: the same descriptions
    /// under the same numbers, with the same marks and limit. See `fork(2)` and `unshare(2)`.
    ///
    /// ```
    /// use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// files.install(Description::new("file"), false)?;
    /// let child = files.fork();
    /// files.close(0)?;
    /// assert!(child.get(0)?.is_open());
    /// # Ok::<_, Errno>(())
    /// ```
    #[must_use]
    pub fn fork(&self) -> Self {
        let copy = self.lock().copy();
        Self {
            waits: self.waits.clone(),
            numbers: copy.into(),
        }
    }
}
