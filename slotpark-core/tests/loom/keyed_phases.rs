//! Keyed locks of more than one unit: readers and writers, upgrades, many permits.

use std::pin::pin;
use std::sync::Arc;

use slotpark_core::{Deadline, HoldError, HoldOptions, KeyedOptions, Preference, WhenFull};

use crate::bell::{Bell, finish, poll};
use crate::keyed::{BARGING, FAIR, Guard, Site, thread_of};
use crate::scene::{A, SOON, explore};

const PHASES: KeyedOptions = FAIR.preference(Preference::PhaseFair);

/// A lock of readers with 1 and writers with all.
fn site(capacity: u32, options: KeyedOptions) -> Arc<Site> {
    Site::new(capacity, options.pool(4, WhenFull::Fail))
}

impl Site {
    fn hold_many(&self, amount: u32) -> Guard<'_> {
        self.lock.hold(A, A, HoldOptions::new(amount)).unwrap()
    }

    /// What a reader sees.
    fn read(&self) -> u32 {
        let held = self.lock.with(A, &A, HoldOptions::new(1), || self.sum(A));
        held.unwrap()
    }

    /// A writer adds, of so much.
    fn write(&self, amount: u32, deadline: Option<Deadline>) -> bool {
        let options = HoldOptions::new(amount).deadline(deadline);
        let held = self.lock.with(A, &A, options, || self.add(A));
        assert_ne!(held, Err(HoldError::PoolFull));
        held.is_ok()
    }
}

/// Two readers come before, between, or after a writer: alone or together.
#[test]
fn a_writer_and_two_readers() {
    for options in [FAIR, PHASES, BARGING] {
        explore([(0, 0), (0, 1), (1, 0), (1, 1)], move || {
            let site = site(2, options);
            let readers = [0, 1].map(|_| site.spawn(|site| site.read()));
            assert!(site.write(2, None));
            let [one, other] = readers.map(|reader| reader.join().unwrap());
            site.assert_free([1, 0]);
            (one, other)
        });
    }
}

/// A writer leaves: the reader that stands behind another writer comes in. A third, who comes when
/// it wants, reads before or after that writer.
#[test]
fn readers_come_in_when_a_writer_leaves() {
    explore([0, 1], || {
        let site = site(2, PHASES);
        let first = site.hold_many(2);
        let bells = [Bell::new(), Bell::new()];
        let mut writes = pin!(site.lock.hold_async(A, A, HoldOptions::new(2)));
        let mut reads = pin!(site.lock.hold_async(A, A, HoldOptions::new(1)));
        assert!(poll(writes.as_mut(), &bells[0]).is_pending());
        assert!(poll(reads.as_mut(), &bells[1]).is_pending());
        let third = site.spawn(|site| site.read());
        let unlock = thread_of(first);
        bells[1].wait();
        let reader = finish(reads, &bells[1]).unwrap();
        assert_eq!(site.sum(A), 0, "no writer was before it");
        assert!(poll(writes.as_mut(), &bells[0]).is_pending());
        drop(reader);
        let writer = finish(writes, &bells[0]).unwrap();
        site.add(A);
        drop(writer);
        unlock.join().unwrap();
        let seen = third.join().unwrap();
        site.assert_free([1, 0]);
        seen
    });
}

/// An upgrade waits for a reader; a writer that waits, or comes, is behind both.
#[test]
fn an_upgrade_against_a_reader_and_a_writer() {
    for options in [FAIR, PHASES, BARGING] {
        explore([()], move || {
            let site = site(4, options);
            let mut upgrading = site.hold_many(3);
            let reader = thread_of(site.hold_many(1));
            let writer = site.spawn(|site| site.write(4, None));
            assert_eq!(site.sum(A), 0);
            upgrading.grow(1, None).unwrap();
            assert_eq!(site.sum(A), 0, "what was read is still true");
            site.add(A);
            drop(upgrading);
            reader.join().unwrap();
            assert!(writer.join().unwrap());
            site.assert_free([2, 0]);
        });
    }
}

/// An upgrade with a deadline against the reader's unlocking: it has all, or what it had, and who
/// waits behind it is served in both cases.
#[test]
fn an_upgrade_with_a_deadline() {
    for options in [PHASES, BARGING] {
        explore([false, true], move || {
            let site = site(4, options);
            let mut upgrading = site.hold_many(3);
            let reader = thread_of(site.hold_many(1));
            let third = site.spawn(|site| site.read());
            let is_upgraded = upgrading.grow(1, SOON).is_ok();
            if is_upgraded {
                site.add(A);
            } else {
                assert_eq!(
                    third.join().unwrap(),
                    0,
                    "it reads beside the upgradable one"
                );
                drop(upgrading);
                reader.join().unwrap();
                site.assert_free([0, 0]);
                return false;
            }
            drop(upgrading);
            reader.join().unwrap();
            assert!(third.join().unwrap() <= 1);
            site.assert_free([1, 0]);
            true
        });
    }
}

/// A growth is dropped while another thread grants it, or is about to: its guard holds what it
/// held.
#[test]
fn a_dropped_growth_against_a_grant() {
    for options in [FAIR, BARGING] {
        explore([false, true], move || {
            let site = site(2, options);
            let mut growing = site.hold_many(1);
            let other = thread_of(site.hold_many(1));
            let third = site.spawn(|site| site.read());
            let is_grown = {
                let mut grow = pin!(growing.grow_async(1));
                let bell = Bell::new();
                poll(grow.as_mut(), &bell).is_ready() || poll(grow, &bell).is_ready()
            };
            other.join().unwrap();
            if is_grown {
                assert_eq!(site.lock.held(A, &A), 2);
            } else {
                assert_eq!(third.join().unwrap(), 0, "it is let in beside the other");
                assert_eq!(site.lock.held(A, &A), 1);
                drop(growing);
                site.assert_free([0, 0]);
                return false;
            }
            drop(growing);
            assert_eq!(third.join().unwrap(), 0);
            site.assert_free([0, 0]);
            true
        });
    }
}

/// A task upgrades against the reader's unlocking, and a writer that may wait before it does.
#[test]
fn an_upgrade_of_a_task() {
    explore([()], || {
        let site = site(4, PHASES);
        let mut upgrading = site.hold_many(3);
        let reader = thread_of(site.hold_many(1));
        let writer = site.spawn(|site| site.write(4, None));
        finish(pin!(upgrading.grow_async(1)), &Bell::new());
        assert_eq!(site.sum(A), 0, "what was read is still true");
        site.add(A);
        drop(upgrading);
        reader.join().unwrap();
        assert!(writer.join().unwrap());
        site.assert_free([2, 0]);
    });
}

/// Who wants three of three is first, and stays so while they come back one by one: who wants one
/// comes later.
#[test]
fn a_large_request_at_the_head_is_not_overtaken() {
    explore([()], || {
        let site = site(3, FAIR);
        let (first, second) = (site.hold_many(1), site.hold_many(1));
        let (bell, mut large) = (
            Bell::new(),
            pin!(site.lock.hold_async(A, A, HoldOptions::new(3))),
        );
        assert!(poll(large.as_mut(), &bell).is_pending());
        let small = site.spawn(|site| site.write(1, None));
        let unlock = thread_of(first);
        drop(second);
        bell.wait();
        let guard = finish(large, &bell).unwrap();
        assert_eq!(site.sum(A), 0, "nobody was before it");
        site.add(A);
        drop(guard);
        unlock.join().unwrap();
        assert!(small.join().unwrap());
        site.assert_free([2, 0]);
    });
}
