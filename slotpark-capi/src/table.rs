//! Tables: made, destroyed, closed, asked.

use core::ffi::{c_int, c_long, c_void};
use core::{fmt, ptr};

use slotpark_core::{
    FutexAbi, FutexKey, FutexShared, FutexSpace, NativeMemory, Seeded, Table, process_table,
};

use crate::calls::{Calls, Inside};
use crate::handle::{EBUSY, EINVAL, ENOMEM, count, try_box};
use crate::types::{SLOT_SHARED_AS_PRIVATE, SlotTableStats};

/// Where threads wait on the addresses of words: a fixed array of slots. Waits and wakes meet by
/// table and address; two tables never meet.
pub struct SlotTable {
    /// None for the process-wide one.
    own: Option<Own>,
}

/// What the process-wide table has for ever.
struct Own {
    calls: Calls,
    table: Table<FutexKey>,
    hasher: Seeded,
    shared: FutexShared,
}

impl fmt::Debug for SlotTable {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotTable")
            .field("is_process_wide", &self.own.is_none())
            .finish_non_exhaustive()
    }
}

static PROCESS: SlotTable = SlotTable { own: None };

/// A call that is inside a table (C2).
pub(crate) struct Call<'t> {
    pub(crate) table: &'t Table<FutexKey>,
    pub(crate) abi: FutexAbi<'t>,
    inside: Option<Inside<'t>>,
}

impl<'t> Call<'t> {
    /// A call on the word at this address begins; `None` for a null handle.
    ///
    /// # Safety
    /// C1.
    #[inline]
    pub(crate) unsafe fn enter<W>(table: *const SlotTable, uaddr: *const W) -> Option<Self> {
        // SAFETY: C1: null, or a table that lives.
        let table = unsafe { table.as_ref() }?;
        let Some(own) = &table.own else {
            return Some(Self {
                table: process_table(),
                abi: FutexAbi::process(),
                inside: None,
            });
        };
        Some(Self {
            inside: Some(own.calls.enter(uaddr.addr() as u64)),
            table: &own.table,
            abi: FutexAbi::over(&own.table, &own.hasher).with_shared(own.shared),
        })
    }

    /// The typed operations.
    ///
    /// # Safety
    /// The words whose addresses are used are readable for the whole call, where a wait or a
    /// comparison reads them.
    pub(crate) unsafe fn words(&self) -> FutexSpace<'t, NativeMemory> {
        // SAFETY: the caller's contract; addresses are exposed by `address`.
        unsafe { self.abi.words() }
    }
}

/// The address of a word, for an operation on it.
pub(crate) fn address<W>(uaddr: *const W) -> u64 {
    uaddr.expose_provenance() as u64
}

/// Makes a table of at least `slots` slots of 64 bytes, a power of two up to 2^24; 512 serve
/// thousands of threads. It allocates the slots and a handle, and nothing is allocated later.
/// `flags` is 0 or `SLOT_SHARED_AS_PRIVATE`.
///
/// Returns 0 and the table in `*table`, or -EINVAL or -ENOMEM and NULL.
///
/// # Safety
/// `table` is NULL (which is -EINVAL) or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_table_create(
    table: *mut *mut SlotTable,
    slots: usize,
    flags: u32,
) -> c_int {
    if table.is_null() {
        return -EINVAL;
    }
    let made = if flags & !SLOT_SHARED_AS_PRIVATE == 0 {
        make(slots, flags)
    } else {
        Err(EINVAL)
    };
    // SAFETY: the caller's contract: it is not null, and so writable.
    unsafe { table.write(made.unwrap_or(ptr::null_mut())) };
    made.map_or_else(|errno| -errno, |_| 0)
}

fn make(slots: usize, flags: u32) -> Result<*mut SlotTable, c_int> {
    let table = Table::try_with_slots(slots).map_err(|error| {
        if error.is_out_of_memory() {
            ENOMEM
        } else {
            EINVAL
        }
    })?;
    let shared = if flags & SLOT_SHARED_AS_PRIVATE == 0 {
        FutexShared::Refused
    } else {
        FutexShared::AsPrivate
    };
    let own = Own {
        calls: Calls::default(),
        table,
        hasher: Seeded::new(),
        shared,
    };
    try_box(SlotTable { own: Some(own) }).ok_or(ENOMEM)
}

/// The process-wide table: 512 slots that are part of the library, and live as long as the process.
/// `slot_futex` and its kin are on it, and so is what else in the process uses slotpark's.
///
/// It can be neither destroyed nor closed.
#[unsafe(no_mangle)]
pub extern "C" fn slot_table_process() -> *mut SlotTable {
    // Nothing writes there: `own` is None.
    (&raw const PROCESS).cast_mut()
}

