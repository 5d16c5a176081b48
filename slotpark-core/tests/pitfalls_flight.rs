//! Stories of leaders: nobody waits for ever for one who does not come back.

mod common;

use std::future::ready;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::bells::{Bell, poll, ready as done};
use common::faults::panics;
use common::flights::{AT, Error, Made, Scene, nothing, number};
use common::{leak, watchdog};
use slotpark_core::{Deadline, FlightError, SingleFlight};

/// The leader panics: its panic is its own, the first who follows leads, the others have its value.
#[test]
fn leader_dies() {
    let _watchdog = watchdog("leader_dies");
    let scene = Scene::new(nothing);
    let mut followers = None;
    let panic = panics(|| {
        scene.fly(|| {
            followers = Some((scene.thread(7), scene.task(8), scene.thread(9)));
            panic!("the leader dies")
        })
    });
    assert_eq!(panic, "the leader dies");
    let (first, (mut second, bell), third) = followers.expect("it led");
    assert_eq!(first.join().expect("it leads"), Ok(7));
    assert_eq!(third.join().expect("it is served"), Ok(7));
    assert_eq!((number(done(second.as_mut())), bell.rings()), (Ok(7), 1));
    drop(second);
    scene.assert_over();
}

/// The leader is a task, and dropped: the next one leads, be it a task or a thread.
#[test]
fn leader_dies_as_a_task() {
    let _watchdog = watchdog("leader_dies_as_a_task");
    let scene = Scene::new(nothing);
    let leader = scene.leader();
    let (mut first, bell) = scene.task(7);
    let second = scene.thread(8);
    drop(leader);
    assert_eq!(bell.rings(), 1);
    assert_eq!(number(done(first.as_mut())), Ok(7));
    assert_eq!(second.join().expect("it is served"), Ok(7));
    let leader = scene.leader();
    let only = scene.thread(9);
    drop(leader);
    assert_eq!(only.join().expect("it leads"), Ok(9));
    drop(first);
    scene.assert_over();
}

/// The inner future of a leader panics, and the future is kept: the next one leads all the same.
#[test]
fn leader_dies_and_is_kept() {
    let scene = Scene::new(nothing);
    let mut flew = false;
    let dies = std::future::poll_fn(move |_| {
        assert!(!std::mem::replace(&mut flew, true), "the leader dies");
        std::task::Poll::Pending::<Made>
    });
    let mut leader = Box::pin(scene.flights.fly_async(AT.0, AT.1, dies));
    assert!(poll(leader.as_mut(), &Bell::new()).is_pending());
    let (mut next, bell) = scene.task(7);
    assert_eq!(panics(|| poll(leader.as_mut(), &bell)), "the leader dies");
    assert_eq!((number(done(next.as_mut())), bell.rings()), (Ok(7), 1));
    let again = panics(|| poll(leader.as_mut(), &bell));
    assert_eq!(again, "slotpark: polled after it was done");
    drop(next);
    scene.assert_over();
}

/// A leader that fails has its error alone, and each who follows makes it in turn.
#[test]
fn a_failure_is_the_leaders_own() {
    let _watchdog = watchdog("a_failure_is_the_leaders_own");
    let scene = Scene::new(nothing);
    let mut followers = None;
    let failed = scene.fly(|| {
        let fails = ready(Err("the second fails"));
        let mut second = Box::pin(scene.flights.fly_async(AT.0, AT.1, fails));
        assert!(poll(second.as_mut(), &Bell::new()).is_pending());
        followers = Some((second, scene.thread(7)));
        Err("the first fails")
    });
    assert_eq!(failed, Err(FlightError::Failed("the first fails")));
    let (mut second, third) = followers.expect("it led");
    assert_eq!(scene.waiters(), 1, "the lead is the second's");
    assert_eq!(number(done(second.as_mut())), Err("the second fails"));
    assert_eq!(third.join().expect("it leads"), Ok(7));
    scene.assert_over();
}

