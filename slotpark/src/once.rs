//! `Once`: something that is done once.

use std::fmt;

use slotpark_core::{OnceState, RawOnce};

/// Something that is done once, whoever asks for it: `std::sync::Once` in one byte. Its waiters
/// wait in the process-wide table.
///
/// ```
/// use slotpark::Once;
/// static START: Once = Once::new();
/// START.call_once(|| println!("once"));
/// START.call_once(|| unreachable!());
/// assert_eq!(size_of::<Once>(), 1);
/// ```
///
/// Once it is done, a call is one load.
#[derive(Default)]
pub struct Once {
    raw: RawOnce,
}

impl Once {
    /// It is not done.
    ///
    /// ```
    /// assert!(!slotpark::Once::new().is_completed());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            raw: RawOnce::new(),
        }
    }

    /// Whether it is done. What was done is visible then.
    ///
    /// ```
    /// assert!(!slotpark::Once::new().is_completed());
    /// ```
    #[must_use]
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.raw.is_completed()
    }

    /// Runs `f` unless it was run before, and waits for who runs it now. When this returns it is
    /// done, and what was done is visible. `f` must not call this once: it would wait for itself.
    ///
    /// # Panics
    /// With what `f` panics; the once is poisoned then, and later calls panic too.
    ///
    /// ```
    /// let once = slotpark::Once::new();
    /// let mut runs = 0;
    /// once.call_once(|| runs += 1);
    /// once.call_once(|| unreachable!());
    /// assert_eq!(runs, 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        // The look comes first: its place is hashed.
        if !self.is_completed() {
            self.raw.call_at(self.raw.place(), false, |_| f());
        }
    }

    /// As [`call_once`](Self::call_once), also if it is poisoned; `f` is told so.
    ///
    /// # Panics
    /// With what `f` panics.
    ///
    /// ```
    /// use slotpark::Once;
    /// let once = Once::new();
    /// let panicked = std::panic::catch_unwind(|| once.call_once(|| panic!()));
    /// assert!(panicked.is_err());
    /// once.call_once_force(|state| assert!(state.is_poisoned()));
    /// assert!(once.is_completed());
    /// ```
    #[inline]
    #[track_caller]
    pub fn call_once_force(&self, f: impl FnOnce(&OnceState)) {
        if !self.is_completed() {
            self.raw.call_at(self.raw.place(), true, f);
        }
    }

    /// Waits until it is done by somebody else.
    ///
    /// # Panics
    /// If it is poisoned.
    ///
    /// ```
    /// static ONCE: slotpark::Once = slotpark::Once::new();
    /// let other = std::thread::spawn(|| ONCE.call_once(|| {}));
    /// ONCE.wait();
    /// assert!(ONCE.is_completed());
    /// # other.join().unwrap();
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait(&self) {
        if !self.is_completed() {
            self.raw.wait_at(self.raw.place(), false);
        }
    }

    /// Waits until it is done by somebody else, also if it is poisoned.
    ///
    /// ```
    /// static ONCE: slotpark::Once = slotpark::Once::new();
    /// let other = std::thread::spawn(|| ONCE.call_once(|| {}));
    /// ONCE.wait_force();
    /// assert!(ONCE.is_completed());
    /// # other.join().unwrap();
    /// ```
    #[track_caller]
    #[inline]
    pub fn wait_force(&self) {
        if !self.is_completed() {
            self.raw.wait_at(self.raw.place(), true);
        }
    }
}

impl fmt::Debug for Once {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Once").field(&self.raw).finish()
    }
}
