//! Stories of single flights: nobody waits for ever, and all have the value.

mod common;

use std::future::{Pending, Ready, pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use common::bells::{Bell, poll, poll_with, ready as done, trap};
use common::faults::panics;
use common::{leak, until, watchdog};
use slotpark_core::{Deadline, DefaultPlatform, FlightError, Flying, SingleFlight};

const AT: (u64, u64) = (5, 1);

type Error = &'static str;
type Made = Result<Value, Error>;
type Boxed<F> = Pin<Box<Flying<'static, u64, Value, F, DefaultPlatform>>>;

/// What is done when a value is cloned: it is told which clone this is.
type OnClone = &'static (dyn Fn(usize) + Send + Sync);

/// A value that counts itself.
struct Value {
    number: u64,
    scene: Scene,
}

impl Clone for Value {
    fn clone(&self) -> Self {
        let count = self.scene.clones.fetch_add(1, Ordering::Relaxed);
        (self.scene.on_clone)(count);
        self.scene.value(self.number)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.scene.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number.fmt(f)
    }
}

#[derive(Clone, Copy)]
struct Scene {
    flights: &'static SingleFlight<u64, Value>,
    alive: &'static AtomicUsize,
    clones: &'static AtomicUsize,
    on_clone: OnClone,
}

impl Scene {
    fn new(on_clone: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Self::on(
            leak(SingleFlight::try_with_slots(1).expect("one slot")),
            on_clone,
        )
    }

    fn on(
        flights: &'static SingleFlight<u64, Value>,
        on_clone: impl Fn(usize) + Send + Sync + 'static,
    ) -> Self {
        Self {
            flights,
            alive: leak(AtomicUsize::new(0)),
            clones: leak(AtomicUsize::new(0)),
            on_clone: leak(on_clone),
        }
    }

    fn value(self, number: u64) -> Value {
        self.alive.fetch_add(1, Ordering::Relaxed);
        Value {
            number,
            scene: self,
        }
    }

    fn fly(self, f: impl FnOnce() -> Made) -> Result<u64, FlightError<Error>> {
        let made = self.flights.fly(AT.0, &AT.1, None, f);
        made.map(|value| value.number)
    }

    /// A task that makes `number`, if it leads; queued.
    fn task(self, number: u64) -> (Boxed<Ready<Made>>, Arc<Bell>) {
        let made = ready(Ok(self.value(number)));
        let mut flying = Box::pin(self.flights.fly_async(AT.0, AT.1, made));
        let bell = Bell::new();
        assert!(poll(flying.as_mut(), &bell).is_pending());
        (flying, bell)
    }

    /// A thread that makes `number`, if it leads; queued.
    fn thread(self, number: u64) -> JoinHandle<Result<u64, FlightError<Error>>> {
        let others = self.waiters();
        let thread = std::thread::spawn(move || self.fly(|| Ok(self.value(number))));
        until("a thread follows", || self.waiters() > others);
        thread
    }

    /// A task that leads and never makes anything.
    fn leader(self) -> Boxed<Pending<Made>> {
        let mut leader = Box::pin(self.flights.fly_async(AT.0, AT.1, pending()));
        assert!(poll(leader.as_mut(), &Bell::new()).is_pending());
        assert!(self.flights.is_flying(AT.0, &AT.1));
        leader
    }

    fn waiters(self) -> usize {
        self.flights.waiters(AT.0, &AT.1)
    }

    fn clones(self) -> usize {
        self.clones.load(Ordering::Relaxed)
    }

    /// Nobody leads or follows, and no value is left.
    #[track_caller]
    fn assert_over(self) {
        assert!(!self.flights.is_flying(AT.0, &AT.1), "somebody leads");
        assert_eq!(self.waiters(), 0);
        assert_eq!(self.alive.load(Ordering::Relaxed), 0, "values are left");
    }
}

fn number(made: Made) -> Result<u64, Error> {
    made.map(|value| value.number)
}

fn nothing(_: usize) {}

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

/// The lead comes to a future, which is dropped before it is polled: it goes on. So does nothing
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

/// More follow than a leader serves, or wakes, in one hold of the lock: all have the value, of one
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

/// Threads and tasks fly, fail and give up at random: one leads at a time, each call ends, no value
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
