//! The waits of threads of a guest.

use std::time::Duration;

use slotpark_core::{Deadline, Interrupter, Platform};

use crate::{DomainError, DomainOutcome, WaitDomain, WaitOutcome};

/// What a wait tells its guest.
pub(super) type Told<E> = Result<DomainOutcome, DomainError<E>>;

/// A wait as its guest asked for it.
#[derive(Clone, Copy)]
struct Asked<'i, P: Platform> {
    address: u64,
    bytes: u64,
    timeout_ns: i64,
    interrupter: Option<&'i Interrupter<P>>,
}

impl<P: Platform> WaitDomain<'_, P> {
    /// Waits at `address` while the word there is `expected`, until a notify or for `timeout_ns`
    /// nanoseconds. A negative timeout is for ever, and so is one beyond the clock (about 292
    /// years). With timeout 0 it compares, and sleeps never. A wait that a notify has counted never
    /// times out.
    ///
    /// `load` reads the word, by one atomic access, relaxed if you like. **It runs** at most twice:
    /// outside, and under the lock of a slot. There it must not call a table, nor block; if it
    /// cannot read the word it returns an error, and the wait ends with that.
    ///
    /// # Errors
    /// [`DomainError`].
    ///
    /// # Panics
    /// Passes a panic of `load` on. In debug builds, if called from a closure that runs under a
    /// slot lock.
    ///
    /// `memory.atomic.wait32` of WebAssembly's threads is this.
    ///
    /// ```
    /// use slotpark::{DomainError, DomainOutcome, WaitDomain};
    /// let domain = WaitDomain::new();
    /// let load = || Ok::<_, &str>(7);
    /// assert_eq!(domain.wait32(8, 6, -1, load), Ok(DomainOutcome::NotEqual));
    /// assert_eq!(domain.wait32(8, 7, 1_000, load), Ok(DomainOutcome::TimedOut));
    /// assert_eq!(domain.wait32(9, 7, -1, load), Err(DomainError::Misaligned));
    /// ```
    #[track_caller]
    pub fn wait32<E>(
        &self,
        address: u64,
        expected: u32,
        timeout_ns: i64,
        mut load: impl FnMut() -> Result<u32, E>,
    ) -> Result<DomainOutcome, DomainError<E>> {
        let asked = Asked::new(address, size_of::<u32>(), timeout_ns, None);
        self.wait(asked, || Ok(load()? == expected))
    }

    /// As [`wait32`](Self::wait32), on a word of 64 bits: `memory.atomic.wait64`. It waits in the
    /// same queue as a wait of 32 bits at the same address.
    ///
    /// # Errors
    /// [`DomainError`].
    ///
    /// ```
    /// use slotpark::{DomainError, DomainOutcome, WaitDomain};
    /// let domain = WaitDomain::new();
    /// let load = || Ok::<_, &str>(1 << 40);
    /// assert_eq!(domain.wait64(8, 1 << 40, 0, load), Ok(DomainOutcome::TimedOut));
    /// assert_eq!(domain.wait64(12, 1 << 40, 0, load), Err(DomainError::Misaligned));
    /// ```
    #[track_caller]
    pub fn wait64<E>(
        &self,
        address: u64,
        expected: u64,
        timeout_ns: i64,
        mut load: impl FnMut() -> Result<u64, E>,
    ) -> Result<DomainOutcome, DomainError<E>> {
        let asked = Asked::new(address, size_of::<u64>(), timeout_ns, None);
        self.wait(asked, || Ok(load()? == expected))
    }

    /// As [`wait32`](Self::wait32), and may be ended by the interrupter of its thread: now, or by
    /// an interrupt that came before and that no wait has returned yet. Who interrupts needs to
    /// know neither the domain nor the address.
    ///
    /// # Errors
    /// [`DomainError`].
    ///
    /// # Panics
    /// As [`wait32`](Self::wait32); and if another wait uses the interrupter.
    ///
    /// ```
    /// use slotpark::{DomainError, Interrupter, WaitDomain};
    /// let (domain, thread) = (WaitDomain::new(), Interrupter::new());
    /// thread.interrupt(); // from anywhere, before or while it waits
    /// let wait = domain.wait32_interruptible(&thread, 8, 0, -1, || Ok::<_, &str>(0));
    /// assert_eq!(wait, Err(DomainError::Interrupted));
    /// ```
    #[track_caller]
    pub fn wait32_interruptible<E>(
        &self,
        interrupter: &Interrupter<P>,
        address: u64,
        expected: u32,
        timeout_ns: i64,
        mut load: impl FnMut() -> Result<u32, E>,
    ) -> Result<DomainOutcome, DomainError<E>> {
        let asked = Asked::new(address, size_of::<u32>(), timeout_ns, Some(interrupter));
        self.wait(asked, || Ok(load()? == expected))
    }

    /// As [`wait32_interruptible`](Self::wait32_interruptible), on a word of 64 bits.
    ///
    /// # Errors
    /// [`DomainError`].
    ///
    /// # Panics
    /// As [`wait32_interruptible`](Self::wait32_interruptible).
    ///
    /// ```
    /// use slotpark::{DomainOutcome, Interrupter, WaitDomain};
    /// let (domain, thread) = (WaitDomain::new(), Interrupter::new());
    /// let wait = domain.wait64_interruptible(&thread, 8, 0, 1_000, || Ok::<_, &str>(0));
    /// assert_eq!(wait, Ok(DomainOutcome::TimedOut));
    /// ```
    #[track_caller]
    pub fn wait64_interruptible<E>(
        &self,
        interrupter: &Interrupter<P>,
        address: u64,
        expected: u64,
        timeout_ns: i64,
        mut load: impl FnMut() -> Result<u64, E>,
    ) -> Result<DomainOutcome, DomainError<E>> {
        let asked = Asked::new(address, size_of::<u64>(), timeout_ns, Some(interrupter));
        self.wait(asked, || Ok(load()? == expected))
    }

    #[track_caller]
    fn wait<E>(
        &self,
        asked: Asked<'_, P>,
        mut is_equal: impl FnMut() -> Result<bool, E>,
    ) -> Told<E> {
        aligned(asked.address, asked.bytes)?;
        let mut refused = Ok(DomainOutcome::NotEqual);
        let look = || self.look(&mut is_equal, &mut refused);
        let (waits, key) = (self.table.waits(), self.key(asked.address));
        let deadline = || after::<P>(asked.timeout_ns);
        let outcome = match asked.interrupter {
            None => waits.wait_at(&key, u32::MAX, deadline, look),
            Some(interrupter) => waits.wait_interruptible(&key, interrupter, deadline(), look),
        };
        self.tell(outcome, refused)
    }

    /// Whether there is something to wait for; else why not is in `refused`.
    pub(super) fn look<E>(
        &self,
        is_equal: &mut impl FnMut() -> Result<bool, E>,
        refused: &mut Told<E>,
    ) -> bool {
        // Under the slot lock too (D1).
        *refused = if self.closed.get() {
            Err(DomainError::Closed)
        } else {
            match is_equal() {
                Ok(true) => return true,
                Ok(false) => Ok(DomainOutcome::NotEqual),
                Err(fault) => Err(DomainError::Fault(fault)),
            }
        };
        false
    }

    /// What the guest is told of a wait.
    pub(super) fn tell<E>(&self, outcome: WaitOutcome, refused: Told<E>) -> Told<E> {
        match outcome {
            WaitOutcome::Woken { .. } => Ok(DomainOutcome::Woken),
            WaitOutcome::Stale => refused,
            WaitOutcome::TimedOut => Ok(DomainOutcome::TimedOut),
            WaitOutcome::Interrupted => Err(DomainError::Interrupted),
            // What ends waits of an open domain in an open table is `drop_range`.
            _ if self.closed.get() || self.table.waits().is_closed() => Err(DomainError::Closed),
            _ => Err(DomainError::Unmapped),
        }
    }
}

impl<'i, P: Platform> Asked<'i, P> {
    fn new(
        address: u64,
        bytes: usize,
        timeout_ns: i64,
        interrupter: Option<&'i Interrupter<P>>,
    ) -> Self {
        Self {
            address,
            bytes: bytes as u64,
            timeout_ns,
            interrupter,
        }
    }
}

pub(super) fn aligned<E>(address: u64, bytes: u64) -> Result<(), DomainError<E>> {
    if address % bytes == 0 {
        Ok(())
    } else {
        Err(DomainError::Misaligned)
    }
}

/// The deadline of a guest's timeout; `None` is for ever.
fn after<P: Platform>(timeout_ns: i64) -> Option<Deadline> {
    let timeout_ns = u64::try_from(timeout_ns).ok()?;
    Deadline::after::<P>(Duration::from_nanos(timeout_ns))
}