/// when a value comes, but the value ends.
#[test]
fn a_dropped_follower_hands_the_lead_on() {
    let _watchdog = watchdog("a_dropped_follower_hands_the_lead_on");
    let scene = Scene::new(nothing);
    let leader = scene.leader();
    let (first, _) = scene.task(6);
    let second = scene.thread(7);
    drop(leader);
    assert_eq!(scene.waiters(), 1, "the lead is the first's");
    drop(first);
    assert_eq!(second.join().expect("it leads"), Ok(7));
    let mut follower = None;
    let led = scene.fly(|| {
        follower = Some(scene.task(8));
        Ok(scene.value(42))
    });
    assert_eq!(led, Ok(42));
    let (follower, bell) = follower.expect("it led");
    assert_eq!((bell.rings(), scene.clones()), (1, 1));
    drop(follower);
    scene.assert_over();
}

/// Others come faster than the leader serves: it comes home, and the first of them leads.
#[test]
fn a_leader_comes_home() {
    let late: &'static std::sync::Mutex<Vec<_>> = leak(std::sync::Mutex::default());
    let flights = leak(SingleFlight::try_with_slots(1).expect("one slot"));
    let comes: &Scene = leak(Scene::on(flights, nothing));
    let scene = Scene::on(flights, move |clone| {
        if clone < 100 {
            late.lock()
                .expect("no test panics")
                .push(comes.task(clone as u64));
        }
    });
    let mut followers = Vec::new();
    let led = scene.fly(|| {
        followers.extend([scene.task(7), scene.task(8)]);
        Ok(scene.value(42))
    });
    assert_eq!((led, scene.clones()), (Ok(42), 2));
    for (mut follower, _) in followers {
        assert_eq!(number(done(follower.as_mut())), Ok(42));
    }
    let mut late = late.lock().expect("no test panics");
    for (late, bell) in late.iter_mut() {
        assert_eq!((number(done(late.as_mut())), bell.rings()), (Ok(0), 1));
    }
    late.clear();
    scene.assert_over();
}

/// A deadline ends what follows, never what leads; and a future whose timer fired is dropped.
#[test]
fn a_follower_gives_up_alone() {
    let _watchdog = watchdog("a_follower_gives_up_alone");
    let scene = Scene::new(nothing);
    let fly = |deadline, number| {
        let made = (scene.flights).fly(AT.0, &AT.1, deadline, || {
            Ok::<_, Error>(scene.value(number))
        });
        made.map(|value| value.number)
    };
    let past = Some(Deadline::PAST);
    assert_eq!(fly(past, 1), Ok(1), "who leads does not wait");
    let led = scene.fly(|| {
        assert_eq!(fly(past, 2), Err(FlightError::TimedOut));
        let soon = common::soon(std::time::Duration::from_millis(1));
        assert_eq!(fly(soon, 3), Err(FlightError::TimedOut));
        drop(scene.task(4));
        assert_eq!(scene.waiters(), 0);
        Ok(scene.value(42))
    });
    assert_eq!((led, scene.clones()), (Ok(42), 0));
    scene.assert_over();
    assert_eq!(
        [FlightError::TimedOut, FlightError::Failed("it")].map(|error| error.to_string()),
        ["no value was made before the deadline", "it"]
    );
}

/// is left.
#[test]
fn one_leads_at_a_time() {
    const CALLS: u64 = 3_000;
    let _watchdog = watchdog("one_leads_at_a_time");
    let scene = Scene::new(nothing);
    let leaders: &AtomicUsize = leak(AtomicUsize::new(0));
    let make = move |draw: u64| {
        assert_eq!(leaders.fetch_add(1, Ordering::Relaxed), 0, "two lead");
        std::thread::yield_now();
        leaders.fetch_sub(1, Ordering::Relaxed);
        if draw % 4 == 0 {
            Err("at random")
        } else {
            Ok(scene.value(draw))
        }
    };
    let threads: Vec<_> = (0..4)
        .map(|seed| {
            std::thread::spawn(move || {
                let mut numbers = common::Numbers::new(seed);
                for _ in 0..CALLS {
                    let draw = numbers.below(1 << 20);
                    let deadline = (draw % 3 == 0).then_some(Deadline::PAST);
                    if draw % 5 == 0 {
                        let made = std::future::poll_fn(|_| std::task::Poll::Ready(make(draw)));
                        let mut flying = Box::pin(scene.flights.fly_async(AT.0, AT.1, made));
                        // Dropped at its first wait.
                        let _polled = poll(flying.as_mut(), &Bell::new()).map(number);
                    } else {
                        let made = scene.flights.fly(AT.0, &AT.1, deadline, || make(draw));
                        drop(made);
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("one leads at a time");
    }
    scene.assert_over();
}
