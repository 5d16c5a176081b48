//! What is recorded of waits that are over is recorded wherever a program waits, also inside its
//! allocator: it allocates nothing. Here, since it takes an allocator that counts.

#[path = "../../slotpark-core/tests/common/watched.rs"]
mod watched;

use std::pin::pin;
use std::task::{Context, Waker};

use slotpark_core::{ParkOptions, Slots, Table, finalize};
use slotpark_inspect::{Detail, Snapshot, register_static, set_detail};
use watched::{Watched, allocated};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

static SLOTS: Slots<u64> = Slots::new();
static TABLE: Table<u64> = Table::over(&SLOTS);

/// Far more keys than are counted one by one, so that each displaces another; again and again.
const KEYS: u64 = 10_000;

fn wait_and_wake(key: u64) {
    let hash = finalize(key);
    let mut context = Context::from_waker(Waker::noop());
    let mut wait = pin!(TABLE.wait_async(hash, key, ParkOptions::new(), || true));
    assert!(wait.as_mut().poll(&mut context).is_pending());
    assert_eq!(TABLE.unpark(hash, &key, 1, 0), 1);
    assert!(wait.as_mut().poll(&mut context).is_ready());
}

#[test]
fn recording_allocates_nothing() {
    set_detail(Detail::Timing);
    register_static("measured", &TABLE).keep();
    let allocations = allocated(|| {
        for key in 0..KEYS {
            // Some come again.
            wait_and_wake(key);
            wait_and_wake(key % 100);
        }
    });
    set_detail(Detail::Off);
    assert_eq!(allocations, (0, 0));
    let snapshot = Snapshot::take();
    let mut tables = snapshot.tables.iter();
    let table = tables.find(|table| table.name == "measured");
    let table = table.expect("it is registered");
    assert_eq!(table.histograms[0].count, 2 * KEYS);
    assert!(table.top_keys.len() >= 64 && table.top_keys[0].waits >= 100);
}
