//! Stories of signal handlers: a wake is not async-signal-safe, and debug builds say so; a signal
//! ends no wait but those that ask for it and that no wake has counted, and opens no slot lock.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/signalled.rs"]
mod signalled;

use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use common::{FOREVER, in_an_hour, leak, skip, sleepy, soon, until, watchdog};
use signalled::{ENDING, Target, count, handle};
use slotpark_core::{
    DefaultPlatform, Filter, Mailbox, Parked, ReceiveError, RequeueOptions, Slots, Table,
};

static SLOTS: Slots<u64> = Slots::new();
static TABLE: Table<u64> = Table::over(&SLOTS);
static WOKEN_BY_HANDLER: AtomicUsize = AtomicUsize::new(0);
static RUNS_OF_HANDLER: AtomicUsize = AtomicUsize::new(0);

extern "C" fn wake(_signal: libc::c_int) {
    let woken = TABLE.unpark(1, &1, 1, 3);
    WOKEN_BY_HANDLER.fetch_add(woken, Ordering::Relaxed);
    RUNS_OF_HANDLER.fetch_add(1, Ordering::Release);
}

fn raise() {
    // SAFETY: raise(3) is always callable; the handler is installed, and runs before this returns.
    unsafe { libc::raise(libc::SIGUSR1) };
}

fn raise_and<T>(result: T) -> T {
    raise();
    result
}

fn yes() -> Result<bool, ()> {
    Ok(true)
}

/// Waits on key 1 and raises in the run of `validate` with this number.
fn hit_validate(run_that_is_hit: u32) {
    let mut run = 0;
    let parked = TABLE.park(1, &1, FOREVER, || {
        run += 1;
        if run == run_that_is_hit {
            raise();
        }
        run < 2
    });
    assert_eq!(parked, Parked::Stale);
}

