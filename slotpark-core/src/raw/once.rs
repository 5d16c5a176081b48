//! Something that is done once, in one byte.
//!
//! **States**: NEW - RUNNING - DONE (for ever) or, if it panicked, POISONED; with WAITING beside
//! all but DONE while somebody is queued. WAITING is set under the slot lock.
//!
//! **Lock order**: one slot lock. **Orderings**: ONCE, and those of `park`.

use core::cell::Cell;
use core::fmt;

use super::{nap, wait};
use crate::at::At;
use crate::options::{ParkOptions, Parked};
use crate::platform::Platform;
use crate::sync::{AtomicU8, Ordering, const_unless_loom};

const NEW: u8 = 0;
const RUNNING: u8 = 1;
const DONE: u8 = 2;
const POISONED: u8 = 3;
const STATE: u8 = 3;
const WAITING: u8 = 4;

/// Something that is done once, whoever asks for it: `std::sync::Once` in one byte. The caller says
/// with each call where its waiters wait: [`place`](Self::place) will do, always.
///
/// ```
/// use slotpark_core::RawOnce;
/// static ONCE: RawOnce = RawOnce::new();
/// let mut runs = 0;
/// for _ in 0..2 {
///     ONCE.call_at(ONCE.place(), false, |_| runs += 1);
/// }
/// assert_eq!((runs, ONCE.is_completed(), size_of::<RawOnce>()), (1, true, 1));
/// ```
pub struct RawOnce {
    byte: Byte,
}

/// What the closure of a once is told.
///
/// ```
/// let once = slotpark_core::RawOnce::new();
/// once.call_at(once.place(), true, |state| assert!(!state.is_poisoned()));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether the last who ran it panicked.
    ///
    /// ```
    /// let once = slotpark_core::RawOnce::new();
    /// once.call_at(once.place(), true, |state| assert!(!state.is_poisoned()));
    /// ```
    #[must_use]
    pub const fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

#[derive(Debug)]
struct Byte(AtomicU8);

impl Byte {
    const_unless_loom! {
        fn new() -> Self {
            Self(AtomicU8::new(NEW))
        }
    }

    fn read(&self) -> u8 {
        // ORDERING: none, relaxed: a look; what follows from it is decided by compare-exchange.
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    fn is_done(&self) -> bool {
        // ORDERING: ONCE acquire side: what was done comes before what those do who see that it is.
        self.0.load(Ordering::Acquire) == DONE
    }

    /// Who succeeds runs it next.
    fn begin(&self, byte: u8) -> bool {
        let running = byte & WAITING | RUNNING;
        // ORDERING: ONCE acquire side: what was done by who panicked comes before what is done now.
        // Relaxed on failure, which learns nothing.
        self.0
            .compare_exchange(byte, running, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// By who runs it; whether somebody may wait.
    fn end(&self, state: u8) -> bool {
        // ORDERING: ONCE release side: what was done comes before what those do who see that it is.
        self.0.swap(state, Ordering::Release) & WAITING != 0
    }

    /// Under the slot lock: whether there is nothing to wait for; if there is, WAITING is set.
    fn is_over_or_queue(&self, is_over: impl Fn(u8) -> bool) -> bool {
        loop {
            let byte = self.read();
            if is_over(byte & STATE) {
                return true;
            }
            // ORDERING: none, relaxed: who waits looks again when it is woken.
            let marked =
                self.0
                    .compare_exchange(byte, byte | WAITING, Ordering::Relaxed, Ordering::Relaxed);
            if marked.is_ok() {
                return false;
            }
        }
    }
}

/// Ends a run, also by a panic.
struct Run<'o, K: Copy + Eq, P: Platform> {
    once: &'o RawOnce,
    at: At<'o, K, P>,
    state: Cell<u8>,
}

impl<K: Copy + Eq, P: Platform> Drop for Run<'_, K, P> {
    fn drop(&mut self) {
        if self.once.byte.end(self.state.get()) {
            let (table, key) = (self.at.table, &self.at.key);
            let _woken = table.unpark(self.at.hash, key, usize::MAX, 0);
        }
    }
}

impl RawOnce {
    const_unless_loom! {
        /// It is not done.
        ///
        /// ```
        /// assert!(!slotpark_core::RawOnce::new().is_completed());
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { byte: Byte::new() }
        }
    }

