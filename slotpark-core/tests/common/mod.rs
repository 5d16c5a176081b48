//! What the stories share: a watchdog that reports and never rescues, and threads that wait once.
#![allow(dead_code, unused_imports, reason = "each file of tests uses its part")]

pub(crate) mod bells;
pub(crate) mod counting;
pub(crate) mod faults;
pub(crate) mod flights;
pub(crate) mod queued;
pub(crate) mod spied;
pub(crate) mod watchdog;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use slotpark_core::{
    Clock, Deadline, DefaultPlatform, ParkOptions, Parked, Platform, Spin, Table, finalize,
};

pub(crate) use watchdog::{asleep, task, until, watchdog};

/// Waits for ever, or until woken.
pub(crate) const FOREVER: ParkOptions = ParkOptions::new();

/// A value for the rest of the process: a failing test can end while others still wait on it.
pub(crate) fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// A table of `count` slots whose waiters sleep at once.
pub(crate) fn sleepy<P: Platform>(count: usize) -> &'static Table<u64, P> {
    leak(Table::with_slots(count).with_spin(Spin::Never))
}

/// A point in time so near that it passes while the test looks on.
pub(crate) fn soon(timeout: Duration) -> Option<Deadline> {
    Some(Deadline::after::<DefaultPlatform>(timeout).expect("in range"))
}

/// Burns time until `deadline` is past.
pub(crate) fn outlast(deadline: Option<Deadline>) {
    let deadline = deadline.expect("a deadline to outlast");
    while !deadline.is_past::<DefaultPlatform>() {
        std::hint::spin_loop();
    }
}

/// An hour from now: far beyond the watchdog.
pub(crate) fn in_an_hour() -> Option<Deadline> {
    let hour_ns = 3_600_000_000_000;
    Some(Deadline::new(
        Clock::Monotonic,
        DefaultPlatform::now_ns(Clock::Monotonic) + hour_ns,
    ))
}

/// A thread in its one wait.
pub(crate) struct Waiting {
    thread: JoinHandle<Parked>,
    /// Names the thread to `asleep`.
    pub(crate) task: String,
}

impl Waiting {
    /// Starts the thread and returns once it is queued.
    pub(crate) fn queued<P: Platform>(
        table: &'static Table<u64, P>,
        (hash, key): (u64, u64),
        options: ParkOptions,
    ) -> Self {
        // Not `waiters`, which a short deadline could lower again unseen.
        let parks = || table.slot_stats(table.slot_index(hash)).parks;
        let others = parks();
        let waiting = Self::started(move || table.park(hash, &key, options, || true));
        until("a thread is queued", || parks() > others);
        waiting
    }

    /// Starts the thread; what it does first is its own affair.
    pub(crate) fn started(wait: impl FnOnce() -> Parked + Send + 'static) -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            sender.send(task()).expect("the test listens");
            wait()
        });
        let task = receiver.recv().expect("the thread has begun");
        Self { thread, task }
    }

    /// Queued and, where that can be seen, asleep.
    pub(crate) fn asleep<P: Platform>(
        table: &'static Table<u64, P>,
        at: (u64, u64),
        options: ParkOptions,
    ) -> Self {
        let waiting = Self::queued(table, at, options);
        until("a thread is asleep", || asleep(&waiting.task));
        waiting
    }

    pub(crate) fn has_returned(&self) -> bool {
        self.thread.is_finished()
    }

    /// What the wait returned.
    pub(crate) fn outcome(self) -> Parked {
        until("a wait returns", || self.thread.is_finished());
        self.thread.join().expect("a waiting thread does not panic")
    }

    pub(crate) fn token(self) -> u64 {
        match self.outcome() {
            Parked::Woken { token } => token,
            other => panic!("a wait that was counted as woken reports {other:?}"),
        }
    }
}

