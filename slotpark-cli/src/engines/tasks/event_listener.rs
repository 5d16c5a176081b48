//! event-listener's `Event`, one per key in a map, with listeners that lie in their futures: its
//! form without an allocation per listener.

use event_listener::{Event, IntoNotification as _, listener};

use super::entries::Entries;
use crate::measure::{Place, Slots, TaskEngine};

/// The map.
#[derive(Debug, Default)]
pub(crate) struct EventListener(Entries<Event>);

impl TaskEngine for EventListener {
    const NAME: &'static str = "event_listener";
    type Output = ();

    fn new(slots: Slots) -> Option<Self> {
        (slots == Slots::Default).then(Self::default)
    }

    async fn wait(&self, at: Place<'_>, expected: u32) {
        let member = self.0.join(at.key);
        listener!(member => listener);
        if at.word.value() == expected {
            listener.await;
        }
    }

    fn wake_one(&self, at: Place<'_>) {
        if let Some(event) = self.0.find(at.key) {
            // One more, whoever has been notified and has not looked yet.
            event.notify(1.additional());
        }
    }

    fn wake_all(&self, at: Place<'_>) {
        if let Some(event) = self.0.find(at.key) {
            event.notify(usize::MAX);
        }
    }
}
