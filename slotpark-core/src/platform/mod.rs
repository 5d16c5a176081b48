//! The operating system as the engine sees it: sleep and wake a thread, sleep of a slot lock, time.
//!
//! Four platforms: [`Linux`] (futex by raw syscall), [`Portable`] (`std::thread::park`), the model
//! checkers' own, and whatever a `no_std` host implements. The choice is a type parameter of
//! [`Table`](crate::Table) with a default chosen by the target.

mod deadline;
#[cfg(all(feature = "std", not(any(slotpark_loom, slotpark_shuttle))))]
mod portable;

pub use deadline::{Clock, Deadline};
#[cfg(all(feature = "std", not(any(slotpark_loom, slotpark_shuttle))))]
pub use portable::Portable;

use crate::sync::AtomicU32;

/// Items for targets whose futex this crate speaks.
macro_rules! with_futex {
    ($($item:item)*) => {$(
        #[cfg(all(
            target_os = "linux",
            any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"),
            not(any(slotpark_portable, slotpark_loom, slotpark_shuttle))
        ))]
        $item
    )*};
}

/// Items for all other targets, and for those that are told to do without.
macro_rules! without_futex {
    ($($item:item)*) => {$(
        #[cfg(all(
            any(
                slotpark_portable,
                not(all(
                    target_os = "linux",
                    any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")
                ))
            ),
            not(any(slotpark_loom, slotpark_shuttle))
        ))]
        $item
    )*};
}

/// Items for model checkers.
macro_rules! with_model {
    ($($item:item)*) => {$(
        #[cfg(any(slotpark_loom, slotpark_shuttle))]
        $item
    )*};
}

with_futex! {
    mod linux;
    pub use linux::Linux;
    pub(crate) use linux::{HAS_THREAD_IDS, ask_of_owner, entropy, thread_id};

    /// The platform of a table that names none: the futex on Linux, `std::thread::park` elsewhere
    /// or with `--cfg slotpark_portable`.
    pub type DefaultPlatform = Linux;
}

without_futex! {
    /// Whether threads have numbers that can be asked for.
    pub(crate) const HAS_THREAD_IDS: bool = false;

    /// Nobody knows the number of the calling thread.
    pub(crate) fn thread_id() -> Option<u32> {
        None
    }

    /// Nobody knows of an owner that it has come to its end.
    pub(crate) fn ask_of_owner(_id: u32) -> isize {
        0
    }

    /// A number that nobody can guess: std seeds each of these from the system's random numbers.
    #[cfg(feature = "std")]
    pub(crate) fn entropy(_address: usize) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        std::hash::RandomState::new().build_hasher().finish()
    }

    /// The platform of a table that names none: the futex on Linux, `std::thread::park` elsewhere
    /// or with `--cfg slotpark_portable`.
    #[cfg(feature = "std")]
    pub type DefaultPlatform = Portable;

    #[cfg(not(feature = "std"))]
    mod host_missing;
    #[cfg(not(feature = "std"))]
    pub use host_missing::HostMissing;
    #[cfg(not(feature = "std"))]
    pub(crate) use host_missing::entropy;

    /// No platform is built in for this target: name your own as the table's platform.
    #[cfg(not(feature = "std"))]
    pub type DefaultPlatform = HostMissing;
}

with_model! {
    mod model;
    pub use model::Model;
    pub(crate) use model::entropy;

    /// The platform of a table that names none, in a model checker.
    pub type DefaultPlatform = Model;
}

/// Why a sleep returned.
///
/// ```
/// use slotpark_core::{AtomicU32, Deadline, DefaultPlatform, Platform, Slept};
/// let slept = DefaultPlatform::sleep(&AtomicU32::new(0), 0, 1, Some(Deadline::PAST));
/// assert_eq!(slept, Slept::TimedOut);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slept {
    /// The deadline is past.
    TimedOut,
    /// A signal's handler ran, and the system did not go on with the sleep afterwards. Of the
    /// platforms that are built in only `Linux` says so.
    Interrupted,
    /// Anything else: a wake, another value in the word, nothing at all.
    Early,
}

