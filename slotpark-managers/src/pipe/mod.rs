//! Pipes and FIFOs.
//!
//! A pipe is a ring of pages and two counts of ends, under one lock; each open end is an entry of a
//! map that leads to it, and each name of a FIFO one of another. A pipe vanishes with its last end
//! (and name), whoever is blocked on it: they have it in their hands.

mod fifo;
mod pages;
mod poll;
mod read;
mod readiness;
mod size;
mod state;
#[cfg(test)]
mod tests;
mod transfer;
mod write;

use std::fmt;
use std::sync::Arc;

use dashmap::DashMap;

use crate::number::Numbers;
use crate::{Access, Errno, Waits};
use pages::PAGE;
use state::Pipe;

pub use poll::PipePoll;
pub use readiness::Readiness;

/// A write of at most so many bytes is never mixed with others, and done as a whole or not at all.
///
/// ```
/// assert_eq!(slotpark_managers::PIPE_BUF, 4096);
/// ```
pub const PIPE_BUF: usize = PAGE;

/// The largest size that a pipe can be given unless
/// [`capacity_max`](PipeManager::capacity_max) says otherwise: Linux's `pipe-max-size`.
const CAPACITY_MAX_DEFAULT: usize = 1 << 20;

/// An open end of a pipe or FIFO: what a kernel keeps in an open file. Its number is given out
/// once.
///
/// ```
/// use slotpark_managers::{PipeManager, Waits};
/// use std::sync::Arc;
/// let pipes = PipeManager::new(Arc::new(Waits::new()));
/// let (reader, writer) = pipes.pipe();
/// assert_ne!(reader, writer);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PipeEnd(u64);

/// What an end leads to.
#[derive(Clone, Debug)]
struct End {
    pipe: Arc<Pipe>,
    access: Access,
    /// How many writers had come when a FIFO was opened to read without any: until another one
    /// comes, nobody has hung up.
    quiet_since: u64,
}

impl End {
    fn reader(&self) -> Result<&Arc<Pipe>, Errno> {
        self.access
            .reads()
            .then_some(&self.pipe)
            .ok_or(Errno::BadFd)
    }

    fn writer(&self) -> Result<&Arc<Pipe>, Errno> {
        self.access
            .writes()
            .then_some(&self.pipe)
            .ok_or(Errno::BadFd)
    }
}

type Hook = Box<dyn Fn(PipeEnd) + Send + Sync>;

/// Pipes and FIFOs as Linux has them: see `pipe(7)` and `fifo(7)`. A random sequence of calls, made
/// here and on the host, gives the same results, byte for byte and number for number.
///
/// ```
/// use slotpark_managers::{Block, Errno, PipeManager, Waits};
/// use std::sync::Arc;
/// let pipes = PipeManager::new(Arc::new(Waits::new()));
/// let (reader, writer) = pipes.pipe();
/// assert_eq!(pipes.write(writer, b"hello", Block::FOREVER), Ok(5));
/// let mut bytes = [0; 16];
/// assert_eq!(pipes.read(reader, &mut bytes, Block::FOREVER), Ok(5));
/// assert_eq!(pipes.read(reader, &mut bytes, Block::NO), Err(Errno::Again));
/// pipes.close(writer)?;
/// assert_eq!(pipes.read(reader, &mut bytes, Block::FOREVER), Ok(0)); // the end of it
/// pipes.close(reader)?;
/// assert!(pipes.is_empty());
/// # Ok::<_, Errno>(())
/// ```
///
/// **Room** is counted in pages, as the kernel does: a pipe of 64 KiB has 16. A small write goes
/// into the last page if it fits there as a whole, else into the next; a page that was read in part
/// is in use until its last byte is read. So a pipe can be full of fewer bytes than its capacity.
///
/// **Blocking.** A write of more than [`PIPE_BUF`] bytes goes in part by part as readers make room;
/// when it is interrupted, past its deadline, or not to block, it returns what it has written so
/// far, and fails only if that is nothing. A read returns what there is. **Fairness**: the thread
/// that has waited longest is woken first, but who comes meanwhile may be faster. Once the table of
/// waits is closed, calls that would block fail with `ECANCELED`.
///
/// **Where it differs from Linux**
///
/// | what | here | Linux |
/// |---|---|---|
/// | `O_NONBLOCK` | each call says it: [`Block::NO`](crate::Block::NO) | a flag of the open file |
/// | SIGPIPE | [`on_broken_pipe`](Self::on_broken_pipe), then `EPIPE` | sent by the kernel |
/// | closing what a thread is blocked through | it fails with `EBADF` | it stays blocked |
/// | deadlines of reads, writes, opens | `ETIMEDOUT` | none |
/// | a write that fails with `EAGAIN` | no edge for polls | an edge, with nothing new |
/// | the other side is gone, one of several ends is closed | no edge for polls | an edge |
/// | an end that was polled by edges is closed | `POLLNVAL` | epoll forgets it |
/// | packets (`O_DIRECT`), `splice`, `tee`, `O_ASYNC` | none | there |
/// | limits for each user | none: one for each pipe | `pipe-user-pages-soft`, `-hard` |
pub struct PipeManager {
    waits: Arc<Waits>,
    ends: DashMap<PipeEnd, End>,
    fifos: DashMap<Box<[u8]>, Arc<Pipe>>,
    numbers: Numbers,
    capacity_max: usize,
    on_broken_pipe: Option<Hook>,
}

