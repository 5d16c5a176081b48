//! Message queues with priorities.
//!
//! A queue is its messages and the lists of those who wait, under one lock. A name leads to it, and
//! each open descriptor; it vanishes with the last of them. Who waits has a ticket in a list of the
//! queue, and is woken when its call is done.

mod limits;
mod notify;
mod open;
mod queue;
mod receive;
mod send;
#[cfg(test)]
mod tests;
mod ticket;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dashmap::DashMap;

use crate::number::Numbers;
use crate::{Access, Block, Errno, Waits};
use queue::Queue;

pub use limits::{ChannelAttributes, ChannelLimits};
pub use open::ChannelOptions;
pub use receive::Received;
pub use send::PRIORITIES;

/// An open descriptor of a message queue: an `mqd_t`. Its number is given out once.
///
/// ```
/// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
/// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
/// let options = ChannelOptions::new(Access::Both).create(None);
/// assert_ne!(channels.open("/jobs", options)?, channels.open("/jobs", options)?);
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Channel(u64);

/// What a descriptor and its copies in children lead to.
struct Description {
    queue: Arc<Queue>,
    access: Access,
    is_nonblocking: Flag,
}

impl Description {
    fn may_block(&self, block: Block<'_>) -> bool {
        block.may_block() && !self.is_nonblocking.get()
    }
}

/// O_NONBLOCK.
struct Flag(AtomicBool);

impl Flag {
    const fn new(value: bool) -> Self {
        Self(AtomicBool::new(value))
    }

    fn get(&self) -> bool {
        // ORDERING: none, relaxed: it says how a call behaves, and nothing is read on its account.
        self.0.load(Ordering::Relaxed)
    }

    fn swap(&self, value: bool) -> bool {
        // ORDERING: none, relaxed: see above.
        self.0.swap(value, Ordering::Relaxed)
    }
}

/// What is to be known about a descriptor and its queue at this moment: `mq_getattr(3)`.
///
/// ```
/// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
/// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
/// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
/// assert_eq!(channels.attributes(channel)?.messages, 0);
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelState {
    /// What the queue was made as.
    pub attributes: ChannelAttributes,
    /// How many messages are in it: `mq_curmsgs`.
    pub messages: usize,
    /// Whether calls through the descriptor do not block: O_NONBLOCK of `mq_flags`.
    pub is_nonblocking: bool,
}

/// POSIX message queues: see `mq_overview(7)`. A random sequence of calls, made here and on the
/// host, gives the same results.
///
/// ```
/// use slotpark_managers::{Access, Block, ChannelOptions, Errno, IpcChannels, Waits};
/// use std::sync::Arc;
/// let channels = IpcChannels::new(Arc::new(Waits::new()));
/// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
/// channels.send(channel, b"later", 1, Block::FOREVER)?;
/// channels.send(channel, b"first", 9, Block::FOREVER)?;
/// let mut bytes = [0; 8192];
/// let received = channels.receive(channel, &mut bytes, Block::FOREVER)?;
/// assert_eq!((&bytes[..received.bytes], received.priority), (&b"first"[..], 9));
/// channels.close(channel)?;
/// channels.unlink("/jobs")?;
/// assert!(channels.is_empty());
/// # Ok::<_, Errno>(())
/// ```
///
/// **Fair**: a message is given to the receiver that has waited longest, room to the sender that
/// has; who comes later overtakes nobody. Once the table of waits is closed, calls that would
/// block fail with `ECANCELED`.
///
/// **Where it differs from Linux**
///
/// | what | here | Linux |
/// |---|---|---|
/// | owners, modes, rights | none: the caller's affair | as files |
/// | memory of all queues | limits of each, and of their number | also `RLIMIT_MSGQUEUE` |
/// | who waits longest | is served first | of those with the highest priority of scheduling |
/// | a notification goes | with its descriptor | with any descriptor of the process |
/// | closing what a thread is blocked through | it fails with `EBADF` | it stays blocked |
/// | a descriptor can be polled | no | yes, as a file |
pub struct IpcChannels {
    waits: Arc<Waits>,
    names: DashMap<Box<str>, Arc<Queue>>,
    descriptors: DashMap<Channel, Arc<Description>>,
    numbers: Numbers,
    limits: ChannelLimits,
    count: limits::Count,
}

