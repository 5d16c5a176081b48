//! Memory that futex words lie in: that of this process, or a guest's.

#[cfg(target_has_atomic = "64")]
use crate::sync::AtomicU64;
use crate::sync::{AtomicU8, AtomicU16, AtomicU32};
use crate::word;

/// There is no word at an address that can be read, or changed: EFAULT.
///
/// ```
/// use slotpark_core::{FutexError, FutexFault};
/// assert_eq!(FutexError::from(FutexFault).errno(), 14);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FutexFault;

/// How wide a word is. Its address is a multiple of that.
///
/// ```
/// use slotpark_core::FutexSize;
/// assert_eq!(FutexSize::U16.bytes(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FutexSize {
    /// 8 bits.
    U8,
    /// 16 bits.
    U16,
    /// 32 bits: all that Linux knows.
    U32,
    /// 64 bits.
    U64,
}

impl FutexSize {
    /// 1, 2, 4 or 8.
    ///
    /// ```
    /// assert_eq!(slotpark_core::FutexSize::U64.bytes(), 8);
    /// ```
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::U32 => 4,
            Self::U64 => 8,
        }
    }
}

/// What a word is expected to hold, which says how wide it is.
///
/// ```
/// use slotpark_core::{FutexSize, FutexValue};
/// assert_eq!(FutexValue::from(7_u16).size(), FutexSize::U16);
/// assert_eq!(FutexValue::U8(7).bits(), 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FutexValue {
    /// 8 bits.
    U8(u8),
    /// 16 bits.
    U16(u16),
    /// 32 bits.
    U32(u32),
    /// 64 bits.
    U64(u64),
}

impl FutexValue {
    /// The width.
    ///
    /// ```
    /// use slotpark_core::{FutexSize, FutexValue};
    /// assert_eq!(FutexValue::U32(7).size(), FutexSize::U32);
    /// ```
    #[must_use]
    pub const fn size(self) -> FutexSize {
        match self {
            Self::U8(_) => FutexSize::U8,
            Self::U16(_) => FutexSize::U16,
            Self::U32(_) => FutexSize::U32,
            Self::U64(_) => FutexSize::U64,
        }
    }

    /// The value, with zeros above it.
    ///
    /// ```
    /// assert_eq!(slotpark_core::FutexValue::U32(7).bits(), 7);
    /// ```
    #[must_use]
    pub const fn bits(self) -> u64 {
        match self {
            Self::U8(value) => value as u64,
            Self::U16(value) => value as u64,
            Self::U32(value) => value as u64,
            Self::U64(value) => value,
        }
    }
}

macro_rules! from_numbers {
    ($($number:ty => $variant:ident),*) => {$(
        impl From<$number> for FutexValue {
            fn from(value: $number) -> Self {
                Self::$variant(value)
            }
        }
    )*};
}
from_numbers!(u8 => U8, u16 => U16, u32 => U32, u64 => U64);

/// Memory in which futex words lie, by their addresses: a guest's, of a wasm instance or an
/// emulated process. Each access may fault.
///
/// What is asked here is asked under slot locks too: it must not call a table, nor block, and
/// should be short. An implementation that finds a page missing says [`FutexFault`]; the call ends
/// with that, and its caller brings the page in and makes it again.
///
/// An address given here is a multiple of the word's size.
///
/// ```
/// use slotpark_core::{FutexFault, FutexMemory, FutexSize};
/// /// A page of zeros, and nothing else.
/// struct Zeros;
/// impl FutexMemory for Zeros {
///     fn load(&self, address: u64, _: FutexSize) -> Result<u64, FutexFault> {
///         if address < 4096 { Ok(0) } else { Err(FutexFault) }
///     }
///     fn compare_exchange(&self, _: u64, _: u32, _: u32) -> Result<Result<u32, u32>, FutexFault> {
///         Err(FutexFault) // not writable
///     }
/// }
/// assert_eq!(Zeros.load(8, FutexSize::U32), Ok(0));
/// ```
pub trait FutexMemory {
    /// Reads a word by one atomic access, relaxed if you like; with zeros above it.
    ///
    /// # Errors
    /// If it cannot be read.
    fn load(&self, address: u64, size: FutexSize) -> Result<u64, FutexFault>;

    /// Changes a word of 32 bits in one step from `current` to `new`: `Ok(current)`, or `Err` and
    /// what it holds instead, but for no other reason. A success is at least a release for what
    /// came before and an acquire for what comes after; [`word::compare_exchange`] is both.
    ///
    /// # Errors
    /// If it cannot be written.
    fn compare_exchange(
        &self,
        address: u64,
        current: u32,
        new: u32,
    ) -> Result<Result<u32, u32>, FutexFault>;

