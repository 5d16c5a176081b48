//! Locks of a byte or a word, whose waiters wait in the slots.
//!
//! Each is a state machine over a word of its own that is told with each call where its waiters
//! wait ([`At`](crate::At)); `place` names the process-wide table. While nobody waits, no slot is
//! touched. The word says under the slot lock that somebody is queued, so that who gives a lock
//! back with waiters queued decides under that lock who is next. That decision is the last touch of
//! the word: whoever gets the lock may free it at once.
//!
//! A table that is closed queues nobody: then the locks look again every millisecond.
//!
//! **Lock order**: one slot lock; a notification of a condition variable takes two. **Orderings**:
//! MUTEX, RWLOCK, ONCE.

mod condvar;
#[cfg(all(feature = "lock_api", not(slotpark_loom)))]
mod lock_api;
mod mutex;
mod once;
mod rwlock;

pub use condvar::RawCondvar;
pub use mutex::RawMutex;
pub use once::{OnceState, RawOnce};
pub use rwlock::RawRwLock;
#[cfg(not(slotpark_loom))]
pub(crate) use rwlock::kind_of_tag;

use core::convert::Infallible;

use crate::at::At;
use crate::options::{Left, Order, ParkOptions, Parked};
use crate::platform::{Clock, Deadline, Platform};
use crate::sync::AtomicU32;

/// Handed to a waiter with the lock itself: it is taken already.
const HANDED_OVER: u64 = 1;
/// Told to a waiter that tries again.
const TRY_AGAIN: u64 = 0;

/// After so many wakes that were too late a waiter is handed the lock: it waits for as many
/// releases at most, and pays the switch of a hand-over for one in so many.
const LOST_MAX: u64 = 8;

/// How long a thread sleeps between two looks where it cannot queue.
const NAP_NS: u64 = 1_000_000;

/// One wait for a lock. `take_or_queue` runs under the slot lock: whether it took the lock, and if
/// it did not, the word says that somebody is queued. The `bool` is whether it did.
fn wait<K: Copy + Eq, P: Platform>(
    at: At<'_, K, P>,
    options: ParkOptions,
    take_or_queue: impl Fn() -> bool,
    on_leave: impl FnOnce(Left),
) -> (Parked, bool) {
    let mut taken = false;
    let validate = || {
        taken = take_or_queue();
        Ok::<_, Infallible>(!taken)
    };
    // Validated by the attempt before; its second run is the first that may queue.
    let options = options.validated();
    let table = at.table;
    let Ok(parked) = table.park_with(at.hash, &at.key, options, validate, || {}, on_leave);
    (parked, taken)
}

/// Where a waiter stands that was woken too late so often: before those who come first.
const fn order(lost: u64) -> Order {
    match lost {
        0 => Order::Fifo,
        _ => Order::Priority(1),
    }
}

/// Sleeps for a moment, in a table that is closed; whether the deadline is past.
#[cold]
fn nap<P: Platform>(deadline: Option<Deadline>) -> bool {
    let now_ns = P::now_ns(Clock::Monotonic);
    let end = Deadline::new(Clock::Monotonic, now_ns.saturating_add(NAP_NS));
    let _slept = P::sleep(&AtomicU32::new(0), 0, u32::MAX, Some(end));
    deadline.is_some_and(Deadline::is_past::<P>)
}
