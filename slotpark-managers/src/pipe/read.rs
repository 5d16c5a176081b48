//! Reads: what there is, as soon as there is something.

use std::io::IoSliceMut;
use std::sync::Arc;

use super::pages::Sink;
use super::state::Pipe;
use super::transfer::{SLICES_MAX, Step};
use super::{PipeEnd, PipeManager};
use crate::{Block, Errno};

/// A read under way.
pub(super) struct Read<'c, 's, 'b> {
    manager: &'c PipeManager,
    pub(super) pipe: Arc<Pipe>,
    end: PipeEnd,
    sink: Sink<'s, 'b>,
    is_first: bool,
}

impl<'c, 's, 'b> Read<'c, 's, 'b> {
    pub(super) fn new(
        manager: &'c PipeManager,
        end: PipeEnd,
        slices: &'s mut [IoSliceMut<'b>],
    ) -> Result<Self, Errno> {
        let pipe = Arc::clone(manager.end(end)?.reader()?);
        if slices.len() > SLICES_MAX {
            return Err(Errno::Invalid);
        }
        Ok(Self {
            manager,
            pipe,
            end,
            sink: Sink::new(slices),
            is_first: true,
        })
    }

    pub(super) fn step(&mut self) -> Result<Step, Errno> {
        let room = self.sink.left();
        if room == 0 {
            return Ok(Step::Done(0));
        }
        if !self.is_first && !self.manager.is_open(self.end) {
            return Err(Errno::BadFd);
        }
        let (sink, is_first) = (&mut self.sink, self.is_first);
        let pipe = &self.pipe;
        let seen = pipe.change(&self.manager.waits, |state, wakes| {
            state.read(sink, is_first, wakes);
            // With nobody left to write, nothing read is the end.
            let is_done = sink.left() < room || state.writers == 0;
            (!is_done).then(|| pipe.readable.seen())
        });
        self.is_first = false;
        match seen {
            None => Ok(Step::Done(room - self.sink.left())),
            // An end that goes from now on moves the version.
            Some(seen) if self.manager.is_open(self.end) => Ok(Step::Wait(seen)),
            Some(_) => Err(Errno::BadFd),
        }
    }
}

impl PipeManager {
    /// Reads what there is, at most `bytes.len()`; how many bytes. 0 is the end: nobody is left to
    /// write. See `read(2)` and `pipe(7)`.
    ///
    /// # Errors
    /// EBADF: the end is not open, not to read, or was closed meanwhile. EAGAIN, EINTR, ETIMEDOUT
    /// as `block` says, while there is nothing to read.
    ///
    /// ```
    /// use slotpark_managers::{Block, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.write(writer, b"hello", Block::FOREVER), Ok(5));
    /// let mut bytes = [0; 3];
    /// assert_eq!(pipes.read(reader, &mut bytes, Block::FOREVER), Ok(3));
    /// assert_eq!(&bytes, b"hel");
    /// ```
    pub fn read(&self, end: PipeEnd, bytes: &mut [u8], block: Block<'_>) -> Result<usize, Errno> {
        self.read_vectored(end, &mut [IoSliceMut::new(bytes)], block)
    }

    /// As [`read`](Self::read), into several buffers, one after the other: `readv(2)`.
    ///
    /// # Errors
    /// As [`read`](Self::read); EINVAL: more than 1024 buffers.
    ///
    /// ```
    /// use slotpark_managers::{Block, PipeManager, Waits};
    /// use std::io::IoSliceMut;
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.write(writer, b"hello", Block::FOREVER), Ok(5));
    /// let (mut first, mut second) = ([0; 2], [0; 8]);
    /// let mut parts = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
    /// assert_eq!(pipes.read_vectored(reader, &mut parts, Block::FOREVER), Ok(5));
    /// assert_eq!((&first, &second[..3]), (b"he", &b"llo"[..]));
    /// ```
    pub fn read_vectored(
        &self,
        end: PipeEnd,
        slices: &mut [IoSliceMut<'_>],
        block: Block<'_>,
    ) -> Result<usize, Errno> {
        let mut read = Read::new(self, end, slices)?;
        loop {
            match read.step()? {
                Step::Done(count) => return Ok(count),
                Step::Wait(seen) => read.pipe.readable.wait(&self.waits, seen, block)?,
            }
        }
    }

    /// As [`read_vectored`](Self::read_vectored), as a future. Cancel safety: a dropped future has
    /// read nothing.
    ///
    /// # Errors
    /// As [`read_vectored`](Self::read_vectored), blocking for ever.
    ///
    /// ```
    /// use slotpark_managers::{Block, PipeManager, Waits};
    /// use std::io::IoSliceMut;
    /// # futures_lite::future::block_on(async {
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.write_async(writer, b"hello").await, Ok(5));
    /// let mut bytes = [0; 8];
    /// let mut parts = [IoSliceMut::new(&mut bytes)];
    /// assert_eq!(pipes.read_vectored_async(reader, &mut parts).await, Ok(5));
    /// # });
    /// ```
    pub async fn read_vectored_async(
        &self,
        end: PipeEnd,
        slices: &mut [IoSliceMut<'_>],
    ) -> Result<usize, Errno> {
        let mut read = Read::new(self, end, slices)?;
        loop {
            match read.step()? {
                Step::Done(count) => return Ok(count),
                Step::Wait(seen) => read.pipe.readable.wait_async(&self.waits, seen).await?,
            }
        }
    }

    /// As [`read`](Self::read), as a future. Cancel safety: a dropped future has read nothing.
    ///
    /// # Errors
    /// As [`read`](Self::read), blocking for ever.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// # futures_lite::future::block_on(async {
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.write_async(writer, b"hello").await, Ok(5));
    /// assert_eq!(pipes.read_async(reader, &mut [0; 8]).await, Ok(5));
    /// # });
    /// ```
    pub async fn read_async(&self, end: PipeEnd, bytes: &mut [u8]) -> Result<usize, Errno> {
        self.read_vectored_async(end, &mut [IoSliceMut::new(bytes)])
            .await
    }
}
