//! Condition variables, and the once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use slotpark_core::{Deadline, DefaultPlatform, RawMutex};

use crate::common::{soon, until, watchdog};
use crate::{CONDVAR, LOCKS, Site, joined};

/// Ten wait, and the mutex is locked: nobody wakes in order to wait again.
#[test]
fn a_notification_is_no_thundering_herd() {
    let _watch = watchdog("a_notification_is_no_thundering_herd");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let waiters = [(); 10].map(|()| {
        site.queued(CONDVAR, |site| {
            site.lock();
            assert!(site.wait(None));
            site.unlock();
        })
    });
    let wakes = || site.table.slot_stats(1).wakes + site.table.slot_stats(2).wakes;
    site.lock();
    let before = wakes();
    assert_eq!(site.notify(1), 1);
    assert_eq!((site.waiters(CONDVAR), site.waiters(LOCKS)), (9, 1));
    assert_eq!(site.notify(usize::MAX), 9);
    assert_eq!((site.waiters(CONDVAR), site.waiters(LOCKS)), (0, 10));
    assert_eq!(wakes(), before, "the mutex is locked: nobody could go on");
    assert_eq!(site.notify(usize::MAX), 0, "nobody is notified twice");
    site.unlock();
    for thread in waiters {
        joined(thread);
    }
    assert!(site.mutex.try_lock());
}

/// A notification is counted for a wait whose deadline passes while it waits for the mutex: if that
/// wait says that it timed out, nobody does what was notified.
#[test]
fn a_notified_wait_does_not_time_out() {
    let _watch = watchdog("a_notified_wait_does_not_time_out");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let waiter = site.queued(CONDVAR, |site| {
        site.lock();
        let is_notified = site.wait(soon(Duration::from_millis(200)));
        site.unlock();
        is_notified
    });
    site.lock();
    if site.notify(1) == 0 {
        // A very slow machine: the deadline came first.
        site.unlock();
        assert!(!joined(waiter));
        return;
    }
    until("its deadline is past", || {
        site.table.slot_stats(1).timeouts == 1
    });
    site.unlock();
    assert!(joined(waiter), "its notification was counted");
}

/// Waits with two mutexes at one time would move threads to the wrong one. The mutex stays locked.
#[test]
fn two_mutexes_of_one_condvar() {
    let _watch = watchdog("two_mutexes_of_one_condvar");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let waiter = site.queued(CONDVAR, |site| {
        site.lock();
        assert!(site.wait(None));
        site.unlock();
    });
    let other = RawMutex::new();
    assert!(other.try_lock());
    let place = (&other, site.place((7, 3)));
    // SAFETY: the condition variable is used at this place alone.
    let wait = || unsafe { site.condvar.wait_at(site.place(CONDVAR), place, None) };
    assert!(catch_unwind(AssertUnwindSafe(wait)).is_err());
    assert!(other.is_locked());
    assert_eq!(site.notify(1), 1);
    joined(waiter);
    // Now it may be used with the other.
    let past = Some(Deadline::PAST);
    // SAFETY: the condition variable is used at this place alone.
    assert!(!unsafe { site.condvar.wait_at(site.place(CONDVAR), place, past) });
}

/// Whoever does it panics: those who wait for it are told, and one may do it again.
#[test]
fn a_panic_in_a_once_is_told_to_those_who_wait() {
    let _watch = watchdog("a_panic_in_a_once_is_told_to_those_who_wait");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let (mut plain, mut forced) = (None, None);
    let run = || {
        site.once.call_at(site.at(), false, |_| {
            plain = Some(site.queued(LOCKS, |site| {
                let call = || site.once.call_at(site.at(), false, |_| {});
                catch_unwind(AssertUnwindSafe(call)).is_err()
            }));
            forced = Some(site.queued(LOCKS, |site| {
                site.once.wait_at(site.at(), true);
            }));
            panic!("on purpose");
        });
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert!(!site.once.is_completed());
    assert!(joined(plain.expect("it was begun")), "it is poisoned");
    site.once
        .call_at(site.at(), true, |state| assert!(state.is_poisoned()));
    joined(forced.expect("it was begun"));
    site.once
        .call_at(site.at(), false, |_| panic!("it is done"));
}
