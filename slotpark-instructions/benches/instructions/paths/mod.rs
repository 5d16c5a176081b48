//! The paths, in groups of one name with their files.

pub(crate) mod hashes;
pub(crate) mod keyed;
pub(crate) mod tasks;
pub(crate) mod values;
pub(crate) mod waits;
pub(crate) mod wakes;
pub(crate) mod words;
