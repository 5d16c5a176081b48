//! A platform that counts and never sleeps: for thousands of waiters of one thread.

use std::cell::Cell;
use std::io::Write;

use slotpark_core::{AtomicU32, Clock, Deadline, Event, Platform, Slept};

/// Whoever would sleep for ever ends the process; a deadline passes at once, on a clock that only
/// such sleeps move. All counts are the calling thread's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counting {}

/// What one thread has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Calls that would be syscalls: sleeps and wakes of threads and of slot locks.
    pub(crate) syscalls: usize,
    /// Slot locks taken, or pairs of them.
    pub(crate) locks: usize,
    pub(crate) parks: usize,
    pub(crate) timeouts: usize,
    pub(crate) groups: usize,
    pub(crate) nodes: usize,
    /// Readings of the tick source.
    pub(crate) ticks: usize,
    /// Looks at a lock that was taken, behind each of which others had their chance.
    pub(crate) gave_way: usize,
}

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts {
        syscalls: 0,
        locks: 0,
        parks: 0,
        timeouts: 0,
        groups: 0,
        nodes: 0,
        ticks: 0,
        gave_way: 0,
    }) };
    /// What the tick source reads, and how far each reading moves it.
    static TICKS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static NOW_NS: Cell<u64> = const { Cell::new(1_000) };
}

impl Counts {
    /// What `run` does.
    pub(crate) fn of<R>(run: impl FnOnce() -> R) -> (Self, R) {
        COUNTS.set(Self::default());
        let result = run();
        (COUNTS.get(), result)
    }
}

fn count(change: impl FnOnce(&mut Counts)) {
    let mut counts = COUNTS.get();
    change(&mut counts);
    COUNTS.set(counts);
}

/// A deadline `ns` from now on the counting platform's clock.
pub(crate) fn after(ns: u64) -> Option<Deadline> {
    Some(Deadline::new(Clock::Monotonic, NOW_NS.get() + ns))
}

/// Gives the calling thread a tick source that goes on by `step` at each reading. At first there is
/// none.
pub(crate) fn tick_by(step: u64) {
    TICKS.set((TICKS.get().0, step));
}

/// Lets `ticks` pass between two readings.
pub(crate) fn pass(ticks: u64) {
    let (now, step) = TICKS.get();
    TICKS.set((now + ticks, step));
}

// SAFETY: a sleep returns, or ends the process; wakes have nobody to wake, since nobody sleeps;
// nothing calls a table or unwinds.
unsafe impl Platform for Counting {
    const GROUP_SLEEP: bool = true;
    type Handle = ();
    type Critical = ();

    fn handle() {}

    fn critical() {
        count(|counts| counts.locks += 1);
    }

    fn sleep(_: &AtomicU32, _: u32, _: u32, deadline: Option<Deadline>) -> Slept {
        count(|counts| counts.syscalls += 1);
        let Some(deadline) = deadline else {
            lost("a wait");
        };
        NOW_NS.set(NOW_NS.get().max(deadline.at_ns()));
        Slept::TimedOut
    }

    fn wake_group(_: &AtomicU32, _: u32) {
        count(|counts| counts.syscalls += 1);
    }

    fn wake_thread(_: *const AtomicU32, (): &()) {
        count(|counts| counts.syscalls += 1);
    }

    fn lock_sleep(_: &AtomicU32, _: u32) {
        lost("a taker of a slot lock");
    }

    fn lock_wake(_: &AtomicU32) {
        count(|counts| counts.syscalls += 1);
    }

    fn now_ns(_: Clock) -> u64 {
        NOW_NS.get()
    }

    fn give_way() {
        count(|counts| counts.gave_way += 1);
    }

    fn ticks() -> u64 {
        count(|counts| counts.ticks += 1);
        let (now, step) = TICKS.get();
        TICKS.set((now + step, step));
        now + step
    }

    fn observe(event: Event, _slot: usize) {
        count(|counts| match event {
            Event::Park => counts.parks += 1,
            Event::Timeout => counts.timeouts += 1,
            Event::GroupVisited => counts.groups += 1,
            Event::NodeVisited => counts.nodes += 1,
            _ => {}
        });
    }
}

fn lost(who: &str) -> ! {
    let text = format!("counting platform: {who} would sleep for ever: its wake was lost\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
    std::process::abort();
}
