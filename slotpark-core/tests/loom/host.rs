//! Platforms over the model checker's kernel that differ in where a waiter sleeps.

use std::cell::Cell;

use slotpark_core::{AtomicU32, Clock, Deadline, Model, Platform, Slept};

/// Each sleeper of a slot has a bit of its own.
#[derive(Debug)]
pub(crate) enum OwnBit {}

/// All sleepers of a slot have the same bit, as two have beyond 32.
#[derive(Debug)]
pub(crate) enum SharedBit {}

/// Everybody sleeps on a word of their own, as beyond 64 and on platforms without group sleep.
#[derive(Debug)]
pub(crate) enum Alone {}

/// A clock that passes the spin's first limit at each look: a waiter spins once, then sleeps.
#[derive(Debug)]
pub(crate) enum Spinning {}

/// What a platform of these tests chooses.
pub(crate) trait Choice: Sized + 'static {
    const GROUP_SLEEP: bool = true;
    const BITS: Option<u32> = None;
    const TICK: u64 = 0;
}

impl Choice for OwnBit {}
impl Choice for SharedBit {
    const BITS: Option<u32> = Some(1);
}
impl Choice for Alone {
    const GROUP_SLEEP: bool = false;
}
impl Choice for Spinning {
    const TICK: u64 = 1_000;
}

/// A platform that behaves as `C` says. A deadline of the wall clock stands for a signal: when it
/// is past, a handler has run.
#[derive(Debug)]
pub(crate) struct Host<C>(std::marker::PhantomData<fn() -> C>);

// All threads of a model run on one thread of the system, and no two models share one.
std::thread_local! {
    static CRITICAL_COUNT: Cell<usize> = const { Cell::new(0) };
    static NOW: Cell<u64> = const { Cell::new(0) };
}

/// How often `action` went for a slot lock because somebody seemed to be there. For moments at
/// which no other thread of the model runs.
pub(crate) fn critical_count(action: impl FnOnce()) -> usize {
    let before = CRITICAL_COUNT.get();
    action();
    CRITICAL_COUNT.get() - before
}

/// Makes every run of a model begin alike: at time 0, with a kernel that has been used, so that
/// its first use orders nothing.
pub(crate) fn begin() {
    NOW.set(0);
    Model::wake_group(&AtomicU32::new(0), 0);
}

// SAFETY: sleep and wake are the model's; with `BITS` they wake more sleepers than they must.
unsafe impl<C: Choice> Platform for Host<C> {
    const GROUP_SLEEP: bool = C::GROUP_SLEEP;
    type Handle = ();
    type Critical = ();

    fn handle() {}

    fn critical() {
        CRITICAL_COUNT.set(CRITICAL_COUNT.get() + 1);
    }

    fn sleep(word: &AtomicU32, expected: u32, bits: u32, deadline: Option<Deadline>) -> Slept {
        let slept = Model::sleep(word, expected, C::BITS.unwrap_or(bits), deadline);
        let is_signal = deadline.is_some_and(|deadline| deadline.clock() == Clock::Realtime);
        match slept {
            Slept::TimedOut if is_signal => Slept::Interrupted,
            slept => slept,
        }
    }

    fn wake_group(word: &AtomicU32, bits: u32) {
        Model::wake_group(word, C::BITS.unwrap_or(bits));
    }

    fn wake_thread(word: *const AtomicU32, handle: &()) {
        Model::wake_thread(word, handle);
    }

    fn lock_sleep(word: &AtomicU32, expected: u32) {
        Model::lock_sleep(word, expected);
    }

    fn lock_wake(word: &AtomicU32) {
        Model::lock_wake(word);
    }

    fn now_ns(clock: Clock) -> u64 {
        Model::now_ns(clock)
    }

    fn ticks() -> u64 {
        NOW.set(NOW.get() + C::TICK);
        NOW.get()
    }
}
