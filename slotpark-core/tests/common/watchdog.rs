//! The watchdog: it says what hangs and ends the process. It wakes nobody, so it hides nothing.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longer than any story takes on the slowest machine; `SLOTPARK_WATCHDOG_S` changes it.
const LIMIT_S_DEFAULT: u64 = 120;

/// What threads wait for in `until` now.
static AWAITED: Mutex<Vec<&str>> = Mutex::new(Vec::new());

/// While it lives, the story must end in time.
pub(crate) struct Watchdog {
    _ended: Sender<()>,
}

/// Watches the calling test until the returned value is dropped.
pub(crate) fn watchdog(story: &'static str) -> Watchdog {
    watchdog_with(story, || {})
}

/// As `watchdog`; the watching thread first runs `prelude`.
pub(crate) fn watchdog_with(story: &'static str, prelude: fn()) -> Watchdog {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        prelude();
        watch(story, &receiver);
    });
    Watchdog { _ended: sender }
}

fn watch(story: &str, ended: &Receiver<()>) {
    let limit_s = std::env::var("SLOTPARK_WATCHDOG_S").ok();
    let limit_s = limit_s.and_then(|text| text.parse().ok());
    let limit_s = limit_s.unwrap_or(LIMIT_S_DEFAULT);
    if ended.recv_timeout(Duration::from_secs(limit_s)) == Err(RecvTimeoutError::Timeout) {
        let report = format!("watchdog: `{story}` hangs after {limit_s} s\n{}", dump());
        // Past the test harness, which shows no output of a process that aborts.
        let _ = std::io::stderr().write_all(report.as_bytes());
        std::process::abort();
    }
}

fn dump() -> String {
    let awaited = AWAITED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = String::new();
    for what in awaited.iter() {
        text += &format!("  awaited: {what}\n");
    }
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten() {
        let Ok(task) = task else { continue };
        let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let (name, place) = (read("comm"), read("wchan"));
        text += &format!(
            "  thread {}: {} in {place}\n",
            task.path().display(),
            name.trim()
        );
    }
    text
}

/// Looks until `condition` holds. There is no limit but the watchdog's.
pub(crate) fn until(what: &'static str, mut condition: impl FnMut() -> bool) {
    if condition() {
        return;
    }
    let list = || AWAITED.lock().unwrap_or_else(PoisonError::into_inner);
    list().push(what);
    while !condition() {
        std::thread::yield_now();
    }
    let mut awaited = list();
    if let Some(at) = awaited.iter().position(|other| *other == what) {
        awaited.swap_remove(at);
    }
}

/// The calling thread's name for `asleep`.
pub(crate) fn task() -> String {
    let link = std::fs::read_link("/proc/thread-self").unwrap_or_default();
    link.display().to_string()
}

/// Whether a thread that is queued sleeps in the kernel: between linking and its own sleep a waiter
/// has nothing else to sleep in. Where the system does not tell, being queued must do; and it tells
/// nothing of the threads of a program that Miri interprets.
pub(crate) fn asleep(task: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{task}/stat")) {
        Ok(stat) if !cfg!(miri) => stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with('S')),
        _ => true,
    }
}
