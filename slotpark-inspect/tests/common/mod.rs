//! What the tests share: the engine's watchdog, and a table that shows what it is told to.
#![allow(dead_code, reason = "each file of tests uses its part")]

pub(crate) mod meeting;
pub(crate) mod scene;
#[path = "../../../slotpark-core/tests/common/watchdog.rs"]
pub(crate) mod watchdog;

use std::sync::atomic::{AtomicUsize, Ordering};

use slotpark_core::{Inspect, Seen, SlotStats};

/// One slot with these nodes; counts how often it is looked at.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    pub(crate) nodes: Vec<Seen>,
    looks: AtomicUsize,
}

impl Fake {
    pub(crate) fn new(nodes: Vec<Seen>) -> Self {
        Self {
            nodes,
            looks: AtomicUsize::new(0),
        }
    }

    pub(crate) fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }
}

impl Inspect for Fake {
    fn slot_count(&self) -> usize {
        1
    }

    fn slot_stats(&self, index: usize) -> SlotStats {
        assert_eq!(index, 0);
        SlotStats::default()
    }

    fn look(&self, index: usize, room: &mut [Seen]) -> usize {
        assert_eq!(index, 0);
        self.looks.fetch_add(1, Ordering::Relaxed);
        let count = self.nodes.len().min(room.len());
        room[..count].copy_from_slice(&self.nodes[..count]);
        self.nodes.len()
    }
}

/// A node that waits.
pub(crate) fn waits(hash: u64, wait: u64) -> Seen {
    let mut seen = Seen::default();
    (seen.hash, seen.wait) = (hash, wait);
    seen
}