/// What is hit by the signal, whether its thread holds a slot lock then, and how many waiters the
/// handler wakes.
type Scene = (&'static str, bool, usize, fn());

const SCENES: [Scene; 7] = [
    ("validate outside the lock", false, 0, || hit_validate(1)),
    ("before_sleep", false, 1, || {
        let parked = TABLE.park_with(1, &1, FOREVER, yes, raise, |_| {});
        assert_eq!(parked, Ok(Parked::Woken { token: 3 }));
    }),
    ("validate under the lock", true, 0, || hit_validate(2)),
    ("filter", true, 0, || {
        let wake = || {
            let filter = |_: &_| raise_and(Filter::Unpark);
            assert_eq!(TABLE.unpark_filter(1, &1, 1, filter, 0), 1);
        };
        let parked = TABLE.park_with(1, &1, FOREVER, yes, wake, |_| {});
        assert_eq!(parked, Ok(Parked::Woken { token: 0 }));
    }),
    ("policy", true, 0, || {
        let all = |_: &_| Filter::Unpark;
        assert_eq!(TABLE.unpark_with(1, &1, 1, all, |_| raise_and(0)), 0);
    }),
    ("validate of a requeue", true, 0, || {
        let moved = TABLE.requeue((1, &1), (2, &2), RequeueOptions::default(), || {
            raise_and(Ok::<_, ()>(false))
        });
        assert_eq!(moved, Ok(None));
    }),
    ("on_leave", true, 0, || {
        let options = FOREVER.deadline(soon(Duration::from_millis(50)));
        let parked = TABLE.park_with(1, &1, options, yes, || {}, |_| raise());
        assert_eq!(parked, Ok(Parked::TimedOut));
    }),
];

const COMPLETE: &str = "the child came to its end";
const HIT: &str = "SLOTPARK_SIGNAL_HITS";

/// What the child of this test does: its handler wakes while the scene's closure runs.
fn child(number: usize) {
    // SAFETY: alarm(2) is always callable. It ends a child that hangs, which the parent reports.
    unsafe { libc::alarm(10) };
    handle(libc::SIGUSR1, wake, 0);
    let (_, _, woken, scene) = SCENES[number];
    scene();
    assert_eq!(RUNS_OF_HANDLER.load(Ordering::Acquire), 1);
    assert_eq!(WOKEN_BY_HANDLER.load(Ordering::Relaxed), woken);
    assert_eq!((TABLE.waiters(1, &1), TABLE.waiters(2, &2)), (0, 0));
    println!("{COMPLETE}");
}

fn run_child(story: &str, number: usize) -> Output {
    Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--exact", story, "--nocapture"])
        .env(HIT, number.to_string())
        .output()
        .expect("a test can run itself")
}

/// A handler that interrupts a thread under a slot lock and wakes waits for its own thread for
/// ever: the debug build ends with a message instead, whichever closure is interrupted.
#[test]
fn signals() {
    const STORY: &str = "signals";
    if let Some(number) = std::env::var(HIT).ok().and_then(|text| text.parse().ok()) {
        return child(number);
    }
    for (number, (what, holds_lock, ..)) in SCENES.into_iter().enumerate() {
        if holds_lock && !cfg!(debug_assertions) {
            skip(STORY, "release builds do not detect a handler's re-entry");
            break;
        }
        let child = run_child(STORY, number);
        let output = String::from_utf8_lossy(&child.stdout);
        let complaint = String::from_utf8_lossy(&child.stderr);
        let expected = "a table was called while this thread holds a slot lock";
        assert_eq!(child.status.success(), !holds_lock, "{what}: {child:?}");
        assert_eq!(output.contains(COMPLETE), !holds_lock, "{what}: {output}");
        let complains = complaint.contains(expected);
        assert_eq!(complains, holds_lock, "{what}: {complaint}");
    }
}

/// A kernel's futex wait ends with EINTR: a wait here ends by its wake or its deadline, and who
/// sleeps for a slot lock does not take it before it is given back.
#[test]
fn signals_end_no_wait() {
    let _watch = watchdog("signals_end_no_wait");
    handle(ENDING, count, 0);
    let table = sleepy::<DefaultPlatform>(1);
    let queued = |waiters| move || table.waiters(1, &1) == waiters;

    let waiter = Target::asleep(|| table.park(1, &1, FOREVER, || true), queued(1));
    for _ in 0..100 {
        waiter.interrupt(ENDING);
        assert!(!waiter.has_ended() && queued(1)());
    }
    assert_eq!(table.unpark(1, &1, usize::MAX, 5), 1);
    assert_eq!(waiter.join(), Parked::Woken { token: 5 });

    let deadline = soon(Duration::from_millis(200));
    let options = FOREVER.deadline(deadline);
    let linked = || table.slot_stats(0).parks == 2;
    let waiter = Target::asleep(move || table.park(1, &1, options, || true), linked);
    while !waiter.has_ended() {
        waiter.interrupt(ENDING);
    }
    assert_eq!(waiter.join(), Parked::TimedOut);
    assert!(deadline.is_some_and(slotpark_core::Deadline::is_past::<DefaultPlatform>));

    let (is_held, is_over) = (leak(AtomicBool::new(false)), leak(AtomicBool::new(false)));
    let all = |_: &_| Filter::Unpark;
    let holder = std::thread::spawn(move || {
        table.unpark_with(1, &1, 1, all, |_| {
            is_held.store(true, Ordering::Release);
            while !is_over.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            0
        })
    });
    until("the slot lock is held", || is_held.load(Ordering::Acquire));
    let take = move || table.unpark_with(1, &1, 1, all, |_| 0);
    let taker = Target::asleep(take, || true);
    for _ in 0..100 {
        taker.interrupt(ENDING);
        assert!(!taker.has_ended(), "two holders of one slot lock");
    }
    is_over.store(true, Ordering::Release);
    assert_eq!((holder.join().expect("no panic"), taker.join()), (0, 0));
}

/// A table or its mailbox waits for ever, until it is interrupted; how that ends.
fn interrupted<R: Send + 'static>(
    run: impl FnOnce() -> R + Send + 'static,
    has_begun: impl Fn() -> bool,
) -> R {
    let waiter = Target::asleep(run, has_begun);
    while !waiter.has_ended() {
        waiter.interrupt(ENDING);
    }
    waiter.join()
}

