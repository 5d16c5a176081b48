//! The numeric futex ABI.

use std::ptr::null_mut;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use slotpark_core::{
    FutexAbi, FutexKey, FutexShared, FutexTimespec, FutexWaitv, Parked, Seeded, Slots, Table,
};

use super::common::{FOREVER, soon};
use super::{AT, Operation, TO, ignore};

static SLOTS: Slots<FutexKey, 4> = Slots::new();
static TABLE: Table<FutexKey> = Table::over(&SLOTS);
static HASHER: Seeded = Seeded::new();

pub(crate) const FUTEXES: [Operation; 12] = [
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
    ("futex/vector::new", |_| {
        ignore(FutexWaitv::new(null_mut(), 1));
    }),
    ("futex/vector::waitv", |_| {
        let abi = FutexAbi::over(&TABLE, &HASHER);
        let words = [const { AtomicU32::new(0) }; 6];
        let entries = words.each_ref().map(|it| FutexWaitv::new(it.as_ptr(), 0));
        for count in [2, 6] {
            for nanoseconds in [0, 200_000] {
                let time = soon(Duration::from_nanos(nanoseconds)).expect("not for ever");
                let time = FutexTimespec {
                    seconds: (time.at_ns() / 1_000_000_000) as i64,
                    nanoseconds: (time.at_ns() % 1_000_000_000) as i64,
                };
                // SAFETY: entries, words and timespec live.
                ignore(unsafe { abi.waitv(entries.as_ptr(), count, 0, &time, 1) });
            }
        }
    }),
    ("futex/vector::futex2_wake", |_| {
        ignore(FutexAbi::over(&TABLE, &HASHER).futex2_wake(null_mut(), 1, 1, 0x82));
    }),
    ("futex/vector::futex2_wait", |_| {
        let abi = FutexAbi::over(&TABLE, &HASHER);
        // SAFETY: NULL is refused before anything is read.
        ignore(unsafe { abi.futex2_wait(null_mut(), 1, 1, 0x82, null_mut(), 1) });
    }),
    ("futex/vector::futex2_requeue", |_| {
        let words = [const { AtomicU32::new(0) }; 2];
        let entries = words.each_ref().map(|it| FutexWaitv::new(it.as_ptr(), 0));
        let abi = FutexAbi::over(&TABLE, &HASHER);
        // SAFETY: entries and words live.
        ignore(unsafe { abi.futex2_requeue(entries.as_ptr(), 0, 1, 1) });
    }),
    ("each::park_each", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let ended = table.park_each(&[AT, TO], options, |_| Ok::<_, ()>(true));
        assert_eq!(ended.map(|it| it.parked), Ok(Parked::TimedOut));
    }),
];
