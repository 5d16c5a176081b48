//! The side of the host: a driver, which is the first process, and those that it tells what to do.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, IntoRawFd, RawFd};

use super::serve::*;
use super::{At, CHILDREN_MAX, CONTINUED, Call, EXITED, KEEP, Of, OnChild, STOPPED, To};
use crate::record;

/// Far more than any script takes.
const ALARM_S: u32 = 120;

pub(super) fn run(calls: &[Call]) -> Vec<String> {
    let (mut read, mut write) = record::pipe();
    // SAFETY: this program has one thread, so its child may do what it likes.
    let driver = unsafe { libc::fork() };
    if driver == 0 {
        // SAFETY: alarm(2) is always callable.
        unsafe { libc::alarm(ALARM_S) };
        let story = Driver::new().run(calls);
        write
            .write_all(story.join("\n").as_bytes())
            .expect("read by the parent");
        // SAFETY: _exit(2) is always callable.
        unsafe { libc::_exit(0) }
    }
    assert!(driver > 0, "fork: {}", std::io::Error::last_os_error());
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).expect("a pipe can be read");
    let mut status = 0;
    // SAFETY: `status` is a place for a status.
    let waited = unsafe { libc::waitpid(driver, &raw mut status, 0) };
    assert_eq!((waited, status), (driver, 0), "the driver of {calls:?}");
    text.lines().map(String::from).collect()
}

/// The first process; it has the pipes to all that there can be.
pub(super) struct Driver {
    pub(super) pids: Vec<i32>,
    orders: Vec<File>,
    answers: Vec<File>,
    /// How many answers a process owes that was stopped before it could give them.
    owed: Vec<usize>,
    story: Vec<String>,
}

/// Moves a descriptor to a fixed number.
fn moved(file: File, to: RawFd) -> File {
    let from = file.into_raw_fd();
    // SAFETY: `from` is open; nothing else has the number `to`.
    let result = unsafe { libc::dup2(from, to) };
    assert_eq!(result, to);
    // SAFETY: `from` belonged to the file.
    unsafe { libc::close(from) };
    // SAFETY: new, and nobody else's.
    unsafe { File::from_raw_fd(to) }
}

