//! What is recorded of waits and holders, at each level of detail, and what a sink is told.

mod common;

use std::num::NonZeroU64;
use std::panic::Location;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::bells::{Bell, poll};
use common::{FOREVER, Waiting, leak, nest, until, watchdog};
use slotpark_core::{
    Clock, DefaultPlatform, Detail, Held, HoldOptions, Holding, Inspect, KeyedLock, KeyedOptions,
    ParkOptions, Parked, Platform, Preference, Seen, Sink, Table, Waited, detail, set_detail,
    set_sink, set_stacks, task_label,
};

const KEY: (u64, u64) = (1, 7);

/// The level is the whole process's: one test at a time.
struct Level(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

fn at(detail: Detail) -> Level {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_detail(detail);
    // Addresses come again, and with them the ids of tables.
    *heard() = (Vec::new(), Vec::new());
    Level(guard)
}

impl Drop for Level {
    fn drop(&mut self) {
        set_detail(Detail::Off);
        set_stacks(0);
    }
}

fn look(table: &impl Inspect, index: usize) -> Vec<Seen> {
    let mut room = vec![Seen::default(); 64];
    let count = table.look(index, &mut room);
    room.truncate(count);
    room
}

/// The number of this thread, as Linux has it.
fn me() -> Option<u32> {
    let status = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
    status.split(' ').next()?.parse().ok()
}

fn now_ns() -> u64 {
    DefaultPlatform::now_ns(Clock::Monotonic)
}

fn line(seen: &Seen) -> Option<(&'static str, u32)> {
    seen.location.map(|at| (at.file(), at.line()))
}

#[track_caller]
fn here(below: u32) -> Option<(&'static str, u32)> {
    let at = Location::caller();
    Some((at.file(), at.line() + below))
}

#[test]
fn a_wait_says_as_much_as_the_level_asks_for() {
    for detail in [Detail::Off, Detail::Counters, Detail::Timing, Detail::Full] {
        let _level = at(detail);
        assert_eq!(slotpark_core::detail(), detail);
        let table = Table::<u64>::with_slots(1);
        let begin_ns = now_ns();
        let expected = here(1);
        let options = ParkOptions::new();
        let inside = || {
            let seen = look(&table, 0)[0];
            let timed = detail >= Detail::Timing;
            assert_eq!(seen.since_ns.is_some(), timed, "{detail:?}");
            if timed {
                assert!((begin_ns..=now_ns()).contains(&seen.since_ns.expect("timed")));
                assert!(seen.thread.is_some());
                if me().is_some() && !cfg!(slotpark_portable) {
                    assert_eq!(seen.thread, me());
                }
            } else {
                assert_eq!(seen.thread, None);
            }
            let full = detail >= Detail::Full;
            assert_eq!(line(&seen), expected.filter(|_| full), "{detail:?}");
            assert_eq!((seen.task, seen.task_label), (None, None));
            assert_eq!(table.unpark(KEY.0, &KEY.1, 1, 0), 1);
        };
        let yes = || Ok::<_, ()>(true);
        let parked = table.park_with(KEY.0, &KEY.1, options, yes, inside, |_| {});
        assert!(parked.is_ok_and(|parked| parked.is_woken()));
    }
}

fn mutex(options: KeyedOptions) -> KeyedLock<u64> {
    KeyedLock::with_options(1, options.slots(1)).expect("a slot")
}

fn hold(lock: &KeyedLock<u64>) -> Holding<'_, u64, DefaultPlatform> {
    lock.hold(1, 7, HoldOptions::new(1).label("mine"))
        .expect("free")
}

/// Locks that were made or looked at while owners are recorded record them, in all forms.
#[test]
fn a_holder_says_who_it_is() {
    let _level = at(Detail::Full);
    for preference in [Preference::Fifo, Preference::Barging] {
        let lock = mutex(KeyedOptions::new().preference(preference));
        let begin_ns = now_ns();
        let check = |seen: &[Seen]| {
            assert_eq!(seen.len(), 1);
            assert!(seen[0].holds && !seen[0].is_task);
            assert!((begin_ns..=now_ns()).contains(&seen[0].since_ns.expect("timed")));
            assert!(seen[0].thread.is_some() && seen[0].location.is_some());
        };
        let guard = hold(&lock);
        let seen = look(&lock, 0);
        check(&seen);
        assert_eq!(seen[0].label, Some("mine"));
        assert_eq!(lock.label(1, &7), Some("mine"));
        drop(guard);
        let expected = here(1);
        let one = HoldOptions::new(1);
        lock.with(1, &7, one, || {
            let seen = look(&lock, 0);
            check(&seen);
            assert_eq!((line(&seen[0]), seen[0].label), (expected, None));
        })
        .expect("free");
        let wanted = [slotpark_core::Wanted::new(1, 7, 1)];
        let expected = here(1);
        let many = lock.hold_many(wanted, slotpark_core::Merge::Max, None);
        let seen = look(&lock, 0);
        check(&seen);
        assert_eq!(line(&seen[0]), expected);
        drop(many);
        assert!(look(&lock, 0).is_empty());
    }
}

