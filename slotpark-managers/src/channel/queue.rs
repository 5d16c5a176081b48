//! A message queue: its messages, who waits for some or for room, and who is to be notified.
//!
//! **Invariants.** C1: while a receiver waits there is no message: one that comes is given to the
//! first of them. C2: while a sender waits there is no room: what becomes free is taken by the
//! first of them. So who comes later overtakes nobody, and each is woken when its call is done.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ticket::{Given, Ticket};
use super::{Channel, ChannelAttributes};

#[derive(Debug)]
pub(super) struct Message {
    /// Its place: the highest priority first, of equal ones the oldest.
    place: (Reverse<u32>, u64),
    pub(super) bytes: Box<[u8]>,
}

impl Message {
    pub(super) fn priority(&self) -> u32 {
        self.place.0.0
    }
}

pub(super) type Notify = Box<dyn FnOnce() + Send>;

pub(super) struct Queue {
    pub(super) attributes: ChannelAttributes,
    state: Mutex<State>,
    /// Told when the queue is gone.
    _counted: super::limits::Counted,
}

#[derive(Default)]
pub(super) struct State {
    messages: BTreeMap<(Reverse<u32>, u64), Box<[u8]>>,
    sent: u64,
    receivers: VecDeque<Arc<Ticket>>,
    senders: VecDeque<(Arc<Ticket>, Message)>,
    /// Who is to be told when a message comes to the empty queue, and through which descriptor.
    notify: Option<(Channel, Notify)>,
}

/// What a message that was sent has come to.
pub(super) enum Sent {
    /// It is in the queue; somebody is to be told.
    Queued(Option<Notify>),
    /// The receiver that has it is to be woken.
    Given(Arc<Ticket>),
    /// There is no room.
    Full(Message),
}

impl Queue {
    pub(super) fn new(attributes: ChannelAttributes, counted: super::limits::Counted) -> Self {
        Self {
            attributes,
            state: Mutex::new(State::default()),
            _counted: counted,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under it but an allocation that fails.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self, state: &State) -> bool {
        state.messages.len() < self.attributes.messages_max
    }

    /// Sends a message, or gives it back.
    pub(super) fn send(&self, state: &mut State, bytes: Box<[u8]>, priority: u32) -> Sent {
        let place = (Reverse(priority), state.sent);
        state.sent += 1;
        let message = Message { place, bytes };
        if let Some(receiver) = state.receivers.pop_front() {
            receiver.give(Given::Message(message));
            return Sent::Given(receiver);
        }
        if !self.has_room(state) {
            return Sent::Full(message);
        }
        let was_empty = state.messages.is_empty();
        state.messages.insert(message.place, message.bytes);
        let notify = if was_empty { state.notify.take() } else { None };
        Sent::Queued(notify.map(|(_, notify)| notify))
    }

    /// The first message, and the sender that has its place and is to be woken.
    pub(super) fn receive(&self, state: &mut State) -> Option<(Message, Option<Arc<Ticket>>)> {
        let (place, bytes) = state.messages.pop_first()?;
        let sender = if self.has_room(state) {
            state.senders.pop_front()
        } else {
            None
        };
        let sender = sender.map(|(sender, message)| {
            state.messages.insert(message.place, message.bytes);
            sender.give(Given::Room);
            sender
        });
        Some((Message { place, bytes }, sender))
    }

    /// Puts a message back where it was, or gives it to the next receiver, who is to be woken. If
    /// its room has been taken meanwhile, the queue has one more than it should for a while: better
    /// than one less.
    pub(super) fn put_back(state: &mut State, message: Message) -> Option<Arc<Ticket>> {
        if let Some(receiver) = state.receivers.pop_front() {
            receiver.give(Given::Message(message));
            return Some(receiver);
        }
        state.messages.insert(message.place, message.bytes);
        None
    }

    /// How many messages there are, and how many wait to receive or to send.
    pub(super) fn count(&self) -> (usize, usize) {
        let state = self.lock();
        let waiters = state.receivers.len() + state.senders.len();
        (state.messages.len(), waiters)
    }
}

impl State {
    pub(super) fn await_message(&mut self, ticket: &Arc<Ticket>) {
        self.receivers.push_back(Arc::clone(ticket));
    }

    pub(super) fn await_room(&mut self, ticket: &Arc<Ticket>, message: Message) {
        self.senders.push_back((Arc::clone(ticket), message));
    }

    /// Ends the wait of a ticket; false if it has ended.
    pub(super) fn withdraw(&mut self, ticket: &Arc<Ticket>) -> bool {
        let before = self.receivers.len() + self.senders.len();
        self.receivers.retain(|other| !Arc::ptr_eq(other, ticket));
        self.senders
            .retain(|(other, _)| !Arc::ptr_eq(other, ticket));
        self.receivers.len() + self.senders.len() < before
    }

    /// Ends what is through a descriptor that is closed: whom to wake, and whom not to notify.
    pub(super) fn close(&mut self, channel: Channel) -> (Vec<Arc<Ticket>>, Option<Notify>) {
        let mut ended = Vec::new();
        let mut is_kept = |ticket: &Arc<Ticket>| {
            let is_kept = ticket.channel != channel;
            if !is_kept {
                ticket.give(Given::Closed);
                ended.push(Arc::clone(ticket));
            }
            is_kept
        };
        self.receivers.retain(&mut is_kept);
        self.senders.retain(|(ticket, _)| is_kept(ticket));
        (ended, self.unregister(channel))
    }

    /// Somebody is to be told; gives it back if another one is.
    pub(super) fn register(&mut self, channel: Channel, notify: Notify) -> Option<Notify> {
        if self.notify.is_some() {
            return Some(notify);
        }
        self.notify = Some((channel, notify));
        None
    }

    /// Nobody is to be told any more through this descriptor.
    pub(super) fn unregister(&mut self, channel: Channel) -> Option<Notify> {
        let taken = self.notify.take_if(|(through, _)| *through == channel);
        taken.map(|(_, notify)| notify)
    }
}
