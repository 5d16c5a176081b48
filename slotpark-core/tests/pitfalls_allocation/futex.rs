//! The numeric futex ABI.

use std::ptr::null_mut;

use slotpark_core::{FutexAbi, FutexKey, FutexShared, Seeded, Slots, Table};

use super::{Operation, ignore};

static SLOTS: Slots<FutexKey, 4> = Slots::new();
static TABLE: Table<FutexKey> = Table::over(&SLOTS);
static HASHER: Seeded = Seeded::new();

pub(crate) const FUTEXES: [Operation; 6] = [
    ("futex/mod::process", |_| ignore(FutexAbi::process())),
    ("futex/mod::over", |_| {
        ignore(FutexAbi::over(&TABLE, &HASHER));
    }),
    ("futex/mod::with_space", |_| {
        ignore(FutexAbi::process().with_space(1));
    }),
    ("futex/mod::with_shared", |_| {
        ignore(FutexAbi::process().with_shared(FutexShared::AsPrivate));
    }),
    ("futex/mod::answers", |_| {
        ignore(FutexAbi::process().answers(128));
    }),
    ("futex/mod::futex", |_| {
        let abi = FutexAbi::over(&TABLE, &HASHER);
        let mut words = [0_u32; 2];
        let [first, second] = words.each_mut().map(|word| &raw mut *word);
        // WAIT (stale), WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET (stale), WAKE_BITSET.
        for op in [0, 1, 3, 4, 5, 9, 10] {
            // SAFETY: the words live, and nobody waits without time.
            ignore(unsafe { abi.futex(first, op | 128, 1, 0, second, 1) });
        }
        // SAFETY: NULL is refused before anything is read.
        ignore(unsafe { abi.futex(null_mut(), 128, 1, 0, second, 1) });
    }),
];
