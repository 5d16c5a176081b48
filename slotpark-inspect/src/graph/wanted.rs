//! Who keeps out whom.

use crate::Kind;

/// What is asked of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    All,
    Read,
    Upgradable,
    Permit,
}

pub(super) fn wanted(kind: Kind) -> Option<Wanted> {
    match kind {
        Kind::Lock => Some(Wanted::All),
        Kind::Read => Some(Wanted::Read),
        Kind::Upgradable => Some(Wanted::Upgradable),
        Kind::Permit => Some(Wanted::Permit),
        Kind::Wait | Kind::Closed | Kind::Unknown => None,
    }
}

/// Whether who holds a key so is in the way of who wants it so.
pub(super) fn keeps_out(held: Kind, wanted: Wanted) -> bool {
    match (held, wanted) {
        (Kind::Wait | Kind::Closed | Kind::Unknown, _) => false,
        (Kind::Permit, wanted) => wanted == Wanted::Permit,
        (_, Wanted::Permit) => false,
        (Kind::Lock, _) | (_, Wanted::All) => true,
        (Kind::Upgradable, wanted) => wanted == Wanted::Upgradable,
        (Kind::Read, _) => false,
    }
}
