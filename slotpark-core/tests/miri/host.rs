//! The default platform in a hurry: deadlines pass at once, the woken run ahead of their waker, and
//! spins take long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::yield_now;

use slotpark_core::{AtomicU32, Clock, Deadline, DefaultPlatform, Platform, Slept};

/// Sleepers of one home are woken by one call, where the system can do that.
pub(crate) type Group = Hurried<true>;
/// Each sleeper is woken by a call of its own, right after its release.
pub(crate) type Alone = Hurried<false>;

/// See the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hurried<const GROUP: bool> {}

// SAFETY: the default platform sleeps and wakes. A sleep with a deadline says that it is past,
// which a deadline may be at any time. Nothing calls a table; nothing unwinds.
unsafe impl<const GROUP: bool> Platform for Hurried<GROUP> {
    const GROUP_SLEEP: bool = GROUP && DefaultPlatform::GROUP_SLEEP;
    type Handle = <DefaultPlatform as Platform>::Handle;
    type Critical = <DefaultPlatform as Platform>::Critical;

    fn handle() -> Self::Handle {
        DefaultPlatform::handle()
    }

    fn critical() -> Self::Critical {
        DefaultPlatform::critical()
    }

    fn sleep(word: &AtomicU32, expected: u32, bits: u32, deadline: Option<Deadline>) -> Slept {
        if deadline.is_some() {
            // A chance for a waker to choose the waiter before it leaves.
            yield_now();
            return Slept::TimedOut;
        }
        DefaultPlatform::sleep(word, expected, bits, None)
    }

    fn wake_group(word: &AtomicU32, bits: u32) {
        DefaultPlatform::wake_group(word, bits);
        yield_now();
    }

    fn wake_thread(word: *const AtomicU32, handle: &Self::Handle) {
        DefaultPlatform::wake_thread(word, handle);
        yield_now();
    }

    fn lock_sleep(word: &AtomicU32, expected: u32) {
        DefaultPlatform::lock_sleep(word, expected);
    }

    fn lock_wake(word: &AtomicU32) {
        DefaultPlatform::lock_wake(word);
    }

    fn now_ns(clock: Clock) -> u64 {
        DefaultPlatform::now_ns(clock)
    }

    fn ticks() -> u64 {
        // Counts readings: an interpreted spin would otherwise be over after one look, and a waiter
        // that is awake is the one that no system call orders after its waker.
        static READINGS: AtomicU64 = AtomicU64::new(1);
        READINGS.fetch_add(10, Ordering::Relaxed)
    }
}
