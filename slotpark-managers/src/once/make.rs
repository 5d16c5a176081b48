//! Values that threads want.

use std::convert::Infallible;
use std::hash::Hash;

use super::flight::{Lead, Member, Role};
use super::{OnceError, OnceMap};
use crate::{Block, Errno};

impl<K: Eq + Hash + Clone, V: Clone> OnceMap<K, V> {
    /// The value of `key`; if there is none, what `f` makes, or what another makes at the moment.
    /// `block` says how long to wait for that one; it does not end an `f` that runs.
    ///
    /// # Errors
    /// EAGAIN, EINTR, ETIMEDOUT as `block` says, while another makes it. Then `f` has not run.
    ///
    /// # Panics
    /// With panics of `f` and of `V::clone`.
    ///
    /// ```
    /// use slotpark_managers::{Block, Errno, OnceMap, Waits};
    /// let map = OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new()));
    /// let made = map.get_or_init(7, Block::FOREVER, || {
    ///     assert_eq!(map.get_or_init(7, Block::NO, || 1), Err(Errno::Again));
    ///     70
    /// });
    /// assert_eq!(made, Ok(70));
    /// ```
    pub fn get_or_init(&self, key: K, block: Block<'_>, f: impl FnOnce() -> V) -> Result<V, Errno> {
        let made = self.get_or_try_init(key, block, || Ok::<_, Infallible>(f()));
        made.map_err(|error| match error {
            OnceError::Wait(errno) => errno,
            OnceError::Failed(never) => match never {},
        })
    }

    /// As [`get_or_init`](Self::get_or_init), with an `f` that may fail: its error is this call's
    /// alone, and the next who waits runs its own.
    ///
    /// # Errors
    /// [`OnceError`] says whether `f` has run.
    ///
    /// ```
    /// use slotpark_managers::{Block, OnceError, OnceMap, Waits};
    /// let map = OnceMap::<u64, u32>::new(std::sync::Arc::new(Waits::new()));
    /// let made = map.get_or_try_init(7, Block::FOREVER, || Err("no such thing"));
    /// assert_eq!(made, Err(OnceError::Failed("no such thing")));
    /// assert!(map.is_empty());
    /// assert_eq!(map.get_or_try_init(7, Block::FOREVER, || Ok::<_, &str>(70)), Ok(70));
    /// ```
    pub fn get_or_try_init<E>(
        &self,
        key: K,
        block: Block<'_>,
        f: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, OnceError<E>> {
        if let Some(value) = self.get(&key) {
            return Ok(value);
        }
        let member = Member::enter(self, key);
        loop {
            match member.role() {
                Role::Has(value) => return Ok(value.clone()),
                Role::Leads => {
                    let lead = Lead { member: &member };
                    let value = f().map_err(OnceError::Failed)?;
                    return Ok(lead.land(value).clone());
                }
                Role::Follows(seen) => {
                    let waited = member.flight.event.wait(&self.waits, seen, block);
                    waited.map_err(OnceError::Wait)?;
                }
            }
        }
    }
}
