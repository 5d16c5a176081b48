//! What a pipe holds: a ring of pages, as the kernel's pipe does.
//!
//! **Invariants.** R1: no page in the ring is read to its end: it leaves with its last byte.
//! R2: bytes of one write of at most [`PIPE_BUF`](super::PIPE_BUF) lie in one page.

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};

/// The size of a page, on every machine.
pub(super) const PAGE: usize = 4096;

/// How many pages a pipe has at first.
const PAGES_DEFAULT: usize = 16;

/// How many emptied pages a pipe keeps for the next writes, as the kernel does.
const SPARES_MAX: usize = 2;

#[derive(Debug)]
struct Page {
    /// Its capacity is a page.
    bytes: Vec<u8>,
    /// Where what is unread begins.
    begin: usize,
}

#[derive(Debug)]
pub(super) struct Pages {
    ring: VecDeque<Page>,
    spares: Vec<Vec<u8>>,
    /// How many pages there may be.
    max: usize,
}

impl Pages {
    pub(super) const fn new() -> Self {
        Self {
            ring: VecDeque::new(),
            spares: Vec::new(),
            max: PAGES_DEFAULT,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// No page is free. What is read in part takes its page until the last byte is gone.
    pub(super) fn is_full(&self) -> bool {
        self.ring.len() >= self.max
    }

    pub(super) fn capacity(&self) -> usize {
        self.max * PAGE
    }

    pub(super) fn unread(&self) -> usize {
        let unread = |page: &Page| page.bytes.len() - page.begin;
        self.ring.iter().map(unread).sum()
    }

    /// Makes room for so many pages; false if more are in use.
    pub(super) fn resize(&mut self, pages: usize) -> bool {
        let is_possible = pages >= self.ring.len();
        if is_possible {
            self.max = pages;
        }
        is_possible
    }

    /// Adds what exceeds whole pages to the last page, if it fits there as a whole. At the
    /// beginning of a write, as the kernel does: the rest of a large one then fills pages to their
    /// ends.
    pub(super) fn merge(&mut self, source: &mut Source<'_>) {
        let excess = source.left() % PAGE;
        if let Some(last) = self.ring.back_mut() {
            if excess > 0 && last.bytes.len() + excess <= PAGE {
                source.take(excess, &mut last.bytes);
            }
        }
    }

    /// Adds as much as free pages take.
    pub(super) fn push(&mut self, source: &mut Source<'_>) {
        while source.left() > 0 && !self.is_full() {
            let spare = self.spares.pop();
            let mut bytes = spare.unwrap_or_else(|| Vec::with_capacity(PAGE));
            source.take(PAGE, &mut bytes);
            self.ring.push_back(Page { bytes, begin: 0 });
        }
    }

    /// Moves out as much as there is room for.
    pub(super) fn pull(&mut self, sink: &mut Sink<'_, '_>) {
        while sink.left() > 0 {
            let Some(first) = self.ring.front_mut() else {
                return;
            };
            first.begin += sink.put(&first.bytes[first.begin..]);
            if first.begin < first.bytes.len() {
                return;
            }
            if let Some(Page { mut bytes, .. }) = self.ring.pop_front() {
                if self.spares.len() < SPARES_MAX {
                    bytes.clear();
                    self.spares.push(bytes);
                }
            }
        }
    }
}

/// What a call has still to write.
#[derive(Debug)]
pub(super) struct Source<'b> {
    slices: &'b [IoSlice<'b>],
    /// How much of the first slice is written.
    done: usize,
    left: usize,
}

impl<'b> Source<'b> {
    pub(super) fn new(slices: &'b [IoSlice<'b>]) -> Self {
        let left = slices.iter().map(|slice| slice.len()).sum();
        Self {
            slices,
            done: 0,
            left,
        }
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Moves the next `count` bytes, or all, behind those in `target`.
    fn take(&mut self, count: usize, target: &mut Vec<u8>) {
        let mut count = count.min(self.left);
        self.left -= count;
        while let Some((first, others)) = self.slices.split_first() {
            let unwritten = &first[self.done..];
            if count < unwritten.len() {
                target.extend_from_slice(&unwritten[..count]);
                self.done += count;
                return;
            }
            target.extend_from_slice(unwritten);
            count -= unwritten.len();
            self.slices = others;
            self.done = 0;
        }
    }
}

/// Where a call has still room for what it reads.
#[derive(Debug)]
pub(super) struct Sink<'s, 'b> {
    slices: &'s mut [IoSliceMut<'b>],
    /// The first slice with room, and how much of it is taken.
    at: (usize, usize),
    left: usize,
}

impl<'s, 'b> Sink<'s, 'b> {
    pub(super) fn new(slices: &'s mut [IoSliceMut<'b>]) -> Self {
        let left = slices.iter().map(|slice| slice.len()).sum();
        Self {
            slices,
            at: (0, 0),
            left,
        }
    }

    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// Copies what there is room for; how much.
    fn put(&mut self, mut bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.left);
        self.left -= count;
        bytes = &bytes[..count];
        while !bytes.is_empty() {
            let (slice, begin) = self.at;
            let room = &mut self.slices[slice][begin..];
            let part = room.len().min(bytes.len());
            room[..part].copy_from_slice(&bytes[..part]);
            bytes = &bytes[part..];
            self.at = if part == room.len() {
                (slice + 1, 0)
            } else {
                (slice, begin + part)
            };
        }
        count
    }
}
