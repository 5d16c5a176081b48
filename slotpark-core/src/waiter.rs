//! A waiter: the thread or task that waits, how it is woken, and what it is told.
//!
//! ```text
//!              park                       release (one swap, the last touch by the waker)
//! WAITING -------------> PARKED(bit)  ------------------> RELEASED
//!    |                   PARKED_ALONE                        ^
//!    +-------------------------------------------------------+
//! ```
//!
//! **States** of the state word: WAITING (awake, maybe spinning) - PARKED with the bit that it
//! sleeps on at home - PARKED_ALONE (sleeps on the state word itself) - RELEASED. A task has no
//! state: its Waker is taken under the slot lock, and what ends it is its node's `slot` (see
//! `node`).
//!
//! **Invariants**
//! - W1 Only who detached the waiter's node, or won its claim, releases it, once; until then the
//!   frame lives, after that store it may be gone.
//! - W2 The verdict is written before the release and read after it.
//! - W3 The sleeper reads the sequence, then its state, then sleeps on that sequence; the waker
//!   releases the state, then bumps the sequence, then wakes. Any other order deadlocks.
//! - W4 A waiter with a claim (on several keys, or with an interrupter) is decided by the one
//!   compare-exchange that succeeds. Who loses touches nothing of it.
//! - W5 The Waker of a task is accessed under the lock of the slot that its node is in; that of a
//!   task with a claim by whoever won the claim, or, before, under the locks of all its slots.
//!
//! **Orderings**: HANDOFF (verdict and frame), SLEEP (state before sequence).

use core::marker::PhantomData;
use core::ptr;
use core::task::Waker;

use crate::home::SleepBit;
use crate::platform::{Deadline, Platform, Slept};
use crate::slot::Slot;
use crate::spin::Moment;
use crate::sync::{AtomicU32, Guarded, Ordering, spin_loop};

const WAITING: u32 = 0;
const RELEASED: u32 = 1;
const PARKED_ALONE: u32 = 2;
/// In the low bits, with the index of the sleep bit above.
const PARKED_HOME: u32 = 3;
const KIND_MASK: u32 = 0b11;
const INDEX_SHIFT: u32 = 8;

/// The state word and its transitions.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct State(AtomicU32);

/// What a waker found when it released a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It was awake and will see the release by itself.
    Awake,
    /// It sleeps at home under the bit with this mask.
    Home(u32),
    /// It sleeps on its state word.
    Alone,
}

impl State {
    #[inline]
    fn is_released(&self) -> bool {
        // ORDERING: HANDOFF acquire side: the verdict, and the waker's last touches of the frame,
        // come before what the waiter does next.
        self.0.load(Ordering::Acquire) == RELEASED
    }

    /// Says that the waiter will sleep; false if it has been released meanwhile.
    fn park(&self, parked: u32) -> bool {
        // ORDERING: HANDOFF acquire side on failure, as in `is_released`; relaxed on success: the
        // waker takes all it needs from this word's value.
        self.0
            .compare_exchange(WAITING, parked, Ordering::Relaxed, Ordering::Acquire)
            .is_ok()
    }

    /// Releases the waiter: the last access to its frame.
    ///
    /// # Safety
    /// W1: the caller detached the waiter's node and releases it for the first time.
    unsafe fn release(state: *const Self) -> Found {
        // SAFETY: W1: the frame lives until this swap.
        let state = unsafe { &*state };
        // ORDERING: HANDOFF release side: the verdict and this waker's touches of the frame come
        // before what the released waiter does. SLEEP: the state changes before the sequence.
        let old = state.0.swap(RELEASED, Ordering::Release);
        match old & KIND_MASK {
            PARKED_HOME => Found::Home(1 << (old >> INDEX_SHIFT)),
            PARKED_ALONE => Found::Alone,
            _ => Found::Awake,
        }
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Woken,
    Closed,
    Interrupted,
}

/// What a waiter is told by whoever chose it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) ending: Ending,
    /// The wake has no bitset: it fits waiters without bits, too.
    pub(crate) fits_all: bool,
    /// The bits of the wake that a chosen waiter passes on if it does not want it; 0 is none.
    pub(crate) passes_on: u32,
    pub(crate) token: u64,
}

impl Verdict {
    /// Of a wake that is not passed on.
    pub(crate) const fn woken(token: u64) -> Self {
        Self {
            ending: Ending::Woken,
            fits_all: false,
            passes_on: 0,
            token,
        }
    }

    /// Of a wake of the first `count`, which is passed on unless that is everybody: to whom it fits
    /// by its bitset, if it has one. The token comes later.
    pub(crate) const fn of_first(count: usize, bits: Option<u32>) -> Self {
        let (fits_all, bits) = match bits {
            Some(bits) => (false, bits),
            None => (true, u32::MAX),
        };
        Self {
            fits_all,
            passes_on: if count == usize::MAX { 0 } else { bits },
            ..Self::woken(0)
        }
    }

    pub(crate) const fn ended(ending: Ending) -> Self {
        Self {
            ending,
            ..Self::woken(0)
        }
    }
}

/// Which entry of a waiter on several keys decided the wait.
#[derive(Debug)]
pub(crate) struct Claim(AtomicU32);

impl Claim {
    const OPEN: u32 = 0;
    /// Claimed by the waiter itself, or by an interrupter: no entry decided.
    const NO_ENTRY: u32 = u32::MAX;

    const fn word(entry: Option<u8>) -> u32 {
        match entry {
            Some(entry) => entry as u32 + 1,
            None => Self::NO_ENTRY,
        }
    }

