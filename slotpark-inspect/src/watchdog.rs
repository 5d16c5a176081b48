//! The hang watchdog: waits that take longer than they should.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use crate::background::Again;
use crate::{Holder, Snapshot, Table, Wait, traced};

/// The looks of a watchdog are so many to its limit, and not closer than this.
const LOOKS: u32 = 4;
const INTERVAL_MIN: Duration = Duration::from_millis(1);

/// A wait that takes longer than it should.
///
/// ```
/// fn line(overdue: &slotpark_inspect::Overdue) -> String {
///     let place = overdue.wait.location.as_deref().unwrap_or("?");
///     format!("{place}: waits for {:?}, held by {}", overdue.waited, overdue.held.len())
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Overdue {
    /// The table's name.
    pub table: String,
    /// The wait.
    pub wait: Wait,
    /// For how long it has been waiting.
    pub waited: Duration,
    /// Those who hold the key, as far as it has an owner.
    pub held: Vec<Holder>,
}

/// Reports waits that take longer than a limit, once each, until it is dropped.
///
/// ```
/// use slotpark_inspect::Watchdog;
/// use std::time::Duration;
/// let watchdog = Watchdog::start(Duration::from_secs(5), |overdue| {
///     eprintln!("{} waits for {:?}", overdue.table, overdue.waited);
/// });
/// drop(watchdog.unwrap());
/// ```
#[must_use = "it watches until it is dropped"]
#[derive(Debug)]
pub struct Watchdog {
    _again: Again,
}

impl Watchdog {
    /// Looks at this process four times per `limit` (more rarely if a look takes long) and calls
    /// `report` once for each wait that is older than `limit`. With the feature `tracing` it also
    /// says so there, as a warning of the target `slotpark`.
    ///
    /// `report` runs on the thread that looks; if it panics, nobody watches any more. Since when
    /// somebody waits is recorded from [`Detail::Timing`](crate::Detail::Timing) on: the process's
    /// level is raised to that, and waits that had begun before are not reported.
    ///
    /// # Errors
    /// If the system gives no thread.
    ///
    /// ```
    /// use slotpark_inspect::Watchdog;
    /// use std::time::Duration;
    /// let watchdog = Watchdog::start(Duration::from_secs(5), |overdue| eprintln!("{overdue:?}"));
    /// assert!(watchdog.is_ok());
    /// ```
    pub fn start(
        limit: Duration,
        mut report: impl FnMut(&Overdue) + Send + 'static,
    ) -> io::Result<Self> {
        crate::detail::raise();
        let mut reported = HashSet::new();
        let interval = (limit / LOOKS).max(INTERVAL_MIN);
        let again = Again::start("slotpark-watch", interval, move || {
            let snapshot = Snapshot::take();
            let mut still = HashSet::new();
            for (table, wait, waited) in overdue(&snapshot, limit) {
                let number = (table.name.clone(), wait.wait, wait.since_ns);
                // One report for all places of a wait.
                if still.insert(number.clone()) && !reported.contains(&number) {
                    let overdue = of(table, wait, waited);
                    traced::overdue(&overdue);
                    report(&overdue);
                }
            }
            reported = still;
        })?;
        Ok(Self { _again: again })
    }
}

fn overdue(
    snapshot: &Snapshot,
    limit: Duration,
) -> impl Iterator<Item = (&Table, &Wait, Duration)> {
    let tables = snapshot.tables.iter();
    let waits = tables.flat_map(|table| table.waits.iter().map(move |wait| (table, wait)));
    waits.filter_map(move |(table, wait)| {
        let waited = snapshot.at_ns.saturating_sub(wait.since_ns?);
        let waited = Duration::from_nanos(waited);
        (waited > limit).then_some((table, wait, waited))
    })
}

fn of(table: &Table, wait: &Wait, waited: Duration) -> Overdue {
    let held = table.holders.iter().filter(|holder| {
        let is_here = holder.slot == Some(wait.slot) && holder.queue == wait.queue;
        is_here && holder.key.hash == wait.key.hash
    });
    Overdue {
        table: table.name.clone(),
        wait: wait.clone(),
        waited,
        held: held.cloned().collect(),
    }
}