/// What happens in a slot, told to [`Platform::observe`].
///
/// ```
/// use slotpark_core::{DefaultPlatform, Event, Platform};
/// DefaultPlatform::observe(Event::Park, 0); // does nothing unless a platform counts
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A waiter was linked.
    Park,
    /// A waiter was linked into a slot that held waiters of other keys and none of its own.
    Collision,
    /// A waiter was chosen by a wake.
    Wake,
    /// A waiter on one key, without an interrupter, left because its deadline passed.
    Timeout,
    /// A waiter left for another reason: closed, dropped, after a signal, or, if it is on several
    /// keys or has an interrupter, whatever but a wake of this key has ended it.
    Cancel,
    /// A waiter was moved here from another key.
    Requeue,
    /// A search for a key looked at one group.
    GroupVisited,
    /// A wake or a count looked at one waiter.
    NodeVisited,
}

/// How threads sleep, how they are woken, and what time it is.
///
/// A `no_std` host implements this for its scheduler. The engine calls `sleep`, `wake` and
/// `critical` outside slot locks, the `observe`s and `ticks` also under them.
///
/// # Safety
///
/// - `sleep` returns after a `wake_group` of the same word with a common bit, or a `wake_thread` of
///   the same word and this thread's handle, that came after the word was compared with
///   `expected`, and does not sleep when the word holds another value at that moment: compare and
///   sleep are one step for wakers.
/// - `lock_sleep` and `lock_wake` are the same for one sleeper on a lock word: a `lock_wake` that
///   comes after the comparison ends at least one `lock_sleep`.
/// - `wake_thread` takes an address that may already belong to somebody else, and reads nothing
///   through it.
/// - Nothing here calls into a table, and nothing unwinds.
///
/// ```
/// use slotpark_core::{Clock, DefaultPlatform, Platform};
/// assert!(DefaultPlatform::now_ns(Clock::Monotonic) > 0);
/// ```
pub unsafe trait Platform: Sized + 'static {
    /// True when threads sleep on words with bits, so that one call wakes a whole group that sleeps
    /// on one word; false when each thread is woken by its handle.
    const GROUP_SLEEP: bool;

    /// What wakes one thread where there is no group sleep; `()` where there is. A waker clones it
    /// before the waiter is released.
    type Handle: Clone + Send;

    /// Kept while a slot lock is held and until those chosen under it are released.
    type Critical;

    /// The handle of the calling thread.
    fn handle() -> Self::Handle;

    /// Called before a slot lock is taken.
    fn critical() -> Self::Critical;

    /// Sleeps while `*word == expected`, until a wake with a common bit, the deadline, or for no
    /// reason at all.
    fn sleep(word: &AtomicU32, expected: u32, bits: u32, deadline: Option<Deadline>) -> Slept;

    /// Wakes all that sleep on `word` with a common bit. Never called without group sleep.
    fn wake_group(word: &AtomicU32, bits: u32);

    /// Wakes the one thread that sleeps on `word`, a word of its own, and has this handle.
    fn wake_thread(word: *const AtomicU32, handle: &Self::Handle);

    /// Sleeps while the lock word holds `expected`; may return early.
    fn lock_sleep(word: &AtomicU32, expected: u32);

    /// Ends one `lock_sleep` on this word.
    fn lock_wake(word: &AtomicU32);

    /// The time of a clock in nanoseconds. Monotonic time counts from an arbitrary point that is
    /// not later than 2^63 ns ago and never 0.
    fn now_ns(clock: Clock) -> u64;

    /// A cheap monotonic time in nanoseconds for the learned spin; 0 says that there is none, and
    /// then nobody spins.
    fn ticks() -> u64;

    /// The number of the CPU that this runs on, if that is cheap to know, for the learned spin: who
    /// shares a CPU with its waker spins in vain. `u32::MAX`, the default, is unknown.
    #[inline(always)]
    fn cpu() -> u32 {
        u32::MAX
    }

    /// Lets other threads run, before who comes for a lock looks at it again; it has waited for a
    /// moment already. By default it does nothing.
    #[inline]
    fn give_way() {}

    /// Told what happens in the slot with this index, under its lock. Does nothing unless a
    /// platform counts.
    #[inline(always)]
    fn observe(event: Event, slot: usize) {
        let _ = (event, slot);
    }

    /// Told what happens to the waiter with this tag, in the same step as it happens: calls
    /// `observe` unless a platform wants to know who it is.
    #[inline(always)]
    fn observe_waiter(event: Event, slot: usize, tag: u64) {
        let _ = tag;
        Self::observe(event, slot);
    }
}
