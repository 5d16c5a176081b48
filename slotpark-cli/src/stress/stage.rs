//! What the threads of a phase share: whether it is closing, and where each thread stands.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A wait watches at most this many words.
pub(super) const LANES: usize = 4;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the scene, and of the key or the group of keys in it.
    pub(super) scene: usize,
    pub(super) key: usize,
    /// The words that it watches, as bits, and the values that it expects there.
    pub(super) lanes: u32,
    pub(super) expected: [u32; LANES],
    /// Its thread's interrupter may end it.
    pub(super) interruptible: bool,
    /// Who waits; filled in when the wait begins.
    pub(super) thread: usize,
}

/// A wait that has begun and not returned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) at: Place,
    /// Only a wake ends it.
    pub(super) endless: bool,
    pub(super) since: Instant,
    /// No two waits of a thread have the same.
    turn: u64,
}

/// What one thread tells of itself.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<Status>);

#[derive(Clone, Copy, Debug, Default)]
enum Status {
    #[default]
    Acting,
    Waiting(Waiting),
    Home,
}

impl Board {
    fn status(&self) -> MutexGuard<'_, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wait that the thread is in.
    pub(super) fn waiting(&self) -> Option<Waiting> {
        match *self.status() {
            Status::Waiting(waiting) => Some(waiting),
            Status::Acting | Status::Home => None,
        }
    }

    pub(super) fn begin(&self, at: Place, endless: bool, turn: u64) {
        *self.status() = Status::Waiting(Waiting {
            at,
            endless,
            since: Instant::now(),
            turn,
        });
    }

    pub(super) fn end(&self) {
        *self.status() = Status::Acting;
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.status() {
            Status::Acting => f.write_str("acts"),
            Status::Home => f.write_str("has come home"),
            Status::Waiting(Waiting {
                at, endless, since, ..
            }) => {
                let Place {
                    key,
                    lanes,
                    expected,
                    ..
                } = at;
                let kind = if endless { "no deadline" } else { "a deadline" };
                let seconds = since.elapsed().as_secs_f64();
                write!(f, "waits at {key} for {seconds:.3} s with {kind}")?;
                if lanes != 0 {
                    write!(f, ", expects {expected:x?} in words {lanes:#b}")?;
                }
                Ok(())
            }
        }
    }
}

/// How one thread stands, as far as the end of a phase is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Home,
    /// In the endless wait of this turn.
    Waits(u64),
}

/// See the file.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) boards: Vec<Board>,
    closing: AtomicBool,
    sealed: AtomicBool,
    /// How many more may wait without a deadline.
    grants: AtomicUsize,
    /// The system's numbers of the threads; 0 before one acts.
    ids: Vec<AtomicU32>,
}

// Relaxed throughout, but for the mutexes: the flags only have to be seen some time, and what a
// check relies on is read after the threads concerned were seen to be quiet.
impl Stage {
    /// `awake_min` of the threads are always awake, or have a deadline.
    pub(super) fn new(threads: usize, awake_min: usize) -> Self {
        Self {
            boards: (0..threads).map(|_| Board::default()).collect(),
            closing: AtomicBool::new(false),
            sealed: AtomicBool::new(false),
            grants: AtomicUsize::new(threads - awake_min),
            ids: (0..threads).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    /// The calling thread is the one of this number.
    pub(super) fn enter(&self, thread: usize) {
        let id = rustix::thread::gettid().as_raw_pid();
        self.ids[thread].store(id.unsigned_abs(), Ordering::Relaxed);
    }

    /// Whether one of the threads has this number of the system's.
    pub(super) fn has(&self, id: u32) -> bool {
        self.ids.iter().any(|own| own.load(Ordering::Relaxed) == id)
    }

    /// No new operation begins.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// No wait that belongs to an operation begins again.
    pub(super) fn seal(&self) {
        self.sealed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.sealed.load(Ordering::Relaxed)
    }

    /// A thread asks to wait without a deadline: granted while enough others are left who wake it.
    pub(super) fn take_grant(&self) -> bool {
        let one_less = |grants: usize| grants.checked_sub(1);
        self.grants
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
    }

    pub(super) fn give_grant_back(&self) {
        self.grants.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn come_home(&self, thread: usize) {
        *self.boards[thread].status() = Status::Home;
    }

    /// Everybody has come home.
    pub(super) fn is_over(&self) -> bool {
        self.stands()
            .is_some_and(|stands| stands.iter().all(|stand| *stand == Stand::Home))
    }

    /// How each stands, if none of them acts or has a deadline.
    fn stands(&self) -> Option<Vec<Stand>> {
        let stand = |board: &Board| match *board.status() {
            Status::Home => Some(Stand::Home),
            Status::Waiting(waiting) if waiting.endless => Some(Stand::Waits(waiting.turn)),
            Status::Waiting(_) | Status::Acting => None,
        };
        self.boards.iter().map(stand).collect()
    }

    /// The waits that nothing but a wake will end, if all is quiet: every thread is at home or
    /// stands in a queue. `queued` counts those who do.
    ///
    /// If nobody has moved while `queued` counted, then each wait that was counted was queued, and
    /// if the count is that of the waits, then each is: no thread is left that could act.
    pub(super) fn quiet(&self, queued: impl FnOnce() -> usize) -> Option<Vec<Waiting>> {
        let before = self.stands()?;
        let queued = queued();
        if self.stands()? != before {
            return None;
        }
        let waits: Vec<_> = self.boards.iter().filter_map(Board::waiting).collect();
        (waits.len() == queued).then_some(waits)
    }
}
