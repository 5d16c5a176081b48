//! Opening queues by name, and names.

use std::sync::Arc;

use dashmap::Entry;

use super::queue::Queue;
use super::{Channel, ChannelAttributes, Description, Flag, IpcChannels};
use crate::{Access, Errno};

/// `NAME_MAX`.
const NAME_MAX: usize = 255;

/// `PATH_MAX`, with the NUL.
const PATH_MAX: usize = 4096;

/// How a queue is opened: the flags and attributes of `mq_open(3)`.
///
/// ```
/// use slotpark_managers::{Access, ChannelAttributes, ChannelOptions, IpcChannels, Waits};
/// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
/// let attributes = ChannelAttributes { messages_max: 2, message_bytes: 64 };
/// let options = ChannelOptions::new(Access::Both).create(Some(attributes));
/// let channel = channels.open("/jobs", options)?;
/// assert_eq!(channels.attributes(channel)?.attributes, attributes);
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ChannelOptions {
    access: Access,
    /// O_CREAT, with attributes if some are given.
    create: Option<Option<ChannelAttributes>>,
    is_exclusive: bool,
    is_nonblocking: bool,
}

impl ChannelOptions {
    /// Opens what there is; blocking.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, Errno, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let opened = channels.open("/jobs", ChannelOptions::new(Access::Read));
    /// assert_eq!(opened, Err(Errno::NoEntry));
    /// ```
    #[must_use]
    pub const fn new(access: Access) -> Self {
        Self {
            access,
            create: None,
            is_exclusive: false,
            is_nonblocking: false,
        }
    }

    /// Makes the queue if there is none of the name, with these attributes or with the usual ones:
    /// O_CREAT.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// assert!(channels.open("/jobs", ChannelOptions::new(Access::Read).create(None)).is_ok());
    /// ```
    #[must_use]
    pub const fn create(mut self, attributes: Option<ChannelAttributes>) -> Self {
        self.create = Some(attributes);
        self
    }

    /// Fails if there is one: O_EXCL. Of no effect without [`create`](Self::create).
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, Errno, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let options = ChannelOptions::new(Access::Read).create(None).exclusive();
    /// assert!(channels.open("/jobs", options).is_ok());
    /// assert_eq!(channels.open("/jobs", options), Err(Errno::Exists));
    /// ```
    #[must_use]
    pub const fn exclusive(mut self) -> Self {
        self.is_exclusive = true;
        self
    }

    /// Calls through it do not block, whatever they say: O_NONBLOCK.
    ///
    /// ```
    /// use slotpark_managers::{Access, Block, ChannelOptions, Errno, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let options = ChannelOptions::new(Access::Both).create(None).nonblocking();
    /// let channel = channels.open("/jobs", options)?;
    /// let received = channels.receive(channel, &mut [0; 8192], Block::FOREVER);
    /// assert_eq!(received, Err(Errno::Again));
    /// # Ok::<_, Errno>(())
    /// ```
    #[must_use]
    pub const fn nonblocking(mut self) -> Self {
        self.is_nonblocking = true;
        self
    }
}

/// What follows the slash of a name; what else fails as the C library and the kernel have it.
fn checked(name: &str) -> Result<&str, Errno> {
    let name = name.strip_prefix('/').ok_or(Errno::Invalid)?;
    match name {
        "" => Err(Errno::NoEntry),
        _ if name.len() >= PATH_MAX => Err(Errno::NameTooLong),
        "." | ".." => Err(Errno::Access),
        _ if name.contains('/') => Err(Errno::Access),
        _ if name.len() > NAME_MAX => Err(Errno::NameTooLong),
        _ => Ok(name),
    }
}

impl IpcChannels {
    /// Opens a queue: `mq_open(3)`. Names begin with a slash and contain no other.
    ///
    /// # Errors
    /// ENOENT: there is none, or the name is only a slash. EEXIST: there is one, and it was to be
    /// made. EINVAL: the name has no slash, or the attributes are 0 or beyond the limits. EACCES:
    /// the name has another slash. ENAMETOOLONG: it has more than 255 bytes behind the slash.
    /// ENOSPC: there are too many queues.
    ///
    /// ```
    /// use slotpark_managers::{Access, ChannelOptions, Errno, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// let options = ChannelOptions::new(Access::Both).create(None);
    /// assert!(channels.open("/jobs", options).is_ok());
    /// assert_eq!(channels.open("jobs", options), Err(Errno::Invalid));
    /// ```
    pub fn open(&self, name: &str, options: ChannelOptions) -> Result<Channel, Errno> {
        let name = checked(name)?;
        let queue = match options.create {
            None => {
                let entry = self.names.get(name).ok_or(Errno::NoEntry)?;
                Arc::clone(&entry)
            }
            Some(attributes) => match self.names.entry(name.into()) {
                Entry::Occupied(_) if options.is_exclusive => return Err(Errno::Exists),
                Entry::Occupied(entry) => Arc::clone(entry.get()),
                Entry::Vacant(entry) => {
                    let counted = self.count.add(self.limits.queues_max)?;
                    let attributes = self.limits.check(attributes)?;
                    let queue = Arc::new(Queue::new(attributes, counted));
                    Arc::clone(&entry.insert(queue))
                }
            },
        };
        Ok(self.insert(Arc::new(Description {
            queue,
            access: options.access,
            is_nonblocking: Flag::new(options.is_nonblocking),
        })))
    }

    /// Removes the name of a queue; the queue itself goes with its last descriptor: `mq_unlink(3)`.
    ///
    /// # Errors
    /// ENOENT: there is none. Of names that no queue can have, as [`open`](Self::open).
    ///
    /// ```
    /// use slotpark_managers::{Errno, IpcChannels, Waits};
    /// let channels = IpcChannels::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(channels.unlink("/jobs"), Err(Errno::NoEntry));
    /// ```
    pub fn unlink(&self, name: &str) -> Result<(), Errno> {
        let removed = self.names.remove(checked(name)?);
        removed.map(|_| ()).ok_or(Errno::NoEntry)
    }
}
