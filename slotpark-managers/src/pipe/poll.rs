//! Waiting for the readiness of several ends: by what they are, or by what is new.

use std::sync::Arc;

use slotpark::ANY_MAX;

use super::state::{Edges, Pipe, State};
use super::{End, PipeEnd, PipeManager, Readiness};
use crate::event::{Event, Seen, closed_key, ended, wait_any};
use crate::{Access, Block, Errno, WaitKey};

/// An end that is polled, what for, and what was found: as `pollfd`.
///
/// ```
/// use slotpark_managers::{Block, PipeManager, PipePoll, Readiness, Waits};
/// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
/// let (reader, writer) = pipes.pipe();
/// let mut polls = [PipePoll::new(reader, Readiness::IN), PipePoll::new(writer, Readiness::OUT)];
/// assert_eq!(pipes.poll(&mut polls, Block::FOREVER), Ok(1));
/// assert_eq!((polls[0].ready(), polls[1].ready()), (Readiness::NONE, Readiness::OUT));
/// ```
#[derive(Clone, Debug)]
pub struct PipePoll {
    end: PipeEnd,
    interest: Readiness,
    ready: Readiness,
    reports: Reports,
}

/// When an end is reported as ready.
#[derive(Clone, Copy, Debug)]
enum Reports {
    /// As long as it is.
    Levels,
    /// When there is something new since these; with none, the first time as a level.
    Edges(Option<Edges>),
}

/// What the wait of a poll looks at.
pub(super) struct Watched {
    pipe: Arc<Pipe>,
    seen: Seen,
}

impl PipePoll {
    /// Reported as long as it is ready, as by `poll(2)`.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, PipePoll, Readiness, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let poll = PipePoll::new(pipes.pipe().0, Readiness::IN);
    /// assert_eq!(poll.ready(), Readiness::NONE);
    /// ```
    #[must_use]
    pub const fn new(end: PipeEnd, interest: Readiness) -> Self {
        Self {
            end,
            interest,
            ready: Readiness::NONE,
            reports: Reports::Levels,
        }
    }

    /// Reported when there is something new, as by `epoll(7)` with EPOLLET: first if it is ready,
    /// then once for all that has come since it was reported. Use the same value again and again.
    ///
    /// ```
    /// use slotpark_managers::{Block, PipeManager, PipePoll, Readiness, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// let mut polls = [PipePoll::edge(reader, Readiness::IN)];
    /// assert_eq!(pipes.write(writer, b"a", Block::FOREVER), Ok(1));
    /// assert_eq!(pipes.poll(&mut polls, Block::NO), Ok(1));
    /// assert_eq!(pipes.poll(&mut polls, Block::NO), Ok(0)); // unread, but not new
    /// assert_eq!(pipes.write(writer, b"b", Block::FOREVER), Ok(1));
    /// assert_eq!(pipes.poll(&mut polls, Block::NO), Ok(1));
    /// ```
    #[must_use]
    pub const fn edge(end: PipeEnd, interest: Readiness) -> Self {
        Self {
            reports: Reports::Edges(None),
            ..Self::new(end, interest)
        }
    }

    /// The end.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, PipePoll, Readiness, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, _) = pipes.pipe();
    /// assert_eq!(PipePoll::new(reader, Readiness::IN).end(), reader);
    /// ```
    #[must_use]
    pub const fn end(&self) -> PipeEnd {
        self.end
    }

    /// What the last poll has found: what it is interested in, and errors.
    ///
    /// ```
    /// use slotpark_managers::{Block, PipeManager, PipePoll, Readiness, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// pipes.close(writer)?;
    /// let mut polls = [PipePoll::new(reader, Readiness::IN)];
    /// assert_eq!(pipes.poll(&mut polls, Block::FOREVER), Ok(1));
    /// assert_eq!(polls[0].ready(), Readiness::HUP);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub const fn ready(&self) -> Readiness {
        self.ready
    }

    /// Looks at the end; none if it is not open.
    fn look(&mut self, manager: &PipeManager) -> Option<Watched> {
        self.ready = Readiness::NVAL;
        let end = manager.end(self.end).ok()?;
        self.look_at(end, manager)
    }

    /// As `look`: it was open.
    pub(super) fn look_at(&mut self, end: End, manager: &PipeManager) -> Option<Watched> {
        let (levels, edges, seen) = end.pipe.look(|state| {
            let levels = levels(&end, state);
            (levels, state.edges, end.pipe.changed.seen())
        });
        // An end that goes from now on moves the version.
        if !manager.is_open(self.end) {
            return None;
        }
        let errors = Readiness::ERR | Readiness::HUP;
        let found = levels & (self.interest | errors);
        self.ready = found.when(self.is_due(end.access, edges));
        Some(Watched {
            pipe: end.pipe,
            seen,
        })
    }

    /// Whether what is ready is to be reported; remembers what was seen.
    fn is_due(&mut self, access: Access, now: Edges) -> bool {
        let Reports::Edges(before) = &mut self.reports else {
            return true;
        };
        let Some(then) = before.replace(now) else {
            return true;
        };
        let wants = |bit| self.interest.contains(bit);
        let is_new = |side, asked, others| side && (asked || others);
        let input = wants(Readiness::IN) && now.input != then.input;
        let output = wants(Readiness::OUT) && now.output != then.output;
        is_new(access.reads(), input, now.reader != then.reader)
            || is_new(access.writes(), output, now.writer != then.writer)
    }
}

