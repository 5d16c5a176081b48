//! How large a queue may be, and how many there may be.

use std::sync::{Arc, Mutex, PoisonError};

use crate::Errno;

/// What a queue is made as: `mq_attr`.
///
/// ```
/// use slotpark_managers::ChannelAttributes;
/// assert_eq!(ChannelAttributes::default().message_bytes, 8192);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelAttributes {
    /// How many messages it has room for: `mq_maxmsg`.
    pub messages_max: usize,
    /// How long a message may be: `mq_msgsize`.
    pub message_bytes: usize,
}

impl Default for ChannelAttributes {
    /// 10 messages of 8192 bytes, as Linux.
    fn default() -> Self {
        Self {
            messages_max: 10,
            message_bytes: 8192,
        }
    }
}

/// What queues may be: see `mq_overview(7)`, "/proc interfaces".
///
/// ```
/// use slotpark_managers::ChannelLimits;
/// assert_eq!(ChannelLimits::default().queues_max, 256);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelLimits {
    /// The largest attributes that a queue can be made with.
    pub attributes_max: ChannelAttributes,
    /// How many queues there may be, with names or without.
    pub queues_max: usize,
}

impl Default for ChannelLimits {
    /// 65,536 messages of 16 MiB (what Linux allows the privileged), and 256 queues.
    fn default() -> Self {
        Self {
            attributes_max: ChannelAttributes {
                messages_max: 65_536,
                message_bytes: 16 << 20,
            },
            queues_max: 256,
        }
    }
}

impl ChannelLimits {
    /// What a queue gets that is made with these attributes, or without any.
    pub(super) fn check(
        self,
        asked: Option<ChannelAttributes>,
    ) -> Result<ChannelAttributes, Errno> {
        let max = self.attributes_max;
        let Some(asked) = asked else {
            let usual = ChannelAttributes::default();
            return Ok(ChannelAttributes {
                messages_max: usual.messages_max.min(max.messages_max),
                message_bytes: usual.message_bytes.min(max.message_bytes),
            });
        };
        let is_allowed = (1..=max.messages_max).contains(&asked.messages_max)
            && (1..=max.message_bytes).contains(&asked.message_bytes);
        is_allowed.then_some(asked).ok_or(Errno::Invalid)
    }
}

/// How many queues there are.
#[derive(Debug, Default)]
pub(super) struct Count(Arc<Mutex<usize>>);

/// One of them.
#[derive(Debug)]
pub(super) struct Counted(Arc<Mutex<usize>>);

impl Count {
    /// One more, if there are fewer than `max`.
    pub(super) fn add(&self, max: usize) -> Result<Counted, Errno> {
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *count >= max {
            return Err(Errno::NoSpace);
        }
        *count += 1;
        Ok(Counted(Arc::clone(&self.0)))
    }

    pub(super) fn get(&self) -> usize {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}
