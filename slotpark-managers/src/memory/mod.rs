//! What the addresses of a process lead to.
//!
//! Regions are a tree by address, under one lock. What waits on words in them are the futexes of
//! the process's domain, in slots: unmapping ends those waits.
//!
//! **Lock order**: the lock of the regions, and nothing inside it. Waits are ended after it is
//! given back.

mod change;
mod mapping;
mod region;
mod tree;

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use slotpark::WaitDomain;

pub use change::Mapped;
pub use mapping::{Mapping, Place};
pub use region::{Protection, Region};
use tree::Regions;

/// Bytes in a page.
const PAGE: u64 = 4096;

/// Where Linux lets programs map on x86-64: from `vm.mmap_min_addr` on, below the kernel's half.
const BOUNDS_DEFAULT: Range<u64> = 0x1_0000..0x7fff_ffff_f000;

/// Linux's `vm.max_map_count`.
const REGIONS_MAX_DEFAULT: usize = 65_530;

/// The memory of a process: which addresses are mapped, to what, and what may be done there. See
/// `mmap(2)`, `munmap(2)`, `mprotect(2)`. A random sequence of calls, made here and on the host,
/// gives the same errors and the same `/proc/self/maps`.
///
/// `B` is what mappings are of: a file's number or an `Arc` of it. It is compared, cloned and
/// dropped under the lock of the regions, which must not be used there.
///
/// ```
/// use slotpark::WaitDomain;
/// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
/// let memory = MemoryRegions::<()>::new(WaitDomain::new());
/// let data = Mapping::anonymous(Protection::READ | Protection::WRITE);
/// let start = memory.map(Place::Anywhere, 0x3000, data)?.address;
/// memory.protect(start + 0x1000, 0x1000, Protection::READ)?;
/// assert_eq!(memory.regions().len(), 3);
/// let gone = memory.unmap(start, 0x3000)?;
/// assert_eq!(gone.len(), 3);
/// assert!(memory.is_empty());
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
///
/// **Futexes.** The waits of the process's threads are made in its [`domain`](Self::domain), and
/// read their words through this: [`find`](Self::find) first. So a wait on memory that is unmapped
/// is ended or finds nothing. A wait that is told `Unmapped` looks again: if there is memory by
/// now, because somebody has mapped it anew meanwhile, it has been woken for nothing, which a futex
/// may be; else it faults.
///
/// **Where it differs from Linux**
///
/// | what | here | Linux |
/// |---|---|---|
/// | waits on words that are unmapped | end | sleep on |
/// | where `mmap` maps by itself | at the lowest address with room | below what was mapped last |
/// | too many regions | ENOMEM, and nothing is changed | some may be changed |
/// | neighbours that were written to | are one all the same | only if their pages may be |
/// | `mremap`, `madvise`, `mlock`, stacks that grow, huge pages | none | there |
/// | how much memory there is | not looked at | ENOMEM |
pub struct MemoryRegions<'t, B> {
    domain: WaitDomain<'t>,
    regions: Mutex<Regions<B>>,
    bounds: Range<u64>,
    regions_max: usize,
}

impl<'t, B> MemoryRegions<'t, B> {
    /// Nothing is mapped. The futexes of the process are those of `domain`.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// assert!(slotpark_managers::MemoryRegions::<()>::new(WaitDomain::new()).is_empty());
    /// ```
    #[must_use]
    pub fn new(domain: WaitDomain<'t>) -> Self {
        Self {
            domain,
            regions: Mutex::new(Regions::new()),
            bounds: BOUNDS_DEFAULT,
            regions_max: REGIONS_MAX_DEFAULT,
        }
    }

    /// Which addresses there are, rounded inwards to pages; those that Linux has on x86-64 if this
    /// is not called.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Errno, Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new()).bounds(0x1000..0x10_0000);
    /// let too_much = memory.map(Place::Anywhere, 0x10_0000, Mapping::anonymous(Protection::READ));
    /// assert_eq!(too_much.err(), Some(Errno::NoMemory));
    /// ```
    #[must_use]
    pub fn bounds(mut self, bounds: Range<u64>) -> Self {
        let start = bounds.start.checked_next_multiple_of(PAGE);
        let end = bounds.end & !(PAGE - 1);
        self.bounds = start.unwrap_or(end)..end;
        self
    }

