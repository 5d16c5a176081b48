//! Those who watch in the background, on tables that show what they are told to.

mod common;

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::waits;
use common::watchdog::watchdog;
use slotpark_core::{Clock, DefaultPlatform, Inspect, Kind, Platform, Seen, SlotStats};
use slotpark_inspect::{Inversion, LockOrder, Watchdog, register, watch_deadlocks};

/// Shows what is in it now.
#[derive(Default)]
struct Shown(Mutex<Vec<Seen>>);

impl Inspect for Shown {
    fn slot_count(&self) -> usize {
        1
    }

    fn slot_stats(&self, _: usize) -> SlotStats {
        SlotStats::default()
    }

    fn look(&self, _: usize, room: &mut [Seen]) -> usize {
        let nodes = self.0.lock().unwrap();
        let count = nodes.len().min(room.len());
        room[..count].copy_from_slice(&nodes[..count]);
        nodes.len()
    }
}

impl Shown {
    fn show(&self, nodes: &[Seen]) {
        *self.0.lock().unwrap() = nodes.to_vec();
    }
}

fn now_ns() -> u64 {
    DefaultPlatform::now_ns(Clock::Monotonic)
}

fn lock(thread: u32, hash: u64, holds: bool) -> Seen {
    let mut seen = waits(hash, u64::from(thread) * 2 + u64::from(holds));
    (seen.kind, seen.holds, seen.thread) = (Kind::Lock, holds, Some(thread));
    (seen.queue, seen.since_ns) = (u32::try_from(hash).unwrap(), Some(7));
    seen
}

const SOON: Duration = Duration::from_millis(2);

#[test]
fn a_deadlock_is_told_of_once_and_once_more_when_it_is_another() {
    let _watchdog = watchdog("a deadlock is told of once");
    let table = Arc::new(Shown::default());
    let shown = register("deadlocked", &table);
    let (tell, told) = channel();
    let name = shown.name().to_owned();
    let watch = watch_deadlocks(SOON, move |deadlock| {
        if deadlock.links[0].waits[0].table == name {
            tell.send(deadlock.clone()).unwrap();
        }
    });
    let watch = watch.unwrap();
    let circle = [
        lock(1, 1, true),
        lock(2, 2, true),
        lock(1, 2, false),
        lock(2, 1, false),
    ];
    table.show(&circle);
    let first = told.recv().unwrap();
    assert_eq!(first.links.len(), 2);
    // Another wait of the same threads is another deadlock; the first one is not told again before.
    let mut other = circle;
    other[2].since_ns = Some(8);
    table.show(&other);
    assert_ne!(told.recv().unwrap(), first);
    drop(watch);
    assert!(
        told.recv().is_err(),
        "nothing more was told, and nobody watches"
    );
}

#[test]
fn a_slow_program_that_goes_on_is_no_deadlock() {
    let _watchdog = watchdog("a slow program is no deadlock");
    let table = Arc::new(Slow::default());
    let shown = register("slow", &table);
    let (tell, told) = channel();
    let name = shown.name().to_owned();
    let watch = watch_deadlocks(SOON, move |deadlock| {
        if deadlock.links[0].waits[0].table == name {
            tell.send(deadlock.to_string()).unwrap();
        }
    });
    let watch = watch.unwrap();
    // Each look finds the same circle of parties, and another wait in it.
    common::watchdog::until("twenty looks", || *table.0.lock().unwrap() > 20);
    drop(watch);
    assert_eq!(told.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected));
}

#[derive(Default)]
struct Slow(Mutex<u64>);

impl Inspect for Slow {
    fn slot_count(&self) -> usize {
        1
    }

    fn slot_stats(&self, _: usize) -> SlotStats {
        SlotStats::default()
    }

    fn look(&self, _: usize, room: &mut [Seen]) -> usize {
        let mut looks = self.0.lock().unwrap();
        *looks += 1;
        let mut nodes = [
            lock(1, 1, true),
            lock(2, 2, true),
            lock(1, 2, false),
            lock(2, 1, false),
        ];
        nodes[3].since_ns = Some(*looks);
        let count = nodes.len().min(room.len());
        room[..count].copy_from_slice(&nodes[..count]);
        nodes.len()
    }
}

