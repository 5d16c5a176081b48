//! What a descriptor is open for.

/// What a descriptor is open for: O_RDONLY, O_WRONLY, O_RDWR.
///
/// ```
/// use slotpark_managers::Access;
/// assert!(Access::Both.reads() && Access::Both.writes());
/// assert!(!Access::Write.reads());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// To read, or to receive.
    Read,
    /// To write, or to send.
    Write,
    /// For both.
    Both,
}

impl Access {
    /// Whether it is open to read.
    ///
    /// ```
    /// assert!(slotpark_managers::Access::Read.reads());
    /// ```
    #[must_use]
    pub const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Both)
    }

    /// Whether it is open to write.
    ///
    /// ```
    /// assert!(!slotpark_managers::Access::Read.writes());
    /// ```
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Both)
    }
}
