//! Wakes that race with waits: who is counted is woken, once, and nobody is missed.

use std::cell::Cell;
use std::hash::BuildHasher;
use std::sync::Arc;

use slotpark_core::{Filter, ParkOptions, Seeded, finalize};

use crate::host::{Alone, Choice, OwnBit, Spinning};
use crate::scene::{A, ALL, B, Ended, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);

/// Two waiters arrive while everybody is woken: each is either counted or sees the new value.
#[test]
fn wake_all_counts_those_it_wakes() {
    let expected = [
        (0, Ended::Stale, Ended::Stale),
        (1, WOKEN, Ended::Stale),
        (1, Ended::Stale, WOKEN),
        (2, WOKEN, WOKEN),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let first = scene.spawn(|scene| scene.wait(A, None));
        let second = scene.spawn(|scene| scene.wait(A, None));
        scene.set(1);
        let woken = scene.wake(A, ALL);
        let ended = (first.join().unwrap(), second.join().unwrap());
        assert_eq!(woken, ended.0.count() + ended.1.count());
        scene.assert_empty();
        (woken, ended.0, ended.1)
    });
}

/// Two wakes of one, before either waiter has run, wake two waiters.
#[test]
fn two_wakes_two_waiters() {
    explore([(1, 1, 0, WOKEN, WOKEN)], || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, other) = scene.wait_then(A, None, || {
            scene.spawn(|scene| {
                scene.wait_then(A, None, || {
                    let wake = || scene.spawn(|scene| scene.wake(A, 1));
                    let (one, two) = (wake(), wake());
                    let counts = (one.join().unwrap(), two.join().unwrap());
                    (counts.0, counts.1, scene.wake(A, 1))
                })
            })
        });
        let (other, (first, second, third)) = other.join().unwrap();
        scene.assert_empty();
        (first, second, third, ended, other)
    });
}

/// Keys that collide: the wake of one finds its waiter and leaves the other's.
#[test]
fn collision_wakes_the_right_key() {
    collide(B);
}

/// Keys whose hashes are equal are still two keys.
#[test]
fn equal_hashes_are_not_equal_keys() {
    collide(A);
}