impl Driver {
    fn new() -> Self {
        // SAFETY: setsid(2) is always callable.
        let own = unsafe { libc::setsid() };
        assert!(own > 0, "a child leads no group");
        // SAFETY: prctl(2) is always callable.
        unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
        let set = 1_u64 << (libc::SIGCHLD - 1);
        let (call, none) = (libc::SYS_rt_sigprocmask, std::ptr::null::<u64>());
        // SAFETY: the set is as large as is said.
        unsafe { libc::syscall(call, libc::SIG_SETMASK, &raw const set, none, 8) };
        for signal in [libc::SIGCHLD, libc::SIGTERM, libc::SIGTSTP] {
            // SAFETY: the default action of a signal.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
        // Its group is orphaned, and told so when a member is stopped: it drives on.
        // SAFETY: the handler does nothing.
        unsafe { libc::signal(libc::SIGHUP, ignore as *const () as usize) };
        let mut driver = Self {
            pids: vec![own],
            orders: Vec::new(),
            answers: Vec::new(),
            owed: vec![0; CHILDREN_MAX + 1],
            story: Vec::new(),
        };
        for at in 0..=CHILDREN_MAX {
            let (read_at, write_at) = descriptors(at);
            let own_at = 200 + 2 * RawFd::try_from(at).expect("a few");
            let (read, write) = record::pipe();
            driver.orders.push(moved(write, own_at));
            // Theirs stays open here, for all that are forked.
            let _theirs = moved(read, read_at).into_raw_fd();
            let (read, write) = record::pipe();
            driver.answers.push(moved(read, own_at + 1));
            let _theirs = moved(write, write_at).into_raw_fd();
        }
        driver
    }

    fn run(mut self, calls: &[Call]) -> Vec<String> {
        for call in calls {
            let said = self.call(*call);
            let tree = self.tree();
            self.story.push(format!("{said}; {tree}"));
        }
        self.end();
        self.story
    }

    /// All end, and all come to this process, which takes them.
    fn end(&self) {
        for pid in &self.pids[1..] {
            // SAFETY: kill(2) is always callable; a process that is gone is not met again so soon.
            unsafe { libc::kill(*pid, libc::SIGKILL) };
        }
        // SAFETY: no status is wanted.
        while unsafe { libc::waitpid(-1, std::ptr::null_mut(), 0) } > 0 {}
    }

    fn call(&mut self, call: Call) -> String {
        let at = call.caller();
        let Order(order) = self.order(call);
        if at != 0 {
            write(&self.orders[at], order);
        }
        if matches!(call, Call::Exit(..)) {
            // It may sleep on its way.
            while !matches!(self.stat(at).state, 'Z' | '-') {
                std::thread::yield_now();
            }
            return "no answer".to_string();
        }
        let answer = match at {
            0 => make(0, Order(order)).map(|answer| answer.0),
            _ => self.answer(at),
        };
        let Some([errno, first, second, third, _]) = answer else {
            return "no answer".to_string();
        };
        if errno != 0 {
            return format!("errno {errno}");
        }
        match call {
            Call::Fork(_) => {
                self.pids.push(first);
                "done".to_string()
            }
            Call::Wait(..) if first == 0 => "nobody".to_string(),
            Call::Wait(..) => format!("{} code {second} status {third}", self.place(first)),
            Call::Group(..) | Call::Session(..) => self.place(first),
            _ => "done".to_string(),
        }
    }

    /// The answer to the last order; `None`: the process has stopped or ended instead.
    fn answer(&mut self, at: At) -> Option<[i32; 5]> {
        loop {
            let mut poll = libc::pollfd {
                fd: 201 + 2 * RawFd::try_from(at).expect("a few"),
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one descriptor to look at.
            if unsafe { libc::poll(&raw mut poll, 1, 1) } == 1 {
                let words = read(&self.answers[at]).expect("it has answered");
                if self.owed[at] == 0 {
                    return Some(words);
                }
                self.owed[at] -= 1;
                continue;
            }
            match self.stat(at).state {
                'T' => {
                    self.owed[at] += 1;
                    return None;
                }
                'Z' | '-' => return None,
                _ => {}
            }
        }
    }

    fn order(&self, call: Call) -> Order {
        let number = |at: At| self.pids[at];
        let some = |at: Option<At>| at.map_or(0, number);
        Order(match call {
            Call::Fork(_) => [FORK, self.pids.len() as i32, 0, 0, 0],
            Call::Exit(_, code) => [EXIT, code.into(), 0, 0, 0],
            Call::Kill(_, to, signal) => {
                let to = match to {
                    To::Process(at) => number(at),
                    To::Group(at) => -number(at),
                    To::Own => 0,
                };
                [KILL, to, signal, 0, 0]
            }
            Call::Wait(_, of, wanted) => {
                let (kind, id) = match of {
                    Of::Any => (libc::P_ALL, 0),
                    Of::One(at) => (libc::P_PID, number(at)),
                    Of::Group(at) => (libc::P_PGID, number(at)),
                    Of::Own => (libc::P_PGID, 0),
                };
                let bits = [
                    (EXITED, libc::WEXITED),
                    (STOPPED, libc::WSTOPPED),
                    (CONTINUED, libc::WCONTINUED),
                    (KEEP, libc::WNOWAIT),
                ];
                let asked = bits.iter().filter(|(bit, _)| wanted & bit != 0);
                let asked = asked.fold(0, |all, (_, one)| all | one);
                [WAIT, kind as i32, id, asked, 0]
            }
            Call::SetGroup(_, pid, group) => [SET_GROUP, some(pid), some(group), 0, 0],
            Call::BeginSession(_) => [BEGIN_SESSION, 0, 0, 0, 0],
            Call::Group(_, of) => [GROUP, number(of), 0, 0, 0],
            Call::Session(_, of) => [SESSION, number(of), 0, 0, 0],
            Call::OnChild(_, action) => {
                let (what, flags) = match action {
                    OnChild::Default => (0, 0),
                    OnChild::Ignore => (1, 0),
                    OnChild::NoZombies => (0, libc::SA_NOCLDWAIT),
                    OnChild::Handle => (2, 0),
                    OnChild::HandleEnds => (2, libc::SA_NOCLDSTOP),
                };
                [ON_CHILD, what, flags, 0, 0]
            }
            Call::TakeChild(_) => [TAKE_CHILD, 0, 0, 0, 0],
            Call::Subreaper(_, is) => [SUBREAPER, is.into(), 0, 0, 0],
            Call::Exec(_) => [EXEC, 0, 0, 0, 0],
        })
    }

    pub(super) fn place(&self, pid: i32) -> String {
        let found = self.pids.iter().position(|other| *other == pid);
        found.map_or("other".to_string(), |at| at.to_string())
    }
}