    /// How many regions there are at most; 65,530 if this is not called.
    ///
    /// ```
    /// use slotpark::WaitDomain; use slotpark_managers::{Errno, Mapping, MemoryRegions, Place,
    /// Protection}; let memory = MemoryRegions::<()>::new(WaitDomain::new()).regions_max(1); let
    /// start = memory.map(Place::Anywhere, 0x3000, Mapping::anonymous(Protection::READ))?.address;
    /// assert_eq!(memory.unmap(start + 0x1000, 1).err(), Some(Errno::NoMemory));
    /// # Ok::<_, Errno>(())
    /// ```
    #[must_use]
    pub fn regions_max(mut self, count: usize) -> Self {
        self.regions_max = count;
        self
    }

    /// Where the process's threads wait on words.
    ///
    /// ```
    /// use slotpark::{DomainError, WaitDomain};
    /// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// let load = |address| match memory.find(address) {
    ///     Some(region) if region.protection().contains(Protection::READ) => Ok(0),
    ///     _ => Err("segmentation fault"),
    /// };
    /// let wait = memory.domain().wait32(0x1_0000, 0, -1, || load(0x1_0000));
    /// assert_eq!(wait, Err(DomainError::Fault("segmentation fault")));
    /// ```
    #[must_use]
    pub fn domain(&self) -> &WaitDomain<'t> {
        &self.domain
    }

    fn lock(&self) -> MutexGuard<'_, Regions<B>> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many regions there are.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// assert_eq!(slotpark_managers::MemoryRegions::<()>::new(WaitDomain::new()).len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().count()
    }

    /// Whether nothing is mapped.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// assert!(slotpark_managers::MemoryRegions::<()>::new(WaitDomain::new()).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'t, B: Clone + PartialEq> MemoryRegions<'t, B> {
    /// The region that an address lies in.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 1, Mapping::anonymous(Protection::READ))?;
    /// assert!(memory.find(0x40_0fff).is_some());
    /// assert!(memory.find(0x40_1000).is_none());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn find(&self, address: u64) -> Option<Region<B>> {
        let end = address.checked_add(1)?;
        let regions = self.lock();
        let region = regions.in_range(address..end).next();
        region.cloned()
    }

    /// Whether all of a range is mapped, and allows this: before a call copies from or to it.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 1, Mapping::anonymous(Protection::READ))?;
    /// assert!(memory.allows(0x40_0000..0x40_1000, Protection::READ));
    /// assert!(!memory.allows(0x40_0000..0x40_1001, Protection::READ));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn allows(&self, range: Range<u64>, protection: Protection) -> bool {
        let regions = self.lock();
        let mut allowed_to = range.start;
        for region in regions.in_range(range.clone()) {
            if region.start > allowed_to || !region.protection.contains(protection) {
                return false;
            }
            allowed_to = region.end;
        }
        allowed_to >= range.end
    }

    /// All regions by address, as `/proc/self/maps` has them.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 1, Mapping::of("file", 0, Protection::READ))?;
    /// for region in memory.regions() {
    ///     println!("{region}");
    /// }
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn regions(&self) -> Vec<Region<B>> {
        self.lock().iter().cloned().collect()
    }

    /// The memory of a child: the same regions, and a domain of its own without any waits.
    ///
    /// ```
    /// use slotpark::WaitDomain;
    /// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 1, Mapping::anonymous(Protection::READ))?;
    /// let child = memory.fork();
    /// memory.unmap(0x40_0000, 1)?;
    /// assert_eq!((memory.len(), child.len()), (0, 1));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn fork(&self) -> Self {
        let regions = self.lock().clone();
        Self {
            domain: self.domain.fork(),
            regions: regions.into(),
            bounds: self.bounds.clone(),
            regions_max: self.regions_max,
        }
    }
}

impl<B> fmt::Debug for MemoryRegions<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRegions")
            .field("domain", &self.domain)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}
