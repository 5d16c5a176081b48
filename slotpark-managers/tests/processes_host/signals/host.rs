//! The side of the host: a forked child that makes the calls, and its parent.

use std::fs::File;
use std::mem::{MaybeUninit, zeroed};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use slotpark_managers::{Handler, MaskChange, Signal, SignalAction, SignalFlags, SignalSet};

use super::guest::action_record;
use super::{Call, Story};
use crate::record::{self, Kind, Record};

/// Where the child tells; set in the child only.
static TELLS: OnceLock<File> = OnceLock::new();

/// Far more than any script takes.
const HANGS: Duration = Duration::from_secs(20);

pub(super) fn run(calls: &[Call], has_user: bool) -> Story {
    let (read, write) = record::pipe();
    // SAFETY: this program has one thread, so its child may do what it likes.
    let child = unsafe { libc::fork() };
    match child {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            TELLS.set(write).expect("a new process");
            begin(has_user);
            for call in calls {
                let record = make(*call);
                tell(record);
            }
            // SAFETY: _exit(2) is always callable.
            unsafe { libc::_exit(42) }
        }
        _ => {
            watch(child, &write);
            drop(write);
            record::receive(&read)
        }
    }
}

/// The parent: continues the child when it stops, until it ends.
fn watch(child: libc::pid_t, write: &File) {
    let begin = Instant::now();
    loop {
        let mut status = 0;
        let options = libc::WUNTRACED | libc::WNOHANG;
        // SAFETY: `status` is a place for a status.
        let waited = unsafe { libc::waitpid(child, &raw mut status, options) };
        if waited == 0 {
            if begin.elapsed() > HANGS {
                // It ends as no script says that goes on so far.
                // SAFETY: kill(2) is always callable.
                unsafe { libc::kill(child, libc::SIGKILL) };
            }
            std::thread::yield_now();
            continue;
        }
        assert_eq!(waited, child, "{}", std::io::Error::last_os_error());
        if libc::WIFSTOPPED(status) {
            let signal = libc::WSTOPSIG(status) as u64;
            record::send(write, Record::new(Kind::Stopped, [signal]));
            // SAFETY: kill(2) is always callable.
            unsafe { libc::kill(child, libc::SIGCONT) };
        } else {
            record::send(write, Record::new(Kind::Ended, [status as u64]));
            return;
        }
    }
}

fn tell(record: Record) {
    record::send(TELLS.get().expect("set at the beginning"), record);
}

