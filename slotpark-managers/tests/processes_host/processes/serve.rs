//! A process of the host that makes calls as it is told, and what it is told.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, RawFd};

/// The number of a call, and its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order(pub(super) [i32; 5]);

/// What it has returned: errno or 0, and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer(pub(super) [i32; 5]);

pub(super) const FORK: i32 = 0;
pub(super) const EXIT: i32 = 1;
pub(super) const KILL: i32 = 2;
pub(super) const WAIT: i32 = 3;
pub(super) const SET_GROUP: i32 = 4;
pub(super) const BEGIN_SESSION: i32 = 5;
pub(super) const GROUP: i32 = 6;
pub(super) const SESSION: i32 = 7;
pub(super) const ON_CHILD: i32 = 8;
pub(super) const TAKE_CHILD: i32 = 9;
pub(super) const SUBREAPER: i32 = 10;
pub(super) const EXEC: i32 = 11;

/// Where the process at a place reads orders and writes answers: the same in all of them, so that
/// it is known after an exec.
pub(super) fn descriptors(at: usize) -> (RawFd, RawFd) {
    let at = RawFd::try_from(at).expect("a few");
    (100 + 2 * at, 101 + 2 * at)
}

pub(super) fn write(mut to: &File, words: [i32; 5]) {
    let mut bytes = [0; 20];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(words) {
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    to.write_all(&bytes).expect("the other side lives");
}

/// `None`: the other side is gone.
pub(super) fn read(mut from: &File) -> Option<[i32; 5]> {
    let mut bytes = [0; 20];
    from.read_exact(&mut bytes).ok()?;
    let mut words = [0; 5];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = i32::from_ne_bytes(chunk.try_into().expect("4 bytes"));
    }
    Some(words)
}

/// Makes calls until it is told to end, as the process at `at`.
pub(crate) fn serve(at: usize, is_new_program: bool) -> ! {
    let (orders, answers) = descriptors(at);
    // SAFETY: the descriptor is this process's to use.
    let orders = unsafe { File::from_raw_fd(orders) };
    // SAFETY: as above, and of nobody else's use.
    let answers = unsafe { File::from_raw_fd(answers) };
    if is_new_program {
        write(&answers, [0; 5]);
    }
    while let Some(order) = read(&orders) {
        if let Some(Answer(words)) = make(at, Order(order)) {
            write(&answers, words);
        }
    }
    // SAFETY: _exit(2) is always callable.
    unsafe { libc::_exit(99) }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn returned(result: i32) -> Option<Answer> {
    let errno = if result == -1 { errno() } else { 0 };
    Some(Answer([errno, result, 0, 0, 0]))
}

/// Makes a call as the process at `at`; `None`: another process answers.
pub(super) fn make(at: usize, Order([call, first, second, third, _]): Order) -> Option<Answer> {
    match call {
        FORK => {
            // SAFETY: this process has one thread.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let child_at = usize::try_from(first).expect("a place");
                leave_driver();
                // SAFETY: the default action of a signal, which the driver has a handler for.
                unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
                serve(child_at, false);
            }
            returned(child)
        }
        // SAFETY: _exit(2) is always callable.
        EXIT => unsafe { libc::_exit(first) },
        // SAFETY: kill(2) is always callable.
        KILL => returned(unsafe { libc::kill(first, second) }),
        WAIT => wait(first, second, third),
        // SAFETY: setpgid(2) is always callable.
        SET_GROUP => returned(unsafe { libc::setpgid(first, second) }),
        // SAFETY: setsid(2) is always callable.
        BEGIN_SESSION => returned(unsafe { libc::setsid() }),
        // SAFETY: getpgid(2) is always callable.
        GROUP => returned(unsafe { libc::getpgid(first) }),
        // SAFETY: getsid(2) is always callable.
        SESSION => returned(unsafe { libc::getsid(first) }),
        ON_CHILD => on_child(first, second),
        TAKE_CHILD => {
            let (set, now) = (1_u64 << (libc::SIGCHLD - 1), [0_i64; 2]);
            let (set, now) = (&raw const set, &raw const now);
            let (call, none) = (libc::SYS_rt_sigtimedwait, std::ptr::null::<u8>());
            // SAFETY: the set and the time are as large as the kernel's; no info is wanted.
            let result = unsafe { libc::syscall(call, set, none, now, 8) };
            returned(i32::try_from(result).expect("a signal"))
        }
        SUBREAPER => {
            // SAFETY: prctl(2) is always callable.
            returned(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, first, 0, 0, 0) })
        }
        EXEC => exec(at),
        other => unreachable!("there is no call {other}"),
    }
}

/// The ends of pipes that are the driver's alone: when it is gone, all others learn of it.
fn leave_driver() {
    for descriptor in 200..240 {
        // SAFETY: what is not open is not closed; no object of this process has one of these.
        unsafe { libc::close(descriptor) };
    }
}

fn wait(kind: i32, id: i32, options: i32) -> Option<Answer> {
    // SAFETY: zeros are a valid `siginfo_t`.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let (kind, id) = (kind as libc::idtype_t, id as libc::id_t);
    // SAFETY: `info` is a place for one.
    let result = unsafe { libc::waitid(kind, id, &raw mut info, options | libc::WNOHANG) };
    let errno = if result == -1 { errno() } else { 0 };
    // SAFETY: zeros, or what waitid has written.
    let pid = unsafe { info.si_pid() };
    // SAFETY: zeros, or what waitid has written.
    let status = unsafe { info.si_status() };
    Some(Answer([errno, pid, info.si_code, status, 0]))
}

pub(super) extern "C" fn ignore(_signal: i32) {}

fn on_child(what: i32, flags: i32) -> Option<Answer> {
    // SAFETY: zeros are a valid `sigaction`.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = match what {
        0 => libc::SIG_DFL,
        1 => libc::SIG_IGN,
        _ => ignore as *const () as usize,
    };
    action.sa_flags = flags;
    // SAFETY: the action is one; its handler does nothing.
    let result = unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()) };
    returned(result)
}

/// Runs this program anew, as a process that makes calls; that one answers.
fn exec(at: usize) -> Option<Answer> {
    let place = std::ffi::CString::new(at.to_string()).expect("digits");
    let arguments = [
        c"processes_host".as_ptr(),
        c"--serve".as_ptr(),
        place.as_ptr(),
        std::ptr::null(),
    ];
    // SAFETY: the path and each argument end with 0, and the list with null.
    unsafe { libc::execv(c"/proc/self/exe".as_ptr(), arguments.as_ptr()) };
    returned(-1)
}
