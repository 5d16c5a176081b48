//! Waits for a permit.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hash};
use std::pin::{Pin, pin};
use std::time::Instant;

use slotpark::{DefaultPlatform, WaitFuture, WaitOutcome};

use super::{ONE, StoredNotify};
use crate::event::{Seen, ended};
use crate::{Block, Errno};

impl<K: Eq + Hash, S: BuildHasher> StoredNotify<K, S> {
    /// Takes the permit of `key`, or waits for a notification.
    ///
    /// # Errors
    /// EAGAIN, EINTR, ETIMEDOUT as `block` says, if no notification has counted this wait.
    /// ECANCELED: it was [closed](Self::close).
    ///
    /// ```
    /// use slotpark_managers::{Block, StoredNotify};
    /// let changed = StoredNotify::<u64>::new();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(changed.wait(&7, Block::FOREVER), Ok(())));
    ///     changed.notify_one(&7); // before or after it waits
    /// });
    /// ```
    pub fn wait(&self, key: &K, block: Block<'_>) -> Result<(), Errno> {
        let version = self.version(key);
        loop {
            let seen = version.seen();
            if self.permits.remove(key).is_some() {
                return Ok(());
            }
            if !block.may_block() {
                return Err(Errno::Again);
            }
            match self.sleep(key, seen, block) {
                WaitOutcome::Stale => {}
                outcome => return ended(outcome),
            }
        }
    }

    fn sleep(&self, key: &K, seen: Seen, block: Block<'_>) -> WaitOutcome {
        let version = self.version(key);
        let unchanged = || version.seen() == seen;
        match block.interrupter {
            None => self
                .waits
                .wait_with(key, u32::MAX, block.deadline, unchanged),
            Some(thread) => self
                .waits
                .wait_interruptible(key, thread, block.deadline, unchanged),
        }
    }

    /// As [`wait`](Self::wait), until a point in time.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    ///
    /// ```
    /// use slotpark_managers::{Errno, StoredNotify};
    /// let changed = StoredNotify::<u64>::new();
    /// let now = std::time::Instant::now();
    /// assert_eq!(changed.wait_until(&7, now), Err(Errno::TimedOut));
    /// ```
    pub fn wait_until(&self, key: &K, deadline: Instant) -> Result<(), Errno> {
        self.wait(key, Block::until(deadline))
    }

    /// As [`wait`](Self::wait), as a task. It waits from its first poll on.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment. If a `notify_one` had chosen
    /// it that goes on to who waits longest then, or is stored.
    ///
    /// # Errors
    /// ECANCELED: it was [closed](Self::close).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let changed = slotpark_managers::StoredNotify::<u64>::new();
    /// changed.notify_one(&7);
    /// assert_eq!(changed.wait_async(7).await, Ok(()));
    /// # });
    /// ```
    pub async fn wait_async(&self, key: K) -> Result<(), Errno>
    where
        K: Clone,
    {
        let version = self.version(&key);
        loop {
            let seen = version.seen();
            if self.permits.remove(&key).is_some() {
                return Ok(());
            }
            let wait = pin!(
                self.waits
                    .wait_async(key.clone(), || version.seen() == seen)
            );
            let mut chosen = Chosen {
                notify: self,
                key: &key,
                wait,
            };
            match poll_fn(|context| chosen.wait.as_mut().poll(context)).await {
                WaitOutcome::Stale => {}
                outcome => return ended(outcome),
            }
        }
    }
}

/// A wait that may be given up when it has been chosen already.
struct Chosen<'w, 'n, K: Eq + Hash + Clone, F: FnMut() -> bool, S: BuildHasher> {
    notify: &'n StoredNotify<K, S>,
    key: &'w K,
    wait: Pin<&'w mut WaitFuture<'n, K, F, DefaultPlatform>>,
}

impl<K: Eq + Hash + Clone, F: FnMut() -> bool, S: BuildHasher> Drop for Chosen<'_, '_, K, F, S> {
    fn drop(&mut self) {
        // One that has returned what it was told says that it was not chosen.
        if self.wait.as_mut().time_out() == (WaitOutcome::Woken { token: ONE }) {
            self.notify.notify_one(self.key);
        }
    }
}
