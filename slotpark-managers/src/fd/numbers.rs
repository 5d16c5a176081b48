//! Which numbers of a table are in use, and by what.
//!
//! **Invariants** F1: the bit of a number is set if and only if its entry is there. F2: all numbers
//! below `all_used_below` are in use.

use std::sync::Arc;

use super::Description;
use crate::event::Event;

/// A number in use.
pub(super) struct Entry<T> {
    pub(super) description: Description<T>,
    /// Moved on when this number is closed.
    pub(super) closed: Arc<Event>,
    pub(super) close_on_exec: bool,
}

impl<T> Entry<T> {
    pub(super) fn new(description: Description<T>, close_on_exec: bool) -> Self {
        Self {
            description,
            closed: Arc::new(Event::new("descriptor closed")),
            close_on_exec,
        }
    }
}

pub(super) struct Numbers<T> {
    entries: Vec<Option<Entry<T>>>,
    used: Vec<u64>,
    all_used_below: usize,
    count: usize,
    pub(super) limit: usize,
}

impl<T> Numbers<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: Vec::new(),
            used: Vec::new(),
            all_used_below: 0,
            count: 0,
            limit,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, number: i32) -> Option<&Entry<T>> {
        self.entries.get(usize::try_from(number).ok()?)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: i32) -> Option<&mut Entry<T>> {
        let index = usize::try_from(number).ok()?;
        self.entries.get_mut(index)?.as_mut()
    }

    /// The lowest number that is free, from `min` on and below the limit.
    pub(super) fn lowest_free(&self, min: usize) -> Option<usize> {
        let min = min.max(self.all_used_below);
        let is_free = |number: &usize| *number < self.limit;
        let word = min / 64;
        let Some(first) = self.used.get(word) else {
            return Some(min).filter(is_free);
        };
        // What lies below `min` in its word counts as used.
        let first = first | ((1 << (min % 64)) - 1);
        let words = std::iter::once(first).chain(self.used[word + 1..].iter().copied());
        let found = words
            .zip(word..)
            .find(|(used, _)| *used != u64::MAX)
            .map_or(self.used.len() * 64, |(used, word)| {
                word * 64 + used.trailing_ones() as usize
            });
        Some(found).filter(is_free)
    }

    /// Puts an entry in place of what was there.
    pub(super) fn put(&mut self, number: usize, entry: Entry<T>) -> Option<Entry<T>> {
        if number >= self.entries.len() {
            self.entries.resize_with(number + 1, || None);
            self.used.resize(number / 64 + 1, 0);
        }
        self.used[number / 64] |= 1 << (number % 64);
        if number == self.all_used_below {
            self.all_used_below += 1;
        }
        let old = self.entries[number].replace(entry);
        self.count += usize::from(old.is_none());
        if let Some(old) = &old {
            old.closed.advance();
        }
        old
    }

    /// Takes an entry out, whose descriptor is closed by that.
    pub(super) fn take(&mut self, number: usize) -> Option<Entry<T>> {
        let entry = self.entries.get_mut(number)?.take()?;
        self.used[number / 64] &= !(1 << (number % 64));
        self.all_used_below = self.all_used_below.min(number);
        self.count -= 1;
        entry.closed.advance();
        Some(entry)
    }

    /// Takes out all in `range` that `is_meant` says yes to.
    pub(super) fn take_where(
        &mut self,
        range: std::ops::RangeInclusive<usize>,
        is_meant: impl Fn(&Entry<T>) -> bool,
    ) -> Vec<Entry<T>> {
        let end = self.entries.len().min(range.end().saturating_add(1));
        let is_meant = |number: &usize| self.entries[*number].as_ref().is_some_and(&is_meant);
        let meant: Vec<usize> = (*range.start()..end).filter(is_meant).collect();
        let taken = meant.into_iter().filter_map(|number| self.take(number));
        taken.collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Entry<T>)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(number, entry)| Some((number, entry.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Entry<T>)> {
        let entries = self.entries.iter_mut().enumerate();
        entries.filter_map(|(number, entry)| Some((number, entry.as_mut()?)))
    }

    /// The same descriptions under the same numbers; none of the copies is closed with its origin.
    pub(super) fn copy(&self) -> Self {
        let mut copy = Self::new(self.limit);
        for (number, entry) in self.iter() {
            let entry = Entry::new(entry.description.clone(), entry.close_on_exec);
            copy.put(number, entry);
        }
        copy
    }
}
