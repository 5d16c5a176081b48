//! Random calls on message queues.

use proptest::prelude::*;
use slotpark_managers::Access;

use crate::host::queues::Opened;

pub(crate) const NAMES: usize = 3;

/// A call. `at` chooses one of the open descriptors.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Open {
        name: usize,
        how: Opened,
    },
    Unlink {
        name: usize,
    },
    Dup {
        at: usize,
    },
    Close {
        at: usize,
    },
    Send {
        at: usize,
        length: usize,
        priority: u32,
    },
    Receive {
        at: usize,
        room: usize,
    },
    Nonblocking {
        at: usize,
        value: bool,
    },
    Notify {
        at: usize,
    },
    CancelNotify {
        at: usize,
    },
}

fn opened() -> impl Strategy<Value = Opened> {
    let access = prop_oneof![
        4 => Just(Access::Both),
        1 => Just(Access::Read),
        1 => Just(Access::Write),
    ];
    let number = |usual: std::ops::Range<usize>, beyond: usize| {
        let wrong = prop_oneof![Just(0), Just(beyond)];
        prop_oneof![10 => usual, 1 => wrong]
    };
    // Beyond what Linux allows even the privileged.
    let create = proptest::option::weighted(0.8, (number(1..4, 70_000), number(1..9, 17 << 20)));
    let flags = (proptest::bool::weighted(0.1), any::<bool>());
    (access, create, flags).prop_map(|(access, create, (is_exclusive, is_nonblocking))| Opened {
        access,
        create,
        is_exclusive,
        is_nonblocking,
    })
}

pub(crate) fn call() -> impl Strategy<Value = Call> {
    let (at, name) = (0..6_usize, 0..NAMES);
    let priority = prop_oneof![9 => 0..4_u32, 1 => 32_766..32_770_u32];
    prop_oneof![
        3 => (name.clone(), opened()).prop_map(|(name, how)| Call::Open { name, how }),
        1 => name.prop_map(|name| Call::Unlink { name }),
        1 => at.clone().prop_map(|at| Call::Dup { at }),
        1 => at.clone().prop_map(|at| Call::Close { at }),
        8 => (at.clone(), 0..9_usize, priority)
            .prop_map(|(at, length, priority)| Call::Send { at, length, priority }),
        6 => (at.clone(), 0..12_usize).prop_map(|(at, room)| Call::Receive { at, room }),
        1 => (at.clone(), any::<bool>()).prop_map(|(at, value)| Call::Nonblocking { at, value }),
        2 => at.clone().prop_map(|at| Call::Notify { at }),
        1 => at.prop_map(|at| Call::CancelNotify { at }),
    ]
}