/// A wait that asks for it ends by a handler, like a futex wait of the kernel, and leaves its queue
/// as one past its deadline does.
#[test]
fn signals_end_waits_that_ask_for_it() {
    const STORY: &str = "signals_end_waits_that_ask_for_it";
    if cfg!(slotpark_portable) {
        return skip(STORY, "the portable platform knows no signals");
    }
    let _watch = watchdog(STORY);
    handle(ENDING, count, 0);
    let table = sleepy::<DefaultPlatform>(1);
    let queued = || table.waiters(1, &1) == 1;
    for deadline in [None, in_an_hour()] {
        let options = FOREVER.deadline(deadline).until_signal();
        let before = table.slot_stats(0);
        let park = move || {
            let mut last = None;
            let parked = table.park_with(1, &1, options, yes, || {}, |left| last = Some(left.last));
            (parked, last)
        };
        assert_eq!(
            interrupted(park, queued),
            (Ok(Parked::Interrupted), Some(true))
        );
        let prepare = move || table.prepare(1, &1, options, |prepared| prepared.wait());
        assert_eq!(interrupted(prepare, queued), Ok(Parked::Interrupted));
        let any = move || table.park_any(&[(1, &1), (2, &2)], options, |_| true);
        let ended = interrupted(any, || queued() && table.waiters(2, &2) == 1);
        assert_eq!((ended.parked, ended.entry), (Parked::Interrupted, None));
        assert_eq!((table.waiters(1, &1), table.waiters(2, &2)), (0, 0));
        let after = table.slot_stats(0);
        assert_eq!(after.cancels - before.cancels, 4, "one of each queue");
        assert_eq!(after.timeouts, before.timeouts);

        let mailbox = leak(Mailbox::<u64, u32>::new());
        let received = interrupted(
            move || mailbox.receive(1, &1, options),
            || mailbox.receivers(1, &1) == 1,
        );
        assert_eq!(received, Err(ReceiveError::Interrupted));
    }
}

/// A waker has counted the wait and not released it yet when the signal comes: the wait ends as
/// woken, and not before its release.
#[test]
fn woken_beats_a_signal() {
    let _watch = watchdog("woken_beats_a_signal");
    handle(ENDING, count, 0);
    let table = sleepy::<DefaultPlatform>(1);
    let wake_and_interrupt = |waiter: &Target<Parked>| {
        let all = |_: &_| Filter::Unpark;
        let woken = table.unpark_with(1, &1, 1, all, |choice| {
            assert_eq!(choice.count, 1);
            for _ in 0..10 {
                waiter.interrupt(ENDING);
                assert!(!waiter.has_ended(), "it goes before its release");
            }
            7
        });
        assert_eq!(woken, 1);
    };
    let queued = || table.waiters(1, &1) == 1;
    for deadline in [None, in_an_hour()] {
        let options = FOREVER.deadline(deadline).until_signal();
        let waiter = Target::asleep(move || table.park(1, &1, options, || true), queued);
        wake_and_interrupt(&waiter);
        assert_eq!(waiter.join(), Parked::Woken { token: 7 });

        let any = move || {
            table
                .park_any(&[(1, &1), (2, &2)], options, |_| true)
                .parked
        };
        let waiter = Target::asleep(any, || queued() && table.waiters(2, &2) == 1);
        wake_and_interrupt(&waiter);
        assert_eq!(waiter.join(), Parked::Woken { token: 7 });
    }
}
