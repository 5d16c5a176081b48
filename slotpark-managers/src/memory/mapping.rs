//! What is to be mapped, and where.

use std::sync::Arc;

use super::region::Backing;
use super::{Protection, Region};

/// Where to map.
///
/// ```
/// assert_ne!(slotpark_managers::Place::Anywhere, slotpark_managers::Place::Hint(0x1000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// At the lowest address that has room.
    Anywhere,
    /// There, rounded up to a page, if there is room; else anywhere.
    Hint(u64),
    /// There, in place of what is there: `MAP_FIXED`.
    Fixed(u64),
    /// There, if nothing is there: `MAP_FIXED_NOREPLACE`.
    FixedNoReplace(u64),
}

/// What to map.
///
/// ```
/// use slotpark_managers::{Mapping, Protection};
/// let stack = Mapping::<()>::anonymous(Protection::READ | Protection::WRITE);
/// let log = Mapping::of("log", 0, Protection::READ)
///     .shared()
///     .protection_max(Protection::READ); // it is open to read only
/// ```
#[derive(Clone, Debug)]
pub struct Mapping<B> {
    object: Option<B>,
    pub(super) offset: u64,
    pub(super) protection: Protection,
    pub(super) protection_max: Protection,
    is_shared: bool,
}

impl<B> Mapping<B> {
    /// Zeroes, private to the process: `MAP_PRIVATE | MAP_ANONYMOUS`.
    ///
    /// ```
    /// let zeroes =
    /// slotpark_managers::Mapping::<()>::anonymous(slotpark_managers::Protection::READ);
    /// ```
    #[must_use]
    pub fn anonymous(protection: Protection) -> Self {
        Self {
            object: None,
            offset: 0,
            protection,
            protection_max: Protection::all(),
            is_shared: false,
        }
    }

    /// Bytes of an object from `offset` on, a copy of its own to the process: `MAP_PRIVATE`.
    ///
    /// ```
    /// use slotpark_managers::{Mapping, Protection};
    /// let code = Mapping::of("/bin/true", 0x1000, Protection::READ | Protection::EXEC);
    /// ```
    #[must_use]
    pub fn of(object: B, offset: u64, protection: Protection) -> Self {
        Self {
            object: Some(object),
            offset,
            ..Self::anonymous(protection)
        }
    }

    /// The same, and what is written is seen by others: `MAP_SHARED`. Anonymous memory is shared
    /// with children.
    ///
    /// ```
    /// use slotpark_managers::{Mapping, Protection};
    /// let shared = Mapping::<()>::anonymous(Protection::READ).shared();
    /// ```
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    /// What may be allowed there, now or later. Everything, if this is not called.
    ///
    /// ```
    /// use slotpark_managers::{Mapping, Protection};
    /// let text = Mapping::of("file", 0, Protection::READ).protection_max(Protection::READ);
    /// ```
    #[must_use]
    pub fn protection_max(mut self, protection_max: Protection) -> Self {
        self.protection_max = protection_max;
        self
    }

    pub(super) fn at(self, start: u64, end: u64) -> Region<B> {
        let backing = match (self.object, self.is_shared) {
            (Some(object), _) => Backing::Object(object),
            (None, true) => Backing::SharedAnonymous(Arc::new(())),
            (None, false) => Backing::Anonymous,
        };
        Region {
            start,
            end,
            protection: self.protection,
            protection_max: self.protection_max,
            is_shared: self.is_shared,
            backing,
            offset: self.offset,
        }
    }
}
