//! Threads that look at the program now and then: of their own, and in nobody's way.

use std::fmt;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// So many times as long as a look took, whoever looks in the background lets pass before the next:
/// looking takes a twentieth of one CPU at most.
pub(crate) const REST: u32 = 20;

/// Starts a thread that takes none of the program's signals, from its first instruction on.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let thread = Builder::new().name(name.to_owned());
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, SigmaskHow};
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let thread = thread.spawn(run);
        before.thread_set_mask()?;
        thread
    }
    #[cfg(not(unix))]
    thread.spawn(run)
}

/// Something that is done again and again, until this is dropped.
pub(crate) struct Again {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl Again {
    /// Does `step` every `interval`, more rarely if it takes long, first after one interval.
    pub(crate) fn start(
        name: &str,
        interval: Duration,
        mut step: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = spawn(name, move || {
            let mut rest = interval;
            while stopped.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
                let start = Instant::now();
                step();
                rest = interval.max(start.elapsed() * REST);
            }
        })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
            process: std::process::id(),
        })
    }
}

impl Drop for Again {
    /// Waits for the step that is being done, unless that is who drops it.
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A child of a fork has no such thread.
        let is_here = self.process == std::process::id();
        if is_here && thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again").finish_non_exhaustive()
    }
}
