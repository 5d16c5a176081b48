//! A crowd: more futures of one thread than Wakers are taken at once wait for its key and are woken
//! together. Each Waker looks at the table: nobody may be there any more.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use super::Tasks;
use crate::stress::actor::Actor;
use crate::stress::planned::Key;
use crate::stress::tables::Numbers;
use crate::stress::tally::Operation;

/// A Waker that counts its calls, and those whom it still finds waiting or can wake.
struct Witness {
    numbers: &'static Numbers,
    key: Key,
    calls: AtomicUsize,
    seen: AtomicUsize,
}

impl Wake for Witness {
    fn wake(self: Arc<Self>) {
        let waits = &self.numbers.waits;
        let seen = waits.waiters(&self.key) + waits.wake_one(&self.key);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.seen.fetch_add(seen, Ordering::Relaxed);
    }
}

impl Tasks {
    pub(super) fn crowd(&self, actor: &mut Actor<'_>) {
        let (numbers, key) = (self.ground.numbers, self.private[actor.number()]);
        let witness = Arc::new(Witness {
            numbers,
            key,
            calls: AtomicUsize::new(0),
            seen: AtomicUsize::new(0),
        });
        let waker = Waker::from(Arc::clone(&witness));
        let mut context = Context::from_waker(&waker);
        let count = actor.below(20..80);
        let mut waits: Vec<_> = (0..count)
            .map(|_| Box::pin(numbers.waits.wait_async(key, || true)))
            .collect();
        for wait in &mut waits {
            if wait.as_mut().poll(&mut context).is_ready() {
                actor.found("one of a crowd has not queued");
            }
        }
        let woken = numbers.waits.wake_all(&key);
        let mut ready = 0;
        for mut wait in waits {
            ready += usize::from(pin!(&mut wait).poll(&mut context).is_ready());
        }
        self.relays.sent(woken, 0);
        for _ in 0..ready {
            self.relays.received(0);
        }
        actor.tally.row(Operation::Crowd).calls += 1;
        let [calls, seen] = [&witness.calls, &witness.seen].map(|it| it.load(Ordering::Relaxed));
        if (woken, ready, calls, seen) != (count, count, count, 0) {
            actor.found(&format!(
                "of a crowd of {count}, {woken} were woken, {ready} knew and {calls} were called; \
                 the Wakers saw {seen} that still waited"
            ));
        }
    }
}
