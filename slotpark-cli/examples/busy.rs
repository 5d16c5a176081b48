//! A program with much to look at: workers that wait for jobs, pages that are locked, and some that
//! have waited long. `busy few` has a table of 8 slots for it.
//!
//! It ends when its standard input does.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use slotpark::{KeyedMutex, ShardedWait};
use slotpark_inspect::socket::{ServeOptions, serve};
use slotpark_inspect::{Detail, register, set_detail};

/// Workers, each of which waits for a job of its own.
const WORKERS: u32 = 48;

/// Those who lock pages.
const READERS: u32 = 6;

/// Pages, of which the first is wanted most.
const PAGES: u32 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Job(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Page(u32);

fn main() -> io::Result<()> {
    set_detail(Detail::Full);
    let has_few = std::env::args().nth(1).is_some_and(|what| what == "few");
    let slots = if has_few { 8 } else { 512 };
    let jobs: ShardedWait<Job> = ShardedWait::with_slots(slots);
    let jobs = Arc::new(jobs.with_key_text());
    let pages: Arc<KeyedMutex<Page>> = Arc::new(KeyedMutex::new().with_key_text());
    let _jobs_shown = register("jobs", &jobs);
    let _pages_shown = register("pages", &pages);
    let _server = serve(&ServeOptions::default())?;
    for worker in 0..WORKERS {
        let jobs = Arc::clone(&jobs);
        named(&format!("worker-{worker}"), move || {
            work(&jobs, Job(worker))
        });
    }
    for reader in 0..READERS {
        let pages = Arc::clone(&pages);
        named(&format!("reader-{reader}"), move || read(&pages, reader));
    }
    // All jobs are waited for; one in four is done again and again.
    while (0..WORKERS).any(|worker| jobs.waiters(&Job(worker)) == 0) {
        thread::yield_now();
    }
    let own = Arc::clone(&jobs);
    named("dispatcher", move || dispatch(&own));
    println!("slotpark top {}", std::process::id());
    io::stdin().read_to_end(&mut Vec::new())?;
    std::process::exit(0);
}

fn named(name: &str, run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(run).expect("there is room for a thread");
}

/// How often each job was given out.
static GIVEN: [AtomicU32; WORKERS as usize] = [const { AtomicU32::new(0) }; WORKERS as usize];

fn work(jobs: &ShardedWait<Job>, job: Job) {
    let mut done = 0;
    loop {
        let given = &GIVEN[job.0 as usize];
        let _how = jobs.wait_while(&job, || given.load(Ordering::Acquire) == done);
        done = given.load(Ordering::Acquire);
    }
}

fn dispatch(jobs: &ShardedWait<Job>) {
    for worker in (0..WORKERS).step_by(4).cycle() {
        GIVEN[worker as usize].fetch_add(1, Ordering::Release);
        let _woken = jobs.wake_all(&Job(worker));
        // load: so that there is something else to look at.
        thread::sleep(Duration::from_millis(1));
    }
}

fn read(pages: &KeyedMutex<Page>, reader: u32) {
    for step in reader.. {
        // Half of the time the same page.
        let page = if step % 2 == 0 { 0 } else { step % PAGES };
        let _page = pages.lock(Page(page));
        // load: what a page is held for.
        thread::sleep(Duration::from_millis(2));
    }
}
