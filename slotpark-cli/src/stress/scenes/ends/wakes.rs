//! How permits are brought.

use std::sync::atomic::Ordering;

use super::Ends;
use crate::stress::actor::Actor;
use crate::stress::stage::LANES;
use crate::stress::tally::Operation;

impl Ends {
    /// Not if some are left: then nobody would wait any more.
    pub(super) fn bring_some(&self, actor: &mut Actor<'_>, number: usize) {
        let lane = actor.below(0..LANES);
        if self.sites[number].count(lane) == 0 {
            let count = actor.below(1..=2);
            self.bring(actor, (number, lane), count);
        }
    }

    /// Brings permits of one key and wakes as many waiters, by a wake that is passed on.
    pub(super) fn bring(&self, actor: &mut Actor<'_>, at: (usize, usize), count: u32) {
        let ((number, lane), waits) = (at, &self.ground.numbers.waits);
        let (site, wanted) = (&self.sites[number], count as usize);
        let key = &site.keys[lane];
        site.counts[lane].fetch_add(count, Ordering::Relaxed);
        let token = actor.token(number * LANES + lane);
        let (operation, woken, token) = match actor.below(0..4) {
            0 => (Operation::WakeFew, waits.wake(key, wanted), 0),
            1 => {
                let woken = waits.wake_bitset(key, wanted, u32::MAX, token);
                (Operation::WakeBits, woken, token)
            }
            2 if actor.one_in(4) => (Operation::WakeAll, waits.wake_all(key), 0),
            _ => {
                let woken = waits.wake_with_token(key, wanted, token);
                (Operation::WakeToken, woken, token)
            }
        };
        self.woken.sent(woken, token);
        actor.woke(operation, woken);
        if woken > wanted && operation != Operation::WakeAll {
            actor.found(&format!(
                "a wake of at most {wanted} says that it woke {woken}"
            ));
        }
    }
}
