//! What is said through `tracing`, if the feature of that name is on: only what went wrong, never
//! anything on the way of a wait.

use crate::{Deadlock, Inversion, Overdue};

#[cfg(feature = "tracing")]
pub(crate) fn deadlock(deadlock: &Deadlock) {
    tracing::error!(target: "slotpark", parties = deadlock.links.len(), "{deadlock}");
}

#[cfg(feature = "tracing")]
pub(crate) fn overdue(overdue: &Overdue) {
    use crate::words::{Keyed, Named, kind};
    let wait = &overdue.wait;
    tracing::warn!(
        target: "slotpark",
        table = overdue.table,
        key = %Keyed(&wait.key),
        by = %Named(&wait.by),
        waited_ms = overdue.waited.as_millis(),
        location = wait.location,
        holders = overdue.held.len(),
        "a wait for {} a key is over its limit",
        kind(wait.kind),
    );
}

#[cfg(feature = "tracing")]
pub(crate) fn inversion(inversion: &Inversion) {
    tracing::error!(target: "slotpark", "{inversion}");
}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn deadlock(_: &Deadlock) {}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn overdue(_: &Overdue) {}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn inversion(_: &Inversion) {}
