//! How long to spin before sleeping: learned from wakers, not from spinning.
//!
//! Once both sides of a hand-over sleep, each wake takes tens of microseconds, so short spins
//! always fail and a success counter learns to stop for ever. Instead the slot keeps a moving
//! average of the time between a waiter's arrival and the moment a waker chose it: the spin that
//! *would have* sufficed. A waker that runs on the CPU where its waiter began to wait teaches that
//! no spin would have: the waiter would have held the CPU that its waker needed. A failed spin
//! doubles the number of waits that skip spinning, a successful one halves it, so that
//! oversubscribed CPUs are left to those with work to do.

use crate::platform::Platform;
use crate::sync::{AtomicU16, Ordering, const_unless_loom, spin_loop};

/// Stays away from a lock that is taken, before look number `look` at it, the first being 0. Each
/// look takes the lock's line away from its owner's CPU, and that of many: so each time for longer,
/// until the owner could have come and gone several times; and where there are fewer CPUs than
/// threads, others run.
#[inline]
pub(crate) fn back_off<P: Platform>(look: u32) {
    const PAUSES_MIN: u32 = 32;
    const DOUBLINGS_MAX: u32 = 3;
    for _ in 0..PAUSES_MIN << look.min(DOUBLINGS_MAX) {
        spin_loop();
    }
    P::give_way();
}

/// Whether waits look for their wake before they sleep, and how long at most.
///
/// ```
/// use slotpark_core::{Spin, Table};
/// let table = Table::<u64>::new().with_spin(Spin::Never);
/// assert_eq!(table.spin(), Spin::Never);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spin {
    /// Sleep at once: no CPU time is spent on waiting, a wake costs a syscall and a switch.
    Never,
    /// Spin as long as waits of the slot have recently needed, if that is at most `limit_ns`
    /// (nanoseconds; what a sleep and its wake cost here is a sensible limit).
    Learned {
        /// The longest spin.
        limit_ns: u32,
    },
}

impl Spin {
    /// `Learned` with 60 microseconds: what waking an idle virtual core was measured to cost.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().spin(), slotpark_core::Spin::DEFAULT);
    /// ```
    pub const DEFAULT: Self = Self::Learned { limit_ns: 60_000 };

    pub(crate) const fn limit_ns(self) -> u32 {
        match self {
            Self::Never => 0,
            Self::Learned { limit_ns } => limit_ns,
        }
    }
}

impl Default for Spin {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The average is kept in units of this many nanoseconds: 16 bits reach 524 us.
const UNIT_NS: u64 = 8;
/// Spun beyond twice the average: covers the first waits and the jitter of fast hand-overs.
const EXTRA_NS: u64 = 500;
/// The share of a new sample in the average: one part in 8.
const AVERAGE_SHIFT: u32 = 3;
/// Skipping stops doubling at 2^6 - 1 waits. Two of a pair that run at the same time need no sleep
/// for as long as both keep their CPUs, so it pays to look for that moment often.
const LEVEL_MAX: u16 = 6;
/// Where spinning does not pay, one wait in this many looks all the same, for a quarter of the
/// limit: once waiter and waker sleep in turns, they are long in coming, and one that runs beside
/// the other again would not be noticed otherwise.
const FUTILE_SKIP: u16 = 127;
/// Set while the last waker ran on its waiter's CPU.
const TOGETHER: u16 = 1 << 15;
/// The low bits count the waits still to skip, those above the level.
const LEFT_BITS: u32 = 10;
const LEFT_MASK: u16 = (1 << LEFT_BITS) - 1;
const LEVEL_MASK: u16 = !(LEFT_MASK | TOGETHER);

/// When and where something happened, as far as the platform can tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) ticks: u64,
    pub(crate) cpu: u32,
}

impl Moment {
    /// Here and now; unknown where nobody spins.
    pub(crate) fn now<P: Platform>(spin: Spin) -> Self {
        if spin.limit_ns() == 0 {
            return Self::UNKNOWN;
        }
        Self {
            ticks: P::ticks(),
            cpu: P::cpu(),
        }
    }

