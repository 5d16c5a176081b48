//! Threads wait for a key that others hold.
//!
//! **Lock order**: one slot lock. **Orderings**: HOLDER, and those of `park`.

use core::convert::Infallible;
use core::ptr;

use crate::inspect::{Caller, Traced, is_timed};
use crate::keyed::guard::{Holding, Unheld};
use crate::keyed::lock::KeyedLock;
use crate::keyed::options::{HoldError, HoldOptions, Preference, TryHoldError};
use crate::keyed::pool::Entry;
use crate::node::Node;
use crate::options::{Order, ParkOptions, Parked};
use crate::park::Linked;
use crate::platform::{Deadline, Platform};
use crate::slot::SlotGuard;
use crate::spin::back_off;
use crate::sync::GIVE_WAY_COUNT_MAX;

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// Holds `key` while `f` runs; waits until it may. The holder lies in this frame and borrows
    /// the key: no place in the pool, and no allocation.
    ///
    /// If `f` panics, the key is released, and the panic goes on. `f` may use this lock: also hold
    /// other keys, whatever their slots are; the same key again waits for ever, as with any mutex.
    ///
    /// # Errors
    /// [`HoldError::TimedOut`]; then `f` has not run.
    ///
    /// # Panics
    /// If the amount is more than the [`capacity`](Self::capacity), and as the type says.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock, finalize};
    /// let lock = KeyedLock::<String>::new(1);
    /// let key = "file".to_string();
    /// assert_eq!(lock.with(finalize(1), &key, HoldOptions::new(1), || 42), Ok(42));
    /// ```
    #[inline]
    #[track_caller]
    pub fn with<R>(
        &self,
        hash: u64,
        key: &K,
        options: HoldOptions,
        f: impl FnOnce() -> R,
    ) -> Result<R, HoldError> {
        /// Unlocks when `f` is done, also by a panic.
        struct Held<'f, K: Eq, P: Platform>(&'f KeyedLock<K, P>, u64, &'f Node<P>);
        impl<K: Eq, P: Platform> Drop for Held<'_, K, P> {
            #[inline]
            fn drop(&mut self) {
                self.0.unlock(self.1, self.2);
                self.2.end();
            }
        }
        self.check(options.amount);
        let traced = Traced::new();
        // SAFETY: V1: the node is made next.
        let says = unsafe { traced.say(options.label) };
        let node = self.holder(hash, ptr::from_ref(key), options.amount, says);
        if !self.take(hash, &node) {
            let (amount, deadline) = (options.amount, options.deadline);
            self.wait_framed(
                (hash, key),
                &node,
                &traced,
                amount,
                deadline,
                options.caller,
            )?;
        }
        let _held = Held(self, hash, &node);
        Ok(f())
    }

    /// As [`with`](Self::with), if the key is free now.
    ///
    /// # Errors
    /// [`TryHoldError::Busy`]; then `f` has not run.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let (lock, one) = (KeyedLock::<u64>::new(1), HoldOptions::new(1));
    /// let inner = lock.try_with(1, &7, one, || lock.try_with(1, &7, one, || "twice").is_err());
    /// assert_eq!(inner, Ok(true));
    /// ```
    #[track_caller]
    pub fn try_with<R>(
        &self,
        hash: u64,
        key: &K,
        options: HoldOptions,
        f: impl FnOnce() -> R,
    ) -> Result<R, TryHoldError> {
        let options = options.deadline(Some(Deadline::PAST));
        self.with(hash, key, options, f).map_err(TryHoldError::from)
    }

    /// Waits until the key is free, and holds it by a guard that may be moved, also to another
    /// thread.
    ///
    /// # Errors
    /// [`HoldError`]; then nothing is held.
    ///
    /// # Panics
    /// If the amount is more than the [`capacity`](Self::capacity), and as the type says.
    ///
    /// ```
    /// use slotpark_core::{Deadline, HoldError, HoldOptions, KeyedLock, finalize};
    /// let lock = KeyedLock::<u64>::new(1);
    /// let guard = lock.hold(finalize(7), 7, HoldOptions::new(1)).unwrap();
    /// let soon = HoldOptions::new(1).deadline(Some(Deadline::PAST));
    /// assert_eq!(lock.hold(finalize(7), 7, soon).unwrap_err(), HoldError::TimedOut);
    /// ```
    #[inline(always)]
    #[track_caller]
    pub fn hold(
        &self,
        hash: u64,
        key: K,
        options: HoldOptions,
    ) -> Result<Holding<'_, K, P>, HoldError> {
        self.check(options.amount);
        // What is rare happens elsewhere and brings no more than the place: so the guard is made
        // once, in registers.
        let entry = match self.near_entry(hash, key, options) {
            // SAFETY: E1: it was just filled, and is this call's.
            Ok(entry) if self.take(hash, unsafe { entry.node() }) => entry,
            Ok(entry) => self.wait_by(
                hash,
                entry,
                options.amount,
                options.deadline,
                options.caller,
            )?,
            Err(key) => {
                let rest = (options.deadline, options.label, options.caller);
                self.hold_elsewhere(hash, key, options.amount, rest)?
            }
        };
        Ok(Holding::unheld(self, hash, entry).into_held())
    }

    /// As [`hold`](Self::hold), where the nearest place is taken: the place that holds.
    #[cold]
    fn hold_elsewhere(
        &self,
        hash: u64,
        key: K,
        amount: u32,
        (deadline, label, caller): (Option<Deadline>, Option<&'static str>, Caller),
    ) -> Result<&Entry<K, P>, HoldError> {
        let options = HoldOptions {
            amount,
            deadline,
            label,
            caller,
        };
        let entry = self.entry(hash, key, options);
        let entry = entry.map_err(|_key| HoldError::PoolFull)?;
        let held = self.hold_by(Holding::unheld(self, hash, entry), options)?;
        Ok(held.into_entry())
    }

    /// Waits for the key of a place in the pool. The place is given back if it does not come, also
    /// by a panic.
    pub(super) fn hold_by<'l>(
        &'l self,
        place: Unheld<'l, K, P>,
        options: HoldOptions,
    ) -> Result<Holding<'l, K, P>, HoldError> {
        if !self.take(place.hash(), place.node()) {
            let at = (place.hash(), place.key());
            self.wait(at, place.node(), place.traced(), options)?;
        }
        Ok(place.into_held())
    }

    /// Waits for a key of the caller's, to be held by a node in its frame.
    #[cold]
    fn wait_framed(
        &self,
        at: (u64, &K),
        holder: &Node<P>,
        traced: &Traced,
        amount: u32,
        deadline: Option<Deadline>,
        caller: Caller,
    ) -> Result<(), HoldError> {
        let options = HoldOptions::new(amount).deadline(deadline).called(caller);
        self.wait(at, holder, traced, options)
    }

    /// Waits for the key of a place in the pool: the place that holds.
    #[cold]
    fn wait_by<'l>(
        &'l self,
        hash: u64,
        entry: &'l Entry<K, P>,
        amount: u32,
        deadline: Option<Deadline>,
        caller: Caller,
    ) -> Result<&'l Entry<K, P>, HoldError> {
        let options = HoldOptions::new(amount).deadline(deadline).called(caller);
        let place = Holding::unheld(self, hash, entry);
        let at = (place.hash(), place.key());
        self.wait(at, place.node(), place.traced(), options)?;
        Ok(place.into_held().into_entry())
    }

    /// As [`hold`](Self::hold), if the key is free now.
    ///
    /// # Errors
    /// [`TryHoldError`]; then nothing is held.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock, TryHoldError};
    /// let (lock, one) = (KeyedLock::<u64>::new(1), HoldOptions::new(1));
    /// let guard = lock.try_hold(1, 7, one).unwrap();
    /// assert_eq!(lock.try_hold(1, 7, one).unwrap_err(), TryHoldError::Busy);
    /// ```
    #[track_caller]
    pub fn try_hold(
        &self,
        hash: u64,
        key: K,
        options: HoldOptions,
    ) -> Result<Holding<'_, K, P>, TryHoldError> {
        let options = options.deadline(Some(Deadline::PAST));
        self.hold(hash, key, options).map_err(TryHoldError::from)
    }

    /// Waits for the key; the attempt by the holder word has failed.
    #[cold]
    fn wait(
        &self,
        (hash, key): (u64, &K),
        holder: &Node<P>,
        traced: &Traced,
        options: HoldOptions,
    ) -> Result<(), HoldError> {
        if is_timed() {
            return self.wait_recorded((hash, key), holder, traced, options);
        }
        self.wait_for((hash, key), holder, options, false)
    }

    /// As [`wait`](Self::wait), where owners are recorded.
    #[cold]
    #[inline(never)]
    fn wait_recorded(
        &self,
        at: (u64, &K),
        holder: &Node<P>,
        traced: &Traced,
        options: HoldOptions,
    ) -> Result<(), HoldError> {
        // SAFETY: V1: nobody knows the holder's node yet.
        unsafe { self.record(holder, traced, options.caller, false) };
        // SAFETY: V1: nobody knows the node yet.
        unsafe { self.ask(holder, options.deadline != Some(Deadline::PAST)) };
        // SAFETY: V1: nobody knows the node yet.
        let is_recorded = unsafe { self.is_recorded(holder) };
        self.wait_for(at, holder, options, is_recorded)?;
        // SAFETY: H3: it has just come, to this caller.
        unsafe { self.came(holder) };
        Ok(())
    }

    /// Waits for the key of a holder that says who it is, if that is recorded.
    #[inline]
    fn wait_for(
        &self,
        (hash, key): (u64, &K),
        holder: &Node<P>,
        options: HoldOptions,
        is_recorded: bool,
    ) -> Result<(), HoldError> {
        let is_barging = self.preference == Preference::Barging;
        let mut queued = false;
        loop {
            let is_past = options.deadline.is_some_and(Deadline::is_past::<P>);
            // By the word alone it would not be told that the key is given up.
            let looks = is_barging && !is_past && !is_recorded;
            if looks && self.give_way(hash, holder) || self.take_node(hash, holder, key) {
                return Ok(());
            }
            // What it was woken for, and found taken, may be enough for another.
            if is_past || options.deadline.is_some_and(Deadline::is_past::<P>) {
                if queued {
                    self.serve_key(hash, key);
                }
                return Err(HoldError::TimedOut);
            }
            if queued && self.capacity > 1 {
                self.serve_key(hash, key);
            }
            queued = true;
            let admit = |guard: &SlotGuard<'_, P>| self.admit(guard, holder, key);
            match self.sleep(hash, key, holder, options, Order::Fifo, admit) {
                // Admitted under the lock.
                Parked::Stale => return Ok(()),
                Parked::Woken { .. } if !is_barging => return Ok(()),
                Parked::Woken { .. } => {}
                Parked::TimedOut | Parked::Closed | Parked::Interrupted => {
                    // Those behind may want less.
                    self.serve_key(hash, key);
                    return Err(HoldError::TimedOut);
                }
            }
        }
    }

    /// Records who will hold by a node.
    ///
    /// # Safety
    /// V1: nobody but the caller knows the node, which may point to `traced`.
    #[inline(always)]
    pub(super) unsafe fn record(
        &self,
        holder: &Node<P>,
        traced: &Traced,
        caller: Caller,
        is_task: bool,
    ) {
        if is_timed() {
            // SAFETY: V1: the caller's contract.
            unsafe { self.record_now(holder, traced, caller, is_task) };
        }
    }

    /// # Safety
    /// As [`record`](Self::record).
    #[cold]
    #[inline(never)]
    unsafe fn record_now(&self, holder: &Node<P>, traced: &Traced, caller: Caller, is_task: bool) {
        // SAFETY: V1: the caller's contract, and that of its node.
        let said = unsafe { holder.traced().as_ref() };
        // SAFETY: V1: nobody else knows the node.
        let label = said.and_then(|said| unsafe { said.label() });
        // SAFETY: V1: the caller's contract.
        let says = unsafe { traced.record_holder(caller, label, is_task) };
        if !says.is_null() {
            // SAFETY: V1: the caller's contract.
            unsafe { holder.set_traced(says) };
        }
    }

    /// Who comes for a barging lock looks for a moment before it queues: who queues makes each
    /// unlocking a matter of the slot's lock.
    fn give_way(&self, hash: u64, holder: &Node<P>) -> bool {
        let word = &self.table.slot(hash).holder;
        for look in 0..GIVE_WAY_COUNT_MAX {
            back_off::<P>(look);
            if word.is_free() && self.take(hash, holder) {
                return true;
            }
        }
        false
    }

    /// One wait in the queue of the key for so much as the options say; `admit` runs under the slot
    /// lock, and may make it needless.
    pub(super) fn sleep(
        &self,
        hash: u64,
        key: &K,
        holder: &Node<P>,
        options: HoldOptions,
        order: Order,
        admit: impl FnOnce(&SlotGuard<'_, P>) -> bool,
    ) -> Parked {
        let validate = |guard: &SlotGuard<'_, P>| {
            self.seize(guard);
            Ok::<_, Infallible>(!admit(guard))
        };
        let sleep =
            |linked: Linked<'_, K, P>, spin_ns| linked.wait(spin_ns, options.deadline, |_| {});
        let park = ParkOptions::new()
            .tag(u64::from(options.amount))
            .order(order)
            .called(options.caller);
        let room = ptr::from_ref(holder).cast_mut().cast();
        match self.table.queue(hash, key, park, room, validate, sleep) {
            Ok(parked) => parked.unwrap_or_else(|refused| refused),
            Err(never) => match never {},
        }
    }
}