    /// Whether there may ever be a word at this address. A wake asks no more than that, and reads
    /// nothing.
    fn is_address(&self, address: u64) -> bool {
        let _ = address;
        true
    }
}

impl<M: FutexMemory + ?Sized> FutexMemory for &M {
    #[inline]
    fn load(&self, address: u64, size: FutexSize) -> Result<u64, FutexFault> {
        (**self).load(address, size)
    }

    #[inline]
    fn compare_exchange(
        &self,
        address: u64,
        current: u32,
        new: u32,
    ) -> Result<Result<u32, u32>, FutexFault> {
        (**self).compare_exchange(address, current, new)
    }

    #[inline]
    fn is_address(&self, address: u64) -> bool {
        (**self).is_address(address)
    }
}

/// The memory of this process: an address is a pointer.
///
/// Faults at 0, and in the kernel's half. What is mapped nowhere else is a SIGSEGV: see
/// [`new`](Self::new).
///
/// ```
/// use slotpark_core::{FutexMemory, FutexSize, NativeMemory};
/// use std::sync::atomic::AtomicU32;
/// // SAFETY: the addresses below are 0, or that of a word.
/// let memory = unsafe { NativeMemory::new() };
/// let word = AtomicU32::new(7);
/// let address = word.as_ptr().expose_provenance() as u64;
/// assert_eq!(memory.load(address, FutexSize::U32), Ok(7));
/// assert!(memory.load(0, FutexSize::U32).is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct NativeMemory(());

/// The first address that no program has: the kernel answers for those above with EFAULT, also
/// where it would read nothing.
const NATIVE_END: u64 = if cfg!(target_pointer_width = "64") {
    1 << 56
} else {
    1 << 32
};

impl NativeMemory {
    /// All of the memory of this process.
    ///
    /// # Safety
    /// Whoever is given this passes only addresses that are 0, or not below 2^56, or of words that
    /// are readable (writable, where an operation changes them) for the whole call, have been
    /// exposed, and are accessed atomically by others. A key of such waits that is shown by a walk
    /// over a table is used for no wait and no requeue.
    ///
    /// ```
    /// use slotpark_core::{FutexMemory, NativeMemory};
    /// // SAFETY: no address is given.
    /// let memory = unsafe { NativeMemory::new() };
    /// assert!(!memory.is_address(u64::MAX));
    /// ```
    #[must_use]
    pub const unsafe fn new() -> Self {
        Self(())
    }

    /// The word at an address, if it is none of those that fault.
    #[inline]
    fn word<A>(address: u64) -> Result<*mut A, FutexFault> {
        if address == 0 || address >= NATIVE_END {
            return Err(FutexFault);
        }
        debug_assert_eq!(address % align_of::<A>() as u64, 0, "a word is aligned");
        Ok(core::ptr::with_exposed_provenance_mut(address as usize))
    }
}

impl FutexMemory for NativeMemory {
    #[inline]
    fn load(&self, address: u64, size: FutexSize) -> Result<u64, FutexFault> {
        Ok(match size {
            // SAFETY: the contract of `new`: a word is there.
            FutexSize::U8 => word::load_u8(unsafe { &*Self::word::<AtomicU8>(address)? }).into(),
            // SAFETY: the contract of `new`, and the address is a multiple of the word's size.
            FutexSize::U16 => word::load_u16(unsafe { &*Self::word::<AtomicU16>(address)? }).into(),
            // SAFETY: the contract of `new`, and the address is a multiple of 4.
            FutexSize::U32 => word::load(unsafe { &*Self::word::<AtomicU32>(address)? }).into(),
            #[cfg(target_has_atomic = "64")]
            // SAFETY: the contract of `new`, and the address is a multiple of 8.
            FutexSize::U64 => word::load_u64(unsafe { &*Self::word::<AtomicU64>(address)? }),
            #[cfg(not(target_has_atomic = "64"))]
            FutexSize::U64 => return Err(FutexFault),
        })
    }

    fn compare_exchange(
        &self,
        address: u64,
        current: u32,
        new: u32,
    ) -> Result<Result<u32, u32>, FutexFault> {
        // SAFETY: the contract of `new`: a word is there, and the address is a multiple of 4.
        let word = unsafe { &*Self::word::<AtomicU32>(address)? };
        Ok(word::compare_exchange(word, current, new))
    }

    #[inline]
    fn is_address(&self, address: u64) -> bool {
        address < NATIVE_END
    }
}