/// Waits `levels` times, each wait begun in the `before_sleep` of the one before; runs `innermost`
/// when all are queued. Whoever is not woken there never will be.
pub(crate) fn nest<P: Platform>(
    table: &Table<u64, P>,
    (hash, key): (u64, u64),
    levels: usize,
    innermost: &mut dyn FnMut(),
) -> Vec<Parked> {
    let mut outcomes = Vec::with_capacity(levels);
    nest_level(table, (hash, key), levels, innermost, &mut outcomes);
    // The innermost came home first; the oldest waiter is named first.
    outcomes.reverse();
    outcomes
}

fn nest_level<P: Platform>(
    table: &Table<u64, P>,
    (hash, key): (u64, u64),
    levels: usize,
    innermost: &mut dyn FnMut(),
    outcomes: &mut Vec<Parked>,
) {
    if levels == 0 {
        return innermost();
    }
    let deeper = || nest_level(table, (hash, key), levels - 1, innermost, &mut *outcomes);
    let parked = table
        .park_with(hash, &key, FOREVER, || Ok::<_, ()>(true), deeper, |_| {})
        .expect("this validate has no errors");
    outcomes.push(parked);
}

/// Runs on a stack that is deep enough for thousands of waits within each other.
pub(crate) fn on_a_deep_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new()
        .stack_size(512 << 20)
        .spawn(run)
        .expect("address space for a deep stack");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Two threads that begin and end each round together, as nearly at one moment as they can.
pub(crate) struct Rounds {
    turns: [AtomicU32; 2],
    is_stopped: AtomicBool,
}

impl Rounds {
    pub(crate) fn new() -> Self {
        Self {
            turns: Default::default(),
            is_stopped: AtomicBool::new(false),
        }
    }

    /// Begins the next round of `side`; false if the other side has stopped.
    pub(crate) fn begin(&self, side: usize) -> bool {
        self.meet(side, || {})
    }

    /// Ends the round of `side` once the other side has ended it too.
    pub(crate) fn end(&self, side: usize) {
        self.meet(side, || {});
    }

    /// As `end`; makes `checks` while the other side has not come.
    pub(crate) fn end_after(&self, side: usize, checks: impl FnMut()) {
        self.meet(side, checks);
    }

    fn meet(&self, side: usize, mut meanwhile: impl FnMut()) -> bool {
        let mine = self.turns[side].load(Ordering::Relaxed).wrapping_add(1);
        self.turns[side].store(mine, Ordering::Release);
        let mut looks = 0;
        while (self.turns[1 - side]
            .load(Ordering::Acquire)
            .wrapping_sub(mine) as i32)
            < 0
        {
            if self.is_stopped.load(Ordering::Relaxed) {
                return false;
            }
            meanwhile();
            looks += 1;
            // On a busy machine the other side may need this core.
            if looks % 1_000 == 0 {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
        true
    }

    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }
}

/// Cache lines that two sides write in turn. Who has written them after the other waits for them,
/// in its store buffer, and every later store of its waits behind them: that is when a load can
/// overtake a store for long enough to be seen.
pub(crate) struct Lines([Line; 24]);

#[derive(Default)]
#[repr(align(128))]
struct Line(AtomicU32);

impl Lines {
    pub(crate) fn new() -> Self {
        Self(Default::default())
    }

    #[inline(always)]
    pub(crate) fn write(&self, value: u32) {
        for line in &self.0 {
            line.0.store(value, Ordering::Relaxed);
        }
    }
}

/// True for about a second: how long a search for a rare interleaving goes on.
pub(crate) fn a_second() -> impl FnMut() -> bool {
    let begin = std::time::Instant::now();
    move || begin.elapsed() < Duration::from_secs(1)
}

/// A small generator of numbers that are the same in every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        finalize(self.0) % bound
    }
}

/// Says that a story is not told here, by name.
pub(crate) fn skip(story: &str, why: &str) {
    use std::io::Write;
    let line = format!("skipped: {story}: {why}\n");
    // Past the test harness, which shows no output of tests that pass.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
