//! How much is recorded in this process.

use std::sync::atomic::{AtomicBool, Ordering};

use slotpark_core::Sink;

use crate::record::RECORDER;
use crate::{Detail, registry};

/// Whether what is told to a sink comes here.
static IS_SINK: AtomicBool = AtomicBool::new(false);

/// Chooses how much is recorded in this process from now on, and records it: at
/// [`Counters`](Detail::Counters) the busiest keys of registered tables, at
/// [`Timing`](Detail::Timing) also who waits or holds since when, and how long waits and holds
/// took; at [`Full`](Detail::Full) also where in the source. Each level costs more than the one
/// before.
///
/// What is told to a [`Sink`] goes to this crate, unless the program has set one of its own before:
/// then histograms and busiest keys stay empty, but for what that one hands on to [`recorder`].
/// They are kept when the level is lowered. Of at most 64 tables histograms are kept, 450 KiB for
/// each.
///
/// ```
/// use slotpark_inspect::{Detail, Snapshot, set_detail};
/// set_detail(Detail::Timing);
/// assert_eq!(Snapshot::take().detail, Detail::Timing);
/// # set_detail(Detail::Off);
/// ```
pub fn set_detail(detail: Detail) {
    if detail >= Detail::Counters {
        // False: there is this one, or one of the program's, which stays.
        if slotpark_core::set_sink(&RECORDER) {
            // ORDERING: relaxed: a fact about the process, which nothing else hangs on.
            IS_SINK.store(true, Ordering::Relaxed);
        }
    }
    slotpark_core::set_detail(match detail {
        Detail::Off => slotpark_core::Detail::Off,
        Detail::Counters => slotpark_core::Detail::Counters,
        Detail::Timing => slotpark_core::Detail::Timing,
        Detail::Full => slotpark_core::Detail::Full,
    });
    registry::record();
}

/// What keeps the histograms and busiest keys of registered tables: for a program that has a sink
/// of its own, and hands on to this what it is told. Only what is handed on is kept.
///
/// It allocates nothing, and takes locks of the standard library's for as long as one count takes.
///
/// ```
/// use slotpark_core::{Held, Sink, Waited, set_sink};
/// struct Both;
/// impl Sink for Both {
///     fn waited(&self, waited: &Waited) {
///         slotpark_inspect::recorder().waited(waited);
///     }
///     fn held(&self, held: &Held) {
///         slotpark_inspect::recorder().held(held);
///     }
/// }
/// assert!(set_sink(&Both));
/// ```
#[must_use]
pub fn recorder() -> &'static dyn Sink {
    &RECORDER
}

/// At [`Detail::Full`], one wait or lock in `count` has its stack taken; 0, as at first, is none.
/// The latest 256 are kept. Taking one takes microseconds to milliseconds, and allocates.
///
/// ```
/// slotpark_inspect::sample_stacks(1_000);
/// # slotpark_inspect::sample_stacks(0);
/// ```
pub fn sample_stacks(count: u32) {
    slotpark_core::set_stacks(count);
}

/// What is recorded now.
pub(crate) fn now() -> Detail {
    slotpark_core::detail().into()
}

/// Whether this crate is told, and no sink of the program's own.
pub(crate) fn is_told() -> bool {
    // ORDERING: relaxed: as where it is stored.
    IS_SINK.load(Ordering::Relaxed)
}

/// Raises the level to where parties are known.
pub(crate) fn raise() {
    if now() < Detail::Timing {
        set_detail(Detail::Timing);
    }
}