    /// Its place in the process-wide table.
    ///
    /// ```
    /// let once = slotpark_core::RawOnce::new();
    /// assert_eq!(once.place().key, once.place().key);
    /// ```
    #[cfg(not(slotpark_loom))]
    #[must_use]
    #[inline]
    pub fn place(&self) -> At<'static, crate::FutexKey, crate::DefaultPlatform> {
        crate::process::place(crate::process::Kind::Once, self)
    }

    /// Whether it is done. What was done is visible then.
    ///
    /// ```
    /// assert!(!slotpark_core::RawOnce::new().is_completed());
    /// ```
    #[must_use]
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.byte.is_done()
    }

    /// Runs `f` unless it was run before, and waits for who runs it now. When this returns it is
    /// done, and what was done is visible. If `f` panics, the once is poisoned: others panic too,
    /// unless they call with `force`, which runs it again.
    ///
    /// `f` must not call this once: it would wait for itself.
    ///
    /// # Panics
    /// If it is poisoned, without `force`; and what `f` panics with.
    ///
    /// ```
    /// use slotpark_core::RawOnce;
    /// let once = RawOnce::new();
    /// let panicked = std::panic::catch_unwind(|| once.call_at(once.place(), false, |_| panic!()));
    /// assert!(panicked.is_err());
    /// once.call_at(once.place(), true, |state| assert!(state.is_poisoned()));
    /// assert!(once.is_completed());
    /// ```
    #[inline]
    #[track_caller]
    pub fn call_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        force: bool,
        f: impl FnOnce(&OnceState),
    ) {
        if self.is_completed() {
            return;
        }
        let mut f = Some(f);
        self.call(at, force, &mut |state| {
            if let Some(f) = f.take() {
                f(state);
            }
        });
    }

    #[cold]
    #[track_caller]
    fn call<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        force: bool,
        f: &mut dyn FnMut(&OnceState),
    ) {
        loop {
            let byte = self.byte.read();
            let poisoned = byte & STATE == POISONED;
            match byte & STATE {
                DONE if self.is_completed() => return,
                POISONED if !force => panic!("slotpark: a once whose closure has panicked"),
                NEW | POISONED => {
                    if self.byte.begin(byte) {
                        let state = Cell::new(POISONED);
                        let run = Run {
                            once: self,
                            at,
                            state,
                        };
                        f(&OnceState { poisoned });
                        run.state.set(DONE);
                        return;
                    }
                }
                _ => self.wait_while(at, |state| state != RUNNING),
            }
        }
    }

    /// Waits until it is done by somebody else.
    ///
    /// # Panics
    /// If it is poisoned, without `force`.
    ///
    /// ```
    /// let once = slotpark_core::RawOnce::new();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| once.call_at(once.place(), false, |_| {}));
    ///     once.wait_at(once.place(), false);
    /// });
    /// assert!(once.is_completed());
    /// ```
    #[track_caller]
    pub fn wait_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>, force: bool) {
        let is_over = |state| state == DONE || state == POISONED && !force;
        while !self.is_completed() {
            let poisoned = self.byte.read() & STATE == POISONED;
            assert!(
                force || !poisoned,
                "slotpark: a once whose closure has panicked"
            );
            self.wait_while(at, is_over);
        }
    }

    /// One wait, unless it is over.
    #[cold]
    #[track_caller]
    fn wait_while<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        is_over: impl Fn(u8) -> bool,
    ) {
        let look = || self.byte.is_over_or_queue(&is_over);
        let (parked, _) = wait(at, ParkOptions::new(), look, |_| {});
        if parked == Parked::Closed {
            nap::<P>(None);
        }
    }
}

#[cfg(not(slotpark_loom))]
impl Default for RawOnce {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RawOnce {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawOnce")
            .field("completed", &self.is_completed())
            .finish()
    }
}
