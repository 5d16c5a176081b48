//! What a node says of itself, where the level of detail asks for it.
//!
//! The level is asked once for a wait, when it really queues; from then on it is the node that says
//! whether there is anything to record or to tell.

use core::fmt;
use core::mem::MaybeUninit;
use core::num::NonZeroU64;
use core::panic::Location;
use core::ptr;

use crate::inspect::Seen;
use crate::inspect::level::{is_counted, is_full, is_timed};
use crate::inspect::sink::{self, WaitEnd, Waited};
use crate::inspect::who::Who;
#[cfg(feature = "alloc")]
use crate::inspect::{Kind, Locking};
use crate::node::NodeRef;
use crate::platform::Platform;
use crate::sync::Guarded;

/// Where a wait or a lock was asked for. It is no part of what was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Caller(&'static Location<'static>);

impl Caller {
    /// Who calls the function that calls this.
    #[inline(always)]
    #[track_caller]
    pub(crate) const fn here() -> Self {
        Self(Location::caller())
    }

    pub(crate) const fn at(location: &'static Location<'static>) -> Self {
        Self(location)
    }
}

impl PartialEq for Caller {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}
impl Eq for Caller {}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)
    }
}

/// What is recorded.
#[derive(Clone, Copy)]
struct Trace {
    /// When it began to wait, or came to hold; 0 is unknown.
    since_ns: u64,
    label: Option<&'static str>,
    /// Told to the sink; of those who look, by those who `is_full`.
    location: Option<&'static Location<'static>>,
    stack: Option<NonZeroU64>,
    who: Who,
    is_task: bool,
    /// There is more than a label.
    is_timed: bool,
    is_full: bool,
}

impl Trace {
    const NONE: Self = Self {
        since_ns: 0,
        label: None,
        location: None,
        stack: None,
        who: Who::NOBODY,
        is_task: false,
        is_timed: false,
        is_full: false,
    };
}

/// Room for what a node says of itself, in the frame, the future or the place of its owner (V1).
pub(crate) struct Traced {
    trace: Guarded<MaybeUninit<Trace>>,
    /// When a waker chose the wait, written by it; 0 is unknown.
    woken_ns: Guarded<MaybeUninit<u64>>,
}

