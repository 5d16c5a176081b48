//! Processes come and go with pipes, signals and descriptors, while others are blocked on them:
//! afterwards nothing is left, and each call that has blocked has an outcome.

#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
mod roles;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use common::{Numbers, leak, until, watchdog};
use slotpark_managers::*;
use world::{Table, Threads, World};

/// So many at a time, and each so many families of a parent and three children, or more.
const DRIVERS: u64 = 4;
const FAMILIES: u64 = 625;

#[test]
fn ten_thousand_processes_leave_nothing() {
    let seed = std::env::var("SLOTPARK_SEED").ok();
    let seed = seed.and_then(|text| text.parse().ok()).unwrap_or(1);
    let story = format!("ten_thousand_processes_leave_nothing, SLOTPARK_SEED={seed}");
    println!("{story}");
    let _watchdog = watchdog(story.leak());
    let threads_before = threads();
    let world = World::new();
    let files = Table::new(world.waits.clone());
    let (log_reader, log_writer) = world.pipe(&files);
    // Kept open, to be asked at the end.
    let log = files.description(log_reader).expect("it is open");
    let residents = Residents::new(world, &files, (log_reader, log_writer));
    // The families have the writing end under another number, and nothing else.
    files.dup2(log_writer, roles::LOG).expect("it is open");
    files.close(log_writer).expect("it is open");

    let files = leak(Mutex::new(Some(files)));
    let reaper = std::thread::spawn(|| reap_all(world));
    let drivers: Vec<_> = (0..DRIVERS)
        .map(|driver| {
            let mut numbers = Numbers::new(seed ^ driver << 32);
            let accountant = residents.accountant;
            std::thread::spawn(move || {
                for _ in 0..FAMILIES {
                    family(world, files, &mut numbers);
                    account(world, accountant, 1);
                }
            })
        })
        .collect();
    drivers.into_iter().for_each(ended);

    // Only the residents are left, and what they wait for comes to its end.
    drop(files.lock().expect("nobody panics here").take());
    assert_eq!(world.pipes.sides(*log), Ok((1, 0)), "a writer is left");
    drop(log);
    account(world, residents.accountant, 0);
    residents.check(world);
    let forked = world.forked.load(Ordering::Relaxed);
    assert!(forked as u64 >= 4 * DRIVERS * FAMILIES);
    assert_eq!(ended(reaper) + world.reaped.load(Ordering::Relaxed), forked);
    world.check_outcomes(&WANTED);
    let init = world.processes.init();
    world.processes.exit_group(init, 0).expect("it runs");
    world.check_empty();
    assert_eq!(world.waiting(), 0, "waits without an end");
    until("the threads are gone", || threads() <= threads_before);
}

/// A parent with its children, from the first fork to the last exit.
fn family(world: &'static World, files: &Mutex<Option<Table>>, numbers: &mut Numbers) {
    let mut own = Numbers::new(numbers.below(u64::MAX));
    let table = {
        let files = files.lock().expect("nobody panics here");
        files.as_ref().expect("it is open").fork()
    };
    let threads = Threads::default();
    let pid = world.processes.fork(world.processes.init());
    world.start(
        pid.expect("a number is free"),
        (table, &threads),
        move |guest| roles::parent(guest, &mut own),
    );
    join(&threads);
}

/// Joins threads until there are no more, and nobody is left who could begin another.
fn join(threads: &Threads) {
    loop {
        let begun = std::mem::take(&mut *threads.lock().expect("nobody panics here"));
        if begun.is_empty() {
            return;
        }
        begun.into_iter().for_each(ended);
    }
}

fn ended<T>(thread: JoinHandle<T>) -> T {
    until("a thread ends", || thread.is_finished());
    thread.join().expect("no guest panics")
}

/// Tells the accountant of a family; 0 is the end.
fn account(world: &World, accountant: Pid, value: u64) {
    let info = SignalInfo::queued(Signal::RT_MIN, world.processes.init(), value);
    until("there is room for a signal", || {
        world.signals.send(accountant, info) != Err(Errno::Again)
    });
}

/// The first process: those whose parents have ended are its children. How many it has waited for.
fn reap_all(world: &World) -> usize {
    let init = world.processes.init();
    let (any, exited) = (Children::Any, WaitFor::EXITED);
    let wait = || world.processes.wait(init, any, exited, Block::FOREVER);
    // The residents stay to the end: until then there are children.
    std::iter::from_fn(|| wait().ok()).count()
}

/// How many threads this program has, as far as the system tells.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

/// Guests that are blocked while the families come and go.
struct Residents {
    accountant: Pid,
    threads: Threads,
    accounted: &'static AtomicU64,
    logged: &'static AtomicU64,
}

impl Residents {
    fn new(world: &'static World, files: &Table, (reader, writer): (i32, i32)) -> Self {
        let init = world.processes.init();
        let threads = Threads::default();
        let (accounted, logged) = (leak(AtomicU64::new(0)), leak(AtomicU64::new(0)));
        let monitor = world.processes.fork(init).expect("a number is free");
        world.start(monitor, (files.fork(), &threads), move |guest| {
            guest.close(writer)?;
            loop {
                let mut records = [0; 512];
                let count = guest.read(reader, &mut records)?;
                if count == 0 {
                    return Ok(0);
                }
                logged.fetch_add(count as u64 / 8, Ordering::Relaxed);
            }
        });
        let accountant = world.processes.fork(init).expect("a number is free");
        let families = SignalSet::EMPTY.with(Signal::RT_MIN);
        let masked = world.signals.set_mask(accountant, families);
        masked.expect("it is there");
        let nothing = Table::new(world.waits.clone());
        world.start(accountant, (nothing, &threads), move |guest| {
            loop {
                let info = guest.call("account", Restart::Never, |block| {
                    guest.world.signals.timed_wait(guest.tid, families, block)
                })?;
                if info.value == 0 {
                    return Ok(0);
                }
                accounted.fetch_add(info.value, Ordering::Relaxed);
            }
        });
        Self {
            accountant,
            threads,
            accounted,
            logged,
        }
    }

    /// They have ended, and were told of everything.
    fn check(&self, world: &World) {
        join(&self.threads);
        let accounted = self.accounted.load(Ordering::Relaxed);
        assert_eq!(accounted, DRIVERS * FAMILIES);
        let logged = self.logged.load(Ordering::Relaxed);
        assert_eq!(logged, world.logged.load(Ordering::Relaxed));
    }
}

/// What must have happened, or the story tells nothing.
const WANTED: [(&str, &str); 11] = [
    ("read", "done"),
    ("read", "EBADF"),
    ("read", "ended"),
    ("write", "done"),
    ("write", "ended"),
    ("timed_wait", "done"),
    ("timed_wait", "ended"),
    ("suspend", "EINTR"),
    ("suspend", "ended"),
    ("wait", "done"),
    ("account", "done"),
];
