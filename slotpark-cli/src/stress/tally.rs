//! What was done, by kind of operation, and how it ended.

use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

/// Declares the kinds of operations, each with its name in the summary.
macro_rules! operations {
    ($($kind:ident = $name:literal),* $(,)?) => {
        /// The kinds of operations.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Operation { $($kind),* }

        const NAMES: &[&str] = &[$($name),*];
    };
}

operations! {
    Wait = "wait",
    WaitTimed = "wait_for, wait_until",
    WaitBits = "wait_with",
    WaitWhile = "wait_while",
    Park = "park",
    ParkWith = "park_with",
    Prepare = "prepare",
    WaitAsync = "wait_async",
    WaitInterruptible = "wait_interruptible",
    WaitAny = "wait_any",
    WaitAnyAsync = "wait_any_async",
    FutexWord = "futex wait by word",
    FutexKey = "futex wait by key",
    WakeFew = "wake_one, wake",
    WakeLast = "wake_last",
    WakeAll = "wake_all",
    WakeToken = "wake_with_token",
    WakeBits = "wake_bitset",
    UnparkFilter = "unpark_filter",
    UnparkWith = "unpark_with",
    WakeWhere = "wake_where",
    FutexWake = "futex wake",
    Requeue = "requeue",
    FutexRequeue = "futex requeue",
    CloseKey = "close_key",
    CloseWhere = "close_where",
    ClosedKey = "closed_key",
    Interrupt = "interrupt",
    Receive = "receive, receive_with",
    Subscribe = "subscribe",
    ReceiveAsync = "receive_async",
    Deliver = "deliver",
    Acquire = "acquire",
    AcquireAsync = "acquire_async",
    TryAcquire = "try_acquire",
    Release = "release",
    WaitForEvents = "wait_for_at_least",
    WaitForEventsAsync = "wait_for_at_least_async",
    Advance = "advance",
    HoldWith = "with a key held",
    Hold = "hold",
    HoldAsync = "hold_async",
    HoldMany = "hold_many",
    HoldManyAsync = "hold_many_async",
    Grow = "grow",
    GrowAsync = "grow_async",
    WaitCondition = "wait for a condition",
    WaitConditionAsync = "wait_async for a condition",
    Notify = "notify",
    Fly = "fly",
    FlyAsync = "fly_async",
    Arm = "arm, drop of an armed latch",
    CountDown = "count_down",
    WaitLatch = "wait at a latch",
    WaitLatchAsync = "wait_async at a latch",
    WaitBarrier = "wait at a barrier",
    WaitBarrierAsync = "wait_async at a barrier",
    Crowd = "crowd",
    Duel = "duel",
    RelayOfWake = "relay of a wake",
    RelayOfValue = "relay of a value",
    RelayOfPermits = "relay of permits",
    RelayOfKey = "relay of a key",
    RelayOfPhase = "relay of a phase",
    RelayOfLead = "relay of a lead",
    RelayOfNotification = "relay of a notification",
    MailboxClose = "close_key of a mailbox",
    Audit = "audit of a wake",
    Look = "look at a slot",
    Told = "told of a wait or a hold",
}

/// How often, and how it ended. A wake's `woken` is the sum of its counts, the
/// `closed` of what closes that of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) calls: u64,
    pub(super) woken: u64,
    pub(super) moved: u64,
    pub(super) stale: u64,
    pub(super) timed_out: u64,
    pub(super) closed: u64,
    pub(super) interrupted: u64,
    pub(super) given_up: u64,
    pub(super) panicked: u64,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.woken += other.woken;
        self.moved += other.moved;
        self.stale += other.stale;
        self.timed_out += other.timed_out;
        self.closed += other.closed;
        self.interrupted += other.interrupted;
        self.given_up += other.given_up;
        self.panicked += other.panicked;
    }
}

/// A row for each kind.
#[derive(Clone, Debug)]
pub(super) struct Tally([Row; NAMES.len()]);

impl Tally {
    pub(super) fn new() -> Self {
        Self([Row::default(); NAMES.len()])
    }

    pub(super) fn row(&mut self, operation: Operation) -> &mut Row {
        &mut self.0[operation as usize]
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (mine, others) in self.0.iter_mut().zip(&other.0) {
            mine.add(others);
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.0.iter().map(|row| row.calls).sum()
    }

    /// The summary's table.
    pub(super) fn table(&self, elapsed: Duration) -> String {
        let mut table = Table::new();
        table.load_preset(NOTHING).set_header([
            "operation",
            "calls",
            "per second",
            "woken",
            "moved",
            "stale",
            "timed out",
            "closed",
            "interrupted",
            "given up",
            "panicked",
        ]);
        let mut total = Row::default();
        for row in &self.0 {
            total.add(row);
        }
        let named = NAMES.iter().copied().zip(&self.0);
        for (name, row) in named.chain([("all", &total)]) {
            let per_second = row.calls as f64 / elapsed.as_secs_f64();
            table.add_row([
                name.to_owned(),
                row.calls.to_string(),
                format!("{per_second:.0}"),
                row.woken.to_string(),
                row.moved.to_string(),
                row.stale.to_string(),
                row.timed_out.to_string(),
                row.closed.to_string(),
                row.interrupted.to_string(),
                row.given_up.to_string(),
                row.panicked.to_string(),
            ]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.trim_fmt()
    }
}
