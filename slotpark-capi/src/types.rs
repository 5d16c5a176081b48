//! What C programs see beside handles and functions.

use slotpark_core::{FutexTimespec, FutexWaitv};

/// The version of this header: 0x00MMmmpp for MM.mm.pp. See `slot_version`.
pub const SLOT_VERSION: u32 = 0x0000_0100;

/// All waiters: as a count of `slot_wake`, `slot_requeue` and their kin.
pub const SLOT_ALL: u32 = u32::MAX;

/// For `slot_table_create`: `slot_futex_on` answers calls without `FUTEX_PRIVATE_FLAG` like private
/// ones. Right if no other process maps the words.
pub const SLOT_SHARED_AS_PRIVATE: u32 = 1;

/// The wall clock, which may be set: Linux's `CLOCK_REALTIME`.
pub const SLOT_CLOCK_REALTIME: i32 = 0;
/// The clock that is never set: Linux's `CLOCK_MONOTONIC`.
pub const SLOT_CLOCK_MONOTONIC: i32 = 1;

/// In the flags of a `slot_waitv_entry`: a word of 8 bits. Only for `slot_waitv`.
pub const SLOT_SIZE_U8: u32 = 0;
/// In the flags of a `slot_waitv_entry`: a word of 16 bits. Only for `slot_waitv`.
pub const SLOT_SIZE_U16: u32 = 1;
/// In the flags of a `slot_waitv_entry`: a word of 32 bits, `FUTEX2_SIZE_U32`.
pub const SLOT_SIZE_U32: u32 = 2;
/// In the flags of a `slot_waitv_entry`: a word of 64 bits. Only for `slot_waitv`.
pub const SLOT_SIZE_U64: u32 = 3;
/// In flags of entries and futex2 calls: a word of this process, `FUTEX2_PRIVATE`.
pub const SLOT_PRIVATE: u32 = 128;

/// A time: `struct timespec` of systems whose `long` and `time_t` have 64 bits, and everywhere
/// `struct __kernel_timespec`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct SlotTimespec {
    /// Seconds; below 0 is -EINVAL.
    pub tv_sec: i64,
    /// Nanoseconds; below 0 or above 999,999,999 is -EINVAL.
    pub tv_nsec: i64,
}

/// A word to wait on, one of several: the kernel's `struct futex_waitv`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct SlotWaitvEntry {
    /// What the word is expected to hold.
    pub val: u64,
    /// The address of the word.
    pub uaddr: u64,
    /// A size and `SLOT_PRIVATE`.
    pub flags: u32,
    /// 0, or it is -EINVAL.
    pub reserved: u32,
}

/// What happened in a table since it was made. Later versions of the library append fields:
/// `slot_stats` fills in only those that the caller's struct has.
///
/// The counts are sums over the slots, each of which counts up to 2^32 and begins again; they may
/// be of slightly different moments.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct SlotTableStats {
    /// Set it to `sizeof(slot_table_stats)` before the call. Afterwards: how many bytes are filled
    /// in.
    pub size: u64,
    /// The number of slots.
    pub slots: u64,
    /// The bytes of the slots.
    pub memory_bytes: u64,
    /// 1 if the table is closed, else 0.
    pub is_closed: u64,
    /// Waiters linked.
    pub parks: u64,
    /// Waiters woken.
    pub wakes: u64,
    /// Waiters that left because their time was over.
    pub timeouts: u64,
    /// Waiters that left for another reason.
    pub cancels: u64,
    /// Waiters moved to another word.
    pub requeues: u64,
    /// Waiters linked while only waiters of other words were in the slot.
    pub collisions: u64,
}

const _: () = assert!(size_of::<SlotTimespec>() == size_of::<FutexTimespec>());
const _: () = assert!(align_of::<SlotTimespec>() == align_of::<FutexTimespec>());
const _: () = assert!(size_of::<SlotWaitvEntry>() == size_of::<FutexWaitv>());
const _: () = assert!(align_of::<SlotWaitvEntry>() == align_of::<FutexWaitv>());

/// The version of the library, as `SLOT_VERSION` is the header's. Libraries of one major version
/// (before 1.0.0, of one minor version) are compatible.
#[unsafe(no_mangle)]
pub extern "C" fn slot_version() -> u32 {
    SLOT_VERSION
}

#[cfg(test)]
mod tests {
    use core::mem::offset_of;

    use slotpark_core::{FutexTimespec, FutexWaitv};

    use super::{SLOT_VERSION, SlotTimespec, SlotWaitvEntry};

    #[test]
    fn the_version_is_the_crates() {
        let [_, major, minor, patch] = SLOT_VERSION.to_be_bytes();
        let version = format!("{major}.{minor}.{patch}");
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn structs_are_laid_out_as_the_kernels() {
        assert_eq!(
            offset_of!(SlotTimespec, tv_nsec),
            offset_of!(FutexTimespec, nanoseconds)
        );
        let mine = [
            offset_of!(SlotWaitvEntry, val),
            offset_of!(SlotWaitvEntry, uaddr),
            offset_of!(SlotWaitvEntry, flags),
            offset_of!(SlotWaitvEntry, reserved),
        ];
        let cores = [
            offset_of!(FutexWaitv, val),
            offset_of!(FutexWaitv, uaddr),
            offset_of!(FutexWaitv, flags),
            offset_of!(FutexWaitv, reserved),
        ];
        assert_eq!(mine, cores);
    }
}
