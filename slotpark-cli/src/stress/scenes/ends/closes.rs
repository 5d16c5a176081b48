//! Interrupts, keys that are closed once or for a while, and what asks for all keys.

use std::pin::pin;
use std::sync::atomic::Ordering;

use super::{Ends, is_ours};
use crate::stress::actor::Actor;
use crate::stress::planned::Key;
use crate::stress::stage::LANES;
use crate::stress::tally::Operation;

impl Ends {
    /// Interrupts some thread, or takes that back.
    pub(super) fn interrupt(&self, actor: &mut Actor<'_>) {
        let Some(thread) = actor.interruptible(self.index) else {
            return;
        };
        let interrupter = &self.interrupters[thread];
        if actor.one_in(8) {
            let _was_pending = interrupter.clear();
            return;
        }
        let ended = interrupter.interrupt();
        if ended {
            self.interrupted.sent(1, 0);
        } else {
            self.early_interrupts.fetch_add(1, Ordering::Relaxed);
        }
        let row = actor.tally.row(Operation::Interrupt);
        row.calls += 1;
        row.interrupted += u64::from(ended);
    }

    pub(super) fn close_key(&self, actor: &mut Actor<'_>, number: usize) {
        let key = actor.pick(&self.sites[number].keys);
        let count = self.ground.numbers.waits.close_key(key);
        self.closed.sent(count, 0);
        actor.closed(Operation::CloseKey, count);
    }

    /// Keeps a key closed while something else is done.
    pub(super) fn keep_closed(&self, actor: &mut Actor<'_>, number: usize) {
        let (site, lane) = (&self.sites[number], actor.below(0..LANES));
        let (key, waits) = (site.keys[lane], &self.ground.numbers.waits);
        site.door(lane).begin();
        {
            let mut closed = pin!(waits.closed_key(key));
            let count = closed.as_mut().close();
            self.closed.sent(count, 0);
            actor.closed(Operation::ClosedKey, count);
            for _ in 0..actor.below(0..6) {
                match actor.below(0..4) {
                    0 => self.interrupt(actor),
                    1 => self.close_key(actor, number),
                    2 => std::thread::yield_now(),
                    _ => self.bring_some(actor, number),
                }
            }
            let (again, queued) = (closed.as_mut().close(), waits.waiters(&key));
            if (again, queued) != (0, 0) {
                actor.found(&format!(
                    "a closed key has {queued} waiters, and closed again it ends {again}"
                ));
            }
        }
        site.door(lane).end();
    }

    /// Ends the waits of all keys of this scene, or of some of them, in one moment.
    pub(super) fn end_where(&self, actor: &mut Actor<'_>, number: usize) {
        let (waits, mask) = (&self.ground.numbers.waits, *actor.pick(&[0, 1, 3, 7]));
        let like = self.sites[number].keys[0].0;
        let is_chosen = |key: &Key| is_ours(key) && (key.0 ^ like) & mask == 0;
        if actor.one_in(2) {
            let count = waits.close_where(is_chosen);
            self.closed.sent(count, 0);
            actor.closed(Operation::CloseWhere, count);
        } else {
            let woken = waits.wake_where(is_chosen);
            self.woken.sent(woken, 0);
            actor.woke(Operation::WakeWhere, woken);
        }
    }
}
