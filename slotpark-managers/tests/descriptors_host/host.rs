//! Tables of the host, each of a thread of its own.

use std::io::Error;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use crate::calls::{Call, NUMBERS};

type Made = Result<i32, i32>;

/// A number, the object that it leads to, and whether an exec closes it.
type Number = (i32, u32, bool);

enum Ask {
    Make(Call, u32, Sender<Made>),
    Numbers(Sender<Vec<Number>>),
    Fork(Sender<HostTable>),
}

/// A thread whose table of descriptors nobody else shares.
pub(crate) struct HostTable {
    asks: Option<Sender<Ask>>,
    thread: Option<JoinHandle<()>>,
}

impl HostTable {
    /// With nothing open.
    pub(crate) fn empty() -> Self {
        Self::begun_with(|| {
            let close = Call::CloseRange {
                first: 0,
                last: u32::MAX,
                on_exec: false,
            };
            assert_eq!(make(&close, 0), Ok(0));
        })
    }

    /// Begun by the calling thread, with a copy of its table.
    fn begun_with(first: fn()) -> Self {
        let (asks, asked) = channel();
        let (begun, has_begun) = channel();
        let thread = std::thread::spawn(move || {
            unshare().expect("it could be done before");
            first();
            begun.send(()).expect("the other thread listens");
            while let Ok(ask) = asked.recv() {
                // Who asks may have failed meanwhile.
                let _ = match ask {
                    Ask::Make(call, object, to) => to.send(make(&call, object)).ok(),
                    Ask::Numbers(to) => to.send(numbers()).ok(),
                    Ask::Fork(to) => to.send(Self::begun_with(|| {})).ok(),
                };
            }
        });
        has_begun.recv().expect("the thread begins");
        Self {
            asks: Some(asks),
            thread: Some(thread),
        }
    }

    fn ask<T>(&self, ask: impl FnOnce(Sender<T>) -> Ask) -> T {
        let (sender, receiver) = channel();
        let asks = self.asks.as_ref().expect("it is there until it is dropped");
        asks.send(ask(sender)).expect("the thread listens");
        receiver.recv().expect("the thread answers")
    }

    pub(crate) fn make(&self, call: &Call, object: u32) -> Made {
        self.ask(|to| Ask::Make(*call, object, to))
    }

    pub(crate) fn numbers(&self) -> Vec<Number> {
        self.ask(Ask::Numbers)
    }

    pub(crate) fn fork(&self) -> Self {
        self.ask(Ask::Fork)
    }
}

impl Drop for HostTable {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it makes calls only");
        }
    }
}

fn returned(result: i32) -> Made {
    match result {
        -1 => Err(Error::last_os_error().raw_os_error().expect("of the host")),
        result => Ok(result),
    }
}

fn make(call: &Call, object: u32) -> Made {
    let flag = |close: bool| if close { libc::O_CLOEXEC } else { 0 };
    returned(match *call {
        Call::Open { close } => return open(object, close),
        // SAFETY: it takes numbers only, of this thread's own table, which no object owns.
        Call::Dup { number } => unsafe { libc::dup(number) },
        Call::DupFrom { number, min, close } => {
            let command = match close {
                true => libc::F_DUPFD_CLOEXEC,
                false => libc::F_DUPFD,
            };
            // SAFETY: it takes numbers of this thread's own table only.
            unsafe { libc::fcntl(number, command, min) }
        }
        // SAFETY: it takes numbers of this thread's own table only.
        Call::Dup2 { number, new } => unsafe { libc::dup2(number, new) },
        // SAFETY: it takes numbers of this thread's own table only.
        Call::Dup3 { number, new, close } => unsafe { libc::dup3(number, new, flag(close)) },
        // SAFETY: it takes numbers of this thread's own table only.
        Call::Close { number } => unsafe { libc::close(number) },
        Call::CloseRange {
            first,
            last,
            on_exec,
        } => {
            let flags = if on_exec {
                libc::CLOSE_RANGE_CLOEXEC
            } else {
                0
            };
            // SAFETY: it takes numbers of this thread's own table only.
            let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
            result as i32
        }
        // SAFETY: it takes numbers of this thread's own table only.
        Call::GetClose { number } => unsafe { libc::fcntl(number, libc::F_GETFD) },
        Call::SetClose { number, close } => {
            let flags = if close { libc::FD_CLOEXEC } else { 0 };
            // SAFETY: it takes numbers of this thread's own table only.
            unsafe { libc::fcntl(number, libc::F_SETFD, flags) }
        }
        Call::SetLimit { .. } | Call::Fork => unreachable!("they are of more than one table"),
    })
}

/// An object of the host: a file in memory, as long as its name is large.
fn open(object: u32, close: bool) -> Made {
    let flags = if close { libc::MFD_CLOEXEC } else { 0 };
    // SAFETY: the name is a C string.
    let number = returned(unsafe { libc::memfd_create(c"object".as_ptr(), flags) })?;
    // SAFETY: the descriptor was made above.
    returned(unsafe { libc::ftruncate(number, object.into()) })?;
    Ok(number)
}

fn numbers() -> Vec<Number> {
    (0..NUMBERS as i32).filter_map(number).collect()
}

fn number(number: i32) -> Option<Number> {
    // SAFETY: it takes numbers only.
    let flags = returned(unsafe { libc::fcntl(number, libc::F_GETFD) }).ok()?;
    // SAFETY: all its members are numbers.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes to a value of the type that it expects.
    returned(unsafe { libc::fstat(number, &mut stat) }).expect("it is open");
    Some((number, stat.st_size as u32, flags & libc::FD_CLOEXEC != 0))
}

/// Gives the calling thread a copy of the table that it shares.
fn unshare() -> Result<(), String> {
    // SAFETY: descriptors that the program's objects own stay open under the same numbers.
    match returned(unsafe { libc::unshare(libc::CLONE_FILES) }) {
        Ok(_) => Ok(()),
        Err(errno) => Err(format!("unshare: {}", Error::from_raw_os_error(errno))),
    }
}

/// Whether the host can do all this, with so many numbers.
pub(crate) fn prepare(numbers: u32) -> Result<(), String> {
    let thread = std::thread::spawn(|| {
        unshare()?;
        let none = Call::CloseRange {
            first: u32::MAX,
            last: u32::MAX,
            on_exec: true,
        };
        make(&none, 0).map_err(|_| "no close_range".to_string())
    });
    thread.join().expect("it makes calls only")?;
    if limits().rlim_max < numbers.into() {
        return Err(format!("fewer than {numbers} descriptors"));
    }
    Ok(())
}

fn limits() -> libc::rlimit {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the kernel writes to a value of the type that it expects.
    returned(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limits) }).expect("it is valid");
    limits
}

/// Sets the limit of this process.
pub(crate) fn set_limit(limit: u32) {
    let limits = libc::rlimit {
        rlim_cur: limit.into(),
        ..limits()
    };
    // SAFETY: the kernel reads a value of the type that it expects.
    returned(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limits) }).expect("below the maximum");
}