impl IpcChannels {
    /// One with no queues, whose calls block in `waits`.
    ///
    /// ```
    /// use slotpark_managers::{IpcChannels, Waits};
    /// assert!(IpcChannels::new(std::sync::Arc::new(Waits::new())).is_empty());
    /// ```
    #[must_use]
    pub fn new(waits: Arc<Waits>) -> Self {
        Self {
            waits,
            names: DashMap::new(),
            descriptors: DashMap::new(),
            numbers: Numbers::new(),
            limits: ChannelLimits::default(),
            count: limits::Count::default(),
        }
    }

    /// The same with other limits.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelLimits, ChannelOptions, Errno, IpcChannels, Waits};
    /// let limits = ChannelLimits { queues_max: 0, ..ChannelLimits::default() };
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new())).limits(limits);
    /// let opened = channels.open("/jobs", ChannelOptions::new(Access::Read).create(None));
    /// assert_eq!(opened, Err(Errno::NoSpace));
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: ChannelLimits) -> Self {
        self.limits = limits;
        self
    }

    fn insert(&self, description: Arc<Description>) -> Channel {
        let channel = Channel(self.numbers.next());
        self.descriptors.insert(channel, description);
        channel
    }

    fn description(&self, channel: Channel) -> Result<Arc<Description>, Errno> {
        let entry = self.descriptors.get(&channel).ok_or(Errno::BadFd)?;
        Ok(Arc::clone(&entry))
    }

    fn is_open(&self, channel: Channel) -> bool {
        self.descriptors.contains_key(&channel)
    }

    /// One more descriptor of the same open queue, with the same flag: for each that a fork's child
    /// inherits. It is to be closed like any other.
    ///
    /// # Errors
    /// EBADF: the descriptor is not open.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// let child = channels.dup(channel)?;
    /// channels.set_nonblocking(channel, true)?;
    /// assert!(channels.attributes(child)?.is_nonblocking);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn dup(&self, channel: Channel) -> Result<Channel, Errno> {
        Ok(self.insert(self.description(channel)?))
    }

    /// Closes a descriptor, `mq_close(3)`: who is blocked through it fails with `EBADF`, and who
    /// was to be notified through it is not.
    ///
    /// # Errors
    /// EBADF: the descriptor is not open.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, Errno, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// assert_eq!(channels.close(channel), Ok(()));
    /// assert_eq!(channels.close(channel), Err(Errno::BadFd));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn close(&self, channel: Channel) -> Result<(), Errno> {
        let removed = self.descriptors.remove(&channel);
        let (_, description) = removed.ok_or(Errno::BadFd)?;
        let (ended, _notify) = description.queue.lock().close(channel);
        for ticket in ended {
            ticket.wake(&self.waits);
        }
        Ok(())
    }

    /// What is to be known about a descriptor and its queue: `mq_getattr(3)`.
    ///
    /// # Errors
    /// EBADF: the descriptor is not open.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// assert!(!channels.attributes(channel)?.is_nonblocking);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn attributes(&self, channel: Channel) -> Result<ChannelState, Errno> {
        let description = self.description(channel)?;
        let (messages, _) = description.queue.count();
        Ok(ChannelState {
            attributes: description.queue.attributes,
            messages,
            is_nonblocking: description.is_nonblocking.get(),
        })
    }

    /// Says whether calls through the descriptor, and its copies, are not to block; what it was
    /// before: `mq_setattr(3)`, which can change nothing else. A call that is blocked stays so.
    ///
    /// # Errors
    /// EBADF: the descriptor is not open.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// assert_eq!(channels.set_nonblocking(channel, true), Ok(false));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn set_nonblocking(&self, channel: Channel, is_nonblocking: bool) -> Result<bool, Errno> {
        let description = self.description(channel)?;
        Ok(description.is_nonblocking.swap(is_nonblocking))
    }

    /// How many descriptors are open.
    ///
    /// ```
    /// use slotpark_managers::{IpcChannels, Waits};
    /// assert_eq!(IpcChannels::new(std::sync::Arc::new(Waits::new())).len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.descriptors.len()
    }

    /// Whether nothing is left: no descriptor, no name, no queue.
    ///
    /// ```
    /// use slotpark_managers::{IpcChannels, Waits};
    /// assert!(IpcChannels::new(std::sync::Arc::new(Waits::new())).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.descriptors.is_empty() && self.names.is_empty() && self.count.get() == 0
    }
}

impl fmt::Debug for IpcChannels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpcChannels")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
