//! The default platform, watched: a test sees where another thread sleeps and stops a waker.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{self, AtomicUsize, Ordering};

use slotpark_core::{AtomicU32, Clock, Deadline, DefaultPlatform, Platform, Slept};

/// What the threads that report to it do.
#[derive(Debug, Default)]
pub(crate) struct Spy {
    sleeps: AtomicUsize,
    endless_sleeps: AtomicUsize,
    lock_sleeps: AtomicUsize,
    locks: AtomicUsize,
    bits: atomic::AtomicU32,
}

thread_local! {
    static SPY: Cell<Option<&'static Spy>> = const { Cell::new(None) };
    static BEFORE_WAKE: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    static ON_WAKE: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
    static ON_CLOCK: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

impl Spy {
    /// The calling thread reports here from now on.
    pub(crate) fn follow(&'static self) {
        SPY.set(Some(self));
    }

    /// Sleeps begun.
    pub(crate) fn sleeps(&self) -> usize {
        self.sleeps.load(Ordering::Acquire)
    }

    /// Sleeps begun without a deadline.
    pub(crate) fn endless_sleeps(&self) -> usize {
        self.endless_sleeps.load(Ordering::Acquire)
    }

    /// Sleeps begun for a slot lock.
    pub(crate) fn lock_sleeps(&self) -> usize {
        self.lock_sleeps.load(Ordering::Acquire)
    }

    /// Slot locks taken, or pairs of them.
    pub(crate) fn locks(&self) -> usize {
        self.locks.load(Ordering::Acquire)
    }

    /// The bits that the last sleep began with.
    pub(crate) fn bits(&self) -> u32 {
        self.bits.load(Ordering::Acquire)
    }
}

/// Runs `hook` before every wake that the calling thread makes, when who sleeps is released. It
/// must not call a table.
pub(crate) fn before_wake(hook: impl FnMut() + 'static) {
    BEFORE_WAKE.set(Some(Box::new(hook)));
}

/// Runs `hook` after every wake that the calling thread makes. It must not call a table.
pub(crate) fn on_wake(hook: impl FnMut() + 'static) {
    ON_WAKE.set(Some(Box::new(hook)));
}

/// Runs `hook` when the calling thread reads the clock next. It must not call a table.
pub(crate) fn on_clock(hook: impl FnOnce() + 'static) {
    ON_CLOCK.set(Some(Box::new(hook)));
}

fn report(count: impl FnOnce(&Spy) -> &AtomicUsize) {
    if let Some(spy) = SPY.get() {
        count(spy).fetch_add(1, Ordering::Release);
    }
}

/// Makes a wake between its hooks.
fn hooked(wake: impl FnOnce()) {
    let run = |hook: &mut Option<Box<dyn FnMut()>>| {
        if let Some(hook) = hook {
            hook();
        }
    };
    BEFORE_WAKE.with_borrow_mut(run);
    wake();
    ON_WAKE.with_borrow_mut(run);
}

/// See the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spied {}

// SAFETY: everything that matters is done by the default platform; hooks of tests do not call a
// table, and report a defect by ending the process instead of unwinding.
unsafe impl Platform for Spied {
    const GROUP_SLEEP: bool = DefaultPlatform::GROUP_SLEEP;
    type Handle = <DefaultPlatform as Platform>::Handle;
    type Critical = <DefaultPlatform as Platform>::Critical;

    fn handle() -> Self::Handle {
        DefaultPlatform::handle()
    }

    fn critical() -> Self::Critical {
        report(|spy| &spy.locks);
        DefaultPlatform::critical()
    }

    fn sleep(word: &AtomicU32, expected: u32, bits: u32, deadline: Option<Deadline>) -> Slept {
        report(|spy| {
            spy.bits.store(bits, Ordering::Release);
            &spy.sleeps
        });
        if deadline.is_none() {
            report(|spy| &spy.endless_sleeps);
        }
        DefaultPlatform::sleep(word, expected, bits, deadline)
    }

    fn wake_group(word: &AtomicU32, bits: u32) {
        hooked(|| DefaultPlatform::wake_group(word, bits));
    }

    fn wake_thread(word: *const AtomicU32, handle: &Self::Handle) {
        hooked(|| DefaultPlatform::wake_thread(word, handle));
    }

    fn lock_sleep(word: &AtomicU32, expected: u32) {
        report(|spy| &spy.lock_sleeps);
        DefaultPlatform::lock_sleep(word, expected);
    }

    fn lock_wake(word: &AtomicU32) {
        DefaultPlatform::lock_wake(word);
    }

    fn now_ns(clock: Clock) -> u64 {
        if let Some(hook) = ON_CLOCK.take() {
            hook();
        }
        DefaultPlatform::now_ns(clock)
    }

    fn ticks() -> u64 {
        DefaultPlatform::ticks()
    }
}
