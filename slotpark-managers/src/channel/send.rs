//! Sending.

use std::sync::Arc;

use super::queue::Sent;
use super::ticket::{Ticket, Waiting};
use super::{Channel, Description, IpcChannels};
use crate::{Block, Errno};

/// How many priorities there are: `MQ_PRIO_MAX`. The highest is one less.
///
/// ```
/// assert_eq!(slotpark_managers::PRIORITIES, 32_768);
/// ```
pub const PRIORITIES: u32 = 32_768;

/// A call to send.
pub(super) struct Send<'c> {
    channels: &'c IpcChannels,
    description: Arc<Description>,
    channel: Channel,
    bytes: &'c [u8],
    priority: u32,
}

impl<'c> Send<'c> {
    pub(super) fn new(
        channels: &'c IpcChannels,
        channel: Channel,
        bytes: &'c [u8],
        priority: u32,
    ) -> Result<Self, Errno> {
        // The kernel's order of checks.
        if priority >= PRIORITIES {
            return Err(Errno::Invalid);
        }
        let description = channels.description(channel)?;
        if !description.access.writes() {
            return Err(Errno::BadFd);
        }
        if bytes.len() > description.queue.attributes.message_bytes {
            return Err(Errno::MessageSize);
        }
        Ok(Self {
            channels,
            description,
            channel,
            bytes,
            priority,
        })
    }

    /// Sends at once, or begins to wait.
    pub(super) fn begin(&self, may_block: bool) -> Result<Option<Waiting<'_>>, Errno> {
        let queue = &*self.description.queue;
        let bytes = self.bytes.into();
        let mut state = queue.lock();
        match queue.send(&mut state, bytes, self.priority) {
            Sent::Queued(notify) => {
                drop(state);
                if let Some(notify) = notify {
                    notify();
                }
                Ok(None)
            }
            Sent::Given(receiver) => {
                drop(state);
                receiver.wake(&self.channels.waits);
                Ok(None)
            }
            Sent::Full(_) if !may_block => Err(Errno::Again),
            Sent::Full(message) => {
                let ticket = Ticket::new(self.channel, "queue sender");
                let seen = ticket.event.seen();
                state.await_room(&ticket, message);
                drop(state);
                Ok(Some(Waiting::new(self.channels, queue, ticket, seen)))
            }
        }
    }
}

impl IpcChannels {
    /// Sends a message: `mq_send(3)`, and `mq_timedsend(3)` with a [`Block`] that has a deadline.
    /// It returns when the message is in the queue or a receiver has it. What was to be notified
    /// of it is called by this thread, with no lock held.
    ///
    /// # Errors
    /// EINVAL: the priority is [`PRIORITIES`] or greater. EBADF: the descriptor is not open, not
    /// to write, or was closed meanwhile. EMSGSIZE: the message is longer than the queue's may be.
    /// EAGAIN, EINTR, ETIMEDOUT as `block` and the descriptor's flag say, while the queue is full;
    /// then it is not sent.
    ///
    /// ```
    /// use slotpark::{Clock, Deadline};
    /// use slotpark_managers::*;
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let attributes = ChannelAttributes { messages_max: 1, message_bytes: 8 };
    /// let options = ChannelOptions::new(Access::Write).create(Some(attributes));
    /// let channel = channels.open("/jobs", options)?;
    /// channels.send(channel, b"one", 0, Block::FOREVER)?;
    /// // A point in time of the wall clock, as mq_timedsend has it.
    /// let deadline = Deadline::new(Clock::Realtime, 1_000_000_000);
    /// let sent = channels.send(channel, b"two", 0, Block::at(Some(deadline)));
    /// assert_eq!(sent, Err(Errno::TimedOut));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn send(
        &self,
        channel: Channel,
        bytes: &[u8],
        priority: u32,
        block: Block<'_>,
    ) -> Result<(), Errno> {
        let send = Send::new(self, channel, bytes, priority)?;
        match send.begin(send.description.may_block(block))? {
            None => Ok(()),
            Some(waiting) => waiting.wait(block).map(|_room| ()),
        }
    }

    /// As [`send`](Self::send), blocking for ever unless the descriptor's flag says otherwise, as a
    /// future. Cancel safety: a future that is dropped while it waits has not sent its message,
    /// unless room was made for it just before.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
    /// # futures_lite::future::block_on(async {
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Write).create(None))?;
    /// channels.send_async(channel, b"hello", 0).await
    /// # }).unwrap();
    /// ```
    pub async fn send_async(
        &self,
        channel: Channel,
        bytes: &[u8],
        priority: u32,
    ) -> Result<(), Errno> {
        let send = Send::new(self, channel, bytes, priority)?;
        match send.begin(send.description.may_block(Block::FOREVER))? {
            None => Ok(()),
            Some(waiting) => waiting.wait_async().await.map(|_room| ()),
        }
    }
}
