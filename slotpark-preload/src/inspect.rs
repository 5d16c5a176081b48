//! The socket of `slotpark run --inspect`, through which `slotpark top` looks at the program.
//!
//! It is served by two threads of this library, and what they do must not be felt:
//!
//! - They take no signals but those that libc keeps for itself, by which a program changes its
//!   user in all threads.
//! - They have descriptors of their own, which the program neither sees nor closes nor hands on to
//!   children, and a folder and an umask of their own.
//! - They keep no process alive: where the main thread has ended and all others have too, the
//!   process ends as it would have without them.
//!
//! Waits that are over are counted by the threads that waited: that allocates nothing, and the lock
//! that it takes is held with all signals blocked, so that no handler waits for its own thread and
//! none jumps away with it.
//!
//! A program may still see that there are more threads than it started: it cannot join namespaces
//! that want a process of one thread.
//!
//! A child of a fork has no socket until it executes a program, and nothing is recorded in it. A
//! socket takes memory and threads, and nobody can tell whether a child may have them: its first
//! futex call may come from a signal handler, or from an allocator whose locks were held by threads
//! that are not there. A child that asked for memory then would hang, as it does not without this.

use core::ffi::{CStr, c_char};
use core::mem::MaybeUninit;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed};
use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::IntoRawFd;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use libc::c_long;
use slotpark_core::{Detail, Held, Sink, Waited};
use slotpark_inspect::recorder;
use slotpark_inspect::socket::{ServeOptions, serve};

use crate::futex::TABLE;
use crate::layout;
use crate::platform::SignalsBlocked;
use crate::process::call;

/// The threads' names begin so; that of slotpark-inspect is `slotpark-look`.
const OURS: &str = "slotpark-";

/// What the table is called.
const TABLE_NAME: &str = "futexes";

/// From one look at the main thread to the next.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The path of the socket, and the process that opened it: its children have both, and must not
/// remove it. Relaxed: written by one thread, and read when the process ends; a process that ends
/// while this is written leaves the file, which readers remove.
static PATH: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());
static OWNER: AtomicU32 = AtomicU32::new(0);

/// Opens the socket if the environment asks for it. Whatever is missing, the program goes on.
pub(crate) fn start() {
    // SAFETY: the name ends in 0; nothing changes the environment while libraries are loaded.
    let asked = unsafe { libc::getenv(layout::INSPECT.as_ptr()) };
    if asked.is_null() {
        return;
    }
    // The thread begins with this mask.
    let _blocked = SignalsBlocked::new();
    let thread = std::thread::Builder::new().name(format!("{OURS}serve"));
    let _ = thread.spawn(run);
}

fn run() {
    take_no_signals();
    if !has_own_files() {
        return;
    }
    // Nobody else names one.
    let _is_first = slotpark_core::set_sink(&Unfelt);
    // Who waits, and since when; how long it took.
    slotpark_inspect::set_detail(slotpark_inspect::Detail::Timing);
    slotpark_inspect::register_static(TABLE_NAME, &TABLE).keep();
    let Ok(server) = serve(&ServeOptions::default()) else {
        return;
    };
    if let Ok(path) = CString::new(server.path().as_os_str().as_bytes()) {
        OWNER.store(std::process::id(), Relaxed);
        PATH.store(path.into_raw(), Relaxed);
    }
    while !is_left_alone() {
        std::thread::sleep(LOOK_INTERVAL);
    }
    // What the last thread of a process does.
    // SAFETY: no other thread runs that an exit could surprise.
    unsafe { libc::exit(0) }
}

/// Counts what is over where no handler can run.
struct Unfelt;

impl Sink for Unfelt {
    fn waited(&self, waited: &Waited) {
        let _blocked = SignalsBlocked::new();
        recorder().waited(waited);
    }

    fn held(&self, held: &Held) {
        let _blocked = SignalsBlocked::new();
        recorder().held(held);
    }
}

/// In the child of a fork: a thread that is not there may hold the lock of what is counted, and
/// nobody looks.
pub(crate) fn forget() {
    slotpark_core::set_detail(Detail::Off);
}

/// Blocks all signals but those that libc keeps for itself, and that all threads must take.
fn take_no_signals() {
    let mut all = MaybeUninit::uninit();
    // SAFETY: the set is filled by the call, which takes any memory for it.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: the set was filled above; no old set is asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), ptr::null_mut()) };
}

/// Gives this thread, and those that it starts, an empty table of descriptors, and a folder and an
/// umask of its own.
fn has_own_files() -> bool {
    let unshare = libc::CLOSE_RANGE_UNSHARE as c_long;
    // SAFETY: the descriptors that are closed are this thread's copies, which nobody uses.
    let closed = unsafe { call(libc::SYS_close_range, [0, u32::MAX.into(), unshare, 0]) };
    // SAFETY: it concerns the folder and the umask of this thread alone.
    let parted = unsafe { call(libc::SYS_unshare, [libc::CLONE_FS.into(), 0, 0, 0]) };
    // What is written to the standard descriptors, such as a panic's message, goes nowhere.
    let is_open = || File::options().read(true).write(true).open("/dev/null");
    closed == 0 && parted == 0 && (0..3).all(|_| is_open().map(IntoRawFd::into_raw_fd).is_ok())
}

/// Whether the main thread has ended, and all others but ours.
fn is_left_alone() -> bool {
    let main = std::process::id().to_string();
    if !has_ended(&main) {
        return false;
    }
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return false;
    };
    tasks.flatten().all(|task| {
        let name = task.file_name();
        name.to_str().is_some_and(|id| is_ours(id) || has_ended(id))
    })
}

fn is_ours(id: &str) -> bool {
    let name = fs::read_to_string(format!("/proc/self/task/{id}/comm"));
    name.is_ok_and(|name| name.starts_with(OURS))
}

/// Whether a thread has ended: the main thread stays as a zombie as long as others run.
fn has_ended(id: &str) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/self/task/{id}/stat")) else {
        // Not there any more. (Without /proc there would be no list of threads either.)
        return true;
    };
    // The name, in brackets, may hold anything; the state follows it.
    let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
    state.is_some_and(|state| state.starts_with(['Z', 'X']))
}

/// Runs when the process exits.
#[cfg(not(test))]
#[used]
// SAFETY: .fini_array is a list of functions of this type, called once each.
#[unsafe(link_section = ".fini_array")]
static ENDED: extern "C" fn() = ended;

/// Removes the socket.
#[cfg_attr(test, expect(dead_code, reason = "the test program is not preloaded"))]
extern "C" fn ended() {
    let path = PATH.load(Relaxed);
    if path.is_null() || OWNER.load(Relaxed) != std::process::id() {
        return;
    }
    // SAFETY: the path ends in 0 and is never freed.
    let path = unsafe { CStr::from_ptr(path) };
    let path = path.as_ptr().expose_provenance() as c_long;
    // SAFETY: the path ends in 0, and is never freed; the call reads nothing else.
    unsafe { call(libc::SYS_unlinkat, [libc::AT_FDCWD.into(), path, 0, 0]) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_runs_has_not_ended() {
        assert!(!has_ended(&std::process::id().to_string()));
        assert!(has_ended("0"));
        assert!(!is_left_alone());
    }
}
