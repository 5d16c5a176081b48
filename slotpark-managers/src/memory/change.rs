//! Mapping, unmapping, protecting.

use std::ops::Range;

use super::{Mapping, MemoryRegions, PAGE, Place, Protection, Region};
use crate::Errno;

/// What [`MemoryRegions::map`] has done.
///
/// ```
/// use slotpark::WaitDomain;
/// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
/// let memory = MemoryRegions::<()>::new(WaitDomain::new());
/// let mapping = Mapping::anonymous(Protection::READ);
/// let first = memory.map(Place::Hint(0x40_0000), 0x3000, mapping.clone())?;
/// let second = memory.map(Place::Fixed(first.address + 0x1000), 0x1000, mapping)?;
/// assert_eq!(second.replaced[0].range(), 0x40_1000..0x40_2000);
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mapped<B> {
    /// Where it is.
    pub address: u64,
    /// What was there before, and is not any more.
    pub replaced: Vec<Region<B>>,
}

/// `length` rounded up to pages, 0 if that is beyond all addresses.
fn whole_pages(length: u64) -> u64 {
    length.checked_next_multiple_of(PAGE).unwrap_or(0)
}

fn is_page(address: u64) -> bool {
    address % PAGE == 0
}

impl<B: Clone + PartialEq> MemoryRegions<'_, B> {
    /// Maps `length` bytes, rounded up to pages: `mmap(2)`. What is replaced is unmapped: see
    /// [`unmap`](Self::unmap).
    ///
    /// # Errors
    /// EINVAL: `length` is 0, or an address or offset is not that of a page. ENOMEM: no such
    /// addresses, or they are not free, or too many regions. EPERM: below the lowest address.
    /// EEXIST: something is there that is not to be replaced. EACCES: more protection than may be.
    /// EOVERFLOW: the object has no such offsets.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Errno, Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::new(WaitDomain::new());
    /// let code = Mapping::of("/bin/true", 0, Protection::READ | Protection::EXEC);
    /// assert_eq!(memory.map(Place::Fixed(0x40_0000), 100, code.clone())?.address, 0x40_0000);
    /// let again = memory.map(Place::FixedNoReplace(0x40_0000), 100, code);
    /// assert_eq!(again.err(), Some(Errno::Exists));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn map(&self, place: Place, length: u64, mapping: Mapping<B>) -> Result<Mapped<B>, Errno> {
        if !is_page(mapping.offset) || length == 0 {
            return Err(Errno::Invalid);
        }
        let length = whole_pages(length);
        if length == 0 {
            return Err(Errno::NoMemory);
        }
        if mapping.offset.checked_add(length).is_none() {
            return Err(Errno::Overflow);
        }
        let mut regions = self.lock();
        let is_free = |start: u64| regions.is_free(start..start + length);
        let chosen = match place {
            Place::Fixed(start) => Some(self.fixed(start, length)?),
            Place::FixedNoReplace(start) => {
                let start = self.fixed(start, length)?;
                Some(is_free(start).then_some(start).ok_or(Errno::Exists)?)
            }
            Place::Hint(hint) => {
                let start = self.fixed(whole_pages(hint), length).ok();
                start.filter(|start| is_free(*start))
            }
            Place::Anywhere => None,
        };
        let fit = chosen.or_else(|| regions.first_fit(self.bounds.clone(), length));
        let start = fit.ok_or(Errno::NoMemory)?;
        if !mapping.protection_max.contains(mapping.protection) {
            return Err(Errno::Access);
        }
        let range = start..start + length;
        if regions.count() + regions.cuts(range.clone()) >= self.regions_max {
            return Err(Errno::NoMemory);
        }
        let replaced = regions.cut(range.clone());
        regions.put(mapping.at(range.start, range.end));
        drop(regions);
        self.end_waits(range, &replaced);
        Ok(Mapped {
            address: start,
            replaced,
        })
    }

    fn fixed(&self, start: u64, length: u64) -> Result<u64, Errno> {
        if length > self.bounds.end || start > self.bounds.end - length {
            return Err(Errno::NoMemory);
        }
        if !is_page(start) {
            return Err(Errno::Invalid);
        }
        if start < self.bounds.start {
            return Err(Errno::NotPermitted);
        }
        Ok(start)
    }

    /// Unmaps what is mapped from `start` on for `length` bytes, rounded up to pages, and returns
    /// it: `munmap(2)`. Waits on words there end with
    /// [`DomainError::Unmapped`](slotpark::DomainError::Unmapped) before this returns.
    ///
    /// # Errors
    /// EINVAL: `length` is 0, `start` is not that of a page, or they are beyond all addresses.
    /// ENOMEM: too many regions.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Errno, MemoryRegions};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// assert!(memory.unmap(0x40_0000, 0x1000)?.is_empty()); // nothing was there
    /// assert_eq!(memory.unmap(0x40_0001, 0x1000).err(), Some(Errno::Invalid));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn unmap(&self, start: u64, length: u64) -> Result<Vec<Region<B>>, Errno> {
        let end = self.bounds.end;
        if !is_page(start) || start > end || length > end - start || length == 0 {
            return Err(Errno::Invalid);
        }
        let range = start..start + whole_pages(length);
        let mut regions = self.lock();
        let (start, end) = (range.start, range.end);
        // Only a region that is cut on both sides makes one more.
        let is_within = regions
            .in_range(range.clone())
            .any(|region| region.start < start && region.end > end);
        if is_within && regions.count() >= self.regions_max {
            return Err(Errno::NoMemory);
        }
        let gone = regions.cut(range.clone());
        drop(regions);
        self.end_waits(range, &gone);
        Ok(gone)
    }

    /// Unmaps everything, and returns it: for an exec, and for the end of a process.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// memory.map(Place::Anywhere, 1, Mapping::anonymous(Protection::READ))?;
    /// assert_eq!(memory.unmap_all().len(), 1);
    /// assert!(memory.is_empty());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub fn unmap_all(&self) -> Vec<Region<B>> {
        let gone = self.lock().cut(0..u64::MAX);
        self.end_waits(0..u64::MAX, &gone);
        gone
    }

    /// Ends the waits on words that are not there any more. Nothing is found there by now, so of
    /// the waits that race this each is ended, or finds that.
    fn end_waits(&self, range: Range<u64>, gone: &[Region<B>]) {
        if !gone.is_empty() {
            self.domain.drop_range(range);
        }
    }

    /// Changes what may be done from `start` on for `length` bytes, rounded up to pages:
    /// `mprotect(2)`.
    ///
    /// # Errors
    /// EINVAL: `start` is not that of a page. ENOMEM: some of it is not mapped, EACCES: some of it
    /// may not be so; what lies before is changed. ENOMEM: too many regions.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Errno, Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 0x2000, Mapping::anonymous(Protection::READ))?;
    /// memory.protect(0x40_0000, 1, Protection::empty())?;
    /// assert_eq!(memory.regions().len(), 2);
    /// let beyond = memory.protect(0x40_0000, 0x3000, Protection::empty());
    /// assert_eq!((beyond, memory.regions().len()), (Err(Errno::NoMemory), 1));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn protect(&self, start: u64, length: u64, protection: Protection) -> Result<(), Errno> {
        if !is_page(start) {
            return Err(Errno::Invalid);
        }
        if length == 0 {
            return Ok(());
        }
        let end = start.checked_add(whole_pages(length));
        let end = end.filter(|end| *end > start).ok_or(Errno::NoMemory)?;
        let mut regions = self.lock();
        if regions.count() + regions.cuts(start..end) > self.regions_max {
            return Err(Errno::NoMemory);
        }
        regions.protect(start..end, protection)
    }
}
