//! A platform without threads: waiters are coroutines, and a sleep goes back to whoever let the
//! waiter run. Time passes when the test says so.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use slotpark_core::{AtomicU32, Clock, Deadline, Event, Platform, Slept, word};

/// Deep enough for a panic with its message.
const STACK_BYTES: usize = 256 << 10;
const TICK_NS: u64 = 100;

/// Why a waiter does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    Lingers,
    Sleeps,
}

/// What a waiter that goes on from a sleep is told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resume {
    /// If it is past its deadline and woken: that it timed out.
    pub(crate) says_timed_out: bool,
    /// Whatever else is true: that a signal's handler has run.
    pub(crate) is_signal: bool,
}

type Thread<R> = Coroutine<Resume, Pause, R, DefaultStack>;

/// The waiters that have begun and not ended.
pub(crate) struct Threads<R: 'static>(BTreeMap<u64, Thread<R>>);

/// One who sleeps.
#[derive(Debug)]
struct Sleeper {
    word: usize,
    bits: u32,
    is_woken: bool,
}

#[derive(Debug, Default)]
struct World {
    now_ns: u64,
    ticks: u64,
    /// Who runs; 0 is the test itself.
    running: u64,
    yielders: BTreeMap<u64, *const Yielder<Resume, Pause>>,
    sleepers: BTreeMap<u64, Sleeper>,
    locks: usize,
    wakes: usize,
    panicking_comparison: Option<u8>,
}

// Every test has a thread, and all its waiters share it.
thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

fn with<R>(action: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(action)
}

/// A panic that a program asks for. It prints nothing.
#[derive(Debug)]
pub(crate) struct Asked;

pub(crate) fn panic() -> ! {
    std::panic::resume_unwind(Box::new(Asked))
}

/// A key whose comparisons can panic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(pub(crate) u64);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let panics = with(|world| {
            let left = world.panicking_comparison?;
            world.panicking_comparison = left.checked_sub(1);
            Some(left == 0)
        });
        if panics == Some(true) {
            panic();
        }
        self.0 == other.0
    }
}

impl Eq for Key {}

/// A program begins.
pub(crate) fn begin() {
    with(|world| {
        *world = World {
            now_ns: 1_000,
            ..World::default()
        };
    });
}

pub(crate) fn now_ns() -> u64 {
    with(|world| world.now_ns)
}

pub(crate) fn pass(ns: u64) {
    with(|world| world.now_ns += ns);
}

/// Runs `action` in which a comparison may panic; what it returns, and whether one did.
pub(crate) fn comparing<R>(panicking: Option<u8>, action: impl FnOnce() -> R) -> (R, bool) {
    with(|world| world.panicking_comparison = panicking);
    let result = action();
    let left = with(|world| world.panicking_comparison.take());
    (result, panicking.is_some() && left.is_none())
}

/// Runs `action` in which no comparison panics.
pub(crate) fn undisturbed<R>(action: impl FnOnce() -> R) -> R {
    let panicking = with(|world| world.panicking_comparison.take());
    let result = action();
    with(|world| world.panicking_comparison = panicking);
    result
}

/// Slot locks taken, and waiters woken, since the program began.
pub(crate) fn counts() -> (usize, usize) {
    with(|world| (world.locks, world.wakes))
}

pub(crate) fn is_woken(waiter: u64) -> bool {
    with(|world| world.sleepers[&waiter].is_woken)
}

/// The running waiter stops here until it is let run again.
pub(crate) fn pause(pause: Pause) -> Resume {
    let yielder = with(|world| world.yielders[&world.running]);
    // SAFETY: the waiter that calls this is the coroutine that runs, and its yielder lives as long
    // as it does.
    unsafe { &*yielder }.suspend(pause)
}

