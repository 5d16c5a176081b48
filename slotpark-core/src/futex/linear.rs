//! A guest's memory that is one array of bytes, little-endian: WebAssembly's linear memory.

use crate::futex::memory::{FutexFault, FutexMemory, FutexSize};
use crate::sync::AtomicU64;
use crate::word;

/// A linear memory, from address 0 to its length: words are little-endian on every host. An
/// address beyond the end faults.
///
/// It is seen as words of 64 bits, which hold the smaller ones: no access tears, and none mixes
/// sizes. An engine that has a base pointer makes a slice of it, one for each call if its memory
/// grows; pages are multiples of 64 KiB, so nothing is left over.
///
/// ```
/// use slotpark_core::{FutexMemory, FutexSize, LinearMemory};
/// use std::sync::atomic::AtomicU64;
/// let bytes = [AtomicU64::new(0x0807_0605_0403_0201_u64.to_le())];
/// let memory = LinearMemory::new(&bytes);
/// assert_eq!(memory.load(5, FutexSize::U8), Ok(0x06));
/// assert_eq!(memory.load(2, FutexSize::U16), Ok(0x0403));
/// assert_eq!(memory.load(4, FutexSize::U32), Ok(0x0807_0605));
/// assert!(memory.load(8, FutexSize::U8).is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LinearMemory<'m> {
    words: &'m [AtomicU64],
}

impl<'m> LinearMemory<'m> {
    /// The memory whose bytes these are.
    ///
    /// ```
    /// use slotpark_core::{FutexMemory, LinearMemory};
    /// assert!(!LinearMemory::new(&[]).is_address(0));
    /// ```
    #[must_use]
    pub const fn new(words: &'m [AtomicU64]) -> Self {
        Self { words }
    }

    /// The word of 64 bits around an address, and how far the address is into it, in bits.
    fn word(self, address: u64) -> Result<(&'m AtomicU64, u32), FutexFault> {
        const BYTES: u64 = size_of::<u64>() as u64;
        let at = usize::try_from(address / BYTES).map_err(|_| FutexFault)?;
        let word = self.words.get(at).ok_or(FutexFault)?;
        Ok((word, (address % BYTES) as u32 * u8::BITS))
    }
}

impl FutexMemory for LinearMemory<'_> {
    fn load(&self, address: u64, size: FutexSize) -> Result<u64, FutexFault> {
        let (word, shift) = self.word(address)?;
        let value = u64::from_le(word::load_u64(word)) >> shift;
        Ok(match size {
            FutexSize::U8 => value & u64::from(u8::MAX),
            FutexSize::U16 => value & u64::from(u16::MAX),
            FutexSize::U32 => value & u64::from(u32::MAX),
            FutexSize::U64 => value,
        })
    }

    fn compare_exchange(
        &self,
        address: u64,
        current: u32,
        new: u32,
    ) -> Result<Result<u32, u32>, FutexFault> {
        let (word, shift) = self.word(address)?;
        let mut whole = word::load_u64(word);
        loop {
            let value = (u64::from_le(whole) >> shift) as u32;
            if value != current {
                return Ok(Err(value));
            }
            // Of the same width as `current`: nothing of the neighbour's is touched.
            let difference = u64::from(current ^ new) << shift;
            let changed = (u64::from_le(whole) ^ difference).to_le();
            match word::compare_exchange_u64(word, whole, changed) {
                Ok(_) => return Ok(Ok(current)),
                // Perhaps only the neighbour has changed.
                Err(now) => whole = now,
            }
        }
    }

    fn is_address(&self, address: u64) -> bool {
        self.word(address).is_ok()
    }
}
