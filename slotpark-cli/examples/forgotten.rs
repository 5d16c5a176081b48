//! A program in which a wake seems to get lost, to be looked at: the consumer waits for job 7, the
//! producer finishes it, and tells those who wait for job 8. It ends when its standard input does.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use slotpark::ShardedWait;
use slotpark_inspect::socket::{ServeOptions, serve};
use slotpark_inspect::{Detail, register, set_detail};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Job(u32);

static IS_DONE: AtomicBool = AtomicBool::new(false);

fn main() -> io::Result<()> {
    set_detail(Detail::Full);
    let jobs = Arc::new(ShardedWait::<Job>::new().with_key_text());
    let _shown = register("jobs", &jobs);
    let _server = serve(&ServeOptions::default())?;
    let own = Arc::clone(&jobs);
    let consumer = thread::Builder::new().name("consumer".to_owned());
    consumer.spawn(move || own.wait_while(&Job(7), || !IS_DONE.load(Ordering::Acquire)))?;
    while jobs.waiters(&Job(7)) == 0 {
        thread::yield_now();
    }
    IS_DONE.store(true, Ordering::Release);
    let woken = jobs.wake_all(&Job(8));
    println!("woke {woken}; slotpark top {}", std::process::id());
    io::stdin().read_to_end(&mut Vec::new())?;
    std::process::exit(0);
}
