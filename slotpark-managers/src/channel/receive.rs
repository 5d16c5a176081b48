//! Receiving.

use std::sync::Arc;

use super::queue::Message;
use super::ticket::{Given, Ticket, Waiting};
use super::{Channel, Description, IpcChannels};
use crate::{Block, Errno};

/// A message that was received.
///
/// ```
/// use slotpark_managers::{Access, Block, ChannelOptions, IpcChannels, Waits};
/// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
/// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
/// channels.send(channel, b"", 3, Block::FOREVER)?;
/// let received = channels.receive(channel, &mut [0; 8192], Block::FOREVER)?;
/// assert_eq!((received.bytes, received.priority), (0, 3));
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// How long it is.
    pub bytes: usize,
    /// Its priority.
    pub priority: u32,
}

/// A call to receive.
pub(super) struct Receive<'c> {
    channels: &'c IpcChannels,
    description: Arc<Description>,
    channel: Channel,
}

/// A call that is done, or waits.
pub(super) enum Begun<'c> {
    Done(Message),
    Waits(Waiting<'c>),
}

impl<'c> Receive<'c> {
    pub(super) fn new(
        channels: &'c IpcChannels,
        channel: Channel,
        room: usize,
    ) -> Result<Self, Errno> {
        let description = channels.description(channel)?;
        if !description.access.reads() {
            return Err(Errno::BadFd);
        }
        if room < description.queue.attributes.message_bytes {
            return Err(Errno::MessageSize);
        }
        Ok(Self {
            channels,
            description,
            channel,
        })
    }

    /// Receives at once, or begins to wait.
    pub(super) fn begin(&self, may_block: bool) -> Result<Begun<'_>, Errno> {
        let queue = &*self.description.queue;
        let mut state = queue.lock();
        if let Some((message, sender)) = queue.receive(&mut state) {
            drop(state);
            if let Some(sender) = sender {
                sender.wake(&self.channels.waits);
            }
            return Ok(Begun::Done(message));
        }
        if !may_block {
            return Err(Errno::Again);
        }
        let ticket = Ticket::new(self.channel, "queue receiver");
        let seen = ticket.event.seen();
        state.await_message(&ticket);
        drop(state);
        let waiting = Waiting::new(self.channels, queue, ticket, seen);
        Ok(Begun::Waits(waiting))
    }
}

fn copied(message: &Message, buffer: &mut [u8]) -> Received {
    buffer[..message.bytes.len()].copy_from_slice(&message.bytes);
    Received {
        bytes: message.bytes.len(),
        priority: message.priority(),
    }
}

fn given(given: Given, buffer: &mut [u8]) -> Result<Received, Errno> {
    match given {
        Given::Message(message) => Ok(copied(&message, buffer)),
        Given::Room | Given::Closed => Err(Errno::BadFd),
    }
}

impl IpcChannels {
    /// Receives the first of the messages with the highest priority: `mq_receive(3)`, and
    /// `mq_timedreceive(3)` with a [`Block`] that has a deadline.
    ///
    /// # Errors
    /// EBADF: the descriptor is not open, not to read, or was closed meanwhile. EMSGSIZE: the
    /// buffer is shorter than a message of the queue may be. EAGAIN, EINTR, ETIMEDOUT as `block`
    /// and the descriptor's flag say, while the queue is empty.
    ///
    /// ```
    /// use slotpark_managers::{Access, Block, ChannelOptions, Errno, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// let received = channels.receive(channel, &mut [0; 8192], Block::NO);
    /// assert_eq!(received, Err(Errno::Again));
    /// let received = channels.receive(channel, &mut [0; 8191], Block::NO);
    /// assert_eq!(received, Err(Errno::MessageSize));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn receive(
        &self,
        channel: Channel,
        buffer: &mut [u8],
        block: Block<'_>,
    ) -> Result<Received, Errno> {
        let receive = Receive::new(self, channel, buffer.len())?;
        match receive.begin(receive.description.may_block(block))? {
            Begun::Done(message) => Ok(copied(&message, buffer)),
            Begun::Waits(waiting) => given(waiting.wait(block)?, buffer),
        }
    }

    /// As [`receive`](Self::receive), blocking for ever unless the descriptor's flag says
    /// otherwise, as a future. Cancel safety: a message that was given to a future which is dropped
    /// goes to the next who waits, or back to its place in the queue.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
    /// # futures_lite::future::block_on(async {
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// let mut buffer = [0; 8192];
    /// let receive = channels.receive_async(channel, &mut buffer);
    /// let send = channels.send_async(channel, b"hello", 0);
    /// let (received, sent) = futures_lite::future::zip(receive, send).await;
    /// assert_eq!((received?.bytes, sent?), (5, ()));
    /// # Ok::<_, slotpark_managers::Errno>(()) }).unwrap();
    /// ```
    pub async fn receive_async(
        &self,
        channel: Channel,
        buffer: &mut [u8],
    ) -> Result<Received, Errno> {
        let receive = Receive::new(self, channel, buffer.len())?;
        match receive.begin(receive.description.may_block(Block::FOREVER))? {
            Begun::Done(message) => Ok(copied(&message, buffer)),
            Begun::Waits(waiting) => given(waiting.wait_async().await?, buffer),
        }
    }
}
