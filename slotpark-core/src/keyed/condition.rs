//! Conditions of a key: its holder waits for one, and holds the key again when it goes on.
//!
//! Who waits for a condition stands in a queue beside that of the key: under the same key, in the
//! same slot, with a hash of its own. Who is notified is moved to the queue of the key, as if it
//! had come for it, and is released when the key is granted to it. So a notification of many wakes
//! one after the other, each when it can go on, and not a herd.
//!
//! **Invariants**
//! - H7 The hash of a condition differs from that of the key above the bits that choose a slot; it
//!   is the key's own for no condition, and another for each. So groups of one key never mix.
//! - H8 A waiter is in the queue of the condition before it gives the key up: who takes the key
//!   then and notifies finds it.
//!
//! **Lock order**: one slot lock. **Orderings**: HOLDER, and those of `park`.

use core::borrow::Borrow;
use core::convert::Infallible;
use core::fmt;
use core::ptr;

use crate::keyed::guard::Holding;
use crate::keyed::lock::KeyedLock;
use crate::keyed::options::{HoldOptions, Preference};
use crate::node::{Moved, Name, NodeRef};
use crate::options::ParkOptions;
use crate::park::Linked;
use crate::platform::{Deadline, Event, Platform};
use crate::reentry;
use crate::slot::SlotGuard;
use crate::slots::SLOTS_MAX;
use crate::sync::{AtomicU64, Ordering, const_unless_loom, next_number};

/// Which condition of its keys: each has a number of its own.
///
/// ```
/// use slotpark_core::Condition;
/// static NOT_EMPTY: Condition = Condition::new();
/// ```
#[derive(Debug)]
pub struct Condition {
    /// 0: none yet.
    number: AtomicU64,
}

/// How a wait for a condition ended. The key is held again.
///
/// ```
/// use slotpark_core::ConditionOutcome;
/// assert_eq!(ConditionOutcome::Notified.to_string(), "notified");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum ConditionOutcome {
    /// A notification counted this wait.
    Notified,
    /// The deadline passed before.
    TimedOut,
}

impl Condition {
    const_unless_loom! {
        /// A condition; it may stand in a `static`, and be used with any keyed lock.
        ///
        /// ```
        /// let condition = slotpark_core::Condition::new();
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { number: AtomicU64::new(0) }
        }
    }

    /// The hash of the condition of a key (H7).
    pub(super) fn hash(&self, hash: u64) -> u64 {
        const SHIFT: u32 = SLOTS_MAX.trailing_zeros();
        hash ^ (self.number() << SHIFT)
    }

    fn number(&self) -> u64 {
        // ORDERING: none, relaxed: the number is one value, written once.
        match self.number.load(Ordering::Relaxed) {
            0 => self.draw(),
            number => number,
        }
    }

    #[cold]
    fn draw(&self) -> u64 {
        let fresh = next_number();
        // ORDERING: none, relaxed: all contenders agree by the compare-exchange on one word.
        match self
            .number
            .compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed)
        {
            Ok(_) => fresh,
            Err(winner) => winner,
        }
    }
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// Notifies the first `count` who wait for the condition of `key` as they stand now; returns
    /// how many. Each goes on when it holds the key: at once if that is free, else in its turn.
    ///
    /// The key may be held by the caller or not. A count of 0 says that nobody was there: nothing
    /// is kept for who comes later.
    ///
    /// ```
    /// use slotpark_core::{Condition, KeyedLock};
    /// let ready = Condition::new();
    /// assert_eq!(KeyedLock::<u64>::new(1).notify(1, &7, &ready, 1), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn notify<Q>(&self, hash: u64, key: &Q, condition: &Condition, count: usize) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        let slot = self.table.slot(hash);
        if count == 0 || !slot.announced.any() {
            return 0;
        }
        let moved = if count == usize::MAX {
            Moved::Yes
        } else {
            Moved::ByCount
        };
        self.decide_and_release(slot, hash, |guard, chosen| {
            let from = condition.hash(hash);
            let Some(waiting) = self.table.find(guard, from, key) else {
                return 0;
            };
            let mut head = self.table.find(guard, hash, key);
            let mut notified = 0;
            for node in guard.ring(waiting).filter(|node| node.waits()).take(count) {
                guard.unlink(node);
                self.move_to_key(guard, node, head, hash, moved);
                head = head.filter(|head| head.is_head()).or(Some(node));
                notified += 1;
            }
            if let Some(head) = head {
                self.serve(guard, head, false, chosen);
            }
            notified
        })
    }

    /// A waiter of a condition waits for the key from now on.
    fn move_to_key<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        node: NodeRef<'g, P>,
        head: Option<NodeRef<'g, P>>,
        hash: u64,
        moved: Moved,
    ) {
        let key = node.name().key;
        node.set_name(Name { hash, key });
        node.set_moved(moved);
        guard.push(head, node);
        guard.slot.tallies.requeues.add_locked(1);
        self.table.observe_node(Event::Requeue, guard.slot, node);
    }

    /// How many threads and tasks wait for the condition of `key` now.
    ///
    /// ```
    /// use slotpark_core::{Condition, KeyedLock};
    /// let ready = Condition::new();
    /// assert_eq!(KeyedLock::<u64>::new(1).condition_waiters(1, &7, &ready), 0);
    /// ```
    #[must_use]
    pub fn condition_waiters<Q>(&self, hash: u64, key: &Q, condition: &Condition) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.table.waiters(condition.hash(hash), key)
    }
}

