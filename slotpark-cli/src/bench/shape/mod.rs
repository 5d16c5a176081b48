//! The programs of workloads and their parameters, as data files and requests name them.
//!
//! What each does is said in `workloads/README.md`, and where it is written.

mod check;

use serde::{Deserialize, Serialize};

/// A program with its parameters: `{"shape": NAME, "parameters": {...}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "shape", content = "parameters")]
pub(crate) enum Shape {
    Calls(Calls),
    RoundTrip(RoundTrip),
    Storm(Storm),
    WakeAll(WakeAll),
    Regime(Regime),
    WaitMemory(Memory),
    Polled(Polled),
    WakeTasks(WakeTasks),
    Locks(Locks),
    LocksPolled(LocksPolled),
    LockMemory(Memory),
    Permits(Permits),
    Flight(Flight),
}

impl Shape {
    /// All names.
    pub(crate) const NAMES: [&str; 13] = [
        "calls",
        "round_trip",
        "storm",
        "wake_all",
        "regime",
        "wait_memory",
        "polled",
        "wake_tasks",
        "locks",
        "locks_polled",
        "lock_memory",
        "permits",
        "flight",
    ];

    /// Whether its operations may begin at times set beforehand.
    pub(crate) fn may_be_open(&self) -> bool {
        matches!(self, Self::RoundTrip(_) | Self::Locks(_) | Self::Permits(_))
    }

    /// Whether single operations can be recorded.
    pub(crate) fn has_latency(&self) -> bool {
        match self {
            Self::WakeAll(_)
            | Self::Regime(_)
            | Self::WaitMemory(_)
            | Self::WakeTasks(_)
            | Self::LockMemory(_) => false,
            Self::Flight(flight) => flight.threads == 1,
            _ => true,
        }
    }
}

/// How a thread comes from key to key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Draw {
    /// One after the other, again and again.
    InTurn,
    /// Each a key that nobody used before.
    Fresh,
    /// All alike.
    Uniform,
    /// Few of them most, as Zipf says.
    Zipf,
}

/// A call that neither blocks for long nor wakes anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Call {
    WakeOne,
    WakeAll,
    WaitStale,
    WaitPastDeadline,
    WaitTimeout,
}

/// Threads that make one call again and again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Calls {
    pub(crate) call: Call,
    #[serde(default = "one")]
    pub(crate) threads: usize,
    #[serde(default = "sixty_four")]
    pub(crate) keys: u64,
    #[serde(default = "in_turn")]
    pub(crate) draw: Draw,
    #[serde(default = "zipf_exponent")]
    pub(crate) exponent: f64,
    #[serde(default = "one_u64")]
    pub(crate) stride: u64,
    #[serde(default)]
    pub(crate) sleepers: usize,
    #[serde(default = "fifty")]
    pub(crate) timeout_us: u64,
}

/// Pairs of threads that wake each other in turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoundTrip {
    #[serde(default = "one")]
    pub(crate) pairs: usize,
    #[serde(default)]
    pub(crate) busy: bool,
    #[serde(default)]
    pub(crate) shared_keys: u32,
    #[serde(default = "uniform")]
    pub(crate) draw: Draw,
    #[serde(default = "zipf_exponent")]
    pub(crate) exponent: f64,
}

/// Keys, each with threads that wait on it and threads that wake them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Storm {
    pub(crate) keys: usize,
    pub(crate) waiters: usize,
    pub(crate) notifiers: usize,
}

/// Threads that sleep on one key, which one call wakes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WakeAll {
    pub(crate) waiters: usize,
}

/// A pair of threads while the machine becomes busy, and idle again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Regime {
    #[serde(default = "three_hundred")]
    pub(crate) phase_ms: u64,
}

/// Every one of many keys is used once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    pub(crate) keys: u64,
}

/// What is done with a wait that is polled by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Poll {
    /// It is polled, its key is woken, and it is polled again.
    WaitWake,
    /// It is polled, and dropped while it waits.
    Drop,
}

/// One thread that polls waits by hand, while tasks wait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Polled {
    pub(crate) call: Poll,
    #[serde(default)]
    pub(crate) others: u64,
    #[serde(default)]
    pub(crate) same_key: bool,
    #[serde(default = "sixty_four")]
    pub(crate) keys: u64,
    #[serde(default = "one_u64")]
    pub(crate) stride: u64,
}

/// Tasks that wait on one key, which one call wakes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WakeTasks {
    pub(crate) waiters: usize,
}

/// Threads that lock keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Locks {
    #[serde(default = "one")]
    pub(crate) threads: usize,
    #[serde(default = "million")]
    pub(crate) keys: u32,
    #[serde(default = "fresh")]
    pub(crate) draw: Draw,
    #[serde(default = "zipf_exponent")]
    pub(crate) exponent: f64,
    #[serde(default)]
    pub(crate) held_steps: u32,
    #[serde(default)]
    pub(crate) free_steps: u32,
}

/// One thread that locks by futures that it polls by hand; each key is fresh.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocksPolled {}

/// Threads that share permits of one semaphore.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Permits {
    pub(crate) threads: usize,
    pub(crate) permits: usize,
    #[serde(default)]
    pub(crate) held_steps: u32,
    #[serde(default)]
    pub(crate) free_steps: u32,
}

/// Threads that ask for the value of one key at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flight {
    pub(crate) threads: usize,
}

fn one() -> usize {
    1
}

fn one_u64() -> u64 {
    1
}

fn sixty_four() -> u64 {
    64
}

fn fifty() -> u64 {
    50
}

fn three_hundred() -> u64 {
    300
}

fn million() -> u32 {
    1_000_000
}

fn zipf_exponent() -> f64 {
    0.99
}

fn in_turn() -> Draw {
    Draw::InTurn
}

fn uniform() -> Draw {
    Draw::Uniform
}

fn fresh() -> Draw {
    Draw::Fresh
}