    /// For those who do not spin.
    pub(crate) const UNKNOWN: Self = Self {
        ticks: 0,
        cpu: u32::MAX,
    };

    /// Whether the platform has a tick source.
    pub(crate) fn is_known(self) -> bool {
        self.ticks > 0
    }

    /// The spin that would have lasted from `arrived` until now; `None` on one CPU, where none is
    /// long enough.
    pub(crate) fn spin_ns_since(self, arrived: Self) -> Option<u64> {
        let together = self.cpu == arrived.cpu && self.cpu != u32::MAX;
        (!together).then(|| self.ticks.saturating_sub(arrived.ticks))
    }
}

/// What one slot has learned. Heuristic values: lost updates are harmless.
#[derive(Debug)]
pub(crate) struct SpinMemory {
    average: AtomicU16,
    skip: AtomicU16,
}

impl SpinMemory {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self { average: AtomicU16::new(0), skip: AtomicU16::new(0) }
        }
    }

    /// How long the next wait spins, in nanoseconds; 0 is not at all. Called under the slot lock,
    /// by a waiter that leads the queue of its key or does not.
    pub(crate) fn plan_ns(&self, limit_ns: u32, leads: bool) -> u64 {
        if limit_ns == 0 {
            return 0;
        }
        let skip = get(&self.skip);
        let budget = budget_ns(u64::from(get(&self.average)) * UNIT_NS);
        let spin_pays = skip & TOGETHER == 0 && budget <= u64::from(limit_ns);
        if !spin_pays && !leads {
            // Of a crowd one looks for all.
            return 0;
        }
        if skip & LEFT_MASK > 0 {
            set(&self.skip, skip - 1);
            return 0;
        }
        if spin_pays {
            return budget;
        }
        set(&self.skip, skip | FUTILE_SKIP);
        u64::from(limit_ns) / 4
    }

    /// A spin of `spin_ns` would have sufficed for the waiter just chosen, or none. Called under
    /// the slot lock.
    pub(crate) fn teach(&self, spin_ns: Option<u64>, limit_ns: u32) {
        let skip = get(&self.skip);
        let Some(spin_ns) = spin_ns else {
            set(&self.skip, skip | TOGETHER);
            return;
        };
        if skip & TOGETHER != 0 {
            // They have come apart: the next wait may spin, if that spin would be short. Else the
            // looks now and then go on: of a crowd some share their waker's CPU at every wake.
            let spin_pays = budget_ns(spin_ns) <= u64::from(limit_ns);
            let keep = if spin_pays { LEVEL_MASK } else { !TOGETHER };
            set(&self.skip, skip & keep);
        }
        let sample = (spin_ns.min(4 * u64::from(limit_ns)) / UNIT_NS).min(u64::from(u16::MAX));
        let old = i64::from(get(&self.average));
        let step = sample as i64 - old;
        // Rounded away from zero, so that the average reaches a steady sample.
        let part = (step.abs() + (1 << AVERAGE_SHIFT) - 1) >> AVERAGE_SHIFT;
        set(&self.average, (old + part * step.signum()) as u16);
    }

    /// A spin ended, found released or not.
    pub(crate) fn spun(&self, found: bool) {
        let skip = get(&self.skip);
        let level = (skip & LEVEL_MASK) >> LEFT_BITS;
        let (level, left) = if found {
            (level.saturating_sub(1), 0)
        } else {
            let level = (level + 1).min(LEVEL_MAX);
            (level, (skip & LEFT_MASK).max((1 << level) - 1))
        };
        set(&self.skip, (skip & TOGETHER) | (level << LEFT_BITS) | left);
    }
}

/// How long to look for a wake that takes so long on average.
const fn budget_ns(average_ns: u64) -> u64 {
    average_ns.saturating_mul(2).saturating_add(EXTRA_NS)
}

fn get(word: &AtomicU16) -> u16 {
    // ORDERING: none, relaxed: a hint that publishes nothing.
    word.load(Ordering::Relaxed)
}

