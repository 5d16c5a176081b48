//! Programs that hang, looked at: threads, tasks and both, as the engine shows them.

mod common;

use std::future::Future;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};
use std::thread;

use common::meeting::{Place, Task};
use common::watchdog::{until, watchdog};
use slotpark::{KeyedMutex, KeyedRwLock, KeyedSemaphore, LockOptions, core::task_label};
use slotpark_core::Inspect;
use slotpark_inspect::{
    Deadlock, Detail, PartyKind, Snapshot, Watchdog, deadlocks, dump_sure, page_sure,
    register_static, set_detail,
};

/// A table for ever: who hangs in it does so until the process ends.
fn shown<T: Inspect>(name: &str, table: T) -> &'static T {
    set_detail(Detail::Full);
    let table = Box::leak(Box::new(table));
    register_static(name, table).keep();
    table
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.into()).spawn(run);
    drop(thread.expect("there is room for a thread"));
}

/// The deadlocks of one table, by two looks.
fn found(table: &str) -> Vec<Deadlock> {
    let first = Snapshot::take();
    let mut found = deadlocks(&first, &Snapshot::take());
    found.retain(|deadlock| {
        let waits = deadlock.links.iter().flat_map(|link| &link.waits);
        waits
            .map(|blocked| &blocked.table)
            .any(|name| name == table)
    });
    found
}

/// Who is in the only deadlock of a table, sorted.
#[track_caller]
fn circle(table: &str) -> Vec<String> {
    let found = found(table);
    assert_eq!(
        found.len(),
        1,
        "{found:#?}\n{}",
        slotpark_inspect::dump(&Snapshot::take())
    );
    let names = found[0].links.iter().map(|link| {
        let kind = match link.by.kind {
            PartyKind::Thread => "thread",
            PartyKind::Task => "task",
        };
        format!("{kind} {}", link.by.name.as_deref().unwrap_or("?"))
    });
    let mut names = names.collect::<Vec<_>>();
    names.sort();
    names
}

/// A task that is polled once, waits, and is never polled again.
fn hangs(name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
    let mut task: Task = Box::pin(task_label(name, task));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(task.as_mut().poll(&mut context), Poll::Pending);
    Box::leak(Box::new(task));
}

#[test]
fn two_threads_and_two_locks() {
    let _watchdog = watchdog("two threads and two locks");
    let locks = shown(
        "two locks",
        KeyedMutex::<&'static str>::new().with_key_text(),
    );
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("left", "a", "b"), ("right", "b", "a")] {
        let both = Arc::clone(&both);
        spawn(name, move || {
            let _first = locks.lock_with(first, LockOptions::new().label(name));
            both.wait();
            let _second = locks.lock(second);
        });
    }
    until("both wait", || {
        locks.waiters("a") == 1 && locks.waiters("b") == 1
    });
    assert_eq!(circle("two locks"), ["thread left", "thread right"]);
    let deadlock = &found("two locks")[0];
    for link in &deadlock.links {
        let blocked = &link.waits[0];
        let here = |location: &Option<String>| location.as_ref().unwrap().contains("real.rs:");
        assert!(here(&blocked.wait.location), "{deadlock:#?}");
        assert!(here(&blocked.held[0].location), "{deadlock:#?}");
        assert_eq!(
            blocked.held[0].label, blocked.held[0].by.name,
            "each lock has its name"
        );
    }
    let text = deadlock.to_string();
    assert!(
        text.contains("waits for the lock two locks/\"a\" for "),
        "{text}"
    );
    let (first, second) = (Snapshot::take(), Snapshot::take());
    assert!(dump_sure(&first, &second).contains("deadlock: 2 parties wait for each other"));
    let page = page_sure(&first, &second);
    assert!(page.contains("Two looks agree") && page.contains("parties wait for each other"));
}

