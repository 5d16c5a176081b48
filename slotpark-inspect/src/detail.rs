//! How much is recorded in this process.

use crate::Detail;

/// What is recorded now.
pub(crate) fn now() -> Detail {
    Detail::Off
}

/// Raises the level to where parties are known.
pub(crate) fn raise() {}
