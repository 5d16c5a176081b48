//! One thread of a phase: draws what it does, tells what it waits for, and counts how it ends.

use std::ops::RangeBounds;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rand::distr::uniform::{SampleRange, SampleUniform};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use slotpark::{Clock, Deadline, DefaultPlatform, Platform};

pub(super) use super::ended::Ended;

use super::Event;
use super::planned::planned;
use super::stage::{Place, Stage, Waiting};
use super::tally::{Operation, Tally};

/// More threads than this cannot be told apart in a stamp.
pub(super) const THREADS_MAX: usize = 1000;
/// The low bits of a stamp count; the high ones name the thread.
const STAMP_BITS: u32 = 22;

/// How long a wait may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Until it is woken.
    Endless,
    /// An hour: longer than any phase, so only a wake ends it.
    Hour,
    For(Duration),
}

impl Patience {
    /// None where there is no deadline.
    pub(super) fn timeout(self) -> Option<Duration> {
        match self {
            Self::Endless => None,
            Self::Hour => Some(Duration::from_secs(3600)),
            Self::For(timeout) => Some(timeout),
        }
    }

    pub(super) fn instant(self) -> Option<Instant> {
        self.timeout().map(|timeout| Instant::now() + timeout)
    }

    /// On the monotonic clock, or on the wall clock.
    pub(super) fn deadline(self, clock: Clock) -> Option<Deadline> {
        let timeout_ns = u64::try_from(self.timeout()?.as_nanos()).ok()?;
        let now_ns = DefaultPlatform::now_ns(clock);
        Some(Deadline::new(clock, now_ns.saturating_add(timeout_ns)))
    }

    pub(super) fn is_endless(self) -> bool {
        !matches!(self, Self::For(_))
    }
}

/// See the file.
#[derive(Debug)]
pub(super) struct Actor<'p> {
    number: usize,
    stage: &'p Stage,
    random: ChaCha8Rng,
    stamps: u32,
    turns: u64,
    pub(super) tally: Tally,
    findings: Sender<Event>,
}

