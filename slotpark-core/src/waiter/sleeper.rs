//! Sleeping until the release, and releasing sleepers by one syscall for each home.
//!
//! **Orderings**: HANDOFF and SLEEP, by the types that own them.

use core::marker::PhantomData;
use core::ptr;

use crate::home::SleepBit;
use crate::platform::{Deadline, Platform, Slept};
use crate::slot::Slot;
use crate::sync::AtomicU32;
use crate::waiter::state::{Found, INDEX_SHIFT, PARKED_ALONE, PARKED_HOME, State};
use crate::waiter::{Verdict, Waiter};

/// What ends a sleep beside the release.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Until {
    pub(crate) deadline: Option<Deadline>,
    /// The handler of a signal has run, while it slept.
    pub(crate) signal: bool,
}

/// What has ended a sleep before the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GaveUp {
    TimedOut,
    Interrupted,
}

/// A waiter that is about to sleep: owns its bit at home.
pub(crate) struct Sleeper<'w, P: Platform> {
    waiter: &'w Waiter<P>,
    home: &'w Slot<P>,
    bit: Option<SleepBit>,
    parked: bool,
}

impl<'w, P: Platform> Sleeper<'w, P> {
    pub(crate) fn new(waiter: &'w Waiter<P>, home: &'w Slot<P>) -> Self {
        Self {
            waiter,
            home,
            bit: None,
            parked: false,
        }
    }

    /// Looks for the release for as long as planned, then sleeps as [`sleep`](Self::sleep) does.
    pub(crate) fn spin_and_sleep(&mut self, spin_ns: u64, until: Until) -> Result<(), GaveUp> {
        // Nobody spins without a tick source, since that spin would not end.
        let spins = spin_ns > 0 && self.waiter.arrived().is_known();
        if spins && self.spin(spin_ns, until.deadline) {
            return Ok(());
        }
        self.sleep(until)
    }

    fn spin(&self, spin_ns: u64, deadline: Option<Deadline>) -> bool {
        let left_ns = deadline.map_or(u64::MAX, Deadline::remaining_ns::<P>);
        let found = self.waiter.spin(spin_ns.min(left_ns));
        // A spin that the deadline cut short says nothing about spinning.
        if found || spin_ns <= left_ns {
            self.home.spin.spun(found);
        }
        found
    }

    /// Sleeps until released, by whoever has chosen this waiter.
    pub(crate) fn sleep_it_out(&mut self) {
        // Whatever the platform says: who has chosen it still uses the frame.
        while self.sleep(Until::default()).is_err() {}
    }

    /// Sleeps until released, or gives up. Then it may be called again.
    pub(crate) fn sleep(&mut self, until: Until) -> Result<(), GaveUp> {
        let (state, deadline) = (&self.waiter.state, until.deadline);
        if !self.parked && !self.park() {
            debug_assert!(state.is_released(), "nothing else prevents a sleep");
            return Ok(());
        }
        loop {
            let slept = match self.bit {
                Some(bit) => {
                    // W3: first the sequence, then the state.
                    let sequence = self.home.sequence.read();
                    if state.is_released() {
                        return Ok(());
                    }
                    P::sleep(self.home.sequence.word(), sequence, bit.mask(), deadline)
                }
                None => {
                    if state.is_released() {
                        return Ok(());
                    }
                    P::sleep(&state.0, PARKED_ALONE, u32::MAX, deadline)
                }
            };
            let gave_up = match slept {
                Slept::TimedOut => GaveUp::TimedOut,
                Slept::Interrupted if until.signal => GaveUp::Interrupted,
                Slept::Interrupted | Slept::Early => continue,
            };
            return if state.is_released() {
                Ok(())
            } else {
                Err(gave_up)
            };
        }
    }

    #[cold]
    fn park(&mut self) -> bool {
        self.bit = if P::GROUP_SLEEP {
            self.home.bits.take()
        } else {
            None
        };
        let parked = self
            .bit
            .map_or(PARKED_ALONE, |bit| PARKED_HOME | (bit.index << INDEX_SHIFT));
        self.parked = self.waiter.state.park(parked);
        self.parked
    }
}

impl<P: Platform> Drop for Sleeper<'_, P> {
    fn drop(&mut self) {
        if let Some(bit) = self.bit {
            self.home.bits.give_back(bit);
        }
    }
}

/// Sleepers of one home, to be woken by one syscall.
pub(crate) struct Run<P: Platform> {
    home: *const Slot<P>,
    bits: u32,
    platform: PhantomData<fn() -> P>,
}

impl<P: Platform> Run<P> {
    pub(crate) const fn new() -> Self {
        Self {
            home: ptr::null(),
            bits: 0,
            platform: PhantomData,
        }
    }

    /// Tells the verdict and releases the waiter, which may be gone afterwards. Whether it needs a
    /// syscall is told by the run, at `flush`.
    ///
    /// # Safety
    /// W1: the caller detached the waiter's node and releases it for the first time. All homes are
    /// slots of a table that outlives the run.
    pub(crate) unsafe fn release(&mut self, waiter: *const Waiter<P>, verdict: Verdict) {
        // SAFETY: W1: the frame lives until its release below.
        let home = unsafe { (*waiter).home };
        // SAFETY: W1, and nobody changes the handle of a waiter.
        let handle = unsafe { (*waiter).handle.clone() };
        // SAFETY: W1: the frame lives until its release below; the reference ends before it.
        let room = unsafe { &(*waiter).verdict };
        // SAFETY: W2: nobody reads or writes the verdict before the release.
        unsafe { room.set(verdict) };
        // SAFETY: W1: the frame lives until its release below; only an address is made here.
        let state = unsafe { &raw const (*waiter).state };
        // SAFETY: W1 is the caller's contract.
        match unsafe { State::release(state) } {
            Found::Awake => {}
            // The address may belong to somebody else by now: it is passed on, never read.
            Found::Alone => {
                if let Some(handle) = &handle {
                    P::wake_thread(state.cast::<AtomicU32>(), handle);
                }
            }
            Found::Home(mask) => {
                if !ptr::eq(self.home, home) {
                    self.flush();
                    self.home = home;
                }
                self.bits |= mask;
            }
        }
    }

    /// Wakes those released since the last flush that sleep.
    pub(crate) fn flush(&mut self) {
        // SAFETY: the home is null or a slot of a table that outlives the run.
        let Some(home) = (unsafe { self.home.as_ref() }) else {
            return;
        };
        if self.bits != 0 {
            home.sequence.bump();
            // Always all of them: with a count, a shared bit may wake only the wrong sleeper.
            P::wake_group(home.sequence.word(), self.bits);
        }
        self.home = ptr::null();
        self.bits = 0;
    }
}
