//! Guards of keys, and waits for their conditions.

use std::fmt;
use std::hash::Hash;

use super::place::Held;
use crate::{Block, Errno};

/// A key of a [`CondvarWait`](super::CondvarWait) is locked as long as this lives. It may go to
/// another thread, and live over an `await`.
///
/// ```
/// use slotpark_managers::{Block, CondvarWait, Waits};
/// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
/// let guard = condvars.lock(7, Block::FOREVER)?;
/// assert_eq!(*guard.key(), 7);
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[must_use = "dropped at once, it unlocks its key at once"]
pub struct CondvarGuard<'c, K: Eq + Hash> {
    held: Held<'c, K>,
}

impl<'c, K: Eq + Hash> CondvarGuard<'c, K> {
    pub(super) fn new(held: Held<'c, K>) -> Self {
        Self { held }
    }

    /// The key.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(condvars.try_lock(7).map(|guard| *guard.key()), Ok(7));
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        &self.held.key
    }

    /// Unlocks the key and waits for a notification, in one step as far as others can tell; returns
    /// when the key is locked again, also where it fails. The deadline and the interrupter of
    /// `block` end the wait for the notification, not that for the key. See `pthread_cond_wait(3)`.
    ///
    /// # Errors
    /// ETIMEDOUT, EINTR as `block` says, if no notification has counted this wait. EAGAIN: it is
    /// not to block; the key was not unlocked. ECANCELED: the table of waits was closed; the key is
    /// not locked any more.
    ///
    /// ```
    /// use slotpark_managers::{Block, CondvarWait, Errno, Waits};
    /// use std::time::Duration;
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// let mut guard = condvars.lock(7, Block::FOREVER)?;
    /// let wait = guard.wait(Block::for_at_most(Duration::from_millis(1)));
    /// assert_eq!(wait, Err(Errno::TimedOut));
    /// assert!(condvars.is_locked(&7));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn wait(&mut self, block: Block<'_>) -> Result<(), Errno> {
        self.held.wait(block)
    }

    /// As [`wait`](Self::wait), until a point in time.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// ```
    /// use slotpark_managers::{Block, CondvarWait, Errno, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// let mut guard = condvars.lock(7, Block::FOREVER)?;
    /// assert_eq!(guard.wait_until(std::time::Instant::now()), Err(Errno::TimedOut));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn wait_until(&mut self, deadline: std::time::Instant) -> Result<(), Errno> {
        self.wait(Block::until(deadline))
    }

    /// As [`wait`](Self::wait), as a task; the key is unlocked by the first poll, and comes back
    /// with its guard.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment and never waits; the key is not
    /// locked by it then. A `notify_one` that had counted it goes on to the next who waits.
    ///
    /// # Errors
    /// ECANCELED: the table of waits was closed.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// # futures_lite::future::block_on(async {
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// let guard = condvars.lock_async(7).await?;
    /// let notify = async { assert_eq!(condvars.notify_one(&7), 1) };
    /// let (guard, ()) = futures_lite::future::zip(guard.wait_async(), notify).await;
    /// assert_eq!(*guard?.key(), 7);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// # });
    /// ```
    pub async fn wait_async(mut self) -> Result<Self, Errno> {
        self.held.wait_async().await?;
        Ok(self)
    }

    /// As [`CondvarWait::notify_one`](super::CondvarWait::notify_one), of this key.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(condvars.try_lock(7)?.notify_one(), 0);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn notify_one(&self) -> usize {
        self.held.notify(true)
    }

    /// As [`CondvarWait::notify_all`](super::CondvarWait::notify_all), of this key.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(condvars.try_lock(7)?.notify_all(), 0);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn notify_all(&self) -> usize {
        self.held.notify(false)
    }
}

impl<K: Eq + Hash + fmt::Debug> fmt::Debug for CondvarGuard<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CondvarGuard").field(&self.held.key).finish()
    }
}