impl PipeManager {
    /// One with no pipes, whose calls block in `waits`.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Waits};
    /// assert!(PipeManager::new(std::sync::Arc::new(Waits::new())).is_empty());
    /// ```
    #[must_use]
    pub fn new(waits: Arc<Waits>) -> Self {
        Self {
            waits,
            ends: DashMap::new(),
            fifos: DashMap::new(),
            numbers: Numbers::new(),
            capacity_max: CAPACITY_MAX_DEFAULT,
            on_broken_pipe: None,
        }
    }

    /// What to do when a thread writes what nobody is left to read: to send it SIGPIPE. It is
    /// called by that thread (or by who polls that task) before the write returns, with no lock
    /// held, also if the write has put in a part of its bytes and returns their number instead of
    /// `EPIPE`.
    ///
    /// ```
    /// use slotpark_managers::{Block, Errno, PipeManager, Waits};
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// let signals = Arc::new(AtomicU32::new(0));
    /// let sent = Arc::clone(&signals);
    /// let pipes = PipeManager::new(Arc::new(Waits::new()))
    ///     .on_broken_pipe(move |_| _ = sent.fetch_add(1, Ordering::Relaxed));
    /// let (reader, writer) = pipes.pipe();
    /// pipes.close(reader)?;
    /// assert_eq!(pipes.write(writer, b"hello", Block::FOREVER), Err(Errno::Pipe));
    /// assert_eq!(signals.load(Ordering::Relaxed), 1);
    /// # Ok::<_, Errno>(())
    /// ```
    #[must_use]
    pub fn on_broken_pipe(mut self, hook: impl Fn(PipeEnd) + Send + Sync + 'static) -> Self {
        self.on_broken_pipe = Some(Box::new(hook));
        self
    }

    /// The largest size in bytes that a pipe can be given; 1 MiB if this is not called.
    ///
    /// ```
    /// use slotpark_managers::{Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new())).capacity_max(1 << 17);
    /// let (reader, _) = pipes.pipe();
    /// assert_eq!(pipes.set_capacity(reader, 1 << 18), Err(Errno::NotPermitted));
    /// ```
    #[must_use]
    pub fn capacity_max(mut self, bytes: usize) -> Self {
        self.capacity_max = bytes;
        self
    }

    /// A pipe: its reading end and its writing end.
    ///
    /// ```
    /// use slotpark_managers::{Access, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// assert_eq!(pipes.access(writer), Ok(Access::Write));
    /// assert_eq!(pipes.capacity(reader), Ok(16 * 4096));
    /// ```
    #[must_use = "the ends stay open until they are closed"]
    pub fn pipe(&self) -> (PipeEnd, PipeEnd) {
        let pipe = Arc::new(Pipe::new());
        pipe.change(&self.waits, |state, wakes| state.open(Access::Both, wakes));
        let reader = self.insert(Arc::clone(&pipe), Access::Read, 0);
        (reader, self.insert(pipe, Access::Write, 0))
    }

    fn insert(&self, pipe: Arc<Pipe>, access: Access, quiet_since: u64) -> PipeEnd {
        let end = PipeEnd(self.numbers.next());
        let entry = End {
            pipe,
            access,
            quiet_since,
        };
        self.ends.insert(end, entry);
        end
    }

    fn end(&self, end: PipeEnd) -> Result<End, Errno> {
        let entry = self.ends.get(&end).ok_or(Errno::BadFd)?;
        Ok(entry.clone())
    }

    fn is_open(&self, end: PipeEnd) -> bool {
        self.ends.contains_key(&end)
    }

    /// One more end of the same kind: for `dup`, and for each end that a fork's child inherits.
    /// The side counts it, and it is to be closed like any other.
    ///
    /// # Errors
    /// EBADF: the end is not open.
    ///
    /// ```
    /// use slotpark_managers::{Block, Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// let child = pipes.dup(writer)?;
    /// pipes.close(writer)?;
    /// assert_eq!(pipes.read(reader, &mut [0], Block::NO), Err(Errno::Again)); // not the end
    /// pipes.close(child)?;
    /// assert_eq!(pipes.read(reader, &mut [0], Block::NO), Ok(0));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn dup(&self, end: PipeEnd) -> Result<PipeEnd, Errno> {
        let End {
            pipe,
            access,
            quiet_since,
        } = {
            let entry = self.ends.get(&end).ok_or(Errno::BadFd)?;
            // While the entry cannot go: its side cannot end meanwhile.
            entry.pipe.count(|state| state.enter(entry.access));
            entry.clone()
        };
        Ok(self.insert(pipe, access, quiet_since))
    }

    /// Closes an end. Who is blocked through it fails with `EBADF`; when it was the last of its
    /// side, readers get what is left and then the end, and writers `EPIPE`.
    ///
    /// # Errors
    /// EBADF: the end is not open.
    ///
    /// ```
    /// use slotpark_managers::{Errno, PipeManager, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, _writer) = pipes.pipe();
    /// assert_eq!(pipes.close(reader), Ok(()));
    /// assert_eq!(pipes.close(reader), Err(Errno::BadFd));
    /// ```
    pub fn close(&self, end: PipeEnd) -> Result<(), Errno> {
        let (_, entry) = self.ends.remove(&end).ok_or(Errno::BadFd)?;
        let access = entry.access;
        entry
            .pipe
            .change(&self.waits, |state, wakes| state.leave(access, wakes));
        Ok(())
    }
}

impl fmt::Debug for PipeManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeManager")
            .field("capacity_max", &self.capacity_max)
            .finish_non_exhaustive()
    }
}
