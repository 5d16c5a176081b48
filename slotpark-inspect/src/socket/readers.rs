//! Those who are connected: what they have sent, what they still have to take.
//!
//! **Invariants**
//! - P1: a reader has sent fewer than `REQUEST_MAX` bytes that are not answered.
//! - P2: no request is read while the answer to the one before is not all taken: a reader keeps one
//!   answer at most, which it shares with others.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;

use super::protocol::{Answer, REQUEST_MAX, Request, Version};
use crate::Snapshot;
use crate::background::REST;

/// One who is connected.
pub(super) struct Reader {
    stream: UnixStream,
    come: Vec<u8>,
    answer: Arc<[u8]>,
    taken: usize,
    /// When it last did something.
    pub(super) heard: Instant,
    is_last: bool,
}

impl Reader {
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            come: Vec::new(),
            answer: Arc::new([]),
            taken: 0,
            heard: Instant::now(),
            is_last: false,
        })
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// What it is waited for.
    pub(super) fn wanted(&self) -> PollFlags {
        if self.owes_nothing() {
            PollFlags::POLLIN
        } else {
            PollFlags::POLLOUT
        }
    }

    fn owes_nothing(&self) -> bool {
        self.taken == self.answer.len()
    }

    /// Goes on with it as far as it goes. False: it is done with.
    pub(super) fn go_on(&mut self, shared: &mut Shared) -> bool {
        self.heard = Instant::now();
        match self.try_go_on(shared) {
            Ok(stays) => stays,
            Err(error) => is_for_later(&error),
        }
    }

    fn try_go_on(&mut self, shared: &mut Shared) -> io::Result<bool> {
        loop {
            while !self.owes_nothing() {
                match self.stream.write(&self.answer[self.taken..])? {
                    0 => return Ok(false),
                    count => self.taken += count,
                }
            }
            self.answer = Arc::new([]);
            self.taken = 0;
            if self.is_last {
                return Ok(false);
            }
            match Request::take(&mut self.come) {
                Some(request) => {
                    self.is_last = request.is_err();
                    self.answer = shared.answer(request.map_err(|error| error.to_string()));
                }
                None => {
                    let mut bytes = [0; REQUEST_MAX];
                    let room = REQUEST_MAX - self.come.len();
                    match self.stream.read(&mut bytes[..room])? {
                        0 => return Ok(false),
                        count => self.come.extend_from_slice(&bytes[..count]),
                    }
                }
            }
        }
    }

    /// Tells it that there are too many, if it takes that at once.
    pub(super) fn refuse(mut self) {
        let line = Answer::Error("too many readers".into()).line();
        let _ = self.stream.write(line.as_bytes());
    }
}

fn is_for_later(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

/// The answer that those who ask within some time share.
pub(super) struct Shared {
    shared_for: Duration,
    latest: Option<Latest>,
}

struct Latest {
    line: Arc<[u8]>,
    from: Instant,
    /// Until when it is the answer.
    until: Instant,
}

impl Shared {
    pub(super) fn new(shared_for: Duration) -> Self {
        Self {
            shared_for,
            latest: None,
        }
    }

    /// Gives the memory back, unless it must still be shared.
    pub(super) fn forget_old(&mut self) {
        self.latest.take_if(|latest| latest.until < Instant::now());
    }

    fn answer(&mut self, request: Result<Request, String>) -> Arc<[u8]> {
        match request {
            Ok(Request::Version) => bytes(&Answer::Version(Version::current())),
            Ok(Request::Snapshot) => self.snapshot(),
            Err(error) => bytes(&Answer::Error(error)),
        }
    }

    fn snapshot(&mut self) -> Arc<[u8]> {
        let from = Instant::now();
        if let Some(latest) = &self.latest
            && (latest.from..latest.until).contains(&from)
        {
            return Arc::clone(&latest.line);
        }
        // A table of the program's may panic, and so may the text of a key.
        let answer = catch_unwind(AssertUnwindSafe(Snapshot::take));
        let answer = answer.map_or_else(
            |_| Answer::Error("a table panicked".into()),
            Answer::Snapshot,
        );
        let line = bytes(&answer);
        let until = from + shared_for(from.elapsed(), self.shared_for);
        self.latest = Some(Latest {
            line: Arc::clone(&line),
            from,
            until,
        });
        line
    }
}

/// How long a look that took so long is shared.
fn shared_for(took: Duration, wanted: Duration) -> Duration {
    wanted.max(took * REST)
}

fn bytes(answer: &Answer) -> Arc<[u8]> {
    answer.line().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_takes_a_twentieth_of_the_time_at_most() {
        let ms = Duration::from_millis;
        assert_eq!(shared_for(ms(1), ms(50)), ms(50));
        assert_eq!(shared_for(ms(100), ms(50)), ms(2_000));
    }
}
