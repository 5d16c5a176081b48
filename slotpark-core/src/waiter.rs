//! A waiter: the thread that waits, where it sleeps, and what it is told.
//!
//! ```text
//!              park                       release (one swap, the last touch by the waker)
//! WAITING -------------> PARKED(bit)  ------------------> RELEASED
//!    |                   PARKED_ALONE                        ^
//!    +-------------------------------------------------------+
//! ```
//!
//! **States** of the state word: WAITING (awake, maybe spinning) - PARKED with the bit that it
//! sleeps on at home - PARKED_ALONE (sleeps on the state word itself) - RELEASED.
//!
//! **Invariants**
//! - W1 Only the waker that detached the waiter's node releases it, once; until then the frame
//!   lives, after that store it may be gone.
//! - W2 The token is written before the release and read after it.
//! - W3 The sleeper reads the sequence, then its state, then sleeps on that sequence; the waker
//!   releases the state, then bumps the sequence, then wakes. Any other order deadlocks.
//!
//! **Orderings**: HANDOFF (token and frame), SLEEP (state before sequence).

use core::marker::PhantomData;
use core::ptr;

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
        // ORDERING: HANDOFF acquire side: the token, and the waker's last touches of the frame,
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
        // ORDERING: HANDOFF release side: the token and this waker's touches of the frame come
        // before what the released waiter does. SLEEP: the state changes before the sequence.
        let old = state.0.swap(RELEASED, Ordering::Release);
        match old & KIND_MASK {
            PARKED_HOME => Found::Home(1 << (old >> INDEX_SHIFT)),
            PARKED_ALONE => Found::Alone,
            _ => Found::Awake,
        }
    }
}

/// See the module. One cache line.
#[repr(C, align(64))]
pub(crate) struct Waiter<P: Platform> {
    state: State,
    /// Which key of several decided the wait: set by wait-any.
    claim: AtomicU32,
    /// The slot where it began and on whose sequence it sleeps, wherever its nodes are moved.
    home: *const Slot<P>,
    token: Guarded<u64>,
    /// When and where it began to wait.
    arrived: Moment,
    handle: P::Handle,
    /// The Waker of a task.
    waker: Guarded<*const ()>,
    /// How the wait ended when not by a wake: closed, interrupted.
    ending: Guarded<u32>,
}

impl<P: Platform> Waiter<P> {
    pub(crate) fn new(home: *const Slot<P>, arrived: Moment) -> Self {
        Self {
            state: State(AtomicU32::new(WAITING)),
            home,
            handle: P::handle(),
            token: Guarded::new(0),
            arrived,
            claim: AtomicU32::new(0),
            ending: Guarded::new(0),
            waker: Guarded::new(ptr::null()),
        }
    }

    /// When and where it began to wait.
    pub(crate) fn arrived(&self) -> Moment {
        self.arrived
    }

    /// What the waker handed over. Only after the release.
    pub(crate) fn token(&self) -> u64 {
        debug_assert!(
            self.state.is_released(),
            "W2: the token is read after the release"
        );
        // SAFETY: W2: the waker wrote it before the release that this thread has seen.
        unsafe { self.token.get() }
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

    /// Hands the token over and releases the waiter, which may be gone afterwards. Whether it needs
    /// a syscall is told by the run, at `flush`.
    ///
    /// # Safety
    /// W1: the caller detached the waiter's node and releases it for the first time. All homes are
    /// slots of a table that outlives the run.
    pub(crate) unsafe fn release(&mut self, waiter: *const Waiter<P>, token: u64) {
        // SAFETY: W1: the frame lives until its release below.
        let home = unsafe { (*waiter).home };
        // SAFETY: W1, and nobody changes the handle of a waiter.
        let handle = unsafe { (*waiter).handle.clone() };
        // SAFETY: W1: the frame lives until its release below; the reference ends before it.
        let room = unsafe { &(*waiter).token };
        // SAFETY: W2: nobody reads or writes the token before the release.
        unsafe { room.set(token) };
        // SAFETY: W1: the frame lives until its release below; only an address is made here.
        let state = unsafe { &raw const (*waiter).state };
        // SAFETY: W1 is the caller's contract.
        match unsafe { State::release(state) } {
            Found::Awake => {}
            // The address may belong to somebody else by now: it is passed on, never read.
            Found::Alone => P::wake_thread(state.cast::<AtomicU32>(), &handle),
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
