//! What the programs share: one table, one word, and waits whose frames end at once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::yield_now;

use slotpark_core::{Clock, Deadline, ParkOptions, Parked, Platform};
use slotpark_core::{RequeueOptions, Requeued, Spin, Table};

/// In a table of four slots: a key, another one in its slot, and one elsewhere.
pub(crate) const AT: (u64, u64) = (5, 1);
pub(crate) const NEIGHBOUR: (u64, u64) = (9, 2);
pub(crate) const ELSEWHERE: (u64, u64) = (6, 3);
pub(crate) const ALL: usize = usize::MAX;

/// How a wait ends that was woken with this token.
pub(crate) const fn woken(token: u64) -> Parked {
    Parked::Woken { token }
}

/// One run of a program.
pub(crate) struct Scene<P: Platform> {
    pub(crate) table: Table<u64, P>,
    /// Waits are stale once it is not 0.
    word: AtomicU32,
}

impl<P: Platform> Scene<P> {
    pub(crate) fn new(spin: Spin) -> Self {
        Self {
            table: Table::with_slots(4).with_spin(spin),
            word: AtomicU32::new(0),
        }
    }

    /// Waits at a key while the word is 0. The key lies in this frame, as the node does.
    #[inline(never)]
    pub(crate) fn wait(&self, (hash, key): (u64, u64), options: ParkOptions) -> Parked {
        // Relaxed: the engine's fences are all that stands between the word and a lost wake.
        let is_zero = || self.word.load(Ordering::Relaxed) == 0;
        self.table.park(hash, &key, options, is_zero)
    }

    /// Waits without a deadline.
    pub(crate) fn wait_at(&self, at: (u64, u64)) -> Parked {
        self.wait(at, ParkOptions::new())
    }

    /// Waits with a deadline that passes when the waiter would sleep.
    pub(crate) fn wait_shortly(&self, at: (u64, u64)) -> Parked {
        self.wait(at, ParkOptions::new().deadline(self.in_an_hour()))
    }

    /// The deadline of `wait_shortly`: the platform is in a hurry.
    pub(crate) fn in_an_hour(&self) -> Option<Deadline> {
        let now_ns = P::now_ns(Clock::Monotonic);
        Some(Deadline::new(Clock::Monotonic, now_ns + 3_600_000_000_000))
    }

    /// Makes the waits to come stale.
    pub(crate) fn set(&self) {
        self.word.store(1, Ordering::Relaxed);
    }

    pub(crate) fn wake(&self, (hash, key): (u64, u64), count: usize, token: u64) -> usize {
        self.table.unpark(hash, &key, count, token)
    }

    /// Wakes one waiter of the key, as soon as there is one.
    pub(crate) fn wake_next(&self, at: (u64, u64), token: u64) {
        while self.wake(at, 1, token) == 0 {
            yield_now();
        }
    }

    /// Looks until the key has this many waiters.
    pub(crate) fn until_queued(&self, at: (u64, u64), count: usize) {
        while self.waiters(at) < count {
            yield_now();
        }
    }

    pub(crate) fn waiters(&self, (hash, key): (u64, u64)) -> usize {
        self.table.waiters(hash, &key)
    }

    /// Moves all waiters of one key to another.
    pub(crate) fn requeue(&self, from: (u64, u64), to: (u64, u64)) -> usize {
        let options = RequeueOptions {
            move_max: ALL,
            ..RequeueOptions::default()
        };
        let yes = || Ok::<_, ()>(true);
        let result = self
            .table
            .requeue((from.0, &from.1), (to.0, &to.1), options, yes);
        let Ok(Some(Requeued { woken: 0, moved })) = result else {
            panic!("a requeue that wakes nobody and validates says {result:?}");
        };
        moved
    }

    /// Nobody waits anywhere, and every wait has ended in one way: by a wake or by its deadline.
    pub(crate) fn assert_empty(&self) {
        for at in [AT, NEIGHBOUR, ELSEWHERE] {
            assert_eq!(self.waiters(at), 0);
            assert_eq!(self.wake(at, ALL, 0), 0);
        }
        let stats = [0, 1, 2, 3].map(|index| self.table.slot_stats(index));
        let parks: u32 = stats.iter().map(|stats| stats.parks).sum();
        let ends = stats
            .iter()
            .map(|stats| stats.wakes + stats.timeouts + stats.cancels);
        let ends: u32 = ends.sum();
        assert_eq!(parks, ends);
    }
}
