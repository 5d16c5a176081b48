//! What threads do with keys: random commands.

use shuttle::rand::Rng;

use crate::crew::Plan;

pub(super) const KEYS: usize = 3;
/// The most keys that are held at once.
pub(super) const MANY_MAX: usize = 3;

#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    /// In the frame of a closure.
    With {
        key: usize,
        amount: u32,
        deadline: Option<u64>,
        pauses: u32,
    },
    Try {
        key: usize,
        amount: u32,
        pauses: u32,
    },
    Hold {
        key: usize,
        amount: u32,
        deadline: Option<u64>,
        holds: Holds,
    },
    Task {
        key: usize,
        amount: u32,
        plan: Plan,
        holds: Holds,
    },
    /// Some keys at once, perhaps one of them twice.
    Many {
        keys: [(usize, u32); MANY_MAX],
        count: usize,
        way: Way,
        pauses: u32,
    },
    Wait {
        key: usize,
        condition: Which,
        deadline: Option<u64>,
    },
    WaitTask {
        key: usize,
        condition: Which,
        plan: Plan,
    },
    Notify {
        key: usize,
        condition: Which,
        /// The notifier holds the key.
        holds: bool,
    },
}

/// How many keys are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    Thread { deadline: Option<u64> },
    Try,
    Task { plan: Plan },
}

/// Which of the conditions, and whom its notifications are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// For so many; who is counted and goes away passes it on.
    Counted { count: usize },
    /// For all who are there.
    All,
}

/// What is done with a key that is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holds {
    pub(super) pauses: u32,
    pub(super) then: Then,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Then {
    Nothing,
    Shrink,
    TryGrow { more: u32 },
    Grow { more: u32, deadline: Option<u64> },
    GrowTask { more: u32, plan: Plan },
}

/// What a program does more often than anything else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Focus {
    Nothing,
    Conditions,
    /// Holding more and less.
    Amounts,
}

impl Focus {
    pub(super) fn random(rng: &mut impl Rng) -> Self {
        match rng.gen_range(0..4) {
            0 | 1 => Self::Nothing,
            2 => Self::Conditions,
            _ => Self::Amounts,
        }
    }
}

impl Command {
    pub(super) fn random(rng: &mut impl Rng, capacity: u32, focus: Focus, thread: usize) -> Self {
        let (key, amount) = (random_key(rng), random_amount(rng, capacity));
        let pauses = rng.gen_range(0..4);
        let among = match focus {
            Focus::Conditions => return Self::random_relay(rng, capacity, thread),
            Focus::Amounts if rng.gen_bool(0.7) => 4..10,
            _ => 0..20,
        };
        match rng.gen_range(among) {
            0..=2 => Self::With {
                key,
                amount,
                deadline: random_deadline(rng),
                pauses,
            },
            3 => Self::Try {
                key,
                amount,
                pauses,
            },
            4..=6 => Self::Hold {
                key,
                amount,
                deadline: random_deadline(rng),
                holds: Holds::random(rng, capacity),
            },
            7..=9 => Self::Task {
                key,
                amount,
                plan: Plan::random(rng),
                holds: Holds::random(rng, capacity),
            },
            10..=12 => Self::Many {
                keys: [(); MANY_MAX].map(|()| (random_key(rng), random_amount(rng, capacity))),
                count: rng.gen_range(2..=MANY_MAX),
                way: Way::random(rng),
                pauses,
            },
            13 | 14 => Self::Wait {
                key,
                condition: Which::random(rng),
                deadline: random_deadline(rng),
            },
            15 | 16 => Self::WaitTask {
                key,
                condition: Which::random(rng),
                plan: Plan::random(rng),
            },
            _ => Self::Notify {
                key,
                condition: Which::random(rng),
                holds: rng.gen_bool(0.5),
            },
        }
    }
}

impl Command {
    /// Two threads wait for one condition, as tasks that may go away; the others notify one of
    /// them, and take the key.
    fn random_relay(rng: &mut impl Rng, capacity: u32, thread: usize) -> Self {
        let (key, condition) = (0, Which::Counted { count: 1 });
        if thread < 2 {
            let plan = Plan::random(rng);
            return Self::WaitTask {
                key,
                condition,
                plan,
            };
        }
        let (holds, pauses) = (rng.gen_bool(0.2), rng.gen_range(0..6));
        match rng.gen_range(0..2) {
            0 => Self::Notify {
                key,
                condition,
                holds,
            },
            _ => Self::With {
                key,
                amount: random_amount(rng, capacity),
                deadline: None,
                pauses,
            },
        }
    }
}

impl Way {
    fn random(rng: &mut impl Rng) -> Self {
        match rng.gen_range(0..5) {
            0 | 1 => Self::Thread {
                deadline: random_deadline(rng),
            },
            2 => Self::Try,
            _ => Self::Task {
                plan: Plan::random(rng),
            },
        }
    }
}

impl Which {
    fn random(rng: &mut impl Rng) -> Self {
        match rng.gen_range(0..4) {
            0 => Self::All,
            _ => Self::Counted {
                count: rng.gen_range(1..3),
            },
        }
    }
}

impl Holds {
    fn random(rng: &mut impl Rng, capacity: u32) -> Self {
        let more = rng.gen_range(0..=capacity);
        let then = match rng.gen_range(0..8) {
            0 => Then::Shrink,
            1 => Then::TryGrow { more },
            2 | 3 => Then::Grow {
                more,
                deadline: random_deadline(rng),
            },
            4 | 5 => Then::GrowTask {
                more,
                plan: Plan::random(rng),
            },
            _ => Then::Nothing,
        };
        Self {
            pauses: rng.gen_range(0..4),
            then,
        }
    }
}

/// Rather the first.
fn random_key(rng: &mut impl Rng) -> usize {
    (0..3).map(|_| rng.gen_range(0..KEYS)).min().unwrap_or(0)
}

/// Rather all of it, or 1.
fn random_amount(rng: &mut impl Rng, capacity: u32) -> u32 {
    match rng.gen_range(0..5) {
        0 | 1 => 1,
        2 | 3 => capacity,
        _ => rng.gen_range(1..=capacity),
    }
}

fn random_deadline(rng: &mut impl Rng) -> Option<u64> {
    rng.gen_bool(0.4).then(|| rng.gen_range(0..6))
}
