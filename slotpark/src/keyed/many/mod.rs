//! Several keys at once: all or none, whatever order they are named in.

mod mutex;
mod rwlock;
mod semaphore;

use slotpark_core::{HoldingMany, KeyList, Wanted};

use super::LockError;

pub use rwlock::LockMode;

/// The guard of several keys, of which the list `L` of `T` was given: they are released when it is
/// dropped.
pub type ManyGuard<'l, K, P, L, T = K> = HoldingMany<'l, K, P, <L as KeyList<T>>::Of<Wanted<K>>>;

/// What waits without a deadline fails only where a full pool does.
#[track_caller]
fn held<T>(result: Result<T, LockError>) -> T {
    match result {
        Ok(held) => held,
        Err(error) => panic!("slotpark: {error}"),
    }
}
