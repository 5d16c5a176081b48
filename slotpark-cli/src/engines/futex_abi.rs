//! slotpark: the numeric futex ABI, with the numbers that the kernel would be given.

use std::marker::PhantomData;
use std::ptr::{from_ref, null, null_mut};

use rustix::time::Timespec;
use slotpark_core::{
    Filter, FutexAbi, FutexKey, FutexTimespec, FutexWaitv, Seeded, Slots as CoreSlots, Spin, Table,
    process_table,
};

use crate::measure::futex::{FutexEngine, Vector, WORDS};
use crate::measure::{Deadline, Engine, Outcome, Place, Slots, Word};

/// FUTEX_WAIT and so on, each with FUTEX_PRIVATE_FLAG.
const WAIT: i32 = 128;
const WAKE: i32 = 128 + 1;
const CMP_REQUEUE: i32 = 128 + 4;
const WAKE_OP: i32 = 128 + 5;
const WAIT_BITSET: i32 = 128 + 9;

/// Set the second word to 0; was it greater than 1?
const SET_0_WAS_GREATER_1: u32 = 4 << 24 | 1;
const ALL: u32 = i32::MAX as u32;
const MONOTONIC: i32 = 1;

const EAGAIN: isize = 11;
const ETIMEDOUT: isize = 110;

/// A table that the ABI is on.
pub(crate) trait On: Send + Sync + 'static {
    /// The name in reports.
    const NAME: &'static str;

    fn table() -> &'static Table<FutexKey>;
    fn abi() -> FutexAbi<'static>;
}

/// The process-wide table, with its learned spin.
#[derive(Debug)]
pub(crate) enum Process {}

impl On for Process {
    const NAME: &'static str = "slotpark";

    fn table() -> &'static Table<FutexKey> {
        process_table()
    }

    #[inline]
    fn abi() -> FutexAbi<'static> {
        FutexAbi::process()
    }
}

/// A table of which all waits sleep at once.
#[derive(Debug)]
pub(crate) enum NoSpin {}

impl On for NoSpin {
    const NAME: &'static str = "slotpark_no_spin";

    fn table() -> &'static Table<FutexKey> {
        &NO_SPIN
    }

    #[inline]
    fn abi() -> FutexAbi<'static> {
        static HASHER: Seeded = Seeded::new();
        FutexAbi::over(&NO_SPIN, &HASHER)
    }
}

static NO_SPIN_SLOTS: CoreSlots<FutexKey> = CoreSlots::new();
static NO_SPIN: Table<FutexKey> = Table::over(&NO_SPIN_SLOTS).with_spin(Spin::Never);

/// Locks and unlocks every slot. Memory of the program that was never written is one page of zeros
/// again and again, which is slower to read; a table in use has been written.
fn write_slots(table: &Table<FutexKey>) {
    let nobody = FutexKey::new(0, 0);
    for slot in 0..table.slot_count() as u64 {
        let woken = table.unpark_with(slot, &nobody, 1, |_| Filter::Unpark, |_| 0);
        debug_assert_eq!(woken, 0, "the table is new");
    }
}

/// The ABI on one of these.
#[derive(Debug)]
pub(crate) struct FutexNumbers<T>(PhantomData<T>);

impl<T: On> Engine for FutexNumbers<T> {
    const NAME: &'static str = T::NAME;

    fn new(slots: Slots) -> Option<Self> {
        write_slots(T::table());
        (slots == Slots::Default).then_some(Self(PhantomData))
    }

    #[inline]
    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        let word = at.word.atomic().as_ptr();
        let Some(deadline) = deadline else {
            // SAFETY: the word lives, and there is no timeout.
            let result = unsafe { T::abi().futex(word, WAIT, expected, 0, null_mut(), 0) };
            return outcome(result);
        };
        let time = timespec(&deadline.monotonic);
        let (time, all) = (from_ref(&time).expose_provenance(), u32::MAX);
        // SAFETY: the word lives, and so does the time.
        outcome(unsafe { T::abi().futex(word, WAIT_BITSET, expected, time, null_mut(), all) })
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) -> usize {
        wake::<T>(at, 1)
    }

    #[inline]
    fn wake_all(&self, at: Place<'_>) -> usize {
        wake::<T>(at, ALL)
    }
}

impl<T: On> FutexEngine for FutexNumbers<T> {
    type Entries = [FutexWaitv; WORDS];

    #[inline]
    fn wait_for(&self, word: &Word, expected: u32, timeout: &Timespec) -> Outcome {
        let time = timespec(timeout);
        let (word, time) = (word.atomic().as_ptr(), from_ref(&time).expose_provenance());
        // SAFETY: the word lives, and so does the time.
        outcome(unsafe { T::abi().futex(word, WAIT, expected, time, null_mut(), 0) })
    }

    #[inline]
    fn cmp_requeue(&self, words: [&Word; 2], expected: u32) -> Option<usize> {
        let [from, to] = words.map(|word| word.atomic().as_ptr());
        // SAFETY: the contract of `futex`: both words live.
        let result = unsafe { T::abi().futex(from, CMP_REQUEUE, 1, ALL as usize, to, expected) };
        usize::try_from(result).ok()
    }

    #[inline]
    fn wake_op(&self, words: [&Word; 2]) -> Option<usize> {
        let [first, second] = words.map(|word| word.atomic().as_ptr());
        // SAFETY: both words live, and others access them atomically.
        let result = unsafe { T::abi().futex(first, WAKE_OP, 1, 1, second, SET_0_WAS_GREATER_1) };
        usize::try_from(result).ok()
    }

    fn entries(vector: Vector<'_>) -> Self::Entries {
        vector.map(|(word, expected)| FutexWaitv::new(word.atomic().as_ptr(), expected))
    }

    #[inline]
    fn waitv(&self, entries: &Self::Entries) -> Outcome {
        let (entries, count) = (entries.as_ptr(), WORDS as u32);
        // SAFETY: the contract of `waitv`: so many entries are there, whose words live, and there
        // is no timeout.
        outcome(unsafe { T::abi().waitv(entries, count, 0, null(), MONOTONIC) })
    }
}

#[inline]
fn wake<T: On>(at: Place<'_>, count: u32) -> usize {
    // SAFETY: a wake reads nothing.
    let woken = unsafe { T::abi().futex(at.word.atomic().as_ptr(), WAKE, count, 0, null_mut(), 0) };
    usize::try_from(woken).unwrap_or(0)
}

#[inline]
fn timespec(time: &Timespec) -> FutexTimespec {
    FutexTimespec {
        seconds: time.tv_sec,
        nanoseconds: time.tv_nsec,
    }
}

/// How a wait ended, from its number.
#[inline]
fn outcome(result: isize) -> Outcome {
    match -result {
        EAGAIN => Outcome::Stale,
        ETIMEDOUT => Outcome::TimedOut,
        _ => Outcome::Woken,
    }
}
