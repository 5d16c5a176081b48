//! Who is told what is over.

use core::num::NonZeroU64;
use core::panic::Location;

use crate::inspect::Kind;

/// Is told of waits that are over, and of keys that were given up, by the thread whose they were:
/// no slot is locked, and nobody waits for the sink but that thread. What a sink does itself with
/// tables of this crate it is told of, too: it must not, or keep itself from going round. If it
/// panics, the process is aborted: it stands between a wake and who was woken.
///
/// ```
/// use slotpark_core::{Held, Sink, Waited};
/// struct Silent;
/// impl Sink for Silent {
///     fn waited(&self, _waited: &Waited) {}
///     fn held(&self, _held: &Held) {}
/// }
/// ```
pub trait Sink: Sync {
    /// A wait was queued and is over, however it ended: from [`Detail::Counters`] on, if the level
    /// was as high when it was queued.
    ///
    /// [`Detail::Counters`]: crate::Detail::Counters
    fn waited(&self, waited: &Waited);

    /// A key was given up whose holder was recorded: if the level was at least
    /// [`Detail::Timing`](crate::Detail::Timing) when it was taken, whatever it is now.
    fn held(&self, held: &Held);

    /// A lock by key is about to be asked for, from [`Detail::Timing`](crate::Detail::Timing) on:
    /// before it is waited for, and once for each time that somebody comes for it. Of many keys
    /// that are asked for at once one is told. Of more of a key that is held nothing is.
    ///
    /// This one may panic: then the lock is not asked for.
    fn asks(&self, _lock: &Locking) {}

    /// What was asked for is held, from [`Detail::Timing`](crate::Detail::Timing) on: until
    /// [`held`](Self::held) is told of the same holder.
    fn holds(&self, _lock: &Locking) {}

    /// A wait is about to queue, or a lock about to be taken: takes the stack of this thread and
    /// says by what number a look shall name it. Called at [`Detail::Full`](crate::Detail::Full)
    /// for one in as many as [`set_stacks`] says.
    fn stack(&self) -> Option<NonZeroU64> {
        None
    }
}

/// A wait that is over.
///
/// ```
/// let waited: fn(&slotpark_core::Waited) -> Option<u64> = |waited| waited.waited_ns;
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Waited {
    /// The [`table_id`](crate::Inspect::table_id) of its table.
    pub table: u64,
    /// Of its key, or of the last one that it was moved to; of one on several keys, of the one
    /// that ended it, or the first.
    pub hash: u64,
    /// How it ended.
    pub end: WaitEnd,
    /// How long, from about when it was queued, where that is recorded.
    pub waited_ns: Option<u64>,
    /// Of one that was woken: how long until it ran.
    pub wake_to_run_ns: Option<u64>,
}

/// How a wait ended, as a sink is told.
///
/// ```
/// assert_ne!(slotpark_core::WaitEnd::Woken, slotpark_core::WaitEnd::Cancelled);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitEnd {
    /// Somebody woke it, or granted what it waited for.
    Woken,
    /// Its deadline passed, or the timer of its caller fired.
    TimedOut,
    /// Its key or its table was closed; or it is another process's, after a fork.
    Closed,
    /// Its interrupter ended it, or a signal.
    Interrupted,
    /// It went before anything was told to it: a future was dropped, also one that a waker had
    /// chosen and that was not polled since; or one of its keys was not to be waited for.
    Cancelled,
}

/// A key that was given up.
///
/// ```
/// let held: fn(&slotpark_core::Held) -> u64 = |held| held.held_ns;
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Held {
    /// The [`table_id`](crate::Inspect::table_id) of its table.
    pub table: u64,
    /// Of the key.
    pub hash: u64,
    /// How long.
    pub held_ns: u64,
    /// The number of the holder: that of a look, of [`Sink::asks`] and of [`Sink::holds`]. Numbers
    /// come again.
    pub holder: u64,
    /// The thread that had asked for it: see [`Seen::thread`](crate::Seen::thread).
    pub thread: Option<u32>,
    /// The task, if it has a name.
    pub task: Option<u64>,
}

/// A lock by key that somebody asks for, or holds.
///
/// ```
/// let label: fn(&slotpark_core::Locking) -> Option<&'static str> = |lock| lock.label;
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Locking {
    /// The [`table_id`](crate::Inspect::table_id) of its table.
    pub table: u64,
    /// Of the key.
    pub hash: u64,
    /// The number of the holder: see [`Held::holder`].
    pub holder: u64,
    /// What it is to those who look.
    pub kind: Kind,
    /// Whether it is waited for: not by a `try_`.
    pub waits: bool,
    /// What the lock was called by its user.
    pub label: Option<&'static str>,
    /// Where it was asked for.
    pub location: &'static Location<'static>,
    /// It was asked for by a future.
    pub is_task: bool,
    /// The thread that asked for it: see [`Seen::thread`](crate::Seen::thread).
    pub thread: Option<u32>,
    /// The task, if it has a name.
    pub task: Option<u64>,
}

