//! Regions in the order of their addresses.
//!
//! **Invariants** R1: regions do not overlap, and none is empty. R2: no two neighbours could be
//! one. R3: within the bounds nothing is free below `full_below`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Protection, Region};
use crate::Errno;

#[derive(Clone, Debug)]
pub(super) struct Regions<B> {
    /// By their starts.
    tree: BTreeMap<u64, Region<B>>,
    full_below: u64,
}

impl<B> Regions<B> {
    pub(super) fn new() -> Self {
        Self {
            tree: BTreeMap::new(),
            full_below: 0,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.tree.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Region<B>> {
        self.tree.values()
    }

    /// Those that have a part of `range`, in order.
    pub(super) fn in_range(&self, range: Range<u64>) -> impl Iterator<Item = &Region<B>> {
        // The last that begins before may reach into it.
        let before = self.tree.range(..range.start).next_back();
        let before = before.filter(|(_, region)| region.end > range.start);
        let within = self.tree.range(range.start..range.end.max(range.start));
        before.into_iter().chain(within).map(|(_, region)| region)
    }

    pub(super) fn is_free(&self, range: Range<u64>) -> bool {
        self.in_range(range).next().is_none()
    }

    /// The lowest address in `bounds`, which are the same in each call, from which on `length`
    /// bytes are free.
    pub(super) fn first_fit(&mut self, bounds: Range<u64>, length: u64) -> Option<u64> {
        let mut start = bounds.start.max(self.full_below);
        let mut full_below = start;
        for region in self.in_range(start..bounds.end) {
            if region.start.saturating_sub(start) >= length {
                break;
            }
            if region.start <= full_below {
                full_below = region.end;
            }
            start = start.max(region.end);
        }
        self.full_below = full_below;
        (bounds.end.saturating_sub(start) >= length).then_some(start)
    }

    /// How many more regions there are at most after `range` has been cut out and filled again.
    pub(super) fn cuts(&self, range: Range<u64>) -> usize {
        let is_cut = |at: u64| self.in_range(at..at + 1).any(|region| region.start < at);
        usize::from(is_cut(range.start)) + usize::from(is_cut(range.end))
    }
}

impl<B: Clone + PartialEq> Regions<B> {
    /// Cuts `range` out: the parts of regions that lay there, in order.
    pub(super) fn cut(&mut self, range: Range<u64>) -> Vec<Region<B>> {
        if range.is_empty() {
            return Vec::new();
        }
        self.full_below = self.full_below.min(range.start);
        self.split(range.start);
        self.split(range.end);
        let starts: Vec<u64> = self.tree.range(range).map(|(start, _)| *start).collect();
        let parts = starts.iter().filter_map(|start| self.tree.remove(start));
        parts.collect()
    }

    /// Makes two of a region that `at` lies within.
    fn split(&mut self, at: u64) {
        let Some((_, region)) = self.tree.range_mut(..at).next_back() else {
            return;
        };
        if region.end <= at {
            return;
        }
        let mut rest = region.clone();
        region.end = at;
        rest.start_at(at);
        self.tree.insert(at, rest);
    }

    /// Puts a region where nothing is, as one with its neighbours where they could be one.
    pub(super) fn put(&mut self, mut region: Region<B>) {
        debug_assert!(self.is_free(region.range()), "R1: it would overlap");
        let before = self.tree.range(..region.start).next_back();
        if let Some((&start, _)) = before.filter(|(_, before)| before.goes_on_as(&region)) {
            if let Some(before) = self.tree.remove(&start) {
                region = Region {
                    end: region.end,
                    ..before
                };
            }
        }
        let next = self.tree.get(&region.end);
        if next.is_some_and(|next| region.goes_on_as(next)) {
            if let Some(next) = self.tree.remove(&region.end) {
                region.end = next.end;
            }
        }
        self.tree.insert(region.start, region);
    }

    /// Changes the protection of `range`, up to the first address where that cannot be.
    pub(super) fn protect(
        &mut self,
        range: Range<u64>,
        protection: Protection,
    ) -> Result<(), Errno> {
        let mut end = range.start;
        let mut result = Ok(());
        for region in self.in_range(range.clone()) {
            if region.start > end {
                break;
            }
            if !region.protection_max.contains(protection) {
                result = Err(Errno::Access);
                break;
            }
            end = region.end;
        }
        if result.is_ok() && end < range.end {
            result = Err(Errno::NoMemory);
        }
        for mut part in self.cut(range.start..end.min(range.end)) {
            part.protection = protection;
            self.put(part);
        }
        result
    }
}
