//! What the threads of a workload are doing: asleep or not, and spinning until something happens.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The stack of a workload's thread: small, since some workloads have hundreds.
const STACK_BYTES: usize = 128 * 1024;

/// Starts a thread that nobody joins.
pub(crate) fn start(body: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(body)
        .expect("the operating system has room for the threads of the workload");
}

/// Starts threads that nobody joins, each with its number; returns when all of them run.
pub(crate) fn start_seen(
    count: usize,
    body: impl Fn(usize) + Clone + Send + 'static,
) -> Vec<Sight> {
    let (sender, sights) = mpsc::channel();
    for number in 0..count {
        let (sender, body) = (sender.clone(), body.clone());
        start(move || {
            let own = Sight::own().expect("a thread may look at itself");
            sender.send(own).expect("whoever started it waits for it");
            body(number);
        });
    }
    sights.iter().take(count).collect()
}

/// The scheduler's view of one thread.
#[derive(Debug)]
pub(crate) struct Sight(File);

impl Sight {
    /// Of the calling thread; the others may look through it.
    fn own() -> io::Result<Self> {
        let id = rustix::thread::gettid().as_raw_nonzero();
        Ok(Self(File::open(format!("/proc/self/task/{id}/stat"))?))
    }

    /// Whether the thread sleeps in the kernel. Allocates nothing.
    pub(crate) fn asleep(&self) -> bool {
        let mut line = [0_u8; 256];
        let Ok(length) = self.0.read_at(&mut line, 0) else {
            return false;
        };
        // "id (name) state ...": the name may hold anything, so look from its last parenthesis.
        let Some(end) = line[..length].iter().rposition(|&byte| byte == b')') else {
            return false;
        };
        line.get(end + 2) == Some(&b'S')
    }
}

/// The CPUs that the threads of a workload are tied to, where the scheduler's own choice would be
/// measured: a crowd that once woke on one CPU stays there.
#[derive(Clone, Debug)]
pub(crate) struct Cpus(Vec<usize>);

impl Cpus {
    /// Those that the calling thread may run on; none where that cannot be told.
    pub(crate) fn allowed() -> Self {
        let allowed = sched_getaffinity(None);
        let is_allowed = |cpu: &usize| allowed.as_ref().is_ok_and(|allowed| allowed.is_set(*cpu));
        Self((0..CpuSet::MAX_CPU).filter(is_allowed).collect())
    }

    /// Ties the calling thread to one of them, in turn; false if that is refused.
    pub(crate) fn tie(&self, turn: usize) -> bool {
        let mut one = CpuSet::new();
        if let Some(&cpu) = self.0.iter().cycle().nth(turn) {
            one.set(cpu);
        }
        sched_setaffinity(None, &one).is_ok()
    }
}

/// Spins until `done` says so; false after `limit`. Allocates nothing.
pub(crate) fn spin_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    let mut rounds = 0_u32;
    while !done() {
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(64) && start.elapsed() > limit {
            return false;
        }
        if rounds.is_multiple_of(1 << 14) {
            // Whoever is waited for may have no core to itself.
            std::thread::yield_now();
        }
        std::hint::spin_loop();
    }
    true
}

/// Sleeps in short steps until `done` says so.
pub(crate) fn sleep_until(mut done: impl FnMut() -> bool) {
    while !done() {
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// How many threads run at once on this machine.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_tied_to_the_cpus_in_turn() {
        let cpus = Cpus::allowed();
        let count = cpus.0.len();
        assert!(count > 0, "this thread runs somewhere");
        for turn in 0..=count {
            let tied = cpus.clone();
            let seen = std::thread::spawn(move || {
                assert!(tied.tie(turn));
                Cpus::allowed().0
            });
            let seen = seen.join().expect("it has not panicked");
            assert_eq!(seen, [cpus.0[turn % count]]);
        }
    }
}
