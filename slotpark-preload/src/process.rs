//! The process as a whole: its row in the shared memory.
//!
//! Everything here happens in a constructor or in the once of a child, which orders it before what
//! other threads do, so nothing is published by these accesses: all are relaxed. A futex call
//! before the constructor counts in a row of nobody's; so does every call where the shared memory
//! cannot be had, for instance since a program cleared the environment of the next.

use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed};

use libc::c_long;

use crate::abi::raw_syscall;
use crate::addresses;
use crate::fork;
use crate::inspect;
use crate::layout::{self, Counter, NAME_BYTES};
use crate::row::Row;

/// Where calls count that nobody asked to count.
static SPARE: Row = Row::new();

/// The row of this process.
static ROW: AtomicPtr<Row> = AtomicPtr::new((&raw const SPARE).cast_mut());

/// The shared memory, or null.
static SHARED: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Runs when the library is loaded.
#[cfg(not(test))]
#[used]
// SAFETY: .init_array is a list of functions of this type, called once each.
#[unsafe(link_section = ".init_array")]
static LOADED: extern "C" fn() = loaded;

#[cfg_attr(test, expect(dead_code, reason = "the test program is not preloaded"))]
extern "C" fn loaded() {
    if let Some(shared) = map() {
        SHARED.store(shared, Relaxed);
        claim_row(shared);
    }
    fork::watch();
    // Now: later the program may have forbidden itself what that takes.
    addresses::ask();
    inspect::start();
}

/// The row of this process.
pub(crate) fn row() -> &'static Row {
    // SAFETY: `ROW` is the address of `SPARE` or of a row in the mapping, which is never unmapped.
    unsafe { &*ROW.load(Relaxed) }
}

/// Takes a new row: this process is a child.
pub(crate) fn begin_anew() {
    let shared = SHARED.load(Relaxed);
    if !shared.is_null() {
        claim_row(shared);
    }
}

/// Maps the shared memory that the environment names.
fn map() -> Option<*mut u8> {
    // SAFETY: the name ends in 0; nothing changes the environment while libraries are loaded.
    let path = unsafe { libc::getenv(layout::ENVIRONMENT.as_ptr()) };
    if path.is_null() {
        return None;
    }
    // Neither a terminal nor a pipe may be affected if the path is no longer what it was.
    let flags = libc::O_RDWR | libc::O_CLOEXEC | libc::O_NONBLOCK | libc::O_NOCTTY;
    let path = path.expose_provenance() as c_long;
    // SAFETY: `path` is a string of the environment, which ends in 0.
    let file = unsafe {
        call(
            libc::SYS_openat,
            [libc::AT_FDCWD.into(), path, flags.into(), 0],
        )
    };
    if file < 0 {
        return None;
    }
    let shared = map_file(file);
    // SAFETY: this descriptor was opened above and nobody else knows it.
    unsafe { call(libc::SYS_close, [file, 0, 0, 0]) };
    shared
}

/// Maps an open file, if it is shared memory of this layout.
fn map_file(file: c_long) -> Option<*mut u8> {
    // SAFETY: seeking touches no memory.
    let bytes = unsafe { call(libc::SYS_lseek, [file, 0, libc::SEEK_END.into(), 0]) };
    if bytes != layout::BYTES as c_long {
        return None;
    }
    let protection = c_long::from(libc::PROT_READ | libc::PROT_WRITE);
    let arguments = [0, bytes, protection, libc::MAP_SHARED.into(), file, 0];
    // SAFETY: a new mapping at an address that the kernel chooses.
    let address = unsafe { raw_syscall(libc::SYS_mmap, arguments) };
    if (-4095..0).contains(&address) {
        return None;
    }
    let shared = ptr::with_exposed_provenance_mut::<u8>(address as usize);
    // SAFETY: the mapping is larger than a word, aligned to pages, and this word is written only
    // before the file has a name that others know.
    let magic = unsafe { shared.cast::<u64>().read() };
    if magic == layout::MAGIC {
        return Some(shared);
    }
    // SAFETY: the mapping was made above, and nobody else knows it.
    unsafe { call(libc::SYS_munmap, [address, bytes, 0, 0]) };
    None
}

/// Takes the row of this process id (kept across exec), else a free one, else the last. A process
/// id that the system uses again within one run gets the row of its predecessor.
fn claim_row(shared: *mut u8) {
    // SAFETY: asking for one's own process id touches no memory.
    let id = unsafe { call(libc::SYS_getpid, [0; 4]) } as u32;
    // SAFETY: asking for the id of one's parent touches no memory.
    let parent = unsafe { call(libc::SYS_getppid, [0; 4]) } as u64;
    // SAFETY: the list lies within the mapping, and all its users access it atomically.
    let ids = unsafe { shared.add(layout::IDS_AT) }.cast::<[AtomicU32; layout::ROWS]>();
    // SAFETY: see above; the mapping is never unmapped.
    let ids = unsafe { &*ids };
    let mine = |slot: &AtomicU32| {
        slot.load(Relaxed) == id || slot.compare_exchange(0, id, Relaxed, Relaxed).is_ok()
    };
    let index = ids.iter().position(mine);
    let offset = layout::ROWS_AT + index.unwrap_or(layout::ROWS) * layout::ROW_BYTES;
    // SAFETY: the row lies within the mapping.
    let row = unsafe { shared.add(offset) }.cast::<Row>();
    ROW.store(row, Relaxed);
    let row = self::row();
    if index.is_none() || row.is_new() {
        row.add(Counter::Processes, 1);
    }
    row.begin(parent, executable());
}

/// The last part of the path of this process's program, cut to fit.
fn executable() -> [u8; NAME_BYTES] {
    let mut path = [0_u8; 1024];
    let arguments = [
        libc::AT_FDCWD.into(),
        c"/proc/self/exe".as_ptr().expose_provenance() as c_long,
        path.as_mut_ptr().expose_provenance() as c_long,
        path.len() as c_long,
    ];
    // SAFETY: the path ends in 0, and the kernel writes at most `path.len()` bytes to the buffer.
    let bytes = unsafe { call(libc::SYS_readlinkat, arguments) };
    let path = &path[..usize::try_from(bytes).unwrap_or(0)];
    let file = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let mut name = [0; NAME_BYTES];
    for (to, from) in name.iter_mut().zip(file) {
        *to = *from;
    }
    name
}

/// A system call with up to four arguments.
///
/// # Safety
/// The pointers among the arguments are valid for what the call does with them.
pub(crate) unsafe fn call(number: c_long, arguments: [c_long; 4]) -> c_long {
    let [a, b, c, d] = arguments;
    // SAFETY: the caller's contract.
    unsafe { raw_syscall(number, [a, b, c, d, 0, 0]) }
}