impl<'p> Actor<'p> {
    pub(super) fn new(
        number: usize,
        stage: &'p Stage,
        (seed, phase): (u64, u64),
        findings: Sender<Event>,
    ) -> Self {
        let random = random(seed, phase, number);
        Self {
            number,
            stage,
            random,
            stamps: 0,
            turns: 0,
            tally: Tally::new(),
            findings,
        }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    pub(super) fn below<T, R>(&mut self, range: R) -> T
    where
        T: SampleUniform,
        R: SampleRange<T> + RangeBounds<T>,
    {
        self.random.random_range(range)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.random.random()
    }

    /// True once in `count` times.
    pub(super) fn one_in(&mut self, count: u32) -> bool {
        self.random.random_ratio(1, count)
    }

    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.random.random_range(0..among.len())]
    }

    /// A value that no word has held before in this phase: never 0.
    pub(super) fn stamp(&mut self) -> u32 {
        self.stamps = (self.stamps + 1) & ((1 << STAMP_BITS) - 1);
        stamp_of(self.number) | self.stamps
    }

    /// The token of a wake of `key`: names the key, and is like no other.
    pub(super) fn token(&mut self, key: usize) -> u64 {
        (key as u64 + 1) << 32 | u64::from(self.stamp())
    }

    /// How long the next wait lasts. Endless ones are granted while enough others are awake.
    pub(super) fn patience(&mut self) -> Patience {
        let endless = self.below(0..5_u32) < 3;
        if endless && self.stage.take_grant() {
            return if self.one_in(8) {
                Patience::Hour
            } else {
                Patience::Endless
            };
        }
        let limit_ns = *self.pick(&[0, 1, 500, 2_000, 20_000, 200_000_u64]);
        Patience::For(Duration::from_nanos(self.below(0..=limit_ns)))
    }

    /// Waits, seen by the others; counts how it ended.
    pub(super) fn wait(
        &mut self,
        operation: Operation,
        at: Place,
        patience: Patience,
        wait: impl FnOnce() -> Ended,
    ) -> Ended {
        self.wait_in_steps(operation, at, patience, |settle| {
            settle();
            wait()
        })
    }

    /// As [`wait`](Self::wait), for a thread that still acts once it is queued: it calls what
    /// `wait` is given when only a wake can go on with it.
    pub(super) fn wait_in_steps(
        &mut self,
        operation: Operation,
        at: Place,
        patience: Patience,
        wait: impl FnOnce(&dyn Fn()) -> Ended,
    ) -> Ended {
        self.turns += 1;
        let (board, turn) = (&self.stage.boards[self.number], self.turns);
        let thread = self.number;
        let at = Place { thread, ..at };
        board.begin(at, false, turn);
        let settle = || board.begin(at, patience.is_endless(), turn);
        let ended = planned(|| wait(&settle)).unwrap_or(Ended::Panicked);
        board.end();
        if patience.is_endless() {
            self.stage.give_grant_back();
        }
        let row = self.tally.row(operation);
        row.calls += 1;
        match ended {
            Ended::Woken { .. } => row.woken += 1,
            Ended::Stale => row.stale += 1,
            Ended::TimedOut => row.timed_out += 1,
            Ended::Closed => row.closed += 1,
            Ended::Interrupted => row.interrupted += 1,
            Ended::GivenUp => row.given_up += 1,
            Ended::Panicked => row.panicked += 1,
        }
        if ended == Ended::TimedOut && patience.is_endless() {
            self.found(&format!(
                "{operation:?} without a deadline in sight returned TimedOut"
            ));
        }
        ended
    }

    /// Counts a wake that has returned `woken`.
    pub(super) fn woke(&mut self, operation: Operation, woken: usize) {
        let row = self.tally.row(operation);
        row.calls += 1;
        row.woken += woken as u64;
    }

    /// Counts a call that has ended `count` waits for good.
    pub(super) fn closed(&mut self, operation: Operation, count: usize) {
        let row = self.tally.row(operation);
        row.calls += 1;
        row.closed += count as u64;
    }

    pub(super) fn panicked(&mut self, operation: Operation) {
        let row = self.tally.row(operation);
        row.calls += 1;
        row.panicked += 1;
    }

    /// A key of this scene that somebody else waits at, as seen a moment ago.
    pub(super) fn awaited(&mut self, scene: usize) -> Option<usize> {
        let other = self.below(0..self.stage.boards.len());
        let waiting = self.stage.boards[other].waiting()?;
        (waiting.at.scene == scene).then_some(waiting.at.key)
    }

    /// Another thread, rather one that waits in this scene and may be interrupted.
    pub(super) fn interruptible(&mut self, scene: usize) -> Option<usize> {
        let other = self.below(0..self.stage.boards.len());
        let waiting = self.stage.boards[other].waiting();
        let is_there =
            waiting.is_some_and(|Waiting { at, .. }| at.scene == scene && at.interruptible);
        (is_there || self.one_in(16)).then_some(other)
    }

    /// A key of `count`: rather one that somebody waits at.
    pub(super) fn target(&mut self, scene: usize, count: usize) -> usize {
        let awaited = if self.one_in(8) {
            None
        } else {
            self.awaited(scene)
        };
        awaited.unwrap_or_else(|| self.below(0..count))
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.stage.is_sealed()
    }

    /// Checks the token that a wait at `key` was handed: 0 from wakes without one.
    pub(super) fn check_token(&self, key: usize, token: u64) {
        if token != 0 && token >> 32 != key as u64 + 1 {
            self.found(&format!(
                "a wait of key {key} was handed the token {token:#x} of a wake of key {}",
                (token >> 32).wrapping_sub(1)
            ));
        }
    }

    /// Tells of something that must not be.
    pub(super) fn found(&self, what: &str) {
        // If nobody listens any more, the run has ended with another finding.
        let _sent = self.findings.send(Event::Found(what.to_owned()));
    }
}

/// A stream of random numbers of its own for every thread of every phase.
pub(super) fn random(seed: u64, phase: u64, thread: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream((phase << 16) | thread as u64);
    random
}

/// The first stamp of a thread; the director's is that of a thread that is not there.
pub(super) fn stamp_of(thread: usize) -> u32 {
    (thread as u32 + 1) << STAMP_BITS
}