/// Destroys a table. Only after every call on it has returned: that a waiter runs again is not
/// enough, for the call that has woken it may still be inside. So: join the threads.
///
/// Returns 0; or -EBUSY, and nothing is destroyed, if a call is inside; -EINVAL for NULL and for
/// the process-wide table. To end the waits of a table before, `slot_close` it.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed, and no call on it begins any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_table_destroy(table: *mut SlotTable) -> c_int {
    // SAFETY: C1: null, or a table that lives.
    match unsafe { table.as_ref() } {
        Some(SlotTable { own: Some(own) }) if own.calls.is_empty() => {}
        Some(SlotTable { own: Some(_) }) => return -EBUSY,
        _ => return -EINVAL,
    }
    // SAFETY: `create` made it of a box's layout; by C2 nobody is inside, nor comes by the caller's
    // contract.
    drop(unsafe { Box::from_raw(table) });
    0
}

/// Closes a table: ends all waits with -ECANCELED, now and for ever. No wait that has begun or will
/// begin sleeps after this. By `slot_futex_on` they end with -EAGAIN, which every program knows.
///
/// Returns how many waits it has ended, which is 0 the next time; -EINVAL for NULL and for the
/// process-wide table.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_close(table: *mut SlotTable) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    match unsafe { Call::enter(table, ptr::null::<u8>()) } {
        Some(call) if call.inside.is_some() => count(Ok(call.table.close())),
        _ => (-EINVAL).into(),
    }
}

/// Ends the waits on all words from `start` up to, but without, `end` with -ECANCELED: of memory
/// that goes. Returns how many, or -EINVAL for a NULL table.
///
/// First change the words, or see to it that nobody begins to wait there; then call: of the waits
/// that race it each is ended, or finds its word changed. Then free the memory. Later waits are not
/// refused, for the memory may come back. Costs a lock for each slot, whoever waits.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed. Nothing is read between `start` and `end`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_drop_range(
    table: *mut SlotTable,
    start: *const c_void,
    end: *const c_void,
) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, start) }) else {
        return (-EINVAL).into();
    };
    let range = start.addr() as u64..end.addr() as u64;
    let is_gone = |key: &FutexKey| key.word().is_some_and(|address| range.contains(&address));
    count(Ok(call.table.close_where(is_gone)))
}

/// Fills in `*stats`, as far as `stats->size` says that it reaches: the caller sets that to
/// `sizeof(slot_table_stats)` first. Afterwards it says how far it is filled in.
///
/// Returns 0; -EINVAL for NULL, or for a size that has no room for one count.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed; `stats` is NULL or as large as it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_stats(table: *const SlotTable, stats: *mut SlotTableStats) -> c_int {
    // SAFETY: the caller's contract, which is C1.
    let call = unsafe { Call::enter(table, ptr::null::<u8>()) };
    let (Some(call), false) = (call, stats.is_null()) else {
        return -EINVAL;
    };
    // SAFETY: the caller's contract: it has at least its first field.
    let size = unsafe { stats.cast::<u64>().read() };
    // A caller of a later version has more, one of an earlier less; both have whole fields.
    let size = usize::try_from(size)
        .unwrap_or(0)
        .min(size_of::<SlotTableStats>())
        & !7;
    if size < 2 * size_of::<u64>() {
        return -EINVAL;
    }
    let filled = SlotTableStats {
        size: size as u64,
        ..sums(call.table)
    };
    // SAFETY: the caller's contract: the struct is at least that large; `filled` is no part of it.
    unsafe { ptr::copy_nonoverlapping((&raw const filled).cast::<u8>(), stats.cast(), size) };
    0
}

fn sums(table: &Table<FutexKey>) -> SlotTableStats {
    let mut sums = SlotTableStats {
        slots: table.slot_count() as u64,
        memory_bytes: table.memory_bytes() as u64,
        is_closed: table.is_closed().into(),
        ..SlotTableStats::default()
    };
    for slot in (0..table.slot_count()).map(|index| table.slot_stats(index)) {
        sums.parks += u64::from(slot.parks);
        sums.wakes += u64::from(slot.wakes);
        sums.timeouts += u64::from(slot.timeouts);
        sums.cancels += u64::from(slot.cancels);
        sums.requeues += u64::from(slot.requeues);
        sums.collisions += u64::from(slot.collisions);
    }
    sums
}

/// Empties a table in the child of a fork, before it uses it otherwise: who waits there are threads
/// of the parent, which notices nothing. For each table that the child uses, also the process-wide
/// one. Fit for the child's handler of `pthread_atfork`.
///
/// A closed table stays closed. An interrupter that a wait of the parent uses stays in use; make
/// new ones. Returns 0, or -EINVAL for NULL.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed. The caller is the only thread of its process,
/// and in no call on the table: it has not forked from a signal handler that interrupted one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_reset_after_fork(table: *mut SlotTable) -> c_int {
    if table.is_null() {
        return -EINVAL;
    }
    // SAFETY: C1: a table that lives. The process-wide one is only read.
    let is_own = unsafe { (*table).own.is_some() };
    // SAFETY: C1, as above; no other thread is there, and this one is in no call.
    let own = is_own
        .then(|| unsafe { &mut *table })
        .and_then(|table| table.own.as_mut());
    let slots = match own {
        None => process_table(),
        Some(own) => {
            // The parent's calls are inside for ever.
            own.calls = Calls::default();
            &own.table
        }
    };
    // SAFETY: the caller's contract: this thread is alone, and in no call on the table.
    unsafe { slots.reset_after_fork() };
    0
}
