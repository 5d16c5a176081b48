//! A region: what a range of addresses is.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

bitflags::bitflags! {
    /// What may be done with memory: the bits of `mmap`'s argument.
    ///
    /// ```
    /// use slotpark_managers::Protection;
    /// let both = Protection::READ | Protection::WRITE;
    /// assert_eq!(Protection::from_bits(3), Some(both));
    /// assert_eq!(both.to_string(), "rw-");
    /// assert_eq!(Protection::empty().to_string(), "---");
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Protection: u32 {
        /// `PROT_READ`.
        const READ = 1;
        /// `PROT_WRITE`.
        const WRITE = 2;
        /// `PROT_EXEC`.
        const EXEC = 4;
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (one, letter) in [(Self::READ, "r"), (Self::WRITE, "w"), (Self::EXEC, "x")] {
            f.write_str(if self.contains(one) { letter } else { "-" })?;
        }
        Ok(())
    }
}

/// What the bytes of a region are of.
#[derive(Clone, Debug)]
pub(super) enum Backing<B> {
    Anonymous,
    /// Of one call of `map`.
    SharedAnonymous(Arc<()>),
    Object(B),
}

impl<B: PartialEq> Backing<B> {
    /// Whether a region of `self` may go on as one of `next`, whose offsets meet or not.
    fn goes_on_as(&self, next: &Self, offsets_meet: bool) -> bool {
        match (self, next) {
            (Self::Anonymous, Self::Anonymous) => true,
            (Self::SharedAnonymous(one), Self::SharedAnonymous(other)) => {
                offsets_meet && Arc::ptr_eq(one, other)
            }
            (Self::Object(one), Self::Object(other)) => offsets_meet && one == other,
            _ => false,
        }
    }
}

/// A range of addresses that are mapped in one way. As text it is a line of `/proc/self/maps`.
///
/// ```
/// use slotpark::WaitDomain;
/// use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
/// let memory = MemoryRegions::new(WaitDomain::new());
/// let code = Mapping::of("/bin/true", 0x3000, Protection::READ | Protection::EXEC);
/// memory.map(Place::Fixed(0x40_0000), 0x2000, code)?;
/// let region = memory.find(0x40_1234).expect("it is mapped");
/// assert_eq!(region.range(), 0x40_0000..0x40_2000);
/// assert_eq!((region.object(), region.offset()), (Some(&"/bin/true"), 0x3000));
/// assert!(region.to_string().starts_with("00400000-00402000 r-xp 00003000 00:00 0 "));
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
#[derive(Clone, Debug)]
pub struct Region<B> {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) protection: Protection,
    pub(super) protection_max: Protection,
    pub(super) is_shared: bool,
    pub(super) backing: Backing<B>,
    pub(super) offset: u64,
}

impl<B> Region<B> {
    /// Its addresses.
    ///
    /// ```
    /// # use slotpark::WaitDomain;
    /// # use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 1, Mapping::anonymous(Protection::READ))?;
    /// assert_eq!(memory.regions()[0].range(), 0x40_0000..0x40_1000);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// What may be done there.
    ///
    /// ```
    /// # use slotpark::WaitDomain;
    /// # use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 1, Mapping::anonymous(Protection::READ))?;
    /// assert_eq!(memory.regions()[0].protection(), Protection::READ);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// Whether what is written there is seen elsewhere.
    ///
    /// ```
    /// # use slotpark::WaitDomain;
    /// # use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::<()>::new(WaitDomain::new());
    /// let mapping = Mapping::anonymous(Protection::READ).shared();
    /// memory.map(Place::Fixed(0x40_0000), 1, mapping)?;
    /// assert!(memory.regions()[0].is_shared());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// The object that its bytes are of; `None` if it is anonymous.
    ///
    /// ```
    /// # use slotpark::WaitDomain;
    /// # use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 1, Mapping::of("file", 0, Protection::READ))?;
    /// assert_eq!(memory.regions()[0].object(), Some(&"file"));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn object(&self) -> Option<&B> {
        match &self.backing {
            Backing::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Where in its object it begins; of shared anonymous memory, where in what was mapped at once.
    ///
    /// ```
    /// # use slotpark::WaitDomain;
    /// # use slotpark_managers::{Mapping, MemoryRegions, Place, Protection};
    /// let memory = MemoryRegions::new(WaitDomain::new());
    /// memory.map(Place::Fixed(0x40_0000), 1, Mapping::of("file", 0x1000, Protection::READ))?;
    /// assert_eq!(memory.regions()[0].offset(), 0x1000);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Moves its start on; what lay before is no part of it any more.
    pub(super) fn start_at(&mut self, start: u64) {
        if !matches!(self.backing, Backing::Anonymous) {
            self.offset += start - self.start;
        }
        self.start = start;
    }
}

impl<B: PartialEq> Region<B> {
    /// Whether it and `next`, which begins where it ends, are one.
    pub(super) fn goes_on_as(&self, next: &Self) -> bool {
        let offsets_meet = self.offset + (self.end - self.start) == next.offset;
        self.end == next.start
            && self.protection == next.protection
            && self.protection_max == next.protection_max
            && self.is_shared == next.is_shared
            && self.backing.goes_on_as(&next.backing, offsets_meet)
    }
}

impl<B: fmt::Display> fmt::Display for Region<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sharing = if self.is_shared { 's' } else { 'p' };
        let (start, end, protection) = (self.start, self.end, self.protection);
        let offset = self.offset;
        let line = format!("{start:08x}-{end:08x} {protection}{sharing} {offset:08x} 00:00 0");
        match self.object() {
            Some(object) => write!(f, "{line:<72} {object}"),
            None => write!(f, "{line} "),
        }
    }
}
