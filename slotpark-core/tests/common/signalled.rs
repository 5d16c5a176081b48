//! Threads that signals are sent to, and a handler that counts.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use super::common::{asleep, leak, task, until};

/// Its handler ends system calls.
pub(crate) const ENDING: libc::c_int = libc::SIGUSR2;

thread_local! {
    /// How often `count` has run in this thread, if that is a target.
    static RUNS: Cell<Option<&'static AtomicUsize>> = const { Cell::new(None) };
}

pub(crate) extern "C" fn count(_signal: libc::c_int) {
    if let Some(runs) = RUNS.get() {
        runs.fetch_add(1, Ordering::Release);
    }
}

/// Installs a handler.
pub(crate) fn handle(signal: libc::c_int, handler: extern "C" fn(libc::c_int), flags: libc::c_int) {
    // SAFETY: all zero is a value of this struct: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as libc::sighandler_t;
    action.sa_flags = flags;
    // SAFETY: the handler has the signature that a handler without SA_SIGINFO has, and lives as
    // long as the process.
    let failed = unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) };
    assert_eq!(failed, 0);
}

/// A thread of ours that signals are sent to, whose handler is `count`.
pub(crate) struct Target<R> {
    thread: JoinHandle<R>,
    task: String,
    handle: libc::pthread_t,
    runs: &'static AtomicUsize,
}

impl<R: Send + 'static> Target<R> {
    pub(crate) fn started(run: impl FnOnce() -> R + Send + 'static) -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        let runs = leak(AtomicUsize::new(0));
        let thread = std::thread::spawn(move || {
            RUNS.set(Some(runs));
            // SAFETY: pthread_self(3) is always callable.
            let handle = unsafe { libc::pthread_self() };
            sender.send((task(), handle)).expect("the test listens");
            drop(sender);
            run()
        });
        let (task, handle) = receiver.recv().expect("the thread has begun");
        Self {
            thread,
            task,
            handle,
            runs,
        }
    }

    /// Starts the thread, and returns once it is in what it does, or has come to its end: on a busy
    /// machine a short deadline may be past before.
    pub(crate) fn asleep(
        run: impl FnOnce() -> R + Send + 'static,
        has_begun: impl Fn() -> bool,
    ) -> Self {
        let target = Self::started(run);
        until("it has begun", || has_begun() || target.has_ended());
        target.until_asleep();
        target
    }

    /// Returns once it sleeps, or has come to its end.
    fn until_asleep(&self) {
        // The kernel says of a wait on several words that it sleeps a moment before all are queued:
        // only a thread that goes on sleeping has queued them.
        let sleeps = || {
            std::thread::yield_now();
            asleep(&self.task)
        };
        until("a target sleeps", || {
            (0..20).all(|_| sleeps()) || self.has_ended()
        });
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: libc::c_int) {
        // SAFETY: the thread is not joined yet.
        let _failed = unsafe { libc::pthread_kill(self.handle, signal) };
    }

    /// Interrupts its sleep, and returns once it sleeps again or has come to its end.
    pub(crate) fn interrupt(&self, signal: libc::c_int) {
        let runs = self.runs.load(Ordering::Acquire);
        self.signal(signal);
        // A thread that has come to its end meanwhile runs no handler.
        until("the handler has run", || {
            self.runs.load(Ordering::Acquire) > runs || self.has_ended()
        });
        self.until_asleep();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    pub(crate) fn join(self) -> R {
        self.thread.join().expect("no panic")
    }
}
