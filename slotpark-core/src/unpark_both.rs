//! Unpark on two keys in one step: what happens to a word decides whether the second is woken.
//!
//! **Lock order**: two slot locks in index order. **Orderings**: LOCK, HANDOFF, SLEEP.

use core::ptr;
use core::slice;

use crate::choose::{Chosen, Filter};
use crate::platform::Platform;
use crate::reentry;
use crate::slot::SlotGuard;
use crate::table::Table;
use crate::waiter::Verdict;
use crate::wakers::Wakers;

impl<K: Eq, P: Platform> Table<K, P> {
    /// Under both slot locks: runs `operate`, then wakes the first waiters of each key, so many as
    /// it says, those of `first` first. Returns how many in all. The keys may be one.
    ///
    /// There is no fast path: `operate` and every `validate` of both keys exclude each other.
    pub(crate) fn unpark_both<E>(
        &self,
        first: (u64, &K),
        second: (u64, &K),
        operate: impl FnOnce() -> Result<(usize, usize), E>,
    ) -> Result<usize, E> {
        reentry::check();
        // In the order of `wake`: the slots are unlocked first, also by a panic.
        let slots = (self.slot(first.0), self.slot(second.0));
        let mut first_wakers = Wakers::new(slice::from_ref(slots.0), Some(first.0));
        let mut second_wakers = Wakers::new(slice::from_ref(slots.1), Some(second.0));
        let _critical = P::critical();
        let mut first_chosen = Chosen::new(&mut first_wakers, Verdict::woken(0));
        let mut second_chosen = Chosen::new(&mut second_wakers, Verdict::woken(0));
        let in_order = ptr::from_ref(slots.0) <= ptr::from_ref(slots.1);
        let lower = if in_order { slots.0 } else { slots.1 }.lock();
        let upper =
            (!ptr::eq(slots.0, slots.1)).then(|| if in_order { slots.1 } else { slots.0 }.lock());
        let upper = upper.as_ref().unwrap_or(&lower);
        let guards = if in_order {
            (&lower, upper)
        } else {
            (upper, &lower)
        };
        let (first_count, second_count) = operate()?;
        self.choose_first(guards.0, first, first_count, &mut first_chosen);
        self.choose_first(guards.1, second, second_count, &mut second_chosen);
        Ok(first_chosen.count + second_chosen.count)
    }

    fn choose_first(
        &self,
        guard: &SlotGuard<'_, P>,
        key: (u64, &K),
        count: usize,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        if let Some(head) = self.find(guard, key.0, key.1) {
            self.choose(guard, head, count, |_| Filter::Unpark, chosen);
            chosen.collect(guard);
        }
    }
}