fn set(word: &AtomicU16, value: u16) {
    // ORDERING: none, relaxed: a hint that publishes nothing.
    word.store(value, Ordering::Relaxed);
}

#[cfg(all(test, not(slotpark_loom)))]
mod tests {
    use super::*;

    const LIMIT_NS: u32 = 60_000;

    #[test]
    fn a_fresh_slot_spins_a_little() {
        assert_eq!(SpinMemory::new().plan_ns(LIMIT_NS, true), EXTRA_NS);
        assert_eq!(SpinMemory::new().plan_ns(0, true), 0);
    }

    /// The next plan that is not a skipped wait, and how many were skipped before it.
    fn next_spin(memory: &SpinMemory) -> (u64, u32) {
        let plans = core::iter::repeat_with(|| memory.plan_ns(LIMIT_NS, true));
        plans
            .zip(0..)
            .find(|(budget, _)| *budget > 0)
            .expect("no end")
    }

    #[test]
    fn the_average_follows_the_wakers() {
        let memory = SpinMemory::new();
        for _ in 0..100 {
            memory.teach(Some(8_000), LIMIT_NS);
        }
        assert_eq!(next_spin(&memory), (2 * 8_000 + EXTRA_NS, 0));
        for _ in 0..100 {
            memory.teach(Some(u64::MAX), LIMIT_NS);
        }
        let look = u64::from(LIMIT_NS) / 4;
        assert_eq!(
            next_spin(&memory),
            (look, 0),
            "longer than the limit: a look now and then"
        );
        assert_eq!(next_spin(&memory), (look, u32::from(FUTILE_SKIP)));
        for _ in 0..100 {
            memory.teach(Some(0), LIMIT_NS);
        }
        memory.spun(true);
        assert_eq!(next_spin(&memory).0, EXTRA_NS, "and back again");
    }

    #[test]
    fn a_waiter_that_shares_its_cpu_with_the_waker_does_not_spin() {
        let at = |ticks, cpu| Moment { ticks, cpu };
        assert_eq!(at(1_500, 0).spin_ns_since(at(1_000, 1)), Some(500));
        assert_eq!(at(1_500, 1).spin_ns_since(at(1_000, 1)), None);
        let unknown = u32::MAX;
        assert_eq!(
            at(1_500, unknown).spin_ns_since(at(1_000, unknown)),
            Some(500)
        );
        let memory = SpinMemory::new();
        memory.teach(None, LIMIT_NS);
        assert_eq!(
            next_spin(&memory),
            (u64::from(LIMIT_NS) / 4, 0),
            "a look now and then"
        );
        assert_eq!(memory.plan_ns(LIMIT_NS, true), 0);
        memory.teach(Some(0), LIMIT_NS);
        assert_eq!(next_spin(&memory), (EXTRA_NS, 0), "they have come apart");
    }

    #[test]
    fn a_crowd_looks_as_seldom_as_one() {
        let memory = SpinMemory::new();
        let mut looks = 0;
        for _ in 0..u32::from(FUTILE_SKIP) {
            for waiter in 0..8 {
                looks += u32::from(memory.plan_ns(LIMIT_NS, waiter == 0) > 0);
            }
            // Half of them share the CPU of their waker, and all have waited long.
            for waiter in 0..8 {
                let long = u64::from(LIMIT_NS);
                memory.teach((waiter % 2 == 0).then_some(long), LIMIT_NS);
            }
        }
        let fresh = 8;
        assert!(looks <= fresh + 1, "{looks} looks");
    }

    #[test]
    fn failures_double_the_skipped_waits_and_successes_halve_them() {
        let memory = SpinMemory::new();
        let skipped = |memory: &SpinMemory| next_spin(memory).1;
        for expected in [1, 3, 7, 15, 31, 63, 63] {
            memory.spun(false);
            assert_eq!(skipped(&memory), expected);
        }
        memory.spun(true);
        memory.spun(false);
        assert_eq!(skipped(&memory), 63);
        for _ in 0..20 {
            memory.spun(true);
        }
        memory.spun(false);
        assert_eq!(skipped(&memory), 1);
    }
}