#[test]
fn a_long_wait_is_told_of_once() {
    let _watchdog = watchdog("a long wait is told of once");
    let table = Arc::new(Shown::default());
    let shown = register("overdue", &table);
    let (tell, told) = channel();
    let name = shown.name().to_owned();
    let limit = Duration::from_secs(60);
    let long = now_ns() - 2 * u64::try_from(limit.as_nanos()).unwrap();
    let dog = Watchdog::start(Duration::from_millis(8), move |overdue| {
        if overdue.table == name && overdue.waited > limit {
            tell.send(overdue.clone()).unwrap();
        }
    });
    let dog = dog.unwrap();
    let mut nodes = [lock(1, 1, true), lock(2, 1, false), lock(3, 1, false)];
    (nodes[1].since_ns, nodes[2].since_ns) = (Some(long), None);
    table.show(&nodes);
    let overdue = told.recv().unwrap();
    assert_eq!((overdue.wait.by.id, overdue.held.len()), (Some(2), 1));
    // The next wait of the same number is another one.
    nodes[1].since_ns = Some(long + 1);
    table.show(&nodes);
    assert_eq!(told.recv().unwrap().wait.since_ns, Some(long + 1));
    drop(dog);
    assert!(
        told.recv().is_err(),
        "nothing more was told, and nobody watches"
    );
}

#[test]
fn who_watches_may_be_dropped_by_what_it_calls() {
    let _watchdog = watchdog("who watches may be dropped by what it calls");
    let table = Arc::new(Shown::default());
    let _shown = register("dropped", &table);
    let place = Arc::new(Mutex::new(None));
    let (tell, told) = channel();
    let here = Arc::clone(&place);
    let dog = Watchdog::start(Duration::from_millis(1), move |_| {
        drop::<Option<Watchdog>>(here.lock().unwrap().take());
        let _ = tell.send(());
    });
    *place.lock().unwrap() = Some(dog.unwrap());
    let mut node = waits(1, 1);
    node.since_ns = Some(1);
    table.show(&[node]);
    while told.recv().is_ok() {}
}

fn inversions(run: impl FnOnce(&LockOrder)) -> Vec<Inversion> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&found);
    let order = LockOrder::new(move |inversion| list.lock().unwrap().push(inversion.clone()));
    run(&order);
    drop(order);
    Arc::into_inner(found).unwrap().into_inner().unwrap()
}

#[test]
fn two_orders_that_contradict_each_other_are_told_of_once() {
    let found = inversions(|order| {
        drop((order.ask("a"), order.ask("b")));
        drop((order.ask("b"), order.ask("c")));
        for _ in 0..2 {
            drop((order.ask("c"), order.ask("a")));
        }
    });
    assert_eq!(found.len(), 1, "{found:?}");
    let now = found[0].now;
    assert_eq!((now.held, now.asked), ("c", "a"));
    assert!(now.held_at.file().ends_with("watching.rs"));
    assert_eq!(now.held_at.line(), now.asked_at.line());
    let earlier = found[0].earlier.iter().map(|step| (step.held, step.asked));
    assert_eq!(earlier.collect::<Vec<_>>(), [("a", "b"), ("b", "c")]);
    let text = found[0].to_string();
    assert!(text.starts_with("possible deadlock: \"c\" (at "), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn one_order_on_many_threads_is_no_inversion() {
    let found = inversions(|order| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| drop((order.ask("a"), order.ask("b"), order.ask("c"))));
            }
        });
        // What was given back is not held; one label alone has no order.
        drop(order.ask("c"));
        drop((order.ask("a"), order.ask("a")));
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn orders_of_other_threads_count_and_other_orders_do_not() {
    let found = inversions(|order| {
        let other = LockOrder::new(|inversion| panic!("{inversion}"));
        std::thread::scope(|scope| {
            scope.spawn(|| drop((order.ask("a"), other.ask("x"), order.ask("b"))));
        });
        let _held = (order.ask("b"), other.ask("x"), order.ask("a"));
    });
    assert_eq!(found.len(), 1);
}

#[test]
fn what_a_task_holds_goes_with_it() {
    let found = inversions(|order| {
        let (left, right) = (order.chain(), order.chain());
        let held = left.ask("a");
        // The other task, on the same thread meanwhile, holds nothing.
        drop((right.ask("b"), right.ask("c")));
        std::thread::scope(|scope| {
            scope.spawn(|| drop(left.ask("b")));
        });
        drop(held);
        drop((right.ask("b"), right.ask("a")));
    });
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].now.held, found[0].now.asked), ("b", "a"));
}
