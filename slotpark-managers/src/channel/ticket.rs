//! A call that waits, and what it is given.

use std::sync::{Arc, Mutex, PoisonError};

use super::queue::{Message, Queue};
use super::{Channel, IpcChannels};
use crate::event::{Event, Seen};
use crate::{Block, Errno, Waits};

/// Stands in a list of its queue while it waits. Who takes it out of there gives it something,
/// under the queue's lock, and then wakes it.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) event: Event,
    /// What it waits through.
    pub(super) channel: Channel,
    given: Mutex<Option<Given>>,
}

#[derive(Debug)]
pub(super) enum Given {
    /// To a receiver.
    Message(Message),
    /// To a sender: its message is in the queue.
    Room,
    /// Its descriptor is closed.
    Closed,
}

impl Ticket {
    pub(super) fn new(channel: Channel, kind: &'static str) -> Arc<Self> {
        Arc::new(Self {
            event: Event::new(kind),
            channel,
            given: Mutex::new(None),
        })
    }

    /// Under the queue's lock (E1).
    pub(super) fn give(&self, given: Given) {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
        self.event.advance();
    }

    fn take(&self) -> Option<Given> {
        self.given
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(super) fn wake(&self, waits: &Waits) {
        self.event.wake_all(waits);
    }
}

/// A wait under way, which can be given up at any time.
pub(super) struct Waiting<'c> {
    channels: &'c IpcChannels,
    queue: &'c Queue,
    ticket: Arc<Ticket>,
    seen: Seen,
    is_over: bool,
}

impl<'c> Waiting<'c> {
    /// Its ticket is in a list of the queue; `seen` is its version from before.
    pub(super) fn new(
        channels: &'c IpcChannels,
        queue: &'c Queue,
        ticket: Arc<Ticket>,
        seen: Seen,
    ) -> Self {
        Self {
            channels,
            queue,
            ticket,
            seen,
            is_over: false,
        }
    }

    /// Waits until it is given something.
    pub(super) fn wait(self, block: Block<'_>) -> Result<Given, Errno> {
        let waits = &self.channels.waits;
        let mut waited = self.begin();
        while waited.is_ok() && self.ticket.event.seen() == self.seen {
            waited = self.ticket.event.wait(waits, self.seen, block);
        }
        self.ended(waited)
    }

    /// As `wait`.
    pub(super) async fn wait_async(self) -> Result<Given, Errno> {
        let waits = &self.channels.waits;
        let mut waited = self.begin();
        while waited.is_ok() && self.ticket.event.seen() == self.seen {
            waited = self.ticket.event.wait_async(waits, self.seen).await;
        }
        self.ended(waited)
    }

    /// A descriptor that was closed after it was looked up, and before the ticket was in the list,
    /// has not seen it there.
    fn begin(&self) -> Result<(), Errno> {
        let is_open = self.channels.is_open(self.ticket.channel);
        is_open.then_some(()).ok_or(Errno::BadFd)
    }

    /// What it was given. A wait that failed counts only if nothing was.
    fn ended(mut self, waited: Result<(), Errno>) -> Result<Given, Errno> {
        self.is_over = true;
        if let Err(errno) = waited {
            if self.queue.lock().withdraw(&self.ticket) {
                return Err(errno);
            }
        }
        match self.ticket.take() {
            None | Some(Given::Closed) => Err(Errno::BadFd),
            Some(given) => Ok(given),
        }
    }
}

impl Drop for Waiting<'_> {
    /// A future that is dropped: what it was given goes back.
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let next = {
            let mut state = self.queue.lock();
            state.withdraw(&self.ticket);
            match self.ticket.take() {
                Some(Given::Message(message)) => Queue::put_back(&mut state, message),
                _ => None,
            }
        };
        if let Some(next) = next {
            next.wake(&self.channels.waits);
        }
    }
}