/// What an end is ready for, as `poll(2)` has it.
fn levels(end: &End, state: &State) -> Readiness {
    let has_hung_up = state.writers == 0 && state.writer_opens != end.quiet_since;
    let reads = Readiness::IN.when(!state.pages.is_empty()) | Readiness::HUP.when(has_hung_up);
    let writes =
        Readiness::OUT.when(!state.pages.is_full()) | Readiness::ERR.when(state.readers == 0);
    reads.when(end.access.reads()) | writes.when(end.access.writes())
}

impl PipeManager {
    /// What an end is ready for at this moment.
    ///
    /// # Errors
    /// EBADF: the end is not open.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, Readiness, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(pipes.readiness(pipes.pipe().1), Ok(Readiness::OUT));
    /// ```
    pub fn readiness(&self, end: PipeEnd) -> Result<Readiness, Errno> {
        let end = self.end(end)?;
        Ok(end.pipe.look(|state| levels(&end, state)))
    }

    /// Waits until one of up to [`ANY_MAX`] ends is ready; how many are. 0: none was in time.
    /// An end that is closed meanwhile is ready as `POLLNVAL`. See `poll(2)`.
    ///
    /// # Errors
    /// EINVAL: too many ends ([`ANY_MAX`], one less through a descriptor). EINTR, and EBADF for a
    /// descriptor that is closed: as `block` says.
    ///
    /// ```
    /// use slotpark_managers::{Block, PipeManager, PipePoll, Readiness, Waits};
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| pipes.write(writer, b"hello", Block::FOREVER));
    ///     let mut polls = [PipePoll::new(reader, Readiness::IN)];
    ///     assert_eq!(pipes.poll(&mut polls, Block::FOREVER), Ok(1));
    /// });
    /// ```
    pub fn poll(&self, polls: &mut [PipePoll], block: Block<'_>) -> Result<usize, Errno> {
        // The descriptor that the call came through is waited for too.
        if polls.len() + usize::from(block.closed.is_some()) > ANY_MAX {
            return Err(Errno::Invalid);
        }
        loop {
            let watched = self.look_at_all(polls);
            let ready = count_ready(polls);
            if ready > 0 || !block.may_block() {
                return Ok(ready);
            }
            match self.wait_for_any(&watched, block) {
                Ok(()) => {}
                Err(Errno::TimedOut) => return Ok(0),
                Err(errno) => return Err(errno),
            }
        }
    }

    /// As [`poll`](Self::poll), for ever, as a future. Cancel safety: a dropped future leaves the
    /// ends as they are. Other numbers of ends than 1 to [`ANY_MAX`] do not compile.
    ///
    /// # Errors
    /// ECANCELED: the table was closed.
    ///
    /// ```
    /// use slotpark_managers::{PipeManager, PipePoll, Readiness, Waits};
    /// # futures_lite::future::block_on(async {
    /// let pipes = PipeManager::new(std::sync::Arc::new(Waits::new()));
    /// let (reader, writer) = pipes.pipe();
    /// let mut polls = [PipePoll::new(reader, Readiness::IN)];
    /// let poll = pipes.poll_async(&mut polls);
    /// let write = pipes.write_async(writer, b"hello");
    /// assert_eq!(futures_lite::future::zip(poll, write).await, (Ok(1), Ok(5)));
    /// # });
    /// ```
    pub async fn poll_async<const N: usize>(
        &self,
        polls: &mut [PipePoll; N],
    ) -> Result<usize, Errno> {
        loop {
            let watched = self.look_at_all(polls);
            let ready = count_ready(polls);
            if ready > 0 {
                return Ok(ready);
            }
            let keys: [WaitKey; N] = std::array::from_fn(|at| watched[at].pipe.changed.key());
            let is_unchanged = |at: usize| watched[at].is_unchanged();
            let any = self.waits.wait_any_async(keys, None, is_unchanged);
            ended(any.await.parked)?;
        }
    }

    pub(super) fn look_at_all(&self, polls: &mut [PipePoll]) -> Vec<Watched> {
        polls
            .iter_mut()
            .filter_map(|poll| poll.look(self))
            .collect()
    }

    /// Waits until something changes. All ends were open, else there were some to report.
    pub(super) fn wait_for_any(&self, watched: &[Watched], block: Block<'_>) -> Result<(), Errno> {
        if watched.is_empty() {
            let never = Event::new("poll of nothing");
            return never.wait(&self.waits, never.seen(), block);
        }
        let mut keys: Vec<WaitKey> = watched.iter().map(|one| one.pipe.changed.key()).collect();
        keys.extend(closed_key(&self.waits, block));
        wait_any(&self.waits, &keys, |at| watched[at].is_unchanged(), block)
    }
}

impl Watched {
    fn is_unchanged(&self) -> bool {
        self.pipe.changed.seen() == self.seen
    }
}

fn count_ready(polls: &[PipePoll]) -> usize {
    polls.iter().filter(|poll| !poll.ready.is_none()).count()
}