/// Who took a key before the level was raised is seen without a name; who takes it after a look has
/// one; and when the level is lowered again, locks are taken as before.
#[test]
fn the_level_may_change_while_keys_are_held() {
    let _watchdog = watchdog("the_level_may_change_while_keys_are_held");
    let _level = at(Detail::Off);
    for preference in [Preference::Fifo, Preference::Barging] {
        let lock = leak(mutex(KeyedOptions::new().preference(preference)));
        for _ in 0..3 {
            let before = hold(lock);
            set_detail(Detail::Timing);
            assert_eq!(look(lock, 0)[0].thread, None);
            drop(before);
            let between = hold(lock);
            assert!(look(lock, 0)[0].thread.is_some());
            set_detail(Detail::Off);
            let waiting = std::thread::spawn(|| drop(hold(lock)));
            until("a thread waits", || lock.waiters(1, &7) == 1);
            assert_eq!(look(lock, 0).len(), 2);
            drop(between);
            waiting.join().expect("it holds");
            lock.with(1, &7, HoldOptions::new(1), || {
                assert_eq!(lock.held(1, &7), 1)
            })
            .expect("free");
            assert!(look(lock, 0).is_empty());
        }
    }
}

/// Who is granted a key holds it from then on, though it does not run yet.
#[test]
fn a_grant_is_a_beginning() {
    let _level = at(Detail::Timing);
    let lock = mutex(KeyedOptions::new());
    let first = hold(&lock);
    let bell = Bell::new();
    let mut wait = pin!(lock.hold_async(1, 7, HoldOptions::new(1).label("second")));
    assert!(poll(wait.as_mut(), &bell).is_pending());
    let seen = look(&lock, 0);
    assert_eq!(seen.len(), 2);
    assert!(!seen[0].holds && seen[0].is_task);
    let released_ns = now_ns();
    drop(first);
    let seen = look(&lock, 0);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].holds && seen[0].is_task);
    assert!(seen[0].since_ns.expect("timed") >= released_ns);
    assert_eq!(seen[0].label, Some("second"));
    assert!(poll(wait.as_mut(), &bell).is_ready());
}

/// The waits of a task and what it holds have one number, and no other task's.
#[test]
fn a_named_task_is_one_in_all_its_places() {
    let _level = at(Detail::Full);
    let lock = mutex(KeyedOptions::new());
    let table = Table::<u64>::with_slots(1);
    let one = HoldOptions::new(1);
    let run = |label| {
        let (lock, table) = (&lock, &table);
        task_label(label, async move {
            let _held = lock
                .hold_async(1, if label == "a" { 7 } else { 8 }, one)
                .await;
            table.wait_async(1, 7, FOREVER, || true).await
        })
    };
    let bell = Bell::new();
    let (mut a, mut b) = (pin!(run("a")), pin!(run("b")));
    assert!(poll(a.as_mut(), &bell).is_pending());
    assert!(poll(b.as_mut(), &bell).is_pending());
    let (holders, waits) = (look(&lock, 0), look(&table, 0));
    assert_eq!((holders.len(), waits.len()), (2, 2));
    assert_ne!(waits[0].task, waits[1].task);
    for wait in &waits {
        let holder = holders.iter().find(|holder| holder.task == wait.task);
        let holder = holder.expect("it holds a key");
        assert!(holder.is_task && wait.is_task);
        assert_eq!(holder.task_label, wait.task_label);
        assert_eq!(holder.thread, wait.thread);
    }
    assert_eq!(waits[0].task_label, Some("a"));
    // What is polled within another is not the other.
    let mut outer = pin!(task_label("outer", async {
        task_label("inner", async {}).await;
        table.wait_async(1, 9, FOREVER, || true).await
    }));
    assert!(poll(outer.as_mut(), &bell).is_pending());
    assert_eq!(look(&table, 0)[0].task_label, Some("outer"));
    // Outside of all it is nobody.
    nest(&table, (1, 10), 1, &mut || {
        assert_eq!(look(&table, 0)[0].task, None);
        assert_eq!(table.unpark(1, &10, 1, 0), 1);
    });
}