impl<R: 'static> Threads<R> {
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins `wait` as the waiter of this number, and runs it to its first stop, or to its end.
    pub(crate) fn start(
        &mut self,
        waiter: u64,
        wait: impl FnOnce() -> R + 'static,
    ) -> CoroutineResult<Pause, R> {
        let stack = STACKS.with_borrow_mut(Vec::pop);
        let stack =
            stack.unwrap_or_else(|| DefaultStack::new(STACK_BYTES).expect("memory for a stack"));
        let thread = Coroutine::with_stack(stack, move |yielder, _| {
            with(|world| world.yielders.insert(waiter, std::ptr::from_ref(yielder)));
            wait()
        });
        self.0.insert(waiter, thread);
        self.run(waiter, Resume::default())
    }

    /// Lets a waiter run to its next stop, or to its end.
    pub(crate) fn run(&mut self, waiter: u64, resume: Resume) -> CoroutineResult<Pause, R> {
        let thread = self
            .0
            .get_mut(&waiter)
            .expect("a waiter that has not ended");
        with(|world| world.running = waiter);
        let result = thread.resume(resume);
        with(|world| world.running = 0);
        if matches!(result, CoroutineResult::Return(_)) {
            with(|world| world.yielders.remove(&waiter));
            let ended = self.0.remove(&waiter).map(Coroutine::into_stack);
            STACKS.with_borrow_mut(|stacks| stacks.extend(ended));
        }
        result
    }
}

impl<R: 'static> Drop for Threads<R> {
    /// Not empty only when a program failed: those who still wait can neither go on nor unwind.
    fn drop(&mut self) {
        for thread in std::mem::take(&mut self.0).into_values() {
            std::mem::forget(thread);
        }
    }
}

/// See the file. Waiters sleep on the word of their slot, or each on a word of its own.
#[derive(Debug)]
pub(crate) enum Virtual<const GROUP_SLEEP: bool> {}

// SAFETY: only one thread exists. A sleep compares its word before it goes back to the test, and a
// wake marks every sleeper that it must; nothing here calls a table, and only a failing test
// unwinds.
unsafe impl<const GROUP_SLEEP: bool> Platform for Virtual<GROUP_SLEEP> {
    const GROUP_SLEEP: bool = GROUP_SLEEP;
    type Handle = u64;
    type Critical = ();

    fn handle() -> u64 {
        with(|world| world.running)
    }

    fn critical() {
        with(|world| world.locks += 1);
    }

    fn sleep(word: &AtomicU32, expected: u32, bits: u32, deadline: Option<Deadline>) -> Slept {
        if word::load(word) != expected {
            return Slept::Early;
        }
        let deadline = deadline.map(Deadline::at_ns);
        if deadline.is_some_and(|deadline| deadline <= now_ns()) {
            return Slept::TimedOut;
        }
        let sleeper = Sleeper {
            word: std::ptr::from_ref(word).addr(),
            bits,
            is_woken: false,
        };
        with(|world| world.sleepers.insert(world.running, sleeper));
        let resume = pause(Pause::Sleeps);
        let is_woken = with(|world| world.sleepers.remove(&world.running))
            .is_some_and(|sleeper| sleeper.is_woken);
        let is_past = deadline.is_some_and(|deadline| deadline <= now_ns());
        if resume.is_signal {
            Slept::Interrupted
        } else if is_past && (resume.says_timed_out || !is_woken) {
            Slept::TimedOut
        } else {
            Slept::Early
        }
    }

    fn wake_group(word: &AtomicU32, bits: u32) {
        let word = std::ptr::from_ref(word).addr();
        with(|world| {
            for sleeper in world.sleepers.values_mut() {
                sleeper.is_woken |= sleeper.word == word && sleeper.bits & bits != 0;
            }
        });
    }

    fn wake_thread(word: *const AtomicU32, handle: &u64) {
        with(|world| {
            if let Some(sleeper) = world.sleepers.get_mut(handle) {
                sleeper.is_woken |= sleeper.word == word.addr();
            }
        });
    }

    fn lock_sleep(_: &AtomicU32, _: u32) {
        // The test harness shows no output of a process that aborts.
        let text = "a slot lock was taken twice: its holder would never give it back\n";
        let _ = std::io::stderr().write_all(text.as_bytes());
        std::process::abort();
    }

    fn lock_wake(_: &AtomicU32) {}

    fn now_ns(_: Clock) -> u64 {
        now_ns()
    }

    /// Each look takes a while, so that spins end.
    fn ticks() -> u64 {
        with(|world| {
            world.ticks += TICK_NS;
            world.ticks
        })
    }

    fn observe(event: Event, _slot: usize) {
        if event == Event::Wake {
            with(|world| world.wakes += 1);
        }
    }
}
