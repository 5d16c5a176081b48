//! Panics that the run plans, and a key whose comparison can panic.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The payload of a panic that is meant to happen.
struct Planned;

/// Unwinds as a panic of a user's closure would, without the message on the terminal.
pub(super) fn panic_as_planned() -> ! {
    resume_unwind(Box::new(Planned))
}

/// Runs `call`; `None` if it ended by a planned panic. Any other panic goes on.
pub(super) fn planned<R>(call: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => Some(result),
        Err(panic) if panic.is::<Planned>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call`, in which the first comparison of keys by this thread panics.
pub(super) fn with_faulty_eq<R>(call: impl FnOnce() -> R) -> R {
    ARMED.set(true);
    let result = call();
    // Nothing may have been there to compare with.
    ARMED.set(false);
    result
}

/// A number that keys are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key(pub(super) u64);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        if ARMED.replace(false) {
            panic_as_planned();
        }
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}
