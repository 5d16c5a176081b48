//! What is held becomes more, or less.

use std::sync::atomic::Ordering;

use super::program::{Holds, Then};
use super::{Guard, World, at};
use crate::oracle;

impl World {
    /// Holds the key for a while, perhaps more or less of it, and gives it back.
    pub(super) fn holds(&self, mut guard: Guard<'_>, holds: Holds) {
        let (key, held) = (*guard.key(), guard.amount());
        self.books.hold(key, held, self.capacity, holds.pauses);
        let mut more = 0;
        match holds.then {
            Then::Nothing => {}
            Then::Shrink => {
                self.books.give_up(key, held - 1);
                guard.shrink(1);
                oracle::saw("a holder shrank", 1);
                self.books.hold(key, 0, self.capacity, holds.pauses);
                self.books.give_up(key, 1);
                return;
            }
            Then::TryGrow { more: wanted } => {
                more = wanted.min(self.capacity - held);
                if !guard.try_grow(more) {
                    more = 0;
                }
            }
            Then::Grow { .. } | Then::GrowTask { .. } => {
                // Two of them would wait for each other.
                if !self.growing[key].swap(true, Ordering::Relaxed) {
                    more = self.grow(&mut guard, held, holds.then);
                    self.growing[key].store(false, Ordering::Relaxed);
                }
            }
        }
        assert_eq!(guard.amount(), held + more);
        self.books.hold(key, more, self.capacity, holds.pauses);
        self.books.give_up(key, held + more);
    }

    /// How much it has grown.
    fn grow(&self, guard: &mut Guard<'_>, held: u32, then: Then) -> u32 {
        let fit = |more: u32| more.min(self.capacity - held);
        let (more, has_grown) = match then {
            Then::Grow { more, deadline } => {
                let mut grow = || guard.grow(fit(more), deadline.map(at)).is_ok();
                let has_grown = match deadline {
                    Some(_) => grow(),
                    None => self.crew.waits(grow),
                };
                assert!(has_grown || deadline.is_some(), "nobody asked for that");
                (fit(more), has_grown)
            }
            Then::GrowTask { more, plan } => {
                let grow = Box::pin(guard.grow_async(fit(more)));
                let has_grown = self.crew.follow(grow, plan).is_some();
                (fit(more), has_grown)
            }
            _ => (0, false),
        };
        oracle::saw("a holder grew", usize::from(has_grown));
        if has_grown { more } else { 0 }
    }
}
