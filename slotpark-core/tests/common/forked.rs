//! A real fork: the child runs one closure and ends with a code, and the parent looks at it.
//!
//! A child has one thread and no watchdog: an alarm ends it when it hangs, and the parent says so.
//! It never returns into the test harness. What it runs may allocate, which the C libraries that
//! std supports allow after a fork, but must take no lock that another thread of the parent may
//! have held: `until`, `println`, channels of the parent.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Far more than any child takes.
const ALARM_S: u32 = 60;

/// A child as the parent sees it.
#[must_use = "a child that failed tells nobody but its parent"]
pub(crate) struct Child(libc::pid_t);

/// Forks; `None` in the child, which must come to its end by [`end`].
pub(crate) fn fork() -> Option<Child> {
    // SAFETY: fork(2) is always callable; what the child does afterwards is said above.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            // SAFETY: alarm(2) is always callable.
            unsafe { libc::alarm(ALARM_S) };
            None
        }
        pid => Some(Child(pid)),
    }
}

/// Ends the child that called it, with what `checks` says.
pub(crate) fn end(checks: impl FnOnce()) -> ! {
    let failed = match catch_unwind(AssertUnwindSafe(checks)) {
        Ok(()) => false,
        Err(panic) => {
            complain(&*panic);
            true
        }
    };
    // SAFETY: _exit(2) is always callable; it runs nothing of the parent's.
    unsafe { libc::_exit(i32::from(failed)) }
}

/// The harness keeps what a test prints for itself, and a child never hands it over.
fn complain(panic: &(dyn Any + Send)) {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let line = format!("child: {}\n", text.unwrap_or("a panic without a text"));
    // SAFETY: the buffer is as long as it says.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
}

/// Runs `child` in a child and asserts that all its assertions held.
#[track_caller]
pub(crate) fn in_child(child: impl FnOnce()) {
    match fork() {
        None => end(child),
        Some(process) => process.assert_good(),
    }
}

impl Child {
    /// Waits for the child's end.
    #[track_caller]
    pub(crate) fn assert_good(self) {
        let mut status = 0;
        // SAFETY: `status` is a place for the status of a child of this process.
        while unsafe { libc::waitpid(self.0, &raw mut status, 0) } != self.0 {
            let error = std::io::Error::last_os_error();
            assert_eq!(error.kind(), std::io::ErrorKind::Interrupted, "{error}");
        }
        if libc::WIFSIGNALED(status) {
            match libc::WTERMSIG(status) {
                libc::SIGALRM => panic!("the child hangs"),
                signal => panic!("the child was ended by signal {signal}"),
            }
        }
        assert_eq!(libc::WEXITSTATUS(status), 0, "the child's checks failed");
    }
}
