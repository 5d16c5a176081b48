//! Threads that make one call each, which blocks.

use std::thread::{Scope, ScopedJoinHandle};

use crate::common::until;

/// Makes a call in a thread, and returns once one more waits, as `waiters` has it.
pub(crate) fn blocked<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    waiters: impl Fn() -> usize,
    call: impl FnOnce() -> T + Send + 's,
) -> ScopedJoinHandle<'s, T> {
    let others = waiters();
    let thread = scope.spawn(call);
    until("a call is blocked", || waiters() > others);
    thread
}

/// What the call returned.
pub(crate) fn ended<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    until("a blocked call returns", || thread.is_finished());
    thread.join().expect("no guest panics")
}
