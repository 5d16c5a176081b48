//! Writes: part by part, as there is room.

use std::io::IoSlice;
use std::sync::Arc;

use super::pages::Source;
use super::state::Pipe;
use super::transfer::{SLICES_MAX, Step};
use super::{PipeEnd, PipeManager};
use crate::{Block, Errno};

/// A write under way.
pub(super) struct Write<'c> {
    manager: &'c PipeManager,
    pub(super) pipe: Arc<Pipe>,
    end: PipeEnd,
    source: Source<'c>,
    written: usize,
    is_first: bool,
}

impl<'c> Write<'c> {
    pub(super) fn new(
        manager: &'c PipeManager,
        end: PipeEnd,
        slices: &'c [IoSlice<'c>],
    ) -> Result<Self, Errno> {
        let pipe = Arc::clone(manager.end(end)?.writer()?);
        if slices.len() > SLICES_MAX {
            return Err(Errno::Invalid);
        }
        Ok(Self {
            manager,
            pipe,
            end,
            source: Source::new(slices),
            written: 0,
            is_first: true,
        })
    }

    pub(super) fn step(&mut self) -> Result<Step, Errno> {
        if self.is_first && self.source.left() == 0 {
            return Ok(Step::Done(0));
        }
        if !self.is_first && !self.manager.is_open(self.end) {
            return self.ended(Errno::BadFd).map(Step::Done);
        }
        let before = self.source.left();
        let (source, is_first) = (&mut self.source, self.is_first);
        let pipe = &self.pipe;
        let seen = pipe.change(&self.manager.waits, |state, wakes| {
            if state.readers == 0 {
                return Err(Errno::Pipe);
            }
            state.write(source, is_first, wakes);
            Ok(pipe.writable.seen())
        });
        self.is_first = false;
        self.written += before - self.source.left();
        match seen {
            Err(broken) => {
                if let Some(hook) = &self.manager.on_broken_pipe {
                    hook(self.end);
                }
                self.ended(broken).map(Step::Done)
            }
            Ok(_) if self.source.left() == 0 => Ok(Step::Done(self.written)),
            // An end that goes from now on moves the version.
            Ok(seen) if self.manager.is_open(self.end) => Ok(Step::Wait(seen)),
            Ok(_) => self.ended(Errno::BadFd).map(Step::Done),
        }
    }

    /// It ends early: what is written counts, and an error only if that is nothing.
    fn ended(&self, errno: Errno) -> Result<usize, Errno> {
        match self.written {
            0 => Err(errno),
            written => Ok(written),
        }
    }
}

impl PipeManager {
    /// Writes `bytes`, all of them unless it ends early; how many. At most
    /// [`PIPE_BUF`](crate::PIPE_BUF) bytes are written as a whole or not at all, and not mixed with
    /// those of others. See `write(2)` and `pipe(7)`.
    ///
    /// # Errors
    /// EBADF: the end is not open, not to write, or was closed meanwhile. EPIPE: nobody can read
    /// it. EAGAIN, EINTR, ETIMEDOUT as `block` says, if nothing was written.
    ///
    /// ```
    /// use slotpark_managers::{Block, Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.write(writer, &[7; 100_000], Block::NO), Ok(65_536));
    /// assert_eq!(pipes.write(writer, &[7], Block::NO), Err(Errno::Again));
    /// assert_eq!(pipes.write(reader, &[7], Block::NO), Err(Errno::BadFd));
    /// ```
    pub fn write(&self, end: PipeEnd, bytes: &[u8], block: Block<'_>) -> Result<usize, Errno> {
        self.write_vectored(end, &[IoSlice::new(bytes)], block)
    }

    /// As [`write`](Self::write), from several buffers, as if they were one: `writev(2)`.
    ///
    /// # Errors
    /// As [`write`](Self::write); EINVAL: more than 1024 buffers.
    ///
    /// ```
    /// use slotpark_managers::{Block, PipeManager, Waits};
    /// use std::io::IoSlice;
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (_reader, writer) = pipes.pipe();
    /// let parts = [IoSlice::new(b"hello, "), IoSlice::new(b"world")];
    /// assert_eq!(pipes.write_vectored(writer, &parts, Block::FOREVER), Ok(12));
    /// ```
    pub fn write_vectored(
        &self,
        end: PipeEnd,
        slices: &[IoSlice<'_>],
        block: Block<'_>,
    ) -> Result<usize, Errno> {
        let mut write = Write::new(self, end, slices)?;
        loop {
            match write.step()? {
                Step::Done(written) => return Ok(written),
                Step::Wait(seen) => {
                    if let Err(errno) = write.pipe.writable.wait(&self.waits, seen, block) {
                        return write.ended(errno);
                    }
                }
            }
        }
    }

    /// As [`write_vectored`](Self::write_vectored), as a future. Cancel safety: what a dropped
    /// future has written stays written; of at most [`PIPE_BUF`](crate::PIPE_BUF) bytes that is
    /// nothing, so larger amounts are better written piece by piece.
    ///
    /// # Errors
    /// As [`write_vectored`](Self::write_vectored), blocking for ever.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// use std::io::IoSlice;
    /// # futures_lite::future::block_on(async {
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (_reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.write_vectored_async(writer, &[IoSlice::new(b"hello")]).await, Ok(5));
    /// # });
    /// ```
    pub async fn write_vectored_async(
        &self,
        end: PipeEnd,
        slices: &[IoSlice<'_>],
    ) -> Result<usize, Errno> {
        let mut write = Write::new(self, end, slices)?;
        loop {
            match write.step()? {
                Step::Done(written) => return Ok(written),
                Step::Wait(seen) => {
                    if let Err(errno) = write.pipe.writable.wait_async(&self.waits, seen).await {
                        return write.ended(errno);
                    }
                }
            }
        }
    }

    /// As [`write`](Self::write), as a future: see
    /// [`write_vectored_async`](Self::write_vectored_async).
    ///
    /// # Errors
    /// As [`write`](Self::write), blocking for ever.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// # futures_lite::future::block_on(async {
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (_reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.write_async(writer, b"hello").await, Ok(5));
    /// # });
    /// ```
    pub async fn write_async(&self, end: PipeEnd, bytes: &[u8]) -> Result<usize, Errno> {
        self.write_vectored_async(end, &[IoSlice::new(bytes)]).await
    }
}
