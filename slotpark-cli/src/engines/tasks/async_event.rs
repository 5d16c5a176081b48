//! async-event's `Event`, one per key in a map. It looks at the condition by itself.

use async_event::Event;

use super::entries::Entries;
use crate::measure::{Place, Slots, TaskEngine};

/// The map.
#[derive(Default)]
pub(crate) struct AsyncEvent(Entries<Event>);

impl TaskEngine for AsyncEvent {
    const NAME: &'static str = "async_event";
    type Output = ();

    fn new(slots: Slots) -> Option<Self> {
        (slots == Slots::Default).then(Self::default)
    }

    async fn wait(&self, at: Place<'_>, expected: u32) {
        let member = self.0.join(at.key);
        member
            .wait_until(|| (at.word.value() != expected).then_some(()))
            .await;
    }

    fn wake_one(&self, at: Place<'_>) {
        if let Some(event) = self.0.find(at.key) {
            event.notify_one();
        }
    }

    fn wake_all(&self, at: Place<'_>) {
        if let Some(event) = self.0.find(at.key) {
            event.notify_all();
        }
    }
}