/// A child that is like the guest: nothing blocked, all actions the default, a group of its own.
fn begin(has_user: bool) {
    if has_user {
        // Nobody else's, so that its limit counts its own signals.
        // SAFETY: getpid(2) is always callable.
        let user = 1_000_000_000 + unsafe { libc::getpid() } as libc::uid_t;
        // SAFETY: setresuid(2) is always callable.
        let result = unsafe { libc::setresuid(user, user, user) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    }
    for number in (1..=64).filter(|number| !matches!(number, 9 | 19 | 32 | 33)) {
        let signal = Signal::new(number).expect("one of Linux's");
        let _before = set_action(signal, SignalAction::DEFAULT);
    }
    // SAFETY: a group of its own; always callable.
    unsafe { libc::setpgid(0, 0) };
    // SAFETY: no image of its memory is written, whatever the limits say.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
    set_limit(1024);
    let _before = change_mask(MaskChange::Set(SignalSet::EMPTY));
}

fn returned(result: libc::c_long) -> Record {
    let errno = if result == -1 { errno() } else { 0 };
    Record::new(Kind::Returned, [errno as u64])
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn make(call: Call) -> Record {
    // SAFETY: getpid(2) is always callable.
    let pid = unsafe { libc::getpid() };
    match call {
        Call::Action(signal, action) => match set_action(signal, action) {
            Ok(before) => action_record(before),
            Err(errno) => Record::new(Kind::Returned, [errno as u64]),
        },
        Call::Mask(change) => Record::new(Kind::Set, [change_mask(change).bits()]),
        Call::Kill(signal) => {
            // SAFETY: kill(2) is always callable.
            returned(unsafe { libc::kill(pid, signal.number()) }.into())
        }
        Call::KillThread(signal) => {
            // SAFETY: tgkill(2) is always callable.
            returned(unsafe { libc::syscall(libc::SYS_tgkill, pid, pid, signal.number()) })
        }
        Call::Queue(signal, value) => {
            let value = libc::sigval {
                sival_ptr: value as *mut libc::c_void,
            };
            // SAFETY: sigqueue(3) is always callable; the value is never followed.
            returned(unsafe { libc::sigqueue(pid, signal.number(), value) }.into())
        }
        Call::QueueThread(signal, value) => {
            let info = info_words(signal.number(), libc::SI_QUEUE, pid, value);
            let call = libc::SYS_rt_tgsigqueueinfo;
            // SAFETY: the info is as large as the kernel's.
            returned(unsafe { libc::syscall(call, pid, pid, signal.number(), info.as_ptr()) })
        }
        Call::Pending => {
            let mut set = 0_u64;
            // SAFETY: `set` is as large as is said.
            unsafe { libc::syscall(libc::SYS_rt_sigpending, &raw mut set, 8) };
            Record::new(Kind::Set, [set])
        }
        Call::TimedWait(set) => timed_wait(set),
        Call::Suspend(mask) => {
            let mask = mask.bits();
            // SAFETY: `mask` is as large as is said.
            returned(unsafe { libc::syscall(libc::SYS_rt_sigsuspend, &raw const mask, 8) })
        }
        Call::Limit(limit) => returned(set_limit(limit)),
    }
}

fn set_limit(limit: u64) -> libc::c_long {
    let limits = libc::rlimit {
        rlim_cur: limit,
        rlim_max: 1024,
    };
    // SAFETY: `limits` is a valid `rlimit`.
    unsafe { libc::setrlimit(libc::RLIMIT_SIGPENDING, &raw const limits) }.into()
}

fn change_mask(change: MaskChange) -> SignalSet {
    let (how, set) = match change {
        MaskChange::Block(set) => (libc::SIG_BLOCK, set),
        MaskChange::Unblock(set) => (libc::SIG_UNBLOCK, set),
        MaskChange::Set(set) => (libc::SIG_SETMASK, set),
    };
    let (set, mut before) = (set.bits(), 0_u64);
    let call = libc::SYS_rt_sigprocmask;
    // SAFETY: both sets are as large as is said.
    let result = unsafe { libc::syscall(call, how, &raw const set, &raw mut before, 8) };
    assert_eq!(result, 0);
    SignalSet::from_bits(before)
}

/// As the kernel lays out what sigqueue(3) sends.
fn info_words(signal: i32, code: i32, pid: i32, value: u64) -> [u32; 32] {
    let mut words = [0; 32];
    words[0] = signal as u32;
    words[2] = code as u32;
    words[4] = pid as u32;
    words[6] = value as u32;
    words[7] = (value >> 32) as u32;
    words
}

/// Signal, code, who, value.
fn told(words: &[u32; 32]) -> [u64; 4] {
    // SAFETY: getpid(2) is always callable.
    let own = unsafe { libc::getpid() } as u32;
    let who = match words[4] {
        0 => 0,
        pid if pid == own => 1,
        _ => 2,
    };
    let value = u64::from(words[6]) | u64::from(words[7]) << 32;
    [words[0].into(), words[2] as i32 as u64, who, value]
}

fn timed_wait(set: SignalSet) -> Record {
    let set = set.bits();
    let mut info = [0_u32; 32];
    let now = [0_i64; 2];
    let call = libc::SYS_rt_sigtimedwait;
    let (set, now) = (&raw const set, &raw const now);
    // SAFETY: the sets, the info and the time are as large as the kernel's.
    let result = unsafe { libc::syscall(call, set, info.as_mut_ptr(), now, 8) };
    if result == -1 {
        return Record::new(Kind::Taken, [errno() as u64, 0, 0, 0, 0]);
    }
    let [signal, code, who, value] = told(&info);
    Record::new(Kind::Taken, [0, signal, code, who, value])
}

extern "C" fn first(_signal: i32, info: *const [u32; 32], _context: *mut libc::c_void) {
    handle(1, info);
}

extern "C" fn second(_signal: i32, info: *const [u32; 32], _context: *mut libc::c_void) {
    handle(2, info);
}

fn handle(function: u64, info: *const [u32; 32]) {
    let before = errno();
    // SAFETY: the kernel gives a handler the info of its signal.
    let [signal, code, who, value] = told(unsafe { &*info });
    let mask = change_mask(MaskChange::Block(SignalSet::EMPTY));
    let numbers = [function << 32 | signal, code, who, value, mask.bits()];
    tell(Record::new(Kind::Handled, numbers));
    // SAFETY: the place of this thread's errno.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the place is this thread's.
    unsafe { *place = before };
}

fn set_action(signal: Signal, action: SignalAction) -> Result<SignalAction, i32> {
    let (first, second) = (first as *const () as usize, second as *const () as usize);
    // SAFETY: zeros are a valid `sigaction`.
    let mut host: libc::sigaction = unsafe { zeroed() };
    host.sa_sigaction = match action.handler {
        Handler::Default => libc::SIG_DFL,
        Handler::Ignore => libc::SIG_IGN,
        Handler::Call(1) => first,
        Handler::Call(_) => second,
    };
    host.sa_flags = action.flags.bits() as i32;
    for number in 1..=64 {
        let one = Signal::new(number).expect("one of Linux's");
        if action.mask.contains(one) {
            // SAFETY: the mask is one, and the number a signal's.
            unsafe { libc::sigaddset(&raw mut host.sa_mask, number) };
        }
    }
    let mut before = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: both are places for a `sigaction`; the handlers are async-signal-safe.
    let result = unsafe { libc::sigaction(signal.number(), &raw const host, before.as_mut_ptr()) };
    if result == -1 {
        return Err(errno());
    }
    // SAFETY: zeros, or what the kernel has written.
    let before = unsafe { before.assume_init() };
    let handler = match before.sa_sigaction {
        libc::SIG_DFL => Handler::Default,
        libc::SIG_IGN => Handler::Ignore,
        function if function == first => Handler::Call(1),
        _ => Handler::Call(2),
    };
    let is_blocked = |number: &i32| {
        // SAFETY: the mask is one, and the number a signal's.
        unsafe { libc::sigismember(&raw const before.sa_mask, *number) == 1 }
    };
    let blocked = (1..=64).filter(is_blocked);
    Ok(SignalAction {
        handler,
        flags: SignalFlags::from_bits_truncate(before.sa_flags as u32),
        mask: blocked
            .map(|number| Signal::new(number).expect("one of Linux's"))
            .collect(),
    })
}
