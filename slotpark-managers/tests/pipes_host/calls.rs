//! Random calls on pipes and FIFOs.

use proptest::collection::vec;
use proptest::prelude::*;
use slotpark_managers::Access;

/// A call. `at` chooses one of the open ends.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Pipe,
    Write { at: usize, sizes: Vec<usize> },
    Read { at: usize, sizes: Vec<usize> },
    Dup { at: usize },
    Close { at: usize },
    SetCapacity { at: usize, bytes: u32 },
    Edges { at: usize },
    Mkfifo { name: usize },
    Unlink { name: usize },
    Open { name: usize, access: Access },
}

fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0..100_usize,
        3 => (1..5_usize, 0..7_usize).prop_map(|(pages, around)| pages * 4096 + around - 3),
        2 => 0..5000_usize,
        1 => 0..100_000_usize,
    ]
}

pub(crate) fn of_an_end() -> impl Strategy<Value = Call> {
    let at = 0..12_usize;
    let capacity = prop_oneof![
        0..70_000_u32,
        Just(1 << 20),
        Just((1 << 31) + 1),
        Just(u32::MAX)
    ];
    prop_oneof![
        8 => (at.clone(), vec(size(), 1..4)).prop_map(|(at, sizes)| Call::Write { at, sizes }),
        8 => (at.clone(), vec(size(), 1..4)).prop_map(|(at, sizes)| Call::Read { at, sizes }),
        1 => at.clone().prop_map(|at| Call::Dup { at }),
        1 => at.clone().prop_map(|at| Call::Close { at }),
        1 => (at.clone(), capacity).prop_map(|(at, bytes)| Call::SetCapacity { at, bytes }),
        6 => at.prop_map(|at| Call::Edges { at }),
    ]
}

pub(crate) fn of_a_name() -> impl Strategy<Value = Call> {
    let access = prop_oneof![
        3 => Just(Access::Read),
        3 => Just(Access::Write),
        1 => Just(Access::Both),
    ];
    let name = 0..2_usize;
    prop_oneof![
        1 => name.clone().prop_map(|name| Call::Mkfifo { name }),
        1 => name.clone().prop_map(|name| Call::Unlink { name }),
        4 => (name, access).prop_map(|(name, access)| Call::Open { name, access }),
    ]
}