pub use one::{set_sink, set_stacks};
pub(super) use one::{stack, with};

/// A lock by key is asked for.
#[cfg(feature = "alloc")]
pub(crate) fn ask(lock: &Locking) {
    if let Some(sink) = one::sink() {
        sink.asks(lock);
    }
}

/// It is held.
#[cfg(feature = "alloc")]
pub(crate) fn came(lock: &Locking) {
    with(|sink| sink.holds(lock));
}

#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
mod one {
    use core::cell::UnsafeCell;
    use core::num::NonZeroU64;

    use super::Sink;
    use crate::raw::RawOnce;
    use crate::sync::Plain;

    /// Written once.
    struct Slot {
        once: RawOnce,
        sink: UnsafeCell<Option<&'static dyn Sink>>,
    }

    // SAFETY: the cell is written by whoever runs the once, and read by those who see that it is
    // done (ONCE); a sink is `Sync`.
    unsafe impl Sync for Slot {}

    static SINK: Slot = Slot {
        once: RawOnce::new(),
        sink: UnsafeCell::new(None),
    };

    /// One in so many takes its stack; 0 is none.
    static ONE_IN: Plain = Plain::new();
    static TURN: Plain = Plain::new();

    /// Names the sink of the process; false if it has one, which stays.
    ///
    /// ```
    /// use slotpark_core::{Held, Sink, Waited, set_sink};
    /// struct Silent;
    /// impl Sink for Silent {
    ///     fn waited(&self, _waited: &Waited) {}
    ///     fn held(&self, _held: &Held) {}
    /// }
    /// assert!(set_sink(&Silent));
    /// assert!(!set_sink(&Silent));
    /// ```
    #[must_use = "false says that there is another"]
    pub fn set_sink(sink: &'static dyn Sink) -> bool {
        let mut is_mine = false;
        SINK.once.call_at(SINK.once.place(), true, |_| {
            // SAFETY: it is done once, and nobody reads before.
            unsafe { *SINK.sink.get() = Some(sink) };
            is_mine = true;
        });
        is_mine
    }

    /// Of those who queue or lock at [`Detail::Full`](crate::Detail::Full) one in `count` asks the
    /// sink for its stack; 0, the default, is nobody.
    ///
    /// ```
    /// slotpark_core::set_stacks(1_000);
    /// # slotpark_core::set_stacks(0);
    /// ```
    pub fn set_stacks(count: u32) {
        ONE_IN.set(count);
    }

    pub(in crate::inspect) fn sink() -> Option<&'static dyn Sink> {
        if !SINK.once.is_completed() {
            return None;
        }
        // SAFETY: it is done: nobody writes any more.
        unsafe { *SINK.sink.get() }
    }

    pub(in crate::inspect) fn with<R>(tell: impl FnOnce(&dyn Sink) -> R) -> Option<R> {
        /// Who holds, or was chosen, cannot undo that: no panic may go on from here.
        struct Whole;
        impl Drop for Whole {
            fn drop(&mut self) {
                // A panic during a panic aborts.
                panic!("slotpark: a sink has panicked");
            }
        }
        let sink = sink()?;
        let whole = Whole;
        let told = Some(tell(sink));
        core::mem::forget(whole);
        told
    }

    pub(in crate::inspect) fn stack() -> Option<NonZeroU64> {
        let count = ONE_IN.get();
        if count == 0 || TURN.next() % count != 0 {
            return None;
        }
        with(|sink| sink.stack()).flatten()
    }
}

#[cfg(any(slotpark_loom, slotpark_shuttle))]
mod one {
    use core::num::NonZeroU64;

    use super::Sink;

    /// Does nothing in a model checker.
    #[must_use]
    pub fn set_sink(_sink: &'static dyn Sink) -> bool {
        false
    }

    /// Does nothing in a model checker.
    pub fn set_stacks(_count: u32) {}

    #[cfg(feature = "alloc")]
    pub(in crate::inspect) fn sink() -> Option<&'static dyn Sink> {
        None
    }

    pub(in crate::inspect) fn with<R>(_tell: impl FnOnce(&dyn Sink) -> R) -> Option<R> {
        None
    }

    pub(in crate::inspect) fn stack() -> Option<NonZeroU64> {
        None
    }
}
