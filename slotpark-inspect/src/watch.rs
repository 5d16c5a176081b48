//! Watching for deadlocks.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use crate::background::Again;
use crate::{Deadlock, Snapshot, deadlocks};

/// Looks at this process every `interval` (more rarely if a look takes long), and calls `hook` once
/// for each deadlock on which two looks agree: after two intervals at the earliest.
///
/// The hook runs on the thread that looks. It gets a report and can end nothing. If it panics,
/// nobody watches any more. Since parties are known from [`Detail::Timing`](crate::Detail::Timing)
/// on, the process's level is raised to that.
///
/// # Errors
/// If the system gives no thread.
///
/// ```
/// use slotpark_inspect::watch_deadlocks;
/// use std::time::Duration;
/// let interval = Duration::from_secs(1);
/// let watch = watch_deadlocks(interval, |deadlock| eprintln!("{deadlock}")).unwrap();
/// // The program runs.
/// drop(watch);
/// ```
pub fn watch_deadlocks(
    interval: Duration,
    mut hook: impl FnMut(&Deadlock) + Send + 'static,
) -> io::Result<DeadlockWatch> {
    crate::detail::raise();
    let mut before = Snapshot::take();
    let mut reported = HashSet::new();
    let again = Again::start("slotpark-locks", interval, move || {
        let now = Snapshot::take();
        let found = deadlocks(&before, &now);
        let proofs = found.iter().map(Deadlock::proof);
        let proofs = proofs.collect::<Vec<_>>();
        for (deadlock, proof) in found.iter().zip(&proofs) {
            if !reported.contains(proof) {
                crate::traced::deadlock(deadlock);
                hook(deadlock);
            }
        }
        // What has ended meanwhile, if something ended it, is forgotten.
        reported = proofs.into_iter().collect();
        before = now;
    })?;
    Ok(DeadlockWatch { _again: again })
}

/// Somebody watches for deadlocks as long as this lives.
///
/// ```
/// let interval = std::time::Duration::from_secs(1);
/// let watch = slotpark_inspect::watch_deadlocks(interval, |_| {}).unwrap();
/// assert!(format!("{watch:?}").starts_with("DeadlockWatch"));
/// ```
#[must_use = "nobody watches once this is dropped"]
#[derive(Debug)]
pub struct DeadlockWatch {
    _again: Again,
}
