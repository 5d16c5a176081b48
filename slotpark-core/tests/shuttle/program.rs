//! Random programs: what each thread does.

use shuttle::rand::Rng;
use slotpark_core::Order;

pub(crate) const KEYS: u64 = 3;
pub(crate) const ALL: usize = usize::MAX;
/// The most keys of a wait: more than the smallest frame has room for.
const ANY_MAX: usize = 5;

/// What programs are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mix {
    Everything,
    /// Futures that change their Wakers while they are moved, woken and interrupted.
    Movers,
    /// One semaphore.
    Permits,
    /// One event counter.
    Events,
    /// One keyed lock.
    Keys,
    /// One single flight, one latch, one barrier.
    Flights,
    Latches,
    Barriers,
}

/// The slots of a table, the hash of each key, and what is done there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) mix: Mix,
    pub(crate) slots: usize,
    pub(crate) hashes: [u64; KEYS as usize],
}

/// What a wait brings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brings {
    /// Not looked at by tasks.
    pub(crate) deadline: Option<u64>,
    pub(crate) bits: u32,
    pub(crate) order: Order,
    /// It uses the interrupter of its thread. Not looked at by a task on one key.
    pub(crate) interruptible: bool,
}

/// What a future lives through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// It is queued before its first poll.
    pub(crate) enables: bool,
    /// So many polls before its end.
    pub(crate) polls: u32,
    /// Each poll brings a new Waker.
    pub(crate) renews: bool,
    /// So often it lets others run after each poll.
    pub(crate) pauses: u32,
    pub(crate) end: PlanEnd,
    /// Once finished it is polled again.
    pub(crate) again: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum PlanEnd {
    Finish,
    TimeOut,
    Drop,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Wait {
        key: u64,
        brings: Brings,
    },
    WaitAny {
        keys: Vec<u64>,
        brings: Brings,
    },
    /// Queues, perhaps wakes somebody, then waits or leaves.
    Prepare {
        key: u64,
        brings: Brings,
        wakes: Option<u64>,
        leaves: bool,
    },
    Task {
        key: u64,
        brings: Brings,
        plan: Plan,
    },
    TaskAny {
        keys: [u64; 2],
        brings: Brings,
        plan: Plan,
    },
    Wake {
        key: u64,
        count: usize,
    },
    WakeLast {
        key: u64,
    },
    /// By a filter and a policy.
    WakeFiltered {
        key: u64,
        count: usize,
        bits: u32,
    },
    WakeBits {
        key: u64,
        count: usize,
        bits: u32,
    },
    WakeWhere {
        keys: u64,
    },
    Change {
        key: u64,
    },
    Requeue {
        from: u64,
        to: u64,
        wake_max: usize,
        move_max: usize,
    },
    Count {
        key: u64,
    },
    CloseKey {
        key: u64,
    },
    CloseWhere {
        keys: u64,
    },
    /// Keeps the key closed for as long as this takes.
    KeepClosed {
        key: u64,
        then: Vec<Command>,
    },
    Interrupt {
        thread: usize,
    },
    Clear {
        thread: usize,
    },
}

impl Command {
    /// A command of one of so many threads.
    pub(crate) fn random(rng: &mut impl Rng, threads: usize, mix: Mix) -> Self {
        if mix == Mix::Movers {
            return Self::random_mover(rng, threads);
        }
        match rng.gen_range(0..10) {
            0..=4 => Self::random_wait(rng),
            5..=7 => Self::random_wake(rng),
            _ => Self::random_end(rng, threads),
        }
    }

    /// Futures wait in the first slot, and are moved to the second and back.
    fn random_mover(rng: &mut impl Rng, threads: usize) -> Self {
        const FIRST: [u64; 2] = [0, 2];
        const SECOND: u64 = 1;
        let mut first = || FIRST[rng.gen_range(0..FIRST.len())];
        let keys = [first(), first()];
        match rng.gen_range(0..10) {
            0..=3 => Self::TaskAny {
                keys,
                brings: Brings::random(rng),
                plan: Plan {
                    polls: rng.gen_range(2..6),
                    renews: true,
                    ..Plan::random(rng)
                },
            },
            moves @ 4..=6 => {
                let is_back = moves == 4;
                Self::Requeue {
                    from: if is_back { SECOND } else { keys[0] },
                    to: if is_back { keys[0] } else { SECOND },
                    wake_max: 0,
                    move_max: random_count(rng),
                }
            }
            7..=8 => Self::Wake {
                key: [keys[0], SECOND, SECOND][rng.gen_range(0..3)],
                count: 1,
            },
            _ => Self::Interrupt {
                thread: rng.gen_range(0..threads),
            },
        }
    }

