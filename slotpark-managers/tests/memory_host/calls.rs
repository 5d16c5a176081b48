//! The calls.

use std::ops::Range;

use proptest::prelude::*;
use slotpark_managers::Protection;

const PAGE: u64 = 4096;
const PAGES: u64 = 16;

/// Where no kernel maps by itself, and no sanitizer.
const START: u64 = 0x2000_0000_0000;

/// Nothing else is mapped here.
pub(crate) const AREA: Range<u64> = START..START + PAGES * PAGE;

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Anonymous,
    SharedAnonymous,
    File {
        object: u32,
        offset: u64,
    },
    SharedFile {
        object: u32,
        offset: u64,
    },
    /// Through a descriptor that is open to read.
    SharedReadOnly {
        object: u32,
        offset: u64,
    },
}

impl What {
    pub(crate) fn object(self) -> Option<(u32, u64)> {
        match self {
            Self::Anonymous | Self::SharedAnonymous => None,
            Self::File { object, offset }
            | Self::SharedFile { object, offset }
            | Self::SharedReadOnly { object, offset } => Some((object, offset)),
        }
    }

    pub(crate) fn is_shared(self) -> bool {
        !matches!(self, Self::Anonymous | Self::File { .. })
    }

    pub(crate) fn is_read_only(self) -> bool {
        matches!(self, Self::SharedReadOnly { .. })
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Map {
        start: u64,
        length: u64,
        protection: Protection,
        what: What,
        replaces: bool,
    },
    Unmap {
        start: u64,
        length: u64,
    },
    Protect {
        start: u64,
        length: u64,
        protection: Protection,
    },
}

/// A range within the area; or one that is no range.
fn range() -> impl Strategy<Value = (u64, u64)> {
    let pages = (0..PAGES).prop_flat_map(|first| (Just(first), 1..=PAGES - first));
    let whole = pages.prop_map(|(first, count)| (START + first * PAGE, count * PAGE));
    prop_oneof![
        12 => whole.clone(),
        2 => whole.prop_map(|(start, length)| (start, length - 1)),
        1 => (0..PAGES).prop_map(|first| (START + first * PAGE + 1, PAGE)),
        1 => Just((START, 0)),
        1 => prop_oneof![
            Just((START, u64::MAX)),
            Just((START, u64::MAX - START)),
            Just((0x7fff_ffff_f000, PAGE)),
            Just((u64::MAX - PAGE + 1, PAGE)),
        ],
    ]
}

/// Few different ones, so that neighbours are alike.
fn protection() -> impl Strategy<Value = Protection> {
    prop_oneof![
        2 => Just(Protection::empty()),
        2 => Just(Protection::READ),
        2 => Just(Protection::READ | Protection::WRITE),
        1 => Just(Protection::READ | Protection::EXEC),
        1 => (0..8_u32).prop_map(Protection::from_bits_truncate),
    ]
}

/// Files' bytes lie at their pages' numbers in most cases, so that neighbours go on.
fn what(start: u64) -> impl Strategy<Value = What> {
    let object = 0..2_u32;
    let at_home = start.saturating_sub(START) & !(PAGE - 1);
    let offset = prop_oneof![
        6 => Just(at_home),
        1 => (0..PAGES).prop_map(|page| page * PAGE),
        1 => Just(1),
    ];
    let part = (object, offset);
    prop_oneof![
        3 => Just(What::Anonymous),
        1 => Just(What::SharedAnonymous),
        2 => part.clone().prop_map(|(object, offset)| What::File { object, offset }),
        2 => part.clone().prop_map(|(object, offset)| What::SharedFile { object, offset }),
        1 => part.prop_map(|(object, offset)| What::SharedReadOnly { object, offset }),
    ]
}

pub(crate) fn call() -> impl Strategy<Value = Call> {
    let map = range().prop_flat_map(|(start, length)| {
        let rest = (protection(), what(start), any::<bool>());
        rest.prop_map(move |(protection, what, replaces)| Call::Map {
            start,
            length,
            protection,
            what,
            replaces,
        })
    });
    let unmap = range().prop_map(|(start, length)| Call::Unmap { start, length });
    let protect = (range(), protection()).prop_map(|((start, length), protection)| Call::Protect {
        start,
        length,
        protection,
    });
    prop_oneof![4 => map, 2 => unmap, 4 => protect]
}
