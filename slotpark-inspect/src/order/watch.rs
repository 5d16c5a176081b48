//! An order that listens to the engine.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::{LockOrder, engine};
use crate::{Detail, detail, registry, set_detail};

/// Lets an order listen to all locks by key of this process, until the returned value is dropped:
/// `KeyedMutex`, `KeyedRwLock` and `KeyedSemaphore`, of threads and of tasks. From then on nothing
/// has to be told by hand of those, and a contradiction is reported where a lock is asked for,
/// before it is waited for, with the places of both.
///
/// A lock goes by the label of the one who locks ([`LockOptions::label`]), else by the name by
/// which its table is [registered](crate::register); one that has neither is left out. So all keys
/// of a table are one lock, and nothing is said of their order among each other: for several keys
/// at once there is `lock_many`. Reading counts as locking, as do permits. A `try_` that takes a
/// lock counts as holding, but not as asking.
///
/// What a thread holds is its own, and goes with what it locked, not with who unlocks. What is
/// locked in the poll of a [named task](slotpark::task_label) is the task's. Of tasks without a
/// name nothing is known.
///
/// The level is raised to [`Detail::Timing`](crate::Detail::Timing), where every lock by key goes
/// by way of its slot's lock; each one that is asked for costs a mutex besides. Below that level
/// nothing is told. Locks that were taken before are not known. Of an order at most 4096 locks are
/// listed as held ([`LockOrder::unlisted`]), and at most 1024 names of tables are kept, for ever.
///
/// The report may lock what it likes; what it locks is not told. If it panics, so does who asks,
/// and holds nothing more.
///
/// # Errors
/// If the program has a [sink](slotpark_core::set_sink) of its own.
///
/// [`LockOptions::label`]: slotpark::LockOptions::label
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use slotpark::KeyedMutex;
/// use slotpark_inspect::{LockOrder, register, watch_lock_order};
///
/// let found = Arc::new(Mutex::new(Vec::new()));
/// let reports = Arc::clone(&found);
/// let order = LockOrder::new(move |inversion| reports.lock().unwrap().push(inversion.clone()));
/// let watch = watch_lock_order(&Arc::new(order)).unwrap();
///
/// let accounts = Arc::new(KeyedMutex::<u32>::new());
/// let journal = Arc::new(KeyedMutex::<u32>::new());
/// let shown = (register("accounts", &accounts), register("journal", &journal));
///
/// let account = accounts.lock(7);
/// drop(journal.lock(1)); // the journal while an account is held
/// drop(account);
/// let entry = journal.lock(2);
/// drop(accounts.lock(9)); // the other way round: nobody waits, and it is told
/// drop(entry);
///
/// let found = found.lock().unwrap();
/// assert_eq!((found[0].now.held, found[0].now.asked), ("journal", "accounts"));
/// # drop((watch, shown));
/// # slotpark_inspect::set_detail(slotpark_inspect::Detail::Off);
/// ```
pub fn watch_lock_order(order: &Arc<LockOrder>) -> io::Result<LockOrderWatch> {
    // Also where the level is high enough already: nobody may be told yet.
    set_detail(detail::now().max(Detail::Timing));
    if !detail::is_told() {
        return Err(io::Error::other("the program has a sink of its own"));
    }
    engine::listen(order);
    registry::record();
    Ok(LockOrderWatch(Arc::clone(order)))
}

/// An order listens as long as this lives.
///
/// ```
/// use slotpark_inspect::{LockOrder, watch_lock_order};
/// let order = LockOrder::new(|inversion| eprintln!("{inversion}"));
/// let watch = watch_lock_order(&order.into()).unwrap();
/// assert!(format!("{watch:?}").starts_with("LockOrderWatch"));
/// ```
#[must_use = "nobody listens once this is dropped"]
pub struct LockOrderWatch(Arc<LockOrder>);

impl Drop for LockOrderWatch {
    fn drop(&mut self) {
        engine::end(&self.0);
    }
}

impl fmt::Debug for LockOrderWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockOrderWatch").finish_non_exhaustive()
    }
}
