//! Several keys at once.

use slotpark_core::{HoldError, Merge, TryHoldError, Wanted};

use super::program::{KEYS, Way};
use super::{World, at};
use crate::oracle;

impl World {
    pub(super) fn many(&self, keys: &[(usize, u32)], way: Way, pauses: u32) {
        let wanted: Vec<_> = keys
            .iter()
            .map(|(key, amount)| Wanted::new(self.hashes[*key], *key, *amount))
            .collect();
        let held = match way {
            Way::Thread { deadline } => {
                let hold = || self.lock.hold_many(wanted, Merge::Max, deadline.map(at));
                let held = match deadline {
                    Some(_) => hold(),
                    None => self.crew.waits(hold),
                };
                let is_late = matches!(held, Err(HoldError::TimedOut));
                assert!(deadline.is_some() || !is_late, "nobody asked for that");
                self.told(held)
            }
            Way::Try => match self.lock.try_hold_many(wanted, Merge::Max) {
                Err(TryHoldError::Busy) => {
                    oracle::saw("one of many keys was busy", 1);
                    None
                }
                Err(_) => self.told(Err(HoldError::PoolFull)),
                Ok(held) => Some(held),
            },
            Way::Task { plan } => match self.lock.hold_many_async(wanted, Merge::Max) {
                Ok(hold) => {
                    let held = self.crew.follow(Box::pin(hold), plan);
                    held.and_then(|held| self.told(held))
                }
                Err(error) => self.told(Err(error)),
            },
        };
        let Some(held) = held else {
            return;
        };
        oracle::saw("many keys were held", 1);
        let mut amounts = [0; KEYS];
        for (key, amount) in keys {
            amounts[*key] = amount.max(&amounts[*key]).to_owned();
        }
        let count = amounts.iter().filter(|amount| **amount > 0).count();
        assert_eq!(held.keys().count(), count, "each key is held once");
        let named = || amounts.into_iter().enumerate().filter(|each| each.1 > 0);
        for (key, amount) in named() {
            self.books.hold(key, amount, self.capacity, pauses);
        }
        for (key, amount) in named() {
            self.books.give_up(key, amount);
        }
        drop(held);
    }
}
