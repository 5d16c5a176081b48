//! Children of forks, however they were made: by libc's `fork`, by `_Fork`, by a system call that
//! may not have come through here. All who waited in the table stayed behind: a child empties it.
//!
//! A once lies in a page of which the kernel gives every child with memory of its own an empty one:
//! there it is new. Whoever makes the first futex call in a process runs it, and whoever else comes
//! meanwhile waits for that. A child that has its parent's memory has its table too, and the page
//! as it is.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use libc::c_long;
use slotpark_core::RawOnce;

use crate::abi::raw_syscall;
use crate::futex::TABLE;
use crate::inspect;
use crate::platform::SignalsBlocked;
use crate::process::{self, call};

/// The once of this process; null before the library is loaded, and where there is no such page.
/// Written while the process has one thread.
static ONCE: AtomicPtr<RawOnce> = AtomicPtr::new(ptr::null_mut());

/// Large enough for one byte; the kernel makes it a whole page.
const PAGE_BYTES: c_long = 1;

/// Makes the page, when the library is loaded.
pub(crate) fn watch() {
    if let Some(page) = empty_page() {
        // SAFETY: the page is writable, and nobody else knows it.
        unsafe { page.write(RawOnce::new()) };
        ONCE.store(page, Relaxed);
        // This process is no child, or has just replaced its program.
        run_once(|| {});
    }
    // SAFETY: the handler is a function that lives as long as this library, which is not unloaded.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
}

/// Before anything is done with the table.
#[inline]
pub(crate) fn enter() {
    if once().is_some_and(|once| !once.is_completed()) {
        run_once(begin_anew);
    }
}

/// In the child of libc's `fork`, whose one thread this is: at once, so that it has a row even if
/// it makes no call. Without the page this is all there is.
extern "C" fn forked() {
    if once().is_some() {
        enter();
    } else {
        begin_anew();
    }
}

#[inline]
fn once() -> Option<&'static RawOnce> {
    // SAFETY: null, or the once in its page, which is never unmapped. What the kernel leaves of it
    // in a child is zeros, and that is a new one.
    unsafe { ONCE.load(Relaxed).as_ref() }
}

#[cold]
fn run_once(run: fn()) {
    // A handler that made a call in the middle of this would wait for its own thread.
    let _blocked = SignalsBlocked::new();
    if let Some(once) = once() {
        once.call_at(once.place(), true, |_| run());
    }
}

fn begin_anew() {
    let _blocked = SignalsBlocked::new();
    // SAFETY: this is the child of a fork, and none of its threads is in a call to the table: each
    // begins by `enter`, and waits there until this is done. The thread that forked was in no call
    // either: critical parts run with signals blocked, so no handler that forks can run there.
    unsafe { TABLE.reset_after_fork() };
    process::begin_anew();
    inspect::forget();
}

/// A page that children find empty.
fn empty_page() -> Option<*mut RawOnce> {
    let protection = c_long::from(libc::PROT_READ | libc::PROT_WRITE);
    let flags = c_long::from(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let arguments = [0, PAGE_BYTES, protection, flags, -1, 0];
    // SAFETY: a new mapping at an address that the kernel chooses.
    let address = unsafe { raw_syscall(libc::SYS_mmap, arguments) };
    if (-4095..0).contains(&address) {
        return None;
    }
    let advice = [address, PAGE_BYTES, libc::MADV_WIPEONFORK.into(), 0];
    // SAFETY: the mapping was made above, and nobody else knows it.
    if unsafe { call(libc::SYS_madvise, advice) } == 0 {
        return Some(ptr::with_exposed_provenance_mut(address as usize));
    }
    // SAFETY: the mapping was made above, and nobody was told of it.
    unsafe { call(libc::SYS_munmap, [address, PAGE_BYTES, 0, 0]) };
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_a_new_once() {
        // SAFETY: a once is one atomic byte.
        let once: RawOnce = unsafe { core::mem::zeroed() };
        assert!(!once.is_completed());
        let mut runs = 0;
        for _ in 0..2 {
            once.call_at(once.place(), false, |_| runs += 1);
        }
        assert!(once.is_completed() && runs == 1);
    }

    /// A bare system call, past everything that could tell of it.
    #[test]
    fn a_child_finds_the_page_empty() {
        let page = empty_page().expect("a page");
        // SAFETY: the page is writable.
        unsafe { page.cast::<u8>().write(7) };
        let flags = c_long::from(libc::SIGCHLD);
        // SAFETY: the child reads a byte and ends.
        let child = unsafe { call(libc::SYS_clone, [flags, 0, 0, 0]) };
        // SAFETY: the page is there in both.
        let byte = unsafe { page.cast::<u8>().read() };
        if child == 0 {
            // SAFETY: ends the child; nothing else is touched.
            unsafe { call(libc::SYS_exit_group, [byte.into(), 0, 0, 0]) };
        }
        let mut status = 0;
        // SAFETY: the call writes to `status` alone, which is live.
        assert!(unsafe { libc::waitpid(child as i32, &raw mut status, 0) } > 0);
        assert_eq!((status, byte), (0, 7));
    }
}