    /// Decides the wait for an entry, or for none; false if it was decided before (W4).
    pub(crate) fn take(&self, entry: Option<u8>) -> bool {
        // ORDERING: none, relaxed: one word decides; what the winner hands over is published by the
        // release of the waiter (HANDOFF) or of the node (UNLINK).
        self.0
            .compare_exchange(
                Self::OPEN,
                Self::word(entry),
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    pub(crate) fn is_open(&self) -> bool {
        // ORDERING: none, relaxed: a look; `take` decides.
        self.0.load(Ordering::Relaxed) == Self::OPEN
    }

    /// The entry that decided; `None` if none did, or nothing is decided.
    pub(crate) fn entry(&self) -> Option<usize> {
        // ORDERING: none, relaxed: as in `take`.
        match self.0.load(Ordering::Relaxed) {
            Self::OPEN | Self::NO_ENTRY => None,
            word => Some(word as usize - 1),
        }
    }
}

/// See the module. One cache line where the platform needs no handle.
#[repr(C, align(64))]
pub(crate) struct Waiter<P: Platform> {
    state: State,
    pub(crate) claim: Claim,
    /// The slot where it began and on whose sequence it sleeps, wherever its nodes are moved.
    home: *const Slot<P>,
    verdict: Guarded<Verdict>,
    waker: Guarded<Option<Waker>>,
    /// When and where it began to wait: a `Moment`, whose parts leave room for the handle.
    arrived_ticks: u64,
    arrived_cpu: u32,
    /// `None` for a task.
    handle: Option<P::Handle>,
}

impl<P: Platform> Waiter<P> {
    /// A thread that sleeps at `home`.
    pub(crate) fn thread(home: *const Slot<P>, arrived: Moment) -> Self {
        Self {
            handle: Some(P::handle()),
            arrived_ticks: arrived.ticks,
            arrived_cpu: arrived.cpu,
            ..Self::task(home)
        }
    }

    pub(crate) fn task(home: *const Slot<P>) -> Self {
        Self {
            state: State(AtomicU32::new(WAITING)),
            claim: Claim(AtomicU32::new(Claim::OPEN)),
            home,
            verdict: Guarded::new(Verdict::woken(0)),
            waker: Guarded::new(None),
            arrived_ticks: Moment::UNKNOWN.ticks,
            arrived_cpu: Moment::UNKNOWN.cpu,
            handle: None,
        }
    }

    pub(crate) fn is_task(&self) -> bool {
        self.handle.is_none()
    }

    /// When and where it began to wait.
    pub(crate) fn arrived(&self) -> Moment {
        Moment {
            ticks: self.arrived_ticks,
            cpu: self.arrived_cpu,
        }
    }

    /// What the thread was told. Only after the release.
    pub(crate) fn verdict(&self) -> Verdict {
        debug_assert!(
            self.state.is_released(),
            "W2: the verdict is read after the release"
        );
        // SAFETY: W2: the waker wrote it before the release that this thread has seen.
        unsafe { self.verdict.get() }
    }

    /// What the task was told.
    ///
    /// # Safety
    /// The caller has seen that the node is in no slot (UNLINK), or holds the lock of its slot.
    pub(crate) unsafe fn verdict_of_task(&self) -> Verdict {
        // SAFETY: W2: it is written under the slot lock, and before the node leaves its slot.
        unsafe { self.verdict.get() }
    }

    /// # Safety
    /// The caller may write the verdict: it holds the slot lock, and has chosen the waiter.
    pub(crate) unsafe fn tell(&self, verdict: Verdict) {
        // SAFETY: W2: nobody reads or writes the verdict before the release.
        unsafe { self.verdict.set(verdict) };
    }

    /// Exchanges the task's Waker. The old one must not be dropped under a slot lock.
    ///
    /// # Safety
    /// W5 allows the caller to.
    pub(crate) unsafe fn exchange_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        // SAFETY: W5 is the caller's contract.
        unsafe { self.waker.replace(waker) }
    }

    /// Looks for the release for about `budget_ns`; true if it came.
    pub(crate) fn spin(&self, budget_ns: u64) -> bool {
        /// Looks between two readings of the clock, each of which costs about as much as a look.
        const LOOKS: u32 = 4;
        let begin = P::ticks();
        loop {
            for _ in 0..LOOKS {
                if self.state.is_released() {
                    return true;
                }
                spin_loop();
            }
            if P::ticks().wrapping_sub(begin) >= budget_ns {
                return false;
            }
        }
    }
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
    pub(crate) fn spin_and_sleep(&mut self, spin_ns: u64, deadline: Option<Deadline>) -> bool {
        // Nobody spins without a tick source, since that spin would not end.
        let spins = spin_ns > 0 && self.waiter.arrived().is_known();
        (spins && self.spin(spin_ns, deadline)) || self.sleep(deadline)
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

    /// Sleeps until released (true) or until the deadline is past (false). After a false it may be
    /// called again.
    pub(crate) fn sleep(&mut self, deadline: Option<Deadline>) -> bool {
        let state = &self.waiter.state;
        if !self.parked && !self.park() {
            return true;
        }
        loop {
            let slept = match self.bit {
                Some(bit) => {
                    // W3: first the sequence, then the state.
                    let sequence = self.home.sequence.read();
                    if state.is_released() {
                        return true;
                    }
                    P::sleep(self.home.sequence.word(), sequence, bit.mask(), deadline)
                }
                None => {
                    if state.is_released() {
                        return true;
                    }
                    P::sleep(&state.0, PARKED_ALONE, u32::MAX, deadline)
                }
            };
            if slept == Slept::TimedOut {
                return state.is_released();
            }
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
