//! Where the addresses of programs end, and the kernel's begin.
//!
//! The kernel refuses a futex call at an address of its own half with EFAULT, also where it would
//! read nothing. Where that half begins depends on the processor, on its page tables and on the
//! kernel's version, so the kernel is asked, once.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use libc::c_long;

use crate::abi::raw_syscall;

/// The first address that the kernel refuses; 0 as long as it has not been asked.
static END: AtomicUsize = AtomicUsize::new(0);

/// Whether the kernel refuses this address.
pub(crate) fn is_kernels(address: c_long) -> bool {
    // Every thread that asks the kernel is told the same, and nothing else is published.
    let end = match END.load(Relaxed) {
        0 => ask(),
        end => end,
    };
    address as usize >= end
}

/// Asks the kernel, and remembers what it says.
#[cold]
pub(crate) fn ask() -> usize {
    // In words. NULL is taken, and the last address is the kernel's everywhere.
    let (mut taken, mut end) = (0, usize::MAX / WORD_BYTES);
    while end - taken > 1 {
        let middle = taken + (end - taken) / 2;
        if is_refused(middle * WORD_BYTES) {
            end = middle;
        } else {
            taken = middle;
        }
    }
    let end = end * WORD_BYTES;
    END.store(end, Relaxed);
    end
}

const WORD_BYTES: usize = size_of::<u32>();

/// Asks the kernel by a requeue of nobody, which has no effect wherever it is.
fn is_refused(address: usize) -> bool {
    let operation = libc::FUTEX_REQUEUE | libc::FUTEX_PRIVATE_FLAG;
    let address = address as c_long;
    let arguments = [address, operation.into(), 0, 0, address, 0];
    // SAFETY: a requeue reads no word, and one of 0 wakes and moves nobody.
    let result = unsafe { raw_syscall(libc::SYS_futex, arguments) };
    result == -c_long::from(libc::EFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_where_the_kernel_has_it() {
        let end = ask();
        assert!(is_refused(end) && !is_refused(end - WORD_BYTES), "{end:#x}");
        let here = (&raw const END).expose_provenance();
        assert!(!is_kernels(here as c_long) && !is_kernels(0));
        for address in [end as c_long, c_long::MIN, -4, -1] {
            assert!(is_kernels(address), "{address:#x}");
        }
    }
}