impl Traced {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self {
            trace: Guarded::new(MaybeUninit::uninit()),
            woken_ns: Guarded::new(MaybeUninit::uninit()),
        }
    }

    /// What a node is to point to: this, filled, if anything is recorded now; else null. Stacks are
    /// taken here, where no slot is locked.
    ///
    /// # Safety
    /// V1: no node that anybody else knows points here.
    #[inline(always)]
    pub(crate) unsafe fn record<P: Platform>(
        &self,
        caller: Caller,
        label: Option<&'static str>,
        is_task: bool,
    ) -> *const Self {
        if !is_counted() {
            return ptr::null();
        }
        // SAFETY: V1: the caller's contract.
        unsafe { self.fill_wait::<P>(caller, label, is_task) };
        self
    }

    /// # Safety
    /// As [`record`](Self::record).
    #[cold]
    #[inline(never)]
    unsafe fn fill_wait<P: Platform>(
        &self,
        caller: Caller,
        label: Option<&'static str>,
        is_task: bool,
    ) {
        if is_timed() {
            // SAFETY: V1: the caller's contract.
            unsafe { self.fill(P::ticks(), caller, label, is_task) };
        } else {
            // SAFETY: V1: the caller's contract.
            unsafe { self.put(Trace::NONE) };
        }
    }

    /// As [`record`](Self::record), of a holder that holds nothing yet.
    ///
    /// # Safety
    /// As [`record`](Self::record).
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(crate) unsafe fn record_holder(
        &self,
        caller: Caller,
        label: Option<&'static str>,
        is_task: bool,
    ) -> *const Self {
        if !is_timed() {
            return ptr::null();
        }
        // SAFETY: V1: the caller's contract.
        unsafe { self.fill(0, caller, label, is_task) };
        self
    }

    /// # Safety
    /// As [`record`](Self::record).
    #[cold]
    #[inline(never)]
    unsafe fn fill(
        &self,
        since_ns: u64,
        caller: Caller,
        label: Option<&'static str>,
        is_task: bool,
    ) {
        let is_full = is_full();
        let trace = Trace {
            since_ns,
            label,
            location: Some(caller.0),
            stack: if is_full { sink::stack() } else { None },
            who: Who::now(),
            is_task,
            is_timed: true,
            is_full,
        };
        // SAFETY: V1: the caller's contract.
        unsafe { self.put(trace) };
    }

    /// # Safety
    /// As [`record`](Self::record).
    unsafe fn put(&self, trace: Trace) {
        // SAFETY: V1: the caller's contract.
        let _old = unsafe { self.trace.replace(MaybeUninit::new(trace)) };
        // SAFETY: V1: the caller's contract.
        let _old = unsafe { self.woken_ns.replace(MaybeUninit::new(0)) };
    }

    /// As [`record`](Self::record), of a holder that has a label and nothing else to say.
    ///
    /// # Safety
    /// As [`record`](Self::record).
    #[inline]
    pub(crate) unsafe fn say(&self, label: Option<&'static str>) -> *const Self {
        if label.is_none() {
            return ptr::null();
        }
        let trace = Trace {
            label,
            ..Trace::NONE
        };
        // SAFETY: V1: the caller's contract.
        let _old = unsafe { self.trace.replace(MaybeUninit::new(trace)) };
        self
    }

    /// # Safety
    /// V1: it was filled, and the lock of its node's slot is held, or nobody else knows the node.
    unsafe fn get(&self) -> Trace {
        // SAFETY: V1: the caller's contract.
        let trace = unsafe { self.trace.get() };
        // SAFETY: by the contract it was filled.
        unsafe { trace.assume_init() }
    }

    /// What a holder says of itself.
    ///
    /// # Safety
    /// V1: it was filled, and the lock of its node's slot is held.
    pub(crate) unsafe fn label(&self) -> Option<&'static str> {
        // SAFETY: V1: the caller's contract.
        unsafe { self.get() }.label
    }

    /// Whether there is more than a label.
    ///
    /// # Safety
    /// V1: it was filled, and nobody writes it.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn is_timed(&self) -> bool {
        // SAFETY: V1: the caller's contract.
        unsafe { self.get() }.is_timed
    }

    /// What a sink is told of a holder of a key of a table; `None` if who it is was not recorded.
    ///
    /// # Safety
    /// V1: it was filled, and nobody writes it.
    #[cfg(feature = "alloc")]
    pub(crate) unsafe fn locking(
        &self,
        (table, hash): (u64, u64),
        holder: u64,
        kind: Kind,
        waits: bool,
    ) -> Option<Locking> {
        // SAFETY: V1: the caller's contract.
        let trace = unsafe { self.get() };
        Some(Locking {
            table,
            hash,
            holder,
            kind,
            waits,
            label: trace.label,
            location: trace.location.filter(|_| trace.is_timed)?,
            is_task: trace.is_task,
            thread: trace.who.thread(),
            task: trace.who.task(),
        })
    }

    /// It holds from now on.
    ///
    /// # Safety
    /// V1: it was filled, and the lock of its node's slot is held.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn holds_now<P: Platform>(&self) {
        // SAFETY: V1: the caller's contract.
        let mut trace = unsafe { self.get() };
        if trace.is_timed {
            trace.since_ns = P::ticks();
            // SAFETY: V1: the caller's contract.
            unsafe { self.trace.set(MaybeUninit::new(trace)) };
        }
    }

    /// # Safety
    /// V1: it was filled, and the lock of its node's slot is held.
    pub(super) unsafe fn show(&self, seen: &mut Seen) {
        // SAFETY: V1: the caller's contract.
        let trace = unsafe { self.get() };
        seen.since_ns = (trace.since_ns != 0).then_some(trace.since_ns);
        seen.label = trace.label;
        seen.location = trace.location.filter(|_| trace.is_full);
        seen.stack = trace.stack.map(NonZeroU64::get);
        seen.thread = trace.who.thread();
        seen.task = trace.who.task();
        seen.task_label = trace.who.task_label();
        seen.is_task |= trace.is_task || seen.holds && seen.task.is_some();
    }
}

