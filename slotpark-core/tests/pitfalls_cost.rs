//! Stories of what a wait or a wake costs, counted: neighbours, deadlines, system calls.

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::counting::{Counting, Counts, after};
use common::{FOREVER, nest, on_a_deep_stack, skip, sleepy};
use slotpark_core::{Clock, Deadline, DefaultPlatform, ParkOptions, Parked, Table};

const CROWD: usize = 10_000;
const ALL: usize = usize::MAX;

/// Go #17953: one flat queue per slot, so that a wake walked over every waiter of another key: two
/// seconds became four minutes.
#[test]
fn hot_neighbour_costs_nothing() {
    on_a_deep_stack(|| {
        let same_slot = (5, (9, 2));
        let same_hash = (5, (5, 2));
        for (crowd_hash, key) in [same_slot, same_hash] {
            let visits = |crowd, key_is_older| visits((crowd_hash, 1), crowd, key, key_is_older);
            let alone = visits(0, false);
            assert_eq!(alone, visits(CROWD, false), "the younger key is met first");
            let behind_one = visits(1, true);
            assert_eq!(behind_one, visits(CROWD, true), "a crowd is one group");
            assert_eq!(behind_one.groups, alone.groups + 2, "looked past it twice");
            assert_eq!(behind_one.nodes, alone.nodes);
        }
    });
}

/// What it takes to count the waiters of `key` and to wake its only one.
fn visits(crowd_at: (u64, u64), crowd: usize, key: (u64, u64), key_is_older: bool) -> Counts {
    let table = sleepy::<Counting>(4);
    let mut visits = Counts::default();
    let mut wake = || {
        let (counts, numbers) = Counts::of(|| {
            let waiters = table.waiters(key.0, &key.1);
            (waiters, table.unpark(key.0, &key.1, 1, 7))
        });
        assert_eq!(numbers, (1, 1));
        visits = counts;
    };
    let wake_all = || assert_eq!(table.unpark(crowd_at.0, &crowd_at.1, ALL, 8), crowd);
    let (one, others) = if key_is_older {
        let mut others = Vec::new();
        let one = nest(table, key, 1, &mut || {
            others = nest(table, crowd_at, crowd, &mut || {
                wake();
                wake_all();
            });
        });
        (one, others)
    } else {
        let mut one = Vec::new();
        let others = nest(table, crowd_at, crowd, &mut || {
            one = nest(table, key, 1, &mut wake);
            wake_all();
        });
        (one, others)
    };
    assert_eq!(one, [Parked::Woken { token: 7 }]);
    assert_eq!(others.len(), crowd);
    assert!(others.iter().all(|end| *end == Parked::Woken { token: 8 }));
    visits
}

/// JDK-8386085: a waiter with a tiny timeout among thousands searched its queue for itself.
#[test]
fn short_timeouts_leave_in_constant_time() {
    on_a_deep_stack(|| {
        let table = sleepy::<Counting>(4);
        let at = (5, 1);
        let mut crowded = Duration::MAX;
        let outcomes = nest(table, at, CROWD, &mut || {
            crowded = fastest_timeout(table, at);
            assert_eq!(table.waiters(at.0, &at.1), CROWD);
            assert_eq!(table.unpark(at.0, &at.1, ALL, 0), CROWD);
        });
        assert_eq!(outcomes.len(), CROWD);
        let alone = fastest_timeout(table, at);
        // A walk over the crowd takes hundreds of times as long; ten leaves room for cold caches.
        assert!(
            crowded < 10 * alone,
            "leaving {CROWD} others took {crowded:?}, leaving an empty queue {alone:?}"
        );
    });
}

/// The fastest of many waits that are queued and whose time is up at once; nobody is visited.
fn fastest_timeout(table: &Table<u64, Counting>, at: (u64, u64)) -> Duration {
    let one = || {
        let options = ParkOptions::new().deadline(after(1));
        let begin = Instant::now();
        let (counts, parked) = Counts::of(|| table.park(at.0, &at.1, options, || true));
        let took = begin.elapsed();
        assert_eq!(parked, Parked::TimedOut);
        assert_eq!((counts.parks, counts.timeouts, counts.nodes), (1, 1, 0));
        took
    };
    (0..1_000).map(|_| one()).min().expect("a thousand of them")
}

/// A deadline that is past is an answer, not a reason to announce, lock, or ask the kernel.
#[test]
fn past_deadline_makes_no_syscall() {
    let table = sleepy::<Counting>(4);
    let monotonic = Deadline::new(Clock::Monotonic, 1);
    let wall = Deadline::new(Clock::Realtime, 1);
    for deadline in [Deadline::PAST, monotonic, wall] {
        let options = ParkOptions::new().deadline(Some(deadline));
        let (counts, parked) = Counts::of(|| table.park(5, &1, options, || true));
        assert_eq!((counts, parked), (Counts::default(), Parked::TimedOut));
        let (counts, parked) = Counts::of(|| table.park(5, &1, options, || false));
        assert_eq!((counts, parked), (Counts::default(), Parked::Stale));
    }
    let (counts, parked) = Counts::of(|| table.park(5, &1, FOREVER, || false));
    assert_eq!((counts, parked), (Counts::default(), Parked::Stale));
}

/// The same, as the kernel sees it: `strace` watches a child of this test.
#[test]
fn past_deadline_makes_no_syscall_that_the_kernel_sees() {
    const STORY: &str = "past_deadline_makes_no_syscall_that_the_kernel_sees";
    const CHILD: &str = "SLOTPARK_PAST_DEADLINES";
    if std::env::var_os(CHILD).is_some() {
        return wait_for_the_past();
    }
    if cfg!(any(slotpark_portable, not(target_os = "linux"))) {
        return skip(STORY, "system calls are looked at on the Linux platform");
    }
    let trace = std::env::temp_dir().join(format!("slotpark-{}.strace", std::process::id()));
    let strace = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().expect("this test has a path"))
        .args(["--exact", STORY])
        .env(CHILD, "1")
        .output();
    let calls = std::fs::read_to_string(&trace).unwrap_or_default();
    let _ = std::fs::remove_file(&trace);
    match strace {
        Ok(output) if output.status.success() && calls.contains(BEGIN) => {}
        other => return skip(STORY, &format!("strace cannot trace here: {other:?}")),
    }
    let begin = calls.lines().position(|line| line.contains(BEGIN));
    let (_, lines) = calls.split_at(calls.find(BEGIN).expect("found above"));
    let thread = begin.and_then(|at| calls.lines().nth(at)?.split_whitespace().next());
    let during: Vec<_> = lines
        .lines()
        .skip(1)
        .take_while(|line| !line.contains(END))
        .filter(|line| line.split_whitespace().next() == thread)
        // Where the kernel maps no clock into the process, reading it is a call.
        .filter(|line| !line.contains("clock_gettime"))
        .collect();
    assert!(calls.contains(END), "{calls}");
    assert_eq!(during, [""; 0], "calls made by waits for the past");
}

/// Names that the child looks up around its waits, and that show in its trace.
const BEGIN: &str = "/slotpark-waits-begin";
const END: &str = "/slotpark-waits-end";

fn wait_for_the_past() {
    let table = sleepy::<DefaultPlatform>(4);
    assert!(!std::path::Path::new(BEGIN).exists());
    for key in 0..1_000 {
        for at_ns in [0, 1] {
            let deadline = Deadline::new(Clock::Monotonic, at_ns);
            let options = ParkOptions::new().deadline(Some(deadline));
            assert_eq!(table.park(key, &key, options, || true), Parked::TimedOut);
        }
    }
    assert!(!std::path::Path::new(END).exists());
}