impl<'l, K: Eq, P: Platform> Holding<'l, K, P> {
    /// All that it holds, which is all there is.
    #[track_caller]
    pub(super) fn of_all(&self) -> u32 {
        let amount = self.amount();
        assert!(
            amount == self.lock().capacity(),
            "slotpark: who waits for a condition of a key holds all of it"
        );
        amount
    }

    /// Gives the key up and waits for a condition of it, in one step as far as others can tell;
    /// returns when the key is held again.
    ///
    /// Look at what you wait for before, and again afterwards: others may have held the key in
    /// between. The deadline is of the notification; the key is waited for as long as it takes.
    ///
    /// # Panics
    /// If others may hold the key, too: who waits holds all of it. Passes panics of `Eq` on; then
    /// the key is not held.
    ///
    /// ```
    /// use slotpark_core::{Condition, Deadline, HoldOptions, KeyedLock, ConditionOutcome};
    /// let (lock, ready) = (KeyedLock::<u64>::new(1), Condition::new());
    /// let guard = lock.hold(1, 7, HoldOptions::new(1)).unwrap();
    /// let (guard, notified) = guard.wait(&ready, Some(Deadline::PAST));
    /// assert_eq!(notified, ConditionOutcome::TimedOut);
    /// assert_eq!(lock.held(1, guard.key()), 1);
    /// ```
    #[track_caller]
    pub fn wait(
        self,
        condition: &Condition,
        deadline: Option<Deadline>,
    ) -> (Self, ConditionOutcome) {
        reentry::check();
        let (lock, hash, entry) = self.parts();
        // SAFETY: E1: this guard, or what it becomes, owns the entry until the end.
        let holder = unsafe { entry.node() };
        // SAFETY: E1: as above, it is the owner's.
        let key = unsafe { entry.key() };
        let amount = self.of_all();
        let options = ParkOptions::new().tag(u64::from(amount));
        let yes = |_: &SlotGuard<'_, P>| Ok::<_, Infallible>(true);
        let sleep = |linked: Linked<'_, K, P>, spin_ns| {
            // H8: it is queued.
            let place = self.into_unheld();
            let parked = linked.wait(spin_ns, deadline, |_| {});
            (place, parked, linked.last_moved())
        };
        let room = ptr::from_ref(holder).cast_mut().cast();
        let from = condition.hash(hash);
        let queued = lock.table.queue(from, key, options, room, yes, sleep);
        let Ok(Ok((place, parked, moved))) = queued else {
            unreachable!("such a table is never closed");
        };
        if parked.is_woken() && lock.preference != Preference::Barging {
            // SAFETY: H5: it was granted, and this guard has been told.
            unsafe { lock.came(place.node()) };
            return (place.into_held(), ConditionOutcome::Notified);
        }
        if moved != Moved::No {
            // It stood in the queue of the key, and those behind may want less.
            lock.serve_key(hash, key);
        }
        let Ok(holding) = lock.hold_by(place, HoldOptions::new(amount)) else {
            unreachable!("it waits as long as it takes");
        };
        let notified = if moved == Moved::No {
            ConditionOutcome::TimedOut
        } else {
            ConditionOutcome::Notified
        };
        (holding, notified)
    }
}

impl fmt::Display for ConditionOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Notified => "notified",
            Self::TimedOut => "not notified before the deadline",
        })
    }
}
