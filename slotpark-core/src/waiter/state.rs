//! The two words of a waiter that decide: its state, and its claim.
//!
//! **Orderings**: HANDOFF (the state's release and the looks at it), SLEEP (the state before the
//! sequence).

use crate::sync::{AtomicU32, Ordering};

const WAITING: u32 = 0;
const RELEASED: u32 = 1;
pub(super) const PARKED_ALONE: u32 = 2;
/// In the low bits, with the index of the sleep bit above.
pub(super) const PARKED_HOME: u32 = 3;
const KIND_MASK: u32 = 0b11;
pub(super) const INDEX_SHIFT: u32 = 8;

/// The state word and its transitions.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct State(pub(super) AtomicU32);

/// What a waker found when it released a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was awake and will see the release by itself.
    Awake,
    /// It sleeps at home under the bit with this mask.
    Home(u32),
    /// It sleeps on its state word.
    Alone,
}

impl State {
    #[inline]
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(WAITING))
    }

    #[inline]
    pub(super) fn is_released(&self) -> bool {
        // ORDERING: HANDOFF acquire side: the verdict, and the waker's last touches of the frame,
        // come before what the waiter does next.
        self.0.load(Ordering::Acquire) == RELEASED
    }

    /// Says that the waiter will sleep; false if it has been released meanwhile.
    #[inline]
    pub(super) fn park(&self, parked: u32) -> bool {
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
    #[inline]
    pub(super) unsafe fn release(state: *const Self) -> Found {
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

    #[inline]
    pub(super) fn new() -> Self {
        Self(AtomicU32::new(Self::OPEN))
    }

    /// Decides the wait for an entry, or for none; false if it was decided before (W4).
    #[inline]
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

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        // ORDERING: none, relaxed: a look; `take` decides.
        self.0.load(Ordering::Relaxed) == Self::OPEN
    }

    /// The entry that decided; `None` if none did, or nothing is decided.
    #[inline]
    pub(crate) fn entry(&self) -> Option<usize> {
        // ORDERING: none, relaxed: as in `take`.
        match self.0.load(Ordering::Relaxed) {
            Self::OPEN | Self::NO_ENTRY => None,
            word => Some(word as usize - 1),
        }
    }
}