/// Remembers what it is told of the tables of one test.
struct Ear;

static HEARD: Mutex<(Vec<Waited>, Vec<Held>)> = Mutex::new((Vec::new(), Vec::new()));

impl Sink for Ear {
    fn waited(&self, waited: &Waited) {
        heard().0.push(*waited);
    }

    fn held(&self, held: &Held) {
        heard().1.push(*held);
    }

    fn stack(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(42)
    }
}

fn heard() -> MutexGuard<'static, (Vec<Waited>, Vec<Held>)> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| assert!(set_sink(&Ear)));
    assert!(!set_sink(&Ear), "the first one stays");
}

fn waits_of(table: &impl Inspect) -> Vec<Waited> {
    let id = table.table_id();
    let mut heard = heard();
    let (mine, others) = heard.0.drain(..).partition(|waited| waited.table == id);
    heard.0 = others;
    mine
}

#[test]
fn a_sink_is_told_of_waits_that_are_over() {
    let _watchdog = watchdog("a_sink_is_told_of_waits_that_are_over");
    listen();
    for detail in [Detail::Off, Detail::Counters, Detail::Timing] {
        let _level = at(detail);
        let table = leak(Table::<u64>::with_slots(4));
        let waiting = Waiting::queued(table, KEY, FOREVER);
        let (mut task, bell) = (
            Box::pin(table.wait_async(2, 7, FOREVER, || true)),
            Bell::new(),
        );
        assert!(poll(task.as_mut(), &bell).is_pending());
        assert!(waits_of(table).is_empty());
        assert_eq!(table.unpark(KEY.0, &KEY.1, 1, 0), 1);
        assert_eq!(table.unpark(2, &7, 1, 0), 1);
        assert!(waiting.outcome().is_woken());
        assert!(poll(task.as_mut(), &bell).is_ready());
        let deadline = common::soon(std::time::Duration::from_millis(50));
        let late = || common::outlast(deadline);
        let (options, yes) = (FOREVER.deadline(deadline), || Ok::<_, ()>(true));
        let timed_out = table.park_with(3, &7, options, yes, late, |_| {});
        assert_eq!(timed_out, Ok(Parked::TimedOut));
        let any = Waiting::started(|| {
            table
                .park_any(&[(1, &7), (2, &8)], FOREVER, |_| true)
                .parked
        });
        until("a wait on two keys is queued", || table.waiters(2, &8) == 1);
        assert_eq!(table.unpark(2, &8, 1, 0), 1);
        assert!(any.outcome().is_woken());
        let told = waits_of(table);
        if detail == Detail::Off {
            assert!(told.is_empty());
            continue;
        }
        let hashes: Vec<_> = told.iter().map(|waited| waited.hash).collect();
        assert_eq!(hashes, [1, 2, 3, 2]);
        let timed = detail >= Detail::Timing;
        assert!(
            told.iter()
                .all(|waited| waited.waited_ns.is_some() == timed)
        );
        let woken: Vec<_> = told
            .iter()
            .map(|one| one.wake_to_run_ns.is_some())
            .collect();
        assert_eq!(woken, [timed, timed, false, timed]);
        for waited in &told {
            assert!(waited.wake_to_run_ns <= waited.waited_ns);
        }
        // What is stale was never queued.
        assert_eq!(table.park(1, &7, FOREVER, || false), Parked::Stale);
        assert!(waits_of(table).is_empty());
    }
}

#[test]
fn a_sink_is_told_of_keys_that_are_given_up() {
    listen();
    for detail in [Detail::Off, Detail::Counters, Detail::Timing] {
        let _level = at(detail);
        let lock = mutex(KeyedOptions::new());
        drop(hold(&lock));
        let one = HoldOptions::new(1);
        lock.with(2, &8, one, || ()).expect("free");
        let held: Vec<_> = {
            let id = lock.table_id();
            let heard = heard();
            let mine = heard.1.iter().filter(|held| held.table == id);
            mine.map(|held| held.hash).collect()
        };
        let timed = detail >= Detail::Timing;
        assert_eq!(held, if timed { vec![1, 2] } else { vec![] });
    }
}

