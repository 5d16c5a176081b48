//! The async waits of `ShardedWait`: no runtime, no allocation, the same queues as threads.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hash};
use std::pin::pin;
use std::task::Poll;

use slotpark_core::{ParkOptions, Platform};

use crate::{ShardedWait, WaitFuture, WaitOutcome, WhileOutcome};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> ShardedWait<K, S, P> {
    /// Waits as [`wait`](Self::wait) does, as a future that owns its key. Threads and tasks that
    /// wait for one key are woken in one order. Nothing happens before the first poll, or before
    /// [`WaitFuture::enable`], after which no wake is missed:
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// use std::pin::pin;
    /// # futures_lite::future::block_on(async {
    /// let waits = ShardedWait::<String>::new();
    /// let mut wait = pin!(waits.wait_async("job 7".to_string(), || true));
    /// assert_eq!(wait.as_mut().enable(), None); // queued
    /// assert_eq!(waits.wake_one("job 7"), 1);
    /// assert_eq!(wait.await, WaitOutcome::Woken { token: 0 });
    /// # });
    /// ```
    ///
    /// **Cancel safety**: see [`WaitFuture`].
    #[track_caller]
    pub fn wait_async<F: FnMut() -> bool>(&self, key: K, validate: F) -> WaitFuture<'_, K, F, P> {
        self.wait_async_with(key, ParkOptions::new(), validate)
    }

    /// As [`wait_async`](Self::wait_async), with a bitset (as the tag) and an order. The deadline
    /// of `options` is not looked at.
    ///
    /// ```
    /// use slotpark::core::{Order, ParkOptions};
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// # futures_lite::future::block_on(async {
    /// let waits = ShardedWait::<u64>::new();
    /// let options = ParkOptions::new().tag(0b10).order(Order::Lifo);
    /// assert_eq!(waits.wait_async_with(7, options, || false).await, WaitOutcome::Stale);
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_async_with<F: FnMut() -> bool>(
        &self,
        key: K,
        options: ParkOptions,
        validate: F,
    ) -> WaitFuture<'_, K, F, P> {
        let hash = self.hash(&key);
        self.table.wait_async(hash, key, options, validate)
    }

    /// As [`wait_async`](Self::wait_async), until `timer` is ready at the latest: any runtime's
    /// sleep will do. A wait that a waker has counted never times out.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// use std::time::Duration;
    /// # async_io::block_on(async {
    /// let waits = ShardedWait::<u64>::new();
    /// let timer = async { drop(async_io::Timer::after(Duration::from_micros(10)).await) };
    /// assert_eq!(waits.wait_until_async(7, || true, timer).await, WaitOutcome::TimedOut);
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_until_async(
        &self,
        key: K,
        validate: impl FnMut() -> bool,
        timer: impl Future<Output = ()>,
    ) -> impl Future<Output = WaitOutcome> {
        self.wait_timed_async(key, ParkOptions::new(), validate, timer)
    }

    /// What an `async fn` would be, which knows no caller: the options do.
    pub(crate) async fn wait_timed_async(
        &self,
        key: K,
        options: ParkOptions,
        validate: impl FnMut() -> bool,
        timer: impl Future<Output = ()>,
    ) -> WaitOutcome {
        let mut wait = pin!(self.wait_async_with(key, options, validate));
        let mut timer = pin!(timer);
        poll_fn(|context| {
            if let Poll::Ready(outcome) = wait.as_mut().poll(context) {
                return Poll::Ready(outcome);
            }
            timer
                .as_mut()
                .poll(context)
                .map(|()| wait.as_mut().time_out())
        })
        .await
    }

    /// Waits while `condition` holds, and looks again after every wake.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WhileOutcome};
    /// # futures_lite::future::block_on(async {
    /// let waits = ShardedWait::<u64>::new();
    /// assert_eq!(waits.wait_while_async(7, || false).await, WhileOutcome::Met);
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_while_async(
        &self,
        key: K,
        condition: impl FnMut() -> bool,
    ) -> impl Future<Output = WhileOutcome> {
        self.wait_while_until_async(key, condition, std::future::pending())
    }

    /// As [`wait_while_async`](Self::wait_while_async), until `timer` is ready at the latest.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WhileOutcome};
    /// # futures_lite::future::block_on(async {
    /// let waits = ShardedWait::<u64>::new();
    /// let now = async {};
    /// let outcome = waits.wait_while_until_async(7, || true, now).await;
    /// assert_eq!(outcome, WhileOutcome::TimedOut);
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_while_until_async(
        &self,
        key: K,
        condition: impl FnMut() -> bool,
        timer: impl Future<Output = ()>,
    ) -> impl Future<Output = WhileOutcome> {
        let options = ParkOptions::new();
        async move {
            let mut wait = pin!(self.wait_async_with(key, options, condition));
            let mut timer = pin!(timer);
            poll_fn(|context| {
                // Ready as Woken, it is polled again: a new wait, which looks at the condition.
                while let Poll::Ready(outcome) = wait.as_mut().poll(context) {
                    if let Some(ended) = WhileOutcome::of(outcome) {
                        return Poll::Ready(ended);
                    }
                }
                let fired = timer.as_mut().poll(context);
                fired.map(|()| {
                    WhileOutcome::of(wait.as_mut().time_out()).unwrap_or(WhileOutcome::TimedOut)
                })
            })
            .await
        }
    }
}