/// Key B waits under `hash`, key A is waited for and woken.
fn collide(hash: u64) {
    let expected = [(0, Ended::Stale), (1, WOKEN)];
    explore(expected, move || {
        let scene = Scene::<OwnBit>::new(1);
        let mut raced = None;
        let race = || {
            let waiter = scene.spawn(|scene| scene.wait(A, None));
            scene.set(1);
            raced = Some((scene.wake(A, ALL), waiter));
            assert_eq!(
                scene.table.waiters(hash, &B),
                1,
                "the other key is untouched"
            );
            assert_eq!(scene.table.unpark(hash, &B, 1, TOKEN), 1);
        };
        let yes = || Ok::<_, ()>(true);
        let other = scene
            .table
            .park_with(hash, &B, ParkOptions::new(), yes, race, |_| {});
        assert_eq!(other.map(Ended::from), Ok(WOKEN));
        let (woken, waiter) = raced.unwrap();
        let ended = waiter.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}

/// A thread waits again at once while its waker is still busy with the wait before: the new node
/// lies where the old one lay.
#[test]
fn a_node_is_used_again_after_its_release() {
    let waits = |scene: &Arc<Scene>| {
        let first = scene.wait(A, None);
        let parked = scene
            .table
            .park(A, &A, ParkOptions::new(), || !scene.holds(2));
        (first, Ended::from(parked))
    };
    let expected = [
        (0, 0, Ended::Stale, Ended::Stale),
        (0, 1, Ended::Stale, WOKEN),
        (1, 0, WOKEN, Ended::Stale),
        (1, 1, WOKEN, WOKEN),
        // The second wait may begin before the first wake looks. But the second wake never meets
        // the first wait, whose value had changed before the first wake.
        (1, 0, Ended::Stale, WOKEN),
    ];
    explore(expected, move || {
        let scene = Scene::<OwnBit>::new(1);
        let waiter = scene.spawn(waits);
        scene.set(1);
        let first = scene.wake(A, 1);
        scene.set(2);
        let second = scene.wake(A, 1);
        let ended = waiter.join().unwrap();
        assert_eq!(first + second, ended.0.count() + ended.1.count());
        scene.assert_empty();
        (first, second, ended.0, ended.1)
    });
}

/// The same from one place, so that the second node lies exactly where the first one lay, and
/// sleeps on a word of its own: the first waker may still pass that word's address to the kernel,
/// which ends a sleep of the second wait and not the wait.
#[test]
fn a_late_wake_of_the_word_before_wakes_nobody() {
    reuse::<Alone>();
    reuse::<OwnBit>();
}

fn reuse<H: Choice>() {
    explore([(1, 1, 0)], || {
        let scene = Scene::<H>::new(1);
        let waker = Cell::new(None);
        // The first wait is woken by another thread, which may be busy with it for long.
        let mut counts = (0, 0, 0);
        for round in 0..2 {
            let (ended, second) = scene.wait_then(A, None, || match round {
                0 => {
                    waker.set(Some(scene.spawn(|scene| scene.wake(A, 1))));
                    None
                }
                _ => Some(scene.spawn(|scene| scene.wake(A, 1))),
            });
            assert_eq!(ended, WOKEN);
            if let Some(second) = second {
                counts.1 = second.join().unwrap();
            }
        }
        counts.0 = waker.take().unwrap().join().unwrap();
        counts.2 = scene.wake(A, ALL);
        scene.assert_empty();
        counts
    });
}

/// Spinning changes nothing about who is woken.
#[test]
fn a_spinning_waiter_misses_no_wake() {
    let expected = [(0, Ended::Stale), (1, WOKEN)];
    explore(expected, || {
        let scene = Scene::<Spinning>::new(1);
        let waiter = scene.spawn(|scene| scene.wait(A, None));
        scene.set(1);
        let woken = scene.wake(A, 1);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// A filter that skips the oldest: the group's record stays with it while the next one leaves.
#[test]
fn a_skipped_waiter_keeps_its_place() {
    explore([(1, 1, WOKEN, WOKEN)], || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, other) = scene.wait_then(A, None, || {
            scene.spawn(|scene| {
                scene.wait_then(A, None, || {
                    let waker = scene.spawn(|scene| scene.wake(A, 1));
                    let mut skip = true;
                    let filter = |_: &_| {
                        if std::mem::take(&mut skip) && scene.table.slot_stats(0).wakes == 0 {
                            Filter::Skip
                        } else {
                            Filter::Unpark
                        }
                    };
                    let woken = scene.table.unpark_filter(A, &A, ALL, filter, TOKEN);
                    (woken, waker)
                })
            })
        });
        let (other, (filtered, waker)) = other.join().unwrap();
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (filtered, woken, ended, other)
    });
}

/// The first wait and the first wake of a table that has no seed yet hash alike.
#[test]
fn an_unseeded_table_loses_nothing() {
    let expected = [(0, Ended::Stale), (1, WOKEN)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let seed = Arc::new(Seeded::new());
        let hash = |seed: &Seeded| finalize(seed.hash_one(A));
        let shared = Arc::clone(&seed);
        let waiter = scene.spawn(move |scene| {
            let hash = hash(&shared);
            let parked = scene
                .table
                .park(hash, &A, ParkOptions::new(), || scene.holds(0));
            (hash, Ended::from(parked))
        });
        scene.set(1);
        let own = hash(&seed);
        let woken = scene.table.unpark(own, &A, 1, TOKEN);
        let (hash, ended) = waiter.join().unwrap();
        assert_eq!(hash, own, "one seed for both");
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}
