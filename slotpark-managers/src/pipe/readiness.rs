//! What an end is ready for.

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// What an end is ready for, or what somebody wants to know about it: the bits of `poll(2)`.
///
/// ```
/// use slotpark_managers::Readiness;
/// let ready = Readiness::IN | Readiness::HUP;
/// assert!(ready.contains(Readiness::IN) && !ready.contains(Readiness::OUT));
/// assert_eq!(ready.bits(), 0x11);
/// assert_eq!(format!("{ready:?}"), "POLLIN | POLLHUP");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Readiness(u16);

impl Readiness {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// There is something to read.
    pub const IN: Self = Self(0x01);
    /// There is room to write.
    pub const OUT: Self = Self(0x04);
    /// Nobody is left to read what is written. Said whether it is asked for or not.
    pub const ERR: Self = Self(0x08);
    /// Nobody is left to write. Said whether it is asked for or not.
    pub const HUP: Self = Self(0x10);
    /// The end is not open. Said whether it is asked for or not.
    pub const NVAL: Self = Self(0x20);

    const NAMES: [(Self, &'static str); 5] = [
        (Self::IN, "POLLIN"),
        (Self::OUT, "POLLOUT"),
        (Self::ERR, "POLLERR"),
        (Self::HUP, "POLLHUP"),
        (Self::NVAL, "POLLNVAL"),
    ];

    /// Whether all of `other` is in it.
    ///
    /// ```
    /// use slotpark_managers::Readiness;
    /// assert!(Readiness::IN.contains(Readiness::NONE));
    /// ```
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it is nothing.
    ///
    /// ```
    /// assert!(slotpark_managers::Readiness::NONE.is_none());
    /// ```
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Linux's bits of it.
    ///
    /// ```
    /// assert_eq!(slotpark_managers::Readiness::OUT.bits(), 4);
    /// ```
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    pub(super) const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::NONE }
    }
}

impl BitOr for Readiness {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Readiness {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (bit, name) in Self::NAMES {
            if self.contains(bit) {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        if self.is_none() {
            f.write_str("nothing")?;
        }
        Ok(())
    }
}
