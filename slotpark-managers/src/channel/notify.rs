//! Being told of a message instead of waiting for it.

use super::queue::{Notify, Queue};
use super::{Channel, IpcChannels};
use crate::Errno;

impl IpcChannels {
    /// Calls `notify` when a message comes to the empty queue while nobody waits to receive it,
    /// once: `mq_notify(3)`. The thread that sends calls it, with no lock held: to send a signal,
    /// or to start a thread. If there are messages already, nothing happens before the queue was
    /// empty.
    ///
    /// # Errors
    /// EBADF: the descriptor is not open. EBUSY: somebody is to be notified already.
    ///
    /// ```
    /// use slotpark_managers::{Access, Block, ChannelOptions, Errno, IpcChannels, Waits};
    /// use std::sync::Arc;
    /// use std::sync::mpsc;
    /// let channels = IpcChannels::new(Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// let (sender, told) = mpsc::channel();
    /// channels.notify(channel, move || _ = sender.send("a message"))?;
    /// assert_eq!(channels.notify(channel, || {}), Err(Errno::Busy));
    /// channels.send(channel, b"hello", 0, Block::FOREVER)?;
    /// assert_eq!(told.recv(), Ok("a message"));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn notify(
        &self,
        channel: Channel,
        notify: impl FnOnce() + Send + 'static,
    ) -> Result<(), Errno> {
        let description = self.description(channel)?;
        self.register(&description.queue, channel, Box::new(notify))
    }

    /// As `notify`: the descriptor was open.
    pub(super) fn register(
        &self,
        queue: &Queue,
        channel: Channel,
        notify: Notify,
    ) -> Result<(), Errno> {
        let given_back = queue.lock().register(channel, notify);
        if given_back.is_some() {
            return Err(Errno::Busy);
        }
        if self.is_open(channel) {
            return Ok(());
        }
        // It was closed after it was looked up, and has not seen this.
        let taken = queue.lock().unregister(channel);
        drop(taken);
        Err(Errno::BadFd)
    }

    /// Takes back a [`notify`](Self::notify) that was made through this descriptor, if there is
    /// one: `mq_notify(3)` without an event. Whether there was.
    ///
    /// # Errors
    /// EBADF: the descriptor is not open.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// channels.notify(channel, || {})?;
    /// assert_eq!(channels.cancel_notify(channel), Ok(true));
    /// assert_eq!(channels.notify(channel, || {}), Ok(()));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn cancel_notify(&self, channel: Channel) -> Result<bool, Errno> {
        let queue = &self.description(channel)?.queue;
        let taken = queue.lock().unregister(channel);
        Ok(taken.is_some())
    }

    /// How many wait at this moment to receive from the queue, or to send. 0 if the descriptor is
    /// not open.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let channel = channels.open("/jobs", ChannelOptions::new(Access::Both).create(None))?;
    /// assert_eq!(channels.waiters(channel), 0);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn waiters(&self, channel: Channel) -> usize {
        let description = self.description(channel);
        description.map_or(0, |description| description.queue.count().1)
    }
}