#[test]
fn one_in_so_many_has_a_stack() {
    listen();
    let _level = at(Detail::Full);
    let table = Table::<u64>::with_slots(1);
    let stacks = |count| {
        set_stacks(count);
        let mut found = 0;
        nest(&table, KEY, 12, &mut || {
            let seen = look(&table, 0);
            found = seen.iter().filter(|seen| seen.stack == Some(42)).count();
            assert_eq!(table.unpark(KEY.0, &KEY.1, 12, 0), 12);
        });
        found
    };
    assert_eq!([stacks(0), stacks(1), stacks(4)], [0, 12, 3]);
    set_detail(Detail::Timing);
    assert_eq!((stacks(1), detail()), (0, Detail::Timing));
}

/// Who makes a value and who keeps a gate closed say who they are, too.
#[test]
fn leaders_and_keepers_say_who_they_are() {
    let _level = at(Detail::Full);
    let flights = slotpark_core::SingleFlight::<u64, u64>::new();
    let expected = here(1);
    let made = flights.fly(1, &7, None, || {
        let seen = look(&flights, 1);
        assert!(seen[0].holds && seen[0].since_ns.is_some() && seen[0].thread.is_some());
        assert_eq!(line(&seen[0]), expected);
        Ok::<_, ()>(1)
    });
    assert_eq!(made, Ok(1));
    let latch = slotpark_core::Latch::<u64>::new();
    let expected = here(1);
    let armed = latch.arm(1, 7, 1);
    let seen = look(&latch, 1);
    assert!(seen[0].holds && seen[0].since_ns.is_some());
    assert_eq!(line(&seen[0]), expected);
    drop(armed);
}

/// Waits for its turn and gives it on, so many times.
fn pass(table: &Table<u64>, gate: &AtomicU64, mine: u64, rounds: u64) {
    for round in 0..rounds {
        let expected = 2 * round + mine;
        let away = || gate.load(Ordering::Relaxed) != expected;
        while away() {
            let _ended = table.park(mine, &mine, FOREVER, away);
        }
        gate.store(expected + 1, Ordering::Relaxed);
        let _woken = table.unpark(1 - mine, &(1 - mine), 1, 0);
    }
}

/// Threads lock, wait and wake each other while another looks at all slots and changes the
/// level: keys exclude, no wake is lost, and when all is quiet nobody is seen.
#[test]
fn looks_during_everything() {
    let _watchdog = watchdog("looks_during_everything");
    const ROUNDS: u64 = 3_000;
    let _level = at(Detail::Off);
    for preference in [Preference::Fifo, Preference::Barging] {
        let lock = &mutex(KeyedOptions::new().preference(preference));
        let table = &Table::<u64>::with_slots(2);
        let (counts, gate) = (&[const { AtomicU64::new(0) }; 2], &AtomicU64::new(0));
        let is_done = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            let looker = scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    for detail in [Detail::Off, Detail::Timing, Detail::Full] {
                        set_detail(detail);
                        let holders = look(lock, 0).iter().filter(|seen| seen.holds).count();
                        assert!(holders <= 2, "two keys have {holders} holders");
                        let waits = look(table, 0).len() + look(table, 1).len();
                        assert!(waits <= 2, "two threads wait {waits} times");
                    }
                }
            });
            let lockers = [0, 0, 1].map(|key: u64| {
                scope.spawn(move || {
                    let count = &counts[key as usize];
                    for round in 0..ROUNDS {
                        let one = HoldOptions::new(1);
                        // Not one step: only the lock makes it one.
                        let add = || {
                            let now = count.load(Ordering::Relaxed);
                            if round % 64 < 2 {
                                let seen = look(lock, 0);
                                let is_seen = |seen: &Seen| seen.holds && seen.hash == key;
                                assert!(seen.iter().any(is_seen), "who holds is seen");
                            }
                            count.store(now + 1, Ordering::Relaxed);
                        };
                        if round % 2 == 0 {
                            lock.with(key, &key, one, add).expect("no deadline");
                        } else {
                            let guard = lock.hold(key, key, one).expect("no deadline");
                            add();
                            drop(guard);
                        }
                    }
                })
            });
            let passers =
                [0, 1].map(|mine: u64| scope.spawn(move || pass(table, gate, mine, ROUNDS)));
            for thread in lockers.into_iter().chain(passers) {
                thread.join().expect("no panic");
            }
            is_done.store(true, Ordering::Relaxed);
            looker.join().expect("no panic");
        });
        assert_eq!(counts[0].load(Ordering::Relaxed), 2 * ROUNDS);
        assert_eq!(counts[1].load(Ordering::Relaxed), ROUNDS);
        assert_eq!(gate.load(Ordering::Relaxed), 2 * ROUNDS);
        assert_eq!(
            look(lock, 0).len() + look(table, 0).len() + look(table, 1).len(),
            0
        );
        set_detail(Detail::Off);
    }
}
