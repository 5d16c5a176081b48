//! What an end is of, how much its pipe holds and can hold, how many there are.

use super::pages::PAGE;
use super::{PipeEnd, PipeManager};
use crate::{Access, Errno};

/// Sizes from here on do not exist.
const CAPACITY_BOUND: usize = 1 << 31;

impl PipeManager {
    /// What an end is open for.
    ///
    /// # Errors
    /// EBADF: the end is not open.
    ///
    /// ```
    /// use slotpark_managers::{Access, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(pipes.access(pipes.pipe().0), Ok(Access::Read));
    /// ```
    pub fn access(&self, end: PipeEnd) -> Result<Access, Errno> {
        Ok(self.end(end)?.access)
    }

    /// How many bytes the pipe has room for: `F_GETPIPE_SZ`.
    ///
    /// # Errors
    /// EBADF: the end is not open.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(pipes.capacity(pipes.pipe().0), Ok(65_536));
    /// ```
    pub fn capacity(&self, end: PipeEnd) -> Result<usize, Errno> {
        Ok(self.end(end)?.pipe.look(|state| state.pages.capacity()))
    }

    /// Makes room for `bytes`, rounded up to a power of two of pages; the new capacity:
    /// `F_SETPIPE_SZ` of `fcntl(2)`.
    ///
    /// # Errors
    /// EBADF: the end is not open. EINVAL: more than 2 GiB. EPERM: more than
    /// [`capacity_max`](Self::capacity_max), and than it has. EBUSY: more pages are in use.
    ///
    /// ```
    /// use slotpark_managers::{Block, Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (_reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.set_capacity(writer, 5000), Ok(8192));
    /// assert_eq!(pipes.write(writer, &[0; 10_000], Block::NO), Ok(8192));
    /// assert_eq!(pipes.set_capacity(writer, 0), Err(Errno::Busy));
    /// ```
    pub fn set_capacity(&self, end: PipeEnd, bytes: usize) -> Result<usize, Errno> {
        let pipe = self.end(end)?.pipe;
        if bytes > CAPACITY_BOUND {
            return Err(Errno::Invalid);
        }
        let capacity = bytes.max(PAGE).next_power_of_two();
        pipe.change(&self.waits, |state, wakes| {
            if capacity > state.pages.capacity() && capacity > self.capacity_max {
                return Err(Errno::NotPermitted);
            }
            if !state.resize(capacity / PAGE, wakes) {
                return Err(Errno::Busy);
            }
            Ok(capacity)
        })
    }

    /// How many bytes are there to read: `FIONREAD`.
    ///
    /// # Errors
    /// EBADF: the end is not open.
    ///
    /// ```
    /// use slotpark_managers::{Block, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.write(writer, b"hello", Block::NO), Ok(5));
    /// assert_eq!(pipes.unread(reader), Ok(5));
    /// ```
    pub fn unread(&self, end: PipeEnd) -> Result<usize, Errno> {
        Ok(self.end(end)?.pipe.look(|state| state.pages.unread()))
    }

    /// How many open ends the pipe has that read, and that write.
    ///
    /// # Errors
    /// EBADF: the end is not open.
    ///
    /// ```
    /// use slotpark_managers::{Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, _writer) = pipes.pipe();
    /// let _child = pipes.dup(reader)?;
    /// assert_eq!(pipes.sides(reader), Ok((2, 1)));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn sides(&self, end: PipeEnd) -> Result<(u32, u32), Errno> {
        let sides = |state: &super::state::State| (state.readers, state.writers);
        Ok(self.end(end)?.pipe.look(sides))
    }

    /// How many are blocked on the pipe at this moment, through any of its ends: in reads, writes
    /// and polls. 0 if the end is not open.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(pipes.waiters(pipes.pipe().0), 0);
    /// ```
    #[must_use]
    pub fn waiters(&self, end: PipeEnd) -> usize {
        let pipe = self.end(end).map(|end| end.pipe);
        pipe.map_or(0, |pipe| pipe.waiters(&self.waits))
    }

    /// How many ends are open.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let _ends = pipes.pipe();
    /// assert_eq!(pipes.len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing is left: no open end, and no name of a FIFO.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// pipes.mkfifo("/tmp/fifo")?;
    /// assert!(!pipes.is_empty());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.fifos.is_empty()
    }
}
