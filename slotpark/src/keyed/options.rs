//! What an attempt to lock brings, and how it ends.

use std::time::{Duration, Instant};

use slotpark_core::{HoldOptions, Platform};

use crate::until;

/// Why a key is not locked.
pub use slotpark_core::HoldError as LockError;
/// Why a key is not locked at once.
pub use slotpark_core::TryHoldError as TryLockError;

/// What an attempt to lock brings beside its key: until when it waits, and what it says of itself.
///
/// ```
/// use slotpark::{KeyedMutex, LockOptions};
/// use std::time::Duration;
/// let files = KeyedMutex::<u64>::new();
/// let options = LockOptions::new().timeout(Duration::from_secs(1)).label("compaction");
/// let guard = files.lock_with(7, options)?;
/// assert_eq!(files.label(&7), Some("compaction"));
/// # drop(guard);
/// # Ok::<_, slotpark::LockError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub struct LockOptions {
    deadline: Option<Instant>,
    label: Option<&'static str>,
}

impl LockOptions {
    /// No deadline, no label.
    ///
    /// ```
    /// let options = slotpark::LockOptions::new();
    /// ```
    pub const fn new() -> Self {
        Self {
            deadline: None,
            label: None,
        }
    }

    /// When the attempt ends by itself.
    ///
    /// ```
    /// use std::time::Instant;
    /// let options = slotpark::LockOptions::new().deadline(Instant::now());
    /// ```
    pub const fn deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How long from now on it waits at most. What the clock cannot count is for ever.
    ///
    /// ```
    /// use std::time::Duration;
    /// let options = slotpark::LockOptions::new().timeout(Duration::from_millis(5));
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.deadline = Instant::now().checked_add(timeout);
        self
    }

    /// What the holder says of itself to those who ask for the [`label`](crate::KeyedMutex::label)
    /// of a key.
    ///
    /// ```
    /// let options = slotpark::LockOptions::new().label("compaction");
    /// ```
    pub const fn label(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }

    /// For the engine: so much of a key.
    #[track_caller]
    pub(super) fn hold<P: Platform>(self, amount: u32) -> HoldOptions {
        let options = HoldOptions::new(amount).deadline(self.deadline.and_then(until::<P>));
        match self.label {
            Some(label) => options.label(label),
            None => options,
        }
    }
}
