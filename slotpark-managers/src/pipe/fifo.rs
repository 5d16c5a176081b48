//! FIFOs: pipes with names, whose two sides wait for each other when they are opened.

use std::sync::Arc;

use dashmap::Entry;

use super::state::Pipe;
use super::{PipeEnd, PipeManager};
use crate::event::Seen;
use crate::{Access, Block, Errno};

/// A FIFO that is being opened. It is counted as one end from the beginning, as the other side is
/// to see it; dropped, it has been none.
pub(super) struct Opening<'m> {
    manager: &'m PipeManager,
    pub(super) pipe: Arc<Pipe>,
    access: Access,
    /// How many of the other side had come, where there is none now.
    awaited: Option<u64>,
    is_done: bool,
}

impl<'m> Opening<'m> {
    pub(super) fn begin(
        manager: &'m PipeManager,
        name: &[u8],
        access: Access,
        may_block: bool,
    ) -> Result<Self, Errno> {
        let pipe = {
            let entry = manager.fifos.get(name).ok_or(Errno::NoEntry)?;
            Arc::clone(&entry)
        };
        let awaited = pipe.change(&manager.waits, |state, wakes| {
            if access == Access::Write && !may_block && state.readers == 0 {
                return Err(Errno::NoDevice);
            }
            state.open(access, wakes);
            Ok(match access {
                Access::Read if state.writers == 0 => Some(state.writer_opens),
                Access::Write if state.readers == 0 => Some(state.reader_opens),
                _ => None,
            })
        })?;
        Ok(Self {
            manager,
            pipe,
            access,
            awaited,
            is_done: false,
        })
    }

    /// What to wait for while nobody of the other side has come since, if only to go again.
    pub(super) fn pending(&self) -> Option<Seen> {
        let awaited = self.awaited?;
        self.pipe.look(|state| {
            let come = match self.access {
                Access::Read => state.writer_opens,
                _ => state.reader_opens,
            };
            (come == awaited).then(|| self.pipe.changed.seen())
        })
    }

    fn done(mut self, quiet_since: u64) -> PipeEnd {
        self.is_done = true;
        let pipe = Arc::clone(&self.pipe);
        self.manager.insert(pipe, self.access, quiet_since)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            let leave = |state: &mut _, wakes: &mut _| {
                super::state::State::leave(state, self.access, wakes)
            };
            self.pipe.change(&self.manager.waits, leave);
        }
    }
}

impl PipeManager {
    /// Makes a FIFO of this name, which is any string of bytes; paths are the caller's affair.
    ///
    /// # Errors
    /// EEXIST: there is one. ENOENT: the name is empty.
    ///
    /// ```
    /// use slotpark_managers::{Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(pipes.mkfifo("/tmp/fifo"), Ok(()));
    /// assert_eq!(pipes.mkfifo("/tmp/fifo"), Err(Errno::Exists));
    /// ```
    pub fn mkfifo(&self, name: impl AsRef<[u8]>) -> Result<(), Errno> {
        let name = name.as_ref();
        if name.is_empty() {
            return Err(Errno::NoEntry);
        }
        match self.fifos.entry(name.into()) {
            Entry::Occupied(_) => Err(Errno::Exists),
            Entry::Vacant(entry) => {
                entry.insert(Arc::new(Pipe::new()));
                Ok(())
            }
        }
    }

    /// Removes the name of a FIFO. Ends that are open stay so, and who is opening it goes on.
    ///
    /// # Errors
    /// ENOENT: there is none of this name.
    ///
    /// ```
    /// use slotpark_managers::{Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(pipes.unlink_fifo("/tmp/fifo"), Err(Errno::NoEntry));
    /// ```
    pub fn unlink_fifo(&self, name: impl AsRef<[u8]>) -> Result<(), Errno> {
        let removed = self.fifos.remove(name.as_ref());
        removed.map(|_| ()).ok_or(Errno::NoEntry)
    }

    /// Opens a FIFO: see `fifo(7)`. To read it waits for a writer, to write for a reader, unless
    /// there is one; for both it does not wait. With [`Block::NO`], to read succeeds at once.
    ///
    /// # Errors
    /// ENOENT: there is none of this name. ENXIO: not to block, to write, and nobody reads. EINTR,
    /// ETIMEDOUT as `block` says.
    ///
    /// ```
    /// use slotpark_managers::{Access, Block, Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// pipes.mkfifo("/tmp/fifo")?;
    /// let opened = pipes.open_fifo("/tmp/fifo", Access::Write, Block::NO);
    /// assert_eq!(opened, Err(Errno::NoDevice));
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         let writer = pipes.open_fifo("/tmp/fifo", Access::Write, Block::FOREVER)?;
    ///         pipes.write(writer, b"hello", Block::FOREVER)
    ///     });
    ///     let reader = pipes.open_fifo("/tmp/fifo", Access::Read, Block::FOREVER)?;
    ///     assert_eq!(pipes.read(reader, &mut [0; 8], Block::FOREVER), Ok(5));
    ///     Ok(())
    /// })
    /// # ?; Ok::<_, Errno>(())
    /// ```
    pub fn open_fifo(
        &self,
        name: impl AsRef<[u8]>,
        access: Access,
        block: Block<'_>,
    ) -> Result<PipeEnd, Errno> {
        let opening = Opening::begin(self, name.as_ref(), access, block.may_block())?;
        if !block.may_block() && access == Access::Read {
            let quiet_since = opening.awaited.unwrap_or(0);
            return Ok(opening.done(quiet_since));
        }
        while let Some(seen) = opening.pending() {
            opening.pipe.changed.wait(&self.waits, seen, block)?;
        }
        Ok(opening.done(0))
    }

    /// As [`open_fifo`](Self::open_fifo), blocking for ever, as a future. Cancel safety: a dropped
    /// future has opened nothing; who was opening the other side may have seen it.
    ///
    /// # Errors
    /// ENOENT: there is none of this name.
    ///
    /// ```
    /// use slotpark_managers::{Access, PipeManager, Waits};
    /// # futures_lite::future::block_on(async {
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// pipes.mkfifo("/tmp/fifo")?;
    /// let reader = pipes.open_fifo_async("/tmp/fifo", Access::Read);
    /// let writer = pipes.open_fifo_async("/tmp/fifo", Access::Write);
    /// let (reader, writer) = futures_lite::future::zip(reader, writer).await;
    /// assert_ne!(reader?, writer?);
    /// # Ok::<_, slotpark_managers::Errno>(()) });
    /// ```
    pub async fn open_fifo_async(
        &self,
        name: impl AsRef<[u8]>,
        access: Access,
    ) -> Result<PipeEnd, Errno> {
        let opening = Opening::begin(self, name.as_ref(), access, true)?;
        while let Some(seen) = opening.pending() {
            opening.pipe.changed.wait_async(&self.waits, seen).await?;
        }
        Ok(opening.done(0))
    }

    /// How many are blocked on a FIFO at this moment: in opens, reads, writes and polls. 0 if there
    /// is none of this name.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(pipes.fifo_waiters("/tmp/fifo"), 0);
    /// ```
    #[must_use]
    pub fn fifo_waiters(&self, name: impl AsRef<[u8]>) -> usize {
        let pipe = self
            .fifos
            .get(name.as_ref())
            .map(|entry| Arc::clone(&entry));
        pipe.map_or(0, |pipe| pipe.waiters(&self.waits))
    }
}
