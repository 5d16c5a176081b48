//! How a call blocks.

use std::time::{Duration, Instant};

use slotpark::{Deadline, Interrupter};

use crate::event::Event;
use crate::{OpenFd, Waits};

/// How a call blocks: not at all, for ever, until a deadline; and whether its thread can be
/// interrupted.
///
/// ```
/// use slotpark::Interrupter;
/// use slotpark_managers::Block;
/// use std::time::Duration;
/// let thread = Interrupter::new();
/// let block = Block::for_at_most(Duration::from_secs(1)).interruptible(&thread);
/// assert!(block.may_block());
/// assert!(!Block::NO.may_block());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Block<'i> {
    may_block: bool,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) interrupter: Option<&'i Interrupter>,
    /// Moved on when the descriptor is closed that the call came through, and where that is told.
    pub(crate) closed: Option<(&'i Event, &'i Waits)>,
}

impl<'i> Block<'i> {
    /// Not at all: EAGAIN instead.
    pub const NO: Self = Self {
        may_block: false,
        deadline: None,
        interrupter: None,
        closed: None,
    };

    /// As long as it takes.
    pub const FOREVER: Self = Self {
        may_block: true,
        deadline: None,
        interrupter: None,
        closed: None,
    };

    /// Until a point in time; then ETIMEDOUT, if the call could not be done.
    ///
    /// ```
    /// use slotpark_managers::Block;
    /// assert!(Block::until(std::time::Instant::now()).may_block());
    /// ```
    #[must_use]
    pub fn until(deadline: Instant) -> Self {
        Self::for_at_most(deadline.saturating_duration_since(Instant::now()))
    }

    /// For this long from now on; then ETIMEDOUT, if the call could not be done.
    ///
    /// ```
    /// use slotpark_managers::Block;
    /// assert!(Block::for_at_most(std::time::Duration::ZERO).may_block());
    /// ```
    #[must_use]
    pub fn for_at_most(timeout: Duration) -> Self {
        Self::at(Deadline::after::<slotpark::DefaultPlatform>(timeout))
    }

    /// Until a deadline of the engine's, which may be on the wall clock; `None` is for ever.
    ///
    /// ```
    /// use slotpark::Deadline;
    /// use slotpark_managers::Block;
    /// assert!(Block::at(Some(Deadline::PAST)).may_block());
    /// ```
    #[must_use]
    pub const fn at(deadline: Option<Deadline>) -> Self {
        Self {
            deadline,
            ..Self::FOREVER
        }
    }

    /// The same, ended with EINTR by this interrupter: that of the calling thread.
    ///
    /// ```
    /// use slotpark::Interrupter;
    /// use slotpark_managers::Block;
    /// let thread = Interrupter::new();
    /// assert!(Block::FOREVER.interruptible(&thread).may_block());
    /// ```
    #[must_use]
    pub const fn interruptible(mut self, interrupter: &'i Interrupter) -> Self {
        self.interrupter = Some(interrupter);
        self
    }

    /// The same, ended with EBADF when this descriptor is closed: in the managers that block in the
    /// shared table, so not in [`StoredNotify`](crate::StoredNotify). Tasks have
    /// [`OpenFd::until_closed`].
    ///
    /// # Panics
    /// Not this, but a call that blocks by it, if its manager and the descriptor's
    /// [`FdTable`](crate::FdTable) have not the same table of waits.
    ///
    /// ```
    /// use slotpark_managers::{Block, Description, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// let number = files.install(Description::new("a pipe"), false)?;
    /// let open = files.get(number)?;
    /// assert!(Block::FOREVER.through(&open).may_block());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn through<T>(mut self, descriptor: &'i OpenFd<T>) -> Self {
        self.closed = Some(descriptor.closed());
        self
    }

    /// The same for a call that nothing interrupts.
    pub(crate) const fn uninterruptible(self) -> Self {
        Self {
            interrupter: None,
            ..self
        }
    }

    /// Whether a call may block at all.
    ///
    /// ```
    /// assert!(slotpark_managers::Block::FOREVER.may_block());
    /// ```
    #[must_use]
    pub const fn may_block(&self) -> bool {
        self.may_block
    }
}