#[test]
fn two_tasks_and_two_locks() {
    let _watchdog = watchdog("two tasks and two locks");
    let locks = shown("task locks", KeyedMutex::<u64>::new());
    let meet = Arc::new(Place::default());
    for (name, first, second) in [("left", 1, 2), ("right", 2, 1)] {
        let there = Arc::clone(&meet);
        let mut task: Task = Box::pin(task_label(name, async move {
            let _first = locks.lock_async(first).await;
            there.pass().await;
            let _second = locks.lock_async(second).await;
        }));
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(task.as_mut().poll(&mut context), Poll::Pending);
        meet.keep(task);
    }
    assert!(
        found("task locks").is_empty(),
        "each holds one and waits for none"
    );
    meet.go();
    assert_eq!(circle("task locks"), ["task left", "task right"]);
}

#[test]
fn a_thread_and_a_task() {
    let _watchdog = watchdog("a thread and a task");
    let locks = shown("mixed locks", KeyedMutex::<u64>::new());
    let meet = Arc::new(Barrier::new(2));
    let there = Arc::clone(&meet);
    spawn("blocking", move || {
        let _first = locks.lock(1);
        there.wait();
        let _second = locks.lock(2);
    });
    hangs("async", async move {
        let _first = locks.lock_async(2).await;
        meet.wait();
        let _second = locks.lock_async(1).await;
    });
    until("both wait", || {
        locks.waiters(&1) == 1 && locks.waiters(&2) == 1
    });
    assert_eq!(circle("mixed locks"), ["task async", "thread blocking"]);
}

#[test]
fn a_thread_that_waits_inside_a_poll() {
    let _watchdog = watchdog("a thread that waits inside a poll");
    let locks = shown("polled locks", KeyedMutex::<u64>::new());
    let meet = Arc::new(Barrier::new(2));
    let there = Arc::clone(&meet);
    spawn("other", move || {
        let _first = locks.lock(2);
        there.wait();
        let _second = locks.lock(1);
    });
    spawn("executor", move || {
        hangs("async", async move {
            let _first = locks.lock_async(1).await;
            meet.wait();
            // A blocking lock in a poll: nobody can poll this task any more.
            let _second = locks.lock(2);
        });
    });
    until("both wait", || {
        locks.waiters(&1) == 1 && locks.waiters(&2) == 1
    });
    let names = circle("polled locks");
    assert_eq!(names, ["task async", "thread executor", "thread other"]);
}

#[test]
fn two_rwlocks() {
    let _watchdog = watchdog("two rwlocks");
    let locks = shown("rwlocks", KeyedRwLock::<u64>::new());
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("left", 1, 2), ("right", 2, 1)] {
        let both = Arc::clone(&both);
        spawn(name, move || {
            let _first = locks.read(first);
            both.wait();
            let _second = locks.write(second);
        });
    }
    until("both wait", || {
        locks.waiters(&1) == 1 && locks.waiters(&2) == 1
    });
    assert_eq!(circle("rwlocks"), ["thread left", "thread right"]);
}

#[test]
fn a_reader_that_reads_again_behind_a_writer() {
    let _watchdog = watchdog("a reader that reads again");
    let locks = shown("read again", KeyedRwLock::<u64>::new());
    let both = Arc::new(Barrier::new(2));
    let there = Arc::clone(&both);
    spawn("reader", move || {
        let _first = locks.read(1);
        there.wait();
        until("a writer waits", || locks.waiters(&1) == 1);
        let _again = locks.read(1);
    });
    spawn("writer", move || {
        both.wait();
        let _write = locks.write(1);
    });
    until("both wait", || locks.waiters(&1) == 2);
    assert_eq!(circle("read again"), ["thread reader", "thread writer"]);
}

