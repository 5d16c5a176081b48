//! How permits of a pool are brought, and its waiters moved.

use std::sync::atomic::Ordering;

use super::Tasks;
use crate::stress::actor::Actor;
use crate::stress::planned::Key;
use crate::stress::stage::Place;
use crate::stress::tally::Operation;

impl Tasks {
    /// Not if some are left: then nobody would wait any more.
    pub(super) fn bring_some(&self, actor: &mut Actor<'_>, at: Place) {
        let lane = at.lanes.trailing_zeros() as usize;
        if self.pools[at.key].count(lane) == 0 {
            let count = actor.below(1..=2);
            self.bring(actor, at, count);
        }
    }

    /// Brings `count` permits and wakes as many waiters, at both keys if there are two.
    pub(super) fn bring(&self, actor: &mut Actor<'_>, at: Place, count: u32) {
        let (pool, lane) = (&self.pools[at.key], at.lanes.trailing_zeros() as usize);
        pool.counts[lane].fetch_add(count, Ordering::Relaxed);
        for key in pool.keys() {
            self.wake(actor, at.key, (key, lane), count as usize);
        }
    }

    /// Only wakes of a number, or of everybody: those with a filter are not passed on.
    fn wake(&self, actor: &mut Actor<'_>, number: usize, at: (Key, usize), count: usize) {
        let (pool, waits) = (&self.pools[number], &self.ground.numbers.waits);
        let ((key, lane), token) = (at, actor.token(number));
        let api = if pool.lanes == 1 {
            actor.below(0..5)
        } else {
            4
        };
        let (operation, woken, token) = match api {
            0 if count == 1 && actor.one_in(2) => (Operation::WakeLast, waits.wake_last(&key), 0),
            0 if count == 1 => (Operation::WakeFew, waits.wake_one(&key), 0),
            0 | 1 => (Operation::WakeFew, waits.wake(&key, count), 0),
            2 if actor.one_in(4) => (Operation::WakeAll, waits.wake_all(&key), 0),
            2 | 3 => {
                let woken = waits.wake_with_token(&key, count, token);
                (Operation::WakeToken, woken, token)
            }
            _ => {
                let woken = waits.wake_bitset(&key, count, pool.bits(lane), token);
                (Operation::WakeBits, woken, token)
            }
        };
        pool.ledger.sent(woken, token);
        actor.woke(operation, woken);
        if woken > count && operation != Operation::WakeAll {
            actor.found(&format!(
                "a wake of at most {count} says that it woke {woken}"
            ));
        }
    }

    /// Moves waiters to the second key, if there is one. Who is woken finds a permit or waits anew.
    pub(super) fn requeue(&self, actor: &mut Actor<'_>, number: usize) {
        let pool = &self.pools[number];
        let Some(back) = pool.back else {
            return;
        };
        let move_max = *actor.pick(&[1, 2, usize::MAX]);
        let (waits, wake_max) = (&self.ground.numbers.waits, actor.below(0..=1));
        let requeued = waits.requeue(&pool.key, &back, wake_max, move_max, || true);
        let row = actor.tally.row(Operation::Requeue);
        row.calls += 1;
        if let Some(requeued) = requeued {
            row.woken += requeued.woken as u64;
            row.moved += requeued.moved as u64;
            pool.ledger.sent(requeued.woken, 0);
        }
    }
}
