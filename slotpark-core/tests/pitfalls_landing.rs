//! Stories of values made in a single flight: all who wait have one, and none is left.

mod common;

use std::future::ready;

use common::bells::{poll_with, ready as done, trap};
use common::faults::panics;
use common::flights::{AT, Error, Scene, nothing, number};
use common::{leak, watchdog};
use slotpark_core::{FlightError, SingleFlight};

/// flight.
#[test]
fn a_value_goes_to_all_who_wait() {
    const TASKS: usize = 100;
    let _watchdog = watchdog("a_value_goes_to_all_who_wait");
    let scene = Scene::new(nothing);
    let mut tasks = Vec::new();
    let mut threads = Vec::new();
    let led = scene.fly(|| {
        for _ in 0..TASKS / 2 {
            tasks.push(scene.task(7));
        }
        threads.extend([scene.thread(8), scene.thread(9)]);
        for _ in 0..TASKS / 2 {
            tasks.push(scene.task(7));
        }
        Ok(scene.value(42))
    });
    assert_eq!((led, scene.clones()), (Ok(42), TASKS + 2));
    for thread in threads {
        assert_eq!(thread.join().expect("it is served"), Ok(42));
    }
    for (mut task, bell) in tasks {
        assert_eq!((number(done(task.as_mut())), bell.rings()), (Ok(42), 1));
    }
    scene.assert_over();
}

/// Nothing is kept: who comes after the flight makes its own value.
#[test]
fn a_value_is_not_kept() {
    let _watchdog = watchdog("a_value_is_not_kept");
    let scene = Scene::new(nothing);
    for made in [1, 2] {
        assert_eq!(scene.fly(|| Ok(scene.value(made))), Ok(made));
        scene.assert_over();
    }
    let nested = scene.fly(|| {
        // Other keys, of the same slot and hash, are other flights.
        let other = scene.flights.fly(AT.0, &2, None, || Ok(scene.value(3)));
        other.map_err(|error: FlightError<Error>| panic!("{error}"))
    });
    assert_eq!((nested, scene.clones()), (Ok(3), 0));
}

/// A clone runs under no lock: it may ask for keys of the same slot.
#[test]
fn a_clone_may_fly() {
    let _watchdog = watchdog("a_clone_may_fly");
    let flights = leak(SingleFlight::try_with_slots(1).expect("one slot"));
    let other: &Scene = leak(Scene::on(flights, nothing));
    let scene = Scene::on(flights, |_| {
        assert!(other.flights.is_flying(AT.0, &AT.1));
        let nested = other
            .flights
            .fly(AT.0, &2, None, || Ok::<_, Error>(other.value(1)));
        assert_eq!(nested.map(|value| value.number), Ok(1));
    });
    let mut follower = None;
    let led = scene.fly(|| {
        follower = Some(scene.task(7));
        Ok(scene.value(42))
    });
    assert_eq!((led, scene.clones()), (Ok(42), 1));
    drop(follower);
    scene.assert_over();
}

/// A clone panics: who has a value keeps it, the next one leads, and the panic goes on.
#[test]
fn a_clone_that_panics_loses_nobody() {
    let scene = Scene::new(|clone| assert!(clone != 16, "a clone panics"));
    let mut tasks = Vec::new();
    let panic = panics(|| {
        scene.fly(|| {
            tasks.extend((0..18).map(|number| scene.task(number)));
            Ok(scene.value(42))
        })
    });
    assert_eq!(panic, "a clone panics");
    assert_eq!((scene.clones(), scene.waiters()), (17, 1));
    for (index, (task, _)) in tasks.iter_mut().enumerate() {
        let expected = if index < 16 { 42 } else { 16 };
        assert_eq!(number(done(task.as_mut())), Ok(expected), "task {index}");
    }
    drop(tasks);
    scene.assert_over();
}

/// A Waker that panics is not the end of a flight: the others are served, and nobody leads.
#[test]
fn a_panicking_waker_ends_no_flight() {
    let scene = Scene::new(nothing);
    let mut followers = None;
    let panic = panics(|| {
        scene.fly(|| {
            let own = ready(Ok(scene.value(7)));
            let mut first = Box::pin(scene.flights.fly_async(AT.0, AT.1, own));
            let waker = trap(|| panic!("a Waker"));
            assert!(poll_with(first.as_mut(), &waker).is_pending());
            followers = Some((first, scene.task(8)));
            Ok(scene.value(42))
        })
    });
    assert_eq!(panic, "a Waker");
    let (mut first, (mut second, bell)) = followers.expect("it led");
    assert_eq!(number(done(first.as_mut())), Ok(42));
    assert_eq!((number(done(second.as_mut())), bell.rings()), (Ok(42), 1));
    drop((first, second));
    scene.assert_over();
}