#[test]
fn permits_of_all_who_hold_some() {
    let _watchdog = watchdog("permits of all who hold some");
    let permits = shown("permits", KeyedSemaphore::<u64>::new(2));
    let both = Arc::new(Barrier::new(2));
    for name in ["left", "right"] {
        let both = Arc::clone(&both);
        spawn(name, move || {
            let _first = permits.acquire(1);
            both.wait();
            let _second = permits.acquire(1);
        });
    }
    until("both wait", || permits.waiters(&1) == 2);
    assert_eq!(circle("permits"), ["thread left", "thread right"]);
}

#[test]
fn several_keys_at_once() {
    let _watchdog = watchdog("several keys at once");
    let locks = shown("many locks", KeyedMutex::<u64>::new());
    let both = Arc::new(Barrier::new(2));
    let there = Arc::clone(&both);
    spawn("many", move || {
        let _two = locks.lock_many([1, 2]);
        there.wait();
        let _third = locks.lock(3);
    });
    spawn("one", move || {
        let _third = locks.lock(3);
        both.wait();
        let _two = locks.lock(2);
    });
    until("both wait", || {
        locks.waiters(&2) == 1 && locks.waiters(&3) == 1
    });
    assert_eq!(circle("many locks"), ["thread many", "thread one"]);
}

#[test]
fn who_goes_on_is_never_called_deadlocked() {
    let _watchdog = watchdog("who goes on is never called deadlocked");
    let locks = shown("busy locks", KeyedMutex::<u64>::new());
    let done = std::sync::atomic::AtomicBool::new(false);
    let held = locks.lock(2);
    thread::scope(|scope| {
        let run = || {
            for round in 0..2_000 {
                // Always the smaller key first: never a circle.
                let _first = locks.lock(round % 2);
                let _second = locks.lock(2);
            }
        };
        let threads = [(); 3].map(|()| scope.spawn(run));
        // All begin with key 0: one of them waits for key 2, the others for key 0.
        until("all wait", || {
            (0..3).map(|key| locks.waiters(&key)).sum::<usize>() == 3
        });
        drop(held);
        scope.spawn(|| {
            let mut looks = 0;
            while looks < 20 || !done.load(std::sync::atomic::Ordering::Relaxed) {
                let found = found("busy locks");
                assert!(found.is_empty(), "{found:#?}");
                looks += 1;
            }
        });
        for thread in threads {
            thread.join().unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let snapshot = Snapshot::take();
    let table = snapshot
        .tables
        .iter()
        .find(|table| table.name == "busy locks")
        .unwrap();
    let count = |of: &str| {
        let found = table.histograms.iter().find(|spread| spread.of == of);
        found.map_or(0, |spread| spread.count)
    };
    assert_eq!(count("hold"), 3 * 2_000 * 2 + 1, "{:?}", table.histograms);
    assert!(count("wait") > 0 && count("wake_to_run") > 0);
    assert!(
        table
            .top_keys
            .iter()
            .any(|top| top.waits > 0 && top.waited_ns > Some(0))
    );
}

#[test]
fn a_long_wait_is_told_of_with_who_holds() {
    let _watchdog = watchdog("a long wait is told of");
    let locks = shown("slow locks", KeyedMutex::<u64>::new());
    let held = locks.lock(1);
    let (tell, told) = std::sync::mpsc::channel();
    let dog = Watchdog::start(std::time::Duration::from_millis(4), move |overdue| {
        if overdue.table == "slow locks" {
            tell.send(overdue.clone()).unwrap();
        }
    });
    thread::scope(|scope| {
        let waiter = thread::Builder::new().name("patient".into());
        let waiter = waiter.spawn_scoped(scope, || drop(locks.lock(1))).unwrap();
        let overdue = told.recv().unwrap();
        assert_eq!(overdue.wait.by.name.as_deref(), Some("patient"));
        let here = std::fs::read_link("/proc/thread-self").ok();
        let here = here.and_then(|link| link.file_name()?.to_str()?.parse().ok());
        assert_eq!(overdue.held[0].by.id, here);
        drop(held);
        waiter.join().unwrap();
    });
    drop(dog);
    assert!(told.recv().is_err(), "nothing more was told");
}
