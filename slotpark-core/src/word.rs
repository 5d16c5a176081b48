//! The caller's words: what `validate` closures compare, and futex operations change.
//!
//! **Orderings**: WORD.

#[cfg(target_has_atomic = "64")]
use crate::sync::AtomicU64;
use crate::sync::{AtomicU8, AtomicU16, AtomicU32, Ordering, fence};

/// Reads a word, relaxed.
macro_rules! load {
    ($($(#[$meta:meta])* $name:ident: $word:ty => $value:ty;)*) => {$(
        $(#[$meta])*
        #[inline]
        #[must_use]
        pub fn $name(word: &$word) -> $value {
            // ORDERING: none, relaxed: DEKKER's fences order this read against the waker's write;
            // the value itself publishes nothing.
            word.load(Ordering::Relaxed)
        }
    )*};
}

load! {
    /// Reads a caller-owned word inside a `validate` closure.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU32;
    /// assert_eq!(slotpark_core::word::load(&AtomicU32::new(7)), 7);
    /// ```
    load: AtomicU32 => u32;

    /// As [`load`], 8 bits.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU8;
    /// assert_eq!(slotpark_core::word::load_u8(&AtomicU8::new(7)), 7);
    /// ```
    load_u8: AtomicU8 => u8;

    /// As [`load`], 16 bits.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU16;
    /// assert_eq!(slotpark_core::word::load_u16(&AtomicU16::new(7)), 7);
    /// ```
    load_u16: AtomicU16 => u16;
}

#[cfg(target_has_atomic = "64")]
load! {
    /// As [`load`], 64 bits.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU64;
    /// assert_eq!(slotpark_core::word::load_u64(&AtomicU64::new(1 << 40)), 1 << 40);
    /// ```
    load_u64: AtomicU64 => u64;
}

/// Exchanges a word if it is what it was thought to be.
macro_rules! compare_exchange {
    ($($(#[$meta:meta])* $name:ident: $word:ty => $value:ty;)*) => {$(
        $(#[$meta])*
        pub fn $name(word: &$word, current: $value, new: $value) -> Result<$value, $value> {
            // ORDERING: WORD release side: who changes the word next sees what was done before this
            // change. Relaxed on failure, which changes nothing.
            let done = word.compare_exchange(current, new, Ordering::Release, Ordering::Relaxed)?;
            // ORDERING: WORD acquire side: what was done before the last change is visible from
            // here.
            fence(Ordering::Acquire);
            Ok(done)
        }
    )*};
}

compare_exchange! {
    /// Changes a caller-owned word in one step if it holds `current`, and returns what it was: what
    /// was done before comes before it, and what is done after comes after, as callers give locks
    /// back with it. Does not fail for no reason.
    ///
    /// # Errors
    /// The value that the word holds instead.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU32;
    /// let word = AtomicU32::new(7);
    /// assert_eq!(slotpark_core::word::compare_exchange(&word, 7, 8), Ok(7));
    /// assert_eq!(slotpark_core::word::compare_exchange(&word, 7, 8), Err(8));
    /// ```
    compare_exchange: AtomicU32 => u32;
}

#[cfg(target_has_atomic = "64")]
compare_exchange! {
    /// As [`compare_exchange`], 64 bits.
    ///
    /// # Errors
    /// The value that the word holds instead.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU64;
    /// let word = AtomicU64::new(7);
    /// assert_eq!(slotpark_core::word::compare_exchange_u64(&word, 7, 1 << 40), Ok(7));
    /// ```
    compare_exchange_u64: AtomicU64 => u64;
}

/// Changes a caller-owned word in one step, and returns what it was; ordered as
/// [`compare_exchange`].
///
/// ```
/// use std::sync::atomic::AtomicU32;
/// let word = AtomicU32::new(7);
/// assert_eq!(slotpark_core::word::update(&word, |old| old + 1), 7);
/// assert_eq!(slotpark_core::word::load(&word), 8);
/// ```
pub fn update(word: &AtomicU32, change: impl Fn(u32) -> u32) -> u32 {
    let mut old = load(word);
    loop {
        match compare_exchange(word, old, change(old)) {
            Ok(old) => return old,
            Err(now) => old = now,
        }
    }
}
