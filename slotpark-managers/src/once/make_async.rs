//! Values that tasks want.

use std::convert::Infallible;
use std::future::Future;
use std::hash::Hash;

use super::flight::{Lead, Member, Role};
use super::{OnceError, OnceMap};
use crate::Errno;

impl<K: Eq + Hash + Clone, V: Clone> OnceMap<K, V> {
    /// As [`get_or_init`](Self::get_or_init), as a task: `future` is polled only if this one is to
    /// make the value.
    ///
    /// **Cancel safety.** Dropping it is safe at any moment. If it was to make the value, the next
    /// who waits is; if nobody does, nothing stays.
    ///
    /// # Errors
    /// ECANCELED: the table of waits was closed.
    ///
    /// ```
    /// use slotpark_managers::{OnceMap, Waits};
    /// # futures_lite::future::block_on(async {
    /// let map = OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(map.get_or_init_async(7, async { 70 }).await, Ok(70));
    /// assert_eq!(map.get_or_init_async(7, async { 71 }).await, Ok(70));
    /// # });
    /// ```
    pub async fn get_or_init_async(
        &self,
        key: K,
        future: impl Future<Output = V>,
    ) -> Result<V, Errno> {
        let future = async { Ok::<_, Infallible>(future.await) };
        let made = self.get_or_try_init_async(key, future).await;
        made.map_err(|error| match error {
            OnceError::Wait(errno) => errno,
            OnceError::Failed(never) => match never {},
        })
    }

    /// As [`get_or_try_init`](Self::get_or_try_init), as a task; else as
    /// [`get_or_init_async`](Self::get_or_init_async).
    ///
    /// # Errors
    /// [`OnceError`] says whether `future` has ended.
    ///
    /// ```
    /// use slotpark_managers::{OnceError, OnceMap, Waits};
    /// # futures_lite::future::block_on(async {
    /// let map = OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new()));
    /// let made = map.get_or_try_init_async(7, async { Err("no such thing") }).await;
    /// assert_eq!(made, Err(OnceError::Failed("no such thing")));
    /// # });
    /// ```
    pub async fn get_or_try_init_async<E>(
        &self,
        key: K,
        future: impl Future<Output = Result<V, E>>,
    ) -> Result<V, OnceError<E>> {
        if let Some(value) = self.get(&key) {
            return Ok(value);
        }
        let member = Member::enter(self, key);
        loop {
            let seen = match member.role() {
                Role::Has(value) => return Ok(value.clone()),
                Role::Leads => break,
                Role::Follows(seen) => seen,
            };
            let waited = member.flight.event.wait_async(&self.waits, seen).await;
            waited.map_err(OnceError::Wait)?;
        }
        let lead = Lead { member: &member };
        let value = future.await.map_err(OnceError::Failed)?;
        Ok(lead.land(value).clone())
    }
}
