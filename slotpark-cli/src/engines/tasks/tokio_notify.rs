//! tokio's `Notify`, one per key in a map.
//!
//! A wake that finds the entry but no task in it yet is kept there, so that the next one returns
//! early; waits recheck.

use std::pin::pin;

use tokio::sync::Notify;

use super::entries::Entries;
use crate::measure::{Place, Slots, TaskEngine};

/// The map.
#[derive(Debug, Default)]
pub(crate) struct TokioNotify(Entries<Notify>);

impl TaskEngine for TokioNotify {
    const NAME: &'static str = "tokio_notify";
    type Output = ();

    fn new(slots: Slots) -> Option<Self> {
        (slots == Slots::Default).then(Self::default)
    }

    async fn wait(&self, at: Place<'_>, expected: u32) {
        let member = self.0.join(at.key);
        let mut notified = pin!(member.notified());
        notified.as_mut().enable();
        if at.word.value() == expected {
            notified.await;
        }
    }

    fn wake_one(&self, at: Place<'_>) {
        if let Some(event) = self.0.find(at.key) {
            event.notify_one();
        }
    }

    fn wake_all(&self, at: Place<'_>) {
        if let Some(event) = self.0.find(at.key) {
            event.notify_waiters();
        }
    }
}