    fn random_wait(rng: &mut impl Rng) -> Self {
        let key = random_key(rng);
        let brings = Brings::random(rng);
        let plan = Plan::random(rng);
        match rng.gen_range(0..10) {
            0..=2 => Self::Wait { key, brings },
            3..=4 => {
                let most = if rng.gen_bool(0.1) { ANY_MAX } else { 3 };
                let count = rng.gen_range(1..=most);
                let keys = (0..count).map(|_| random_key(rng)).collect();
                Self::WaitAny { keys, brings }
            }
            5 => Self::Prepare {
                key,
                brings,
                wakes: rng.gen_bool(0.3).then(|| random_key(rng)),
                leaves: rng.gen_bool(0.5),
            },
            6..=7 => Self::Task { key, brings, plan },
            _ => Self::TaskAny {
                keys: [key, random_key(rng)],
                brings,
                plan,
            },
        }
    }

    fn random_wake(rng: &mut impl Rng) -> Self {
        let key = random_key(rng);
        let bits = rng.gen_range(1..4);
        let count = random_count(rng);
        match rng.gen_range(0..14) {
            0..=3 => Self::Wake { key, count },
            4..=5 => Self::WakeFiltered { key, count, bits },
            6..=7 => Self::WakeBits { key, count, bits },
            8 => Self::Change { key },
            9..=10 => Self::Requeue {
                from: key,
                to: random_key(rng),
                wake_max: rng.gen_range(0..2),
                move_max: random_count(rng),
            },
            11 => Self::Count { key },
            _ => Self::WakeLast { key },
        }
    }

    fn random_end(rng: &mut impl Rng, threads: usize) -> Self {
        let key = random_key(rng);
        let keys = rng.gen_range(1..1 << KEYS);
        let thread = rng.gen_range(0..threads);
        match rng.gen_range(0..12) {
            0..=1 => Self::CloseKey { key },
            2..=4 => {
                let length = rng.gen_range(0..3);
                let then = (0..length).map(|_| match rng.gen_bool(0.5) {
                    true => Self::random_wait(rng),
                    false => Self::random_wake(rng),
                });
                Self::KeepClosed {
                    key,
                    then: then.collect(),
                }
            }
            5 => Self::CloseWhere { keys },
            6 => Self::WakeWhere { keys },
            7 => Self::Clear { thread },
            _ => Self::Interrupt { thread },
        }
    }
}

/// The first ones more often: there are queues then.
fn random_key(rng: &mut impl Rng) -> u64 {
    rng.gen_range(0..KEYS).min(rng.gen_range(0..KEYS))
}

fn random_count(rng: &mut impl Rng) -> usize {
    [1, 1, 1, 2, ALL][rng.gen_range(0..5)]
}

impl Brings {
    fn random(rng: &mut impl Rng) -> Self {
        let order = match rng.gen_range(0..8) {
            0 => Order::Lifo,
            1 => Order::Priority(1),
            2 => Order::Priority(2),
            _ => Order::Fifo,
        };
        Self {
            deadline: rng.gen_bool(0.4).then(|| rng.gen_range(0..6)),
            bits: rng.gen_range(1..4),
            order,
            interruptible: rng.gen_bool(0.4),
        }
    }
}

impl Plan {
    fn random(rng: &mut impl Rng) -> Self {
        let end = match rng.gen_range(0..5) {
            0..=1 => PlanEnd::Finish,
            2 => PlanEnd::TimeOut,
            _ => PlanEnd::Drop,
        };
        Self {
            enables: rng.gen_bool(0.3),
            polls: rng.gen_range(0..6),
            renews: rng.gen_bool(0.5),
            pauses: rng.gen_range(0..8),
            end,
            again: rng.gen_bool(0.3),
        }
    }
}