impl fmt::Debug for Traced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traced").finish_non_exhaustive()
    }
}

/// A waker has chosen this node, whose slot is locked. The level was asked when it was queued.
#[inline(always)]
pub(crate) fn stamp_woken<P: Platform>(node: NodeRef<'_, P>) {
    if let Some(traced) = node.traced() {
        stamp::<P>(traced);
    }
}

#[cold]
#[inline(never)]
fn stamp<P: Platform>(traced: &Traced) {
    if is_timed() {
        let now = MaybeUninit::new(P::ticks());
        // SAFETY: V1: of all who could choose the wait this one has, and its slot is locked; nobody
        // looks at this before the wait is over.
        let _old = unsafe { traced.woken_ns.replace(now) };
    }
}

/// A wait is over, its node in no queue: tells the sink. `traced` is what the node pointed to; if
/// that is nothing, nothing was recorded when it was queued.
///
/// # Safety
/// It is null, or filled, and nobody else knows the node.
#[inline(always)]
pub(crate) unsafe fn waited<P: Platform>(
    table: u64,
    hash: u64,
    traced: *const Traced,
    end: impl FnOnce() -> WaitEnd,
) {
    // SAFETY: the caller's contract.
    if let Some(traced) = unsafe { traced.as_ref() } {
        // SAFETY: the caller's contract.
        unsafe { tell_waited::<P>(table, hash, traced, end) };
    }
}

/// # Safety
/// As [`waited`].
#[cold]
#[inline(never)]
unsafe fn tell_waited<P: Platform>(
    table: u64,
    hash: u64,
    traced: &Traced,
    end: impl FnOnce() -> WaitEnd,
) {
    if !is_counted() {
        return;
    }
    let end = end();
    let mut waited = Waited {
        table,
        hash,
        end,
        waited_ns: None,
        wake_to_run_ns: None,
    };
    // SAFETY: the caller's contract.
    let since_ns = unsafe { traced.get() }.since_ns;
    if since_ns != 0 {
        let now_ns = P::ticks();
        // SAFETY: the caller's contract.
        let woken_ns = unsafe { traced.woken_ns.get() };
        // SAFETY: it was filled with the rest.
        let woken_ns = unsafe { woken_ns.assume_init() };
        waited.waited_ns = Some(now_ns.saturating_sub(since_ns));
        let has_run = woken_ns != 0 && end == WaitEnd::Woken;
        waited.wake_to_run_ns = has_run.then(|| now_ns.saturating_sub(woken_ns));
    }
    sink::with(|sink| sink.waited(&waited));
}

/// A holder has given its key up: tells the sink.
///
/// # Safety
/// `traced` is null, or filled, and nobody else knows the node that pointed to it.
#[cfg(feature = "alloc")]
#[cold]
#[inline(never)]
pub(crate) unsafe fn held<P: Platform>(
    (table, hash): (u64, u64),
    holder: u64,
    traced: *const Traced,
) {
    // SAFETY: the caller's contract.
    let Some(traced) = (unsafe { traced.as_ref() }) else {
        return;
    };
    // SAFETY: the caller's contract.
    let trace = unsafe { traced.get() };
    if trace.since_ns != 0 {
        let held_ns = P::ticks().saturating_sub(trace.since_ns);
        sink::with(|sink| {
            sink.held(&sink::Held {
                table,
                hash,
                held_ns,
                holder,
                thread: trace.who.thread(),
                task: trace.who.task(),
            });
        });
    }
}
