//! Looks at a slot while others wait, wake, lock and unlock in it: what they find was so at one
//! moment, and nobody notices.
//!
//! The level of detail is the test's own: the threads of a model are threads of one.

use std::pin::pin;

use slotpark_core::{Detail, HoldOptions, Inspect, Kind, Preference, Seen, set_detail};

use crate::bell::{Bell, finish, poll};
use crate::host::OwnBit;
use crate::keyed::{BARGING, FAIR, Lock, Site};
use crate::scene::{A, ALL, B, C, Ended, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);

/// How many wait and how many hold in a slot.
fn look(table: &impl Inspect, index: usize) -> (usize, usize) {
    let mut room = [Seen::default(); 4];
    let found = table.look(index, &mut room);
    let holders = room[..found].iter().filter(|seen| seen.holds).count();
    (found - holders, holders)
}

/// A holder that stands in the word alone is seized by a look, while it locks and unlocks; and the
/// word is free again when it is gone.
fn look_at_a_holder(detail: Detail, preference: Preference) {
    set_detail(detail);
    explore([0, 1], move || {
        let site = Site::new(1, FAIR.preference(preference));
        let other = site.spawn(|site| {
            let held = site.lock.with(A, &A, HoldOptions::new(1), || site.add(A));
            assert_eq!(held, Ok(()));
        });
        let (waiting, holders) = look(&site.lock, 0);
        assert_eq!(waiting, 0);
        other.join().unwrap();
        assert_eq!(look(&site.lock, 0), (0, 0));
        site.assert_free([1, 0]);
        holders
    });
    set_detail(Detail::Off);
}

#[test]
fn a_look_seizes_a_holder() {
    look_at_a_holder(Detail::Off, Preference::Fifo);
    look_at_a_holder(Detail::Off, Preference::Barging);
}

#[test]
fn a_look_at_who_is_recorded() {
    look_at_a_holder(Detail::Full, Preference::Fifo);
    look_at_a_holder(Detail::Full, Preference::Barging);
}

/// Two exclude each other whether owners are recorded or not, and while a third looks.
fn exclude(detail: Detail, preference: Preference, looks: bool) {
    set_detail(detail);
    explore([()], move || {
        let site = Site::new(1, FAIR.preference(preference));
        let add = |site: &Site| {
            let held = site.lock.with(A, &A, HoldOptions::new(1), || site.add(A));
            assert_eq!(held, Ok(()));
        };
        let other = site.spawn(add);
        if looks {
            let (waiting, holders) = look(&site.lock, 0);
            assert!(waiting + holders <= 1, "{waiting} {holders}");
        }
        add(&site);
        other.join().unwrap();
        site.assert_free([2, 0]);
    });
    set_detail(Detail::Off);
}

#[test]
fn recorded_owners_exclude() {
    for preference in [Preference::Fifo, Preference::Barging] {
        exclude(Detail::Timing, preference, false);
        exclude(Detail::Off, preference, true);
        exclude(Detail::Timing, preference, true);
    }
}

/// Owners are recorded from some moment on, and no more from another one, while keys are held: who
/// is in the word, and who is a node, exclude each other all the same, and the word comes back.
#[test]
fn the_level_changes_while_two_exclude() {
    for options in [FAIR, BARGING] {
        explore([()], move || {
            set_detail(Detail::Off);
            let site = Site::new(1, options);
            let other = site.spawn(|site| {
                set_detail(Detail::Timing);
                let _found = look(&site.lock, 0);
                site.lock
                    .with(A, &A, HoldOptions::new(1), || site.add(A))
                    .unwrap();
                set_detail(Detail::Off);
            });
            site.lock
                .with(A, &A, HoldOptions::new(1), || site.add(A))
                .unwrap();
            other.join().unwrap();
            let free = site.lock.try_hold(A, A, HoldOptions::new(1)).map(drop);
            assert_eq!(free, Ok(()));
            site.assert_free([2, 0]);
        });
    }
}

/// What a holder says is written before others can see it, and when the key is granted to it.
#[test]
fn a_grant_against_a_look() {
    set_detail(Detail::Full);
    explore([(0, 1), (1, 1)], || {
        let site = Site::new(1, FAIR);
        let guard = site.lock.hold(A, A, HoldOptions::new(1)).unwrap();
        let bell = Bell::new();
        let mut hold = pin!(site.lock.hold_async(A, A, HoldOptions::new(1)));
        assert!(poll(hold.as_mut(), &bell).is_pending());
        let other = site.spawn(|site| look(&site.lock, 0));
        drop(guard);
        drop(finish(hold, &bell).unwrap());
        let found = other.join().unwrap();
        site.assert_free([0, 0]);
        // Who is granted the key waits no more in the same moment; perhaps all is over by then.
        if found == (0, 0) { (0, 1) } else { found }
    });
    set_detail(Detail::Off);
}

/// A waiter is seen from when it is queued until it is chosen; what it says lives as long.
#[test]
fn a_wait_against_a_look_and_a_wake() {
    for detail in [Detail::Off, Detail::Full] {
        set_detail(detail);
        explore([0, 1], || {
            let scene = Scene::<OwnBit>::new(1);
            let (ended, found) = scene.wait_then(A, None, || {
                let looker = scene.spawn(|scene| look(&scene.table, 0));
                assert_eq!(scene.wake(A, 1), 1);
                looker
            });
            let (waiting, holders) = found.join().unwrap();
            assert_eq!((ended, holders), (WOKEN, 0));
            scene.assert_empty();
            waiting
        });
        set_detail(Detail::Off);
    }
}

/// The nodes of one wait on two keys point to one record, which a waker of one of them writes to
/// while another looks at the other.
#[test]
fn a_wait_on_two_keys_against_a_look() {
    set_detail(Detail::Full);
    explore([0, 1], || {
        let scene = Scene::<OwnBit>::new(2);
        let bell = Bell::new();
        let entries = [(A, A), (B, B)];
        let options = slotpark_core::ParkOptions::new();
        let mut wait = pin!(scene.table.wait_any_async(entries, options, None, |_| true));
        assert!(poll(wait.as_mut(), &bell).is_pending());
        let looker = scene.spawn(|scene| look(&scene.table, 1).0);
        assert_eq!(scene.wake(A, ALL), 1);
        let ended = finish(wait, &bell);
        assert!(ended.parked.is_woken());
        let found = looker.join().unwrap();
        scene.assert_empty();
        found
    });
    set_detail(Detail::Off);
}

/// A look between two keys of a slot, one held and one awaited.
#[test]
fn a_look_at_two_keys() {
    set_detail(Detail::Timing);
    explore([()], || {
        let site = Site::new(1, FAIR);
        let guard = site.lock.hold(C, C, HoldOptions::new(1)).unwrap();
        let other = site.spawn(|site| {
            let held = site.lock.with(A, &A, HoldOptions::new(1), || site.add(A));
            assert_eq!(held, Ok(()));
        });
        let mut room = [Seen::default(); 4];
        let found = Lock::look(&site.lock, 0, &mut room);
        assert!((1..=2).contains(&found));
        assert!(room[..found].iter().all(|seen| seen.kind == Kind::Lock));
        other.join().unwrap();
        drop(guard);
        site.assert_free([1, 0]);
    });
    set_detail(Detail::Off);
}
