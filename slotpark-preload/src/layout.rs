//! The memory that the programs under `slotpark run` share with it.
//!
//! A header of two pages, then one page per process, then one page for the processes beyond the
//! last row. The program `slotpark` creates it as zeros and writes the header's first word;
//! everything else is written by the preloaded library of each process and read by `slotpark` in
//! the end. All words are 64 bits in native byte order. This file is compiled into both.

use core::ffi::CStr;

/// The environment variable that carries the path of the shared memory.
pub(crate) const ENVIRONMENT: &CStr = c"SLOTPARK_RUN_REPORT";

/// The environment variable that asks every process for a socket, through which it can be looked
/// at.
pub(crate) const INSPECT: &CStr = c"SLOTPARK_RUN_INSPECT";

/// The first word of the header. Changed with every change of the layout, so that a library of
/// another version reports nothing rather than nonsense.
pub(crate) const MAGIC: u64 = u64::from_be_bytes(*b"slotpk02");

/// Bytes of one row, and of one page of the header.
pub(crate) const ROW_BYTES: usize = 4096;

/// Rows of single processes.
pub(crate) const ROWS: usize = 1024;

/// Where the list of process ids begins, 4 bytes for each row; 0 is a free row.
pub(crate) const IDS_AT: usize = ROW_BYTES;

/// Where the rows begin. One more row than [`ROWS`]: the last is shared by all processes that find
/// no free one.
pub(crate) const ROWS_AT: usize = 2 * ROW_BYTES;

/// Bytes in all.
pub(crate) const BYTES: usize = ROWS_AT + (ROWS + 1) * ROW_BYTES;

/// Counters at the start of a row.
pub(crate) const COUNTERS: usize = 64;

/// Words of the bitmap from which the number of distinct keys is estimated.
pub(crate) const KEY_WORDS: usize = 128;

/// Slots of a process's table.
pub(crate) const SLOTS: usize = 512;

/// Bytes of the program's name in a row, padded with zeros.
pub(crate) const NAME_BYTES: usize = 32;

/// How many of the longest waits a row keeps.
pub(crate) const LONGEST: usize = 4;

/// The counters of a row, as indices of words.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(crate) enum Counter {
    /// Processes that count here: 1, or more in the last row.
    Processes,
    /// The parent's process id.
    Parent,
    /// Waits, whatever became of them, but those that were refused.
    Waits,
    /// Waits that returned at once since the word held another value.
    Stale,
    /// Waits that timed out.
    Timeouts,
    /// Nanoseconds waited, by waits that ended.
    WaitNs,
    /// Threads waiting now.
    Waiting,
    /// The most threads that ever waited at once.
    WaitingMost,
    /// Wakes.
    Wakes,
    /// Wakes for which the kernel was not asked to wake anybody.
    WakesQuiet,
    /// Waiters woken, by wakes and requeues.
    Woken,
    /// Requeues.
    Requeues,
    /// Waiters moved to another key.
    Moved,
    /// Waits that found waiters of other keys in their slot, and none of their own.
    Collisions,
    /// Futex calls left to the kernel.
    Kernel,
    /// Waits that a signal ended.
    Interrupted,
    /// Calls refused as the kernel refuses them: bad arguments.
    Refused,
    /// Calls that neither the kernel nor we can answer: waits on private and shared words at once.
    Unanswered,
    /// The first of the longest waits, in nanoseconds and in no order.
    Longest,
    /// The first word of the name.
    Name = Counter::Longest as usize + LONGEST,
}

/// Where the key bitmap begins in a row.
pub(crate) const KEYS_AT: usize = COUNTERS * 8;

/// Where the parks per slot begin in a row, 4 bytes each.
pub(crate) const PARKS_AT: usize = KEYS_AT + KEY_WORDS * 8;

const _: () = assert!(Counter::Name as usize + NAME_BYTES / 8 <= COUNTERS);
const _: () = assert!(PARKS_AT + SLOTS * 4 <= ROW_BYTES);
const _: () = assert!(IDS_AT + ROWS * 4 <= ROWS_AT);
