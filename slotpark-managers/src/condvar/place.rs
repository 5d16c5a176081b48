//! One call or guard, and its way through the states of its key. Whatever ends it, also a future
//! that is dropped, leaves the state and lets the next one on.

use std::hash::Hash;
use std::sync::Arc;

use super::CondvarWait;
use super::state::{Entry, Place};
use crate::event::Seen;
use crate::{Block, Errno};

pub(super) struct Held<'c, K: Eq + Hash> {
    condvars: &'c CondvarWait<K>,
    pub(super) key: K,
    entry: Arc<Entry>,
    place: Place,
}

impl<'c, K: Eq + Hash + Clone> Held<'c, K> {
    /// In the queue, or has the key already. A user of the key's entry from now on.
    pub(super) fn enter(condvars: &'c CondvarWait<K>, key: K) -> Self {
        let entry = condvars.enter(&key);
        let place = Place::new();
        entry.lock().enter(&place);
        Self {
            condvars,
            key,
            entry,
            place,
        }
    }
}

impl<K: Eq + Hash> Held<'_, K> {
    pub(super) fn has(&self) -> bool {
        self.entry.lock().has(&self.place)
    }

    /// The version to wait by, unless it has the key.
    fn awaits_key(&self) -> Option<Seen> {
        let state = self.entry.lock();
        (!state.has(&self.place)).then(|| self.entry.event.seen())
    }

    /// The version to wait by, if it waits for the condition.
    fn awaits_condition(&self) -> Option<Seen> {
        let state = self.entry.lock();
        let waits = state.is_waiting(&self.place);
        waits.then(|| self.entry.event.seen())
    }

    fn sleep(&self, seen: Seen, block: Block<'_>) -> Result<(), Errno> {
        let waits = &self.condvars.waits;
        self.entry.event.wait_at(waits, self.place.key, seen, block)
    }

    async fn sleep_async(&self, seen: Seen) -> Result<(), Errno> {
        let (waits, key) = (&self.condvars.waits, self.place.key);
        self.entry.event.wait_at_async(waits, key, seen).await
    }

    /// Waits until it has the key. If that fails, it has no place any more.
    pub(super) fn lock(&self, block: Block<'_>) -> Result<(), Errno> {
        while let Some(seen) = self.awaits_key() {
            let slept = self.sleep(seen, block);
            self.slept_for_key(slept)?;
        }
        Ok(())
    }

    /// As `lock`.
    pub(super) async fn lock_async(&self) -> Result<(), Errno> {
        while let Some(seen) = self.awaits_key() {
            let slept = self.sleep_async(seen).await;
            self.slept_for_key(slept)?;
        }
        Ok(())
    }

    /// A wait that failed counts only if the key has not come meanwhile.
    fn slept_for_key(&self, slept: Result<(), Errno>) -> Result<(), Errno> {
        if slept.is_ok() || self.has() {
            return Ok(());
        }
        self.remove();
        slept
    }

    fn remove(&self) {
        let granted = self.entry.remove(&mut self.entry.lock(), &self.place);
        self.condvars.wake(granted);
    }

    /// Waits for the condition, then for the key.
    pub(super) fn wait(&mut self, block: Block<'_>) -> Result<(), Errno> {
        if !block.may_block() {
            return Err(Errno::Again);
        }
        self.start_waiting();
        let mut waited = Ok(());
        while let Some(seen) = self.awaits_condition() {
            let slept = self.sleep(seen, block);
            waited = self.slept_for_condition(slept);
        }
        self.lock(Block::FOREVER)?;
        self.entry.lock().settle(&self.place);
        waited
    }

    /// As `wait`.
    pub(super) async fn wait_async(&mut self) -> Result<(), Errno> {
        self.start_waiting();
        let mut waited = Ok(());
        while let Some(seen) = self.awaits_condition() {
            let slept = self.sleep_async(seen).await;
            waited = self.slept_for_condition(slept);
        }
        self.lock_async().await?;
        self.entry.lock().settle(&self.place);
        waited
    }

    pub(super) fn notify(&self, is_one: bool) -> usize {
        let (count, granted) = self.entry.notify(&mut self.entry.lock(), is_one);
        self.condvars.wake(granted);
        count
    }

    /// Gives the key up and begins to wait for the condition, in one step.
    fn start_waiting(&mut self) {
        let granted = {
            let mut state = self.entry.lock();
            self.place = state.start_waiting();
            self.entry.give(&mut state)
        };
        self.condvars.wake(granted);
    }

    /// A wait that failed goes on to the queue, unless a notification has sent it there already:
    /// then it has not failed.
    fn slept_for_condition(&self, slept: Result<(), Errno>) -> Result<(), Errno> {
        let mut state = self.entry.lock();
        if slept.is_ok() || !state.stop_waiting(&self.place) {
            return Ok(());
        }
        state.enter(&self.place);
        slept
    }
}

impl<K: Eq + Hash> Drop for Held<'_, K> {
    fn drop(&mut self) {
        self.remove();
        self.condvars.leave(&self.key);
    }
}
