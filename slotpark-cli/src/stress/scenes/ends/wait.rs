//! One wait on several keys, and what is known of how it has ended.
//!
//! A closing counts the waits that were queued, not those that are refused at their start. A future
//! tells them apart: a wait is refused by the entry that was looked at last, before it waits. Of a
//! thread's wait it is known if nobody kept the key closed meanwhile; else it may be either.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use slotpark::{Interrupter, WaitOutcome};

use super::Ends;
use super::site::{Seen, Site};
use crate::stress::actor::{Actor, Ended};
use crate::stress::planned::Key;
use crate::stress::stage::LANES;

/// The keys of a site that a wait names, by their lanes, the primary one first.
pub(super) struct Wait<'s> {
    pub(super) site: &'s Site,
    pub(super) number: usize,
    pub(super) lanes: Vec<usize>,
    pub(super) interrupter: Option<&'s Interrupter>,
    /// How often a count was looked at, and of which entry last.
    looks: Cell<usize>,
    last: Cell<usize>,
    seen: Seen,
}

/// How it ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    OfThread(WaitOutcome, Option<usize>),
    /// Of a future that never said that it waits.
    AtStart(WaitOutcome, Option<usize>),
    Ended(WaitOutcome, Option<usize>),
    GivenUp {
        queued: bool,
    },
}

impl How {
    /// Of a wait on one key, which does not name it.
    pub(super) fn of_one(parked: WaitOutcome) -> Self {
        let by_key = !matches!(parked, WaitOutcome::TimedOut | WaitOutcome::Interrupted);
        Self::OfThread(parked, by_key.then_some(0))
    }

    pub(super) fn ended(&self) -> Ended {
        self.outcome()
            .map_or(Ended::GivenUp, |(parked, _)| parked.into())
    }

    /// The entry that ended it.
    pub(super) fn entry(&self) -> Option<usize> {
        self.outcome()?.1
    }

    fn outcome(&self) -> Option<(WaitOutcome, Option<usize>)> {
        match *self {
            Self::OfThread(parked, entry)
            | Self::AtStart(parked, entry)
            | Self::Ended(parked, entry) => Some((parked, entry)),
            Self::GivenUp { .. } => None,
        }
    }
}

impl<'s> Wait<'s> {
    pub(super) fn new(
        site: &'s Site,
        number: usize,
        lanes: Vec<usize>,
        interrupter: Option<&'s Interrupter>,
    ) -> Self {
        Self {
            site,
            number,
            lanes,
            interrupter,
            looks: Cell::new(0),
            last: Cell::new(0),
            seen: site.look(),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        self.lanes.iter().map(|&lane| self.site.keys[lane])
    }

    /// Nothing is there to be taken by this entry.
    pub(super) fn is_empty(&self, entry: usize) -> bool {
        self.looks.set(self.looks.get() + 1);
        self.last.set(entry);
        self.site.count(self.lanes[entry]) == 0
    }

    /// Whether it has not tried to queue: then each count was looked at once at most.
    fn ended_unqueued(&self) -> bool {
        self.looks.get() <= self.lanes.len()
    }
}

impl Ends {
    /// Enters a wait into the books.
    pub(super) fn book(&self, actor: &Actor<'_>, wait: &Wait<'_>, how: How) {
        if let How::GivenUp { queued } = how {
            if queued {
                self.woken.spent();
                self.closed.spent();
                self.interrupted.spent();
                if wait.interrupter.is_some() {
                    // An interrupt that had ended it is left for the next wait.
                    self.early_interrupts.fetch_add(1, Ordering::Relaxed);
                }
            }
            return;
        }
        let Some((parked, entry)) = how.outcome() else {
            return;
        };
        let lane = entry.map(|entry| wait.lanes[entry]);
        match (parked, lane) {
            (WaitOutcome::Woken { token }, Some(lane)) => {
                self.woken.received(token);
                actor.check_token(wait.number * LANES + lane, token);
            }
            (WaitOutcome::Closed, Some(lane)) => self.book_closed(actor, wait, how, lane),
            (WaitOutcome::Interrupted, None) if wait.interrupter.is_some() => {
                if wait.ended_unqueued() {
                    self.interrupted_early.fetch_add(1, Ordering::Relaxed);
                } else {
                    self.interrupted.received(0);
                }
            }
            (WaitOutcome::Stale, Some(_)) | (WaitOutcome::TimedOut, None) => {}
            _ => actor.found(&format!(
                "a wait on lanes {:?} of site {} returned {parked:?} by {entry:?}",
                wait.lanes, wait.number
            )),
        }
    }

    fn book_closed(&self, actor: &Actor<'_>, wait: &Wait<'_>, how: How, lane: usize) {
        let was_open = wait.site.was_open(lane, &wait.seen);
        let is_last = how.entry() == Some(wait.last.get());
        let is_refused = match how {
            How::AtStart(..) => Some(is_last),
            How::OfThread(..) if is_last && !was_open => None,
            _ => Some(false),
        };
        match is_refused {
            None => self.closed.spent(),
            Some(false) => self.closed.received(0),
            Some(true) if !was_open => {}
            Some(true) => actor.found(&format!(
                "key {lane} of site {} is closed, although nobody keeps it closed",
                wait.number
            )),
        }
    }
}
