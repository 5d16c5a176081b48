//! maitake's `WaitMap`: one list of all waiting tasks, under one mutex.
//!
//! It is made for mailboxes, so three things are not the same. A wake hands a value over; here that
//! is `()`. A key has at most one waiter, a second one is refused, so that workloads with several
//! tasks on a key go without it. And `wait` looks at no condition: that is its best case, and what
//! is measured where one thread does all. Where threads race, `wait_for` looks after it has
//! queued, and the waker needs a full fence of its own between its change and the wake, which reads
//! without one whether anybody waits.

use std::future::Future;
use std::sync::atomic::{Ordering, fence};

use maitake_sync::WaitMap;
use maitake_sync::wait_map::WaitResult;

use crate::measure::{Place, Slots, TaskEngine};

/// The map.
#[derive(Debug)]
pub(crate) struct Maitake(WaitMap<u64, ()>);

impl TaskEngine for Maitake {
    const NAME: &'static str = "maitake";
    type Output = WaitResult<()>;

    fn new(slots: Slots) -> Option<Self> {
        (slots == Slots::Default).then(|| Self(WaitMap::new()))
    }

    #[inline]
    fn wait(&self, at: Place<'_>, _expected: u32) -> impl Future<Output = Self::Output> {
        self.0.wait(at.key)
    }

    async fn wait_while(&self, at: Place<'_>, expected: u32) {
        let changed = || at.word.value() != expected;
        while !changed() {
            // An error says that a value came before the change: then it waits again.
            let _result = self.0.wait_for(at.key, changed).await;
        }
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) {
        self.0.wake(&at.key, ());
    }

    /// There is one at most.
    #[inline]
    fn wake_all(&self, at: Place<'_>) {
        self.wake_one(at);
    }

    #[inline]
    fn before_wake(&self) {
        // ORDERING: the change of the word comes before the look at who waits; the waiter's side
        // is the compare-exchange with which it announces itself, before it looks at the word.
        fence(Ordering::SeqCst);
    }
}
