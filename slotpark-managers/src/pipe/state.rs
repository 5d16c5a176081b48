//! A pipe: its state under one lock, and what is waited for.
//!
//! **Invariants.** P1: who waits to read has seen an empty pipe, who waits to write one without a
//! free page: any reader can use any byte, any writer any free page, whatever its size. P2: so a
//! wake of one is due when a pipe stops being empty, or full; and from one who was woken and leaves
//! bytes, or a free page, to the next. P3: all are woken when a side ends, and those who wait
//! through an end that is closed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pages::{Pages, Sink, Source};
use crate::event::Event;
use crate::{Access, Waits};

#[derive(Debug)]
pub(super) struct Pipe {
    state: Mutex<State>,
    /// There is something to read, or nobody is left to write.
    pub(super) readable: Event,
    /// There is room to write, or nobody is left to read.
    pub(super) writable: Event,
    /// Its readiness may have changed, or who has it open: for polls, and for those who open it.
    pub(super) changed: Event,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) pages: Pages,
    pub(super) readers: u32,
    pub(super) writers: u32,
    /// How many have ever come, so that who awaits one also sees one that has gone again.
    pub(super) reader_opens: u64,
    pub(super) writer_opens: u64,
    pub(super) edges: Edges,
}

/// How often the kernel would have told a poll of something new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edges {
    /// Those who poll a reading end, and ask for input.
    pub(super) input: u64,
    /// Those who poll a writing end, and ask for output.
    pub(super) output: u64,
    /// Any poll of a reading end.
    pub(super) reader: u64,
    /// Any poll of a writing end.
    pub(super) writer: u64,
}

/// Whom to wake once the lock is given back.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    pub(super) readers: usize,
    pub(super) writers: usize,
    pub(super) is_changed: bool,
}

const ALL: usize = usize::MAX;

impl Pipe {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State::new()),
            readable: Event::new("pipe reader"),
            writable: Event::new("pipe writer"),
            changed: Event::new("pipe poll"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under it but an allocation that fails.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the state.
    pub(super) fn look<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.lock())
    }

    /// Changes the state, which wakes nobody.
    pub(super) fn count(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
    }

    /// Changes the state, then wakes whom the change asks for. Never under a guard of a map.
    pub(super) fn change<R>(
        &self,
        waits: &Waits,
        change: impl FnOnce(&mut State, &mut Wakes) -> R,
    ) -> R {
        let mut wakes = Wakes::default();
        let result = {
            let mut state = self.lock();
            let result = change(&mut state, &mut wakes);
            self.advance(&wakes);
            result
        };
        if wakes.readers > 0 {
            self.readable.wake(waits, wakes.readers);
        }
        if wakes.writers > 0 {
            self.writable.wake(waits, wakes.writers);
        }
        if wakes.is_changed {
            self.changed.wake_all(waits);
        }
        result
    }

    /// Under the lock (E1).
    fn advance(&self, wakes: &Wakes) {
        if wakes.readers > 0 {
            self.readable.advance();
        }
        if wakes.writers > 0 {
            self.writable.advance();
        }
        if wakes.is_changed {
            self.changed.advance();
        }
    }

    /// How many are blocked on it in any way.
    pub(super) fn waiters(&self, waits: &Waits) -> usize {
        let events = [&self.readable, &self.writable, &self.changed];
        events.iter().map(|event| event.waiters(waits)).sum()
    }
}

impl State {
    const fn new() -> Self {
        Self {
            pages: Pages::new(),
            readers: 0,
            writers: 0,
            reader_opens: 0,
            writer_opens: 0,
            edges: Edges {
                input: 0,
                output: 0,
                reader: 0,
                writer: 0,
            },
        }
    }

    /// Writes what there is room for. `is_first`: the write begins.
    pub(super) fn write(&mut self, source: &mut Source<'_>, is_first: bool, wakes: &mut Wakes) {
        let (was_empty, left) = (self.pages.is_empty(), source.left());
        if is_first {
            self.pages.merge(source);
        }
        self.pages.push(source);
        if source.left() < left {
            self.edges.input += 1;
            wakes.is_changed = true;
            wakes.readers = usize::from(was_empty);
        }
        if !is_first && !self.pages.is_full() {
            wakes.writers = 1;
        }
    }

    /// Reads what there is. `is_first`: the reader was not woken for it.
    pub(super) fn read(&mut self, sink: &mut Sink<'_, '_>, is_first: bool, wakes: &mut Wakes) {
        let was_full = self.pages.is_full();
        self.pages.pull(sink);
        if was_full && !self.pages.is_full() {
            self.edges.output += 1;
            wakes.is_changed = true;
            wakes.writers = 1;
        }
        if !is_first && !self.pages.is_empty() {
            wakes.readers = 1;
        }
    }

    /// Takes another size.
    pub(super) fn resize(&mut self, pages: usize, wakes: &mut Wakes) -> bool {
        let is_possible = self.pages.resize(pages);
        if is_possible {
            self.edges.writer += 1;
            wakes.is_changed = true;
            wakes.writers = usize::from(!self.pages.is_full());
        }
        is_possible
    }

    /// One more end of one that is open.
    pub(super) fn enter(&mut self, access: Access) {
        self.readers += u32::from(access.reads());
        self.writers += u32::from(access.writes());
    }

    /// It is opened; the first of a side ends the opens that await it.
    pub(super) fn open(&mut self, access: Access, wakes: &mut Wakes) {
        self.enter(access);
        self.reader_opens += u64::from(access.reads());
        self.writer_opens += u64::from(access.writes());
        let is_first =
            (access.reads() && self.readers == 1) || (access.writes() && self.writers == 1);
        if is_first {
            self.edges.reader += 1;
            wakes.is_changed = true;
        }
    }

    /// One has it open no more. With the last, what was not read is gone (a FIFO begins anew).
    pub(super) fn leave(&mut self, access: Access, wakes: &mut Wakes) {
        self.readers -= u32::from(access.reads());
        self.writers -= u32::from(access.writes());
        // Those who wait through the end that is closed are to see it.
        wakes.is_changed = true;
        wakes.readers = if access.reads() { ALL } else { 0 };
        wakes.writers = if access.writes() { ALL } else { 0 };
        let is_last =
            (access.reads() && self.readers == 0) || (access.writes() && self.writers == 0);
        if self.readers == 0 && self.writers == 0 {
            *self = Self::new();
        } else if is_last {
            self.edges.reader += 1;
            self.edges.writer += 1;
            (wakes.readers, wakes.writers) = (ALL, ALL);
        }
    }
}
