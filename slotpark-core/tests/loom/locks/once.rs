//! The once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Site;
use crate::scene::explore;

fn call(site: &Site) {
    site.once.call_at(site.at(), false, |state| {
        assert!(!state.is_poisoned());
        site.add();
    });
}

/// It runs once, and whoever comes back sees what was done.
#[test]
fn pair_once() {
    explore([(1, 1)], || {
        let site = Site::new();
        let seen = |site: &Site| {
            call(site);
            site.read()
        };
        let other = site.spawn(seen);
        let mine = seen(&site);
        let theirs = other.join().unwrap();
        site.assert_empty();
        (mine, theirs)
    });
}

/// Who waits for somebody else to do it sees it done, whenever it is begun.
#[test]
fn a_wait_for_it() {
    explore([1], || {
        let site = Site::new();
        let other = site.spawn(call);
        site.once.wait_at(site.at(), false);
        let seen = site.read();
        other.join().unwrap();
        site.assert_empty();
        seen
    });
}

/// Whoever sees that it is done sees what was done, without any wait.
#[test]
fn pair_once_without_a_wait() {
    explore([false, true], || {
        let site = Site::new();
        let other = site.spawn(|site| {
            let is_done = site.once.is_completed();
            if is_done {
                assert_eq!(site.read(), 1);
            }
            is_done
        });
        call(&site);
        other.join().unwrap()
    });
}

/// The first panics: who waits for it goes on by running it again, and sees what was done before.
#[test]
fn a_panic_against_a_forced_call() {
    explore([false, true], || {
        let site = Site::new();
        let other = site.spawn(|site| {
            let call = || {
                site.once.call_at(site.at(), true, |_| {
                    site.add();
                    // Without the hook's output, once for each interleaving.
                    std::panic::resume_unwind(Box::new(()));
                });
            };
            assert!(catch_unwind(AssertUnwindSafe(call)).is_err() || site.once.is_completed());
        });
        let mut poisoned = false;
        site.once.call_at(site.at(), true, |state| {
            poisoned = state.is_poisoned();
            assert_eq!(site.add(), u32::from(poisoned));
        });
        assert!(site.once.is_completed());
        other.join().unwrap();
        site.assert_empty();
        poisoned
    });
}
