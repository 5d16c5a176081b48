//! Single flights.

use std::sync::OnceLock;

use super::map::{Held, Map};
use crate::measure::locks::FlightEngine;

/// The values that moka keeps at most.
const CACHED: u64 = 1024;

/// moka's `get_with`. It is a cache: a value stays and is found again until others push it out,
/// which is part of the price here, and no flight is made for a key whose value is still there.
#[derive(Debug)]
pub(crate) struct Moka(moka::sync::Cache<u64, u64>);

impl FlightEngine for Moka {
    const NAME: &'static str = "moka";

    fn new() -> Self {
        Self(moka::sync::Cache::new(CACHED))
    }

    #[inline]
    fn run(&self, key: u64, make: impl FnOnce() -> u64) -> u64 {
        self.0.get_with(key, make)
    }
}

/// The standard library's `OnceLock` in the map that people write for it, removed by the last who
/// asked.
#[derive(Debug)]
pub(crate) struct DashMapOnce(Map<OnceLock<u64>, false>);

impl FlightEngine for DashMapOnce {
    const NAME: &'static str = "dashmap_once";

    fn new() -> Self {
        Self(Map::new())
    }

    #[inline]
    fn run(&self, key: u64, make: impl FnOnce() -> u64) -> u64 {
        let (leave, entry) = self.0.join(key, OnceLock::new);
        let value = *entry.get_or_init(make);
        drop(Held::new(entry, leave));
        value
    }
}
