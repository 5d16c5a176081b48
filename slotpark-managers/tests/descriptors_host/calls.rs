//! The calls, and how they are made here.

use proptest::prelude::*;
use slotpark_managers::{CloseRange, Description, Errno, FdTable};

/// All numbers that are used are below this: more than two words of bits.
pub(crate) const NUMBERS: u32 = 160;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Open {
        close: bool,
    },
    Dup {
        number: i32,
    },
    DupFrom {
        number: i32,
        min: i32,
        close: bool,
    },
    Dup2 {
        number: i32,
        new: i32,
    },
    Dup3 {
        number: i32,
        new: i32,
        close: bool,
    },
    Close {
        number: i32,
    },
    CloseRange {
        first: u32,
        last: u32,
        on_exec: bool,
    },
    GetClose {
        number: i32,
    },
    SetClose {
        number: i32,
        close: bool,
    },
    SetLimit {
        limit: u32,
    },
    Fork,
}

pub(crate) fn call() -> impl Strategy<Value = Call> {
    // Most numbers are low, where others are open; some are around the ends of words.
    let number = || {
        prop_oneof![
            6 => 0..6,
            2 => 60..70,
            1 => 126..130,
            1 => -2..NUMBERS as i32 + 2,
            1 => Just(i32::MAX),
        ]
    };
    let limit = prop_oneof![2 => 0..8_u32, 2 => Just(NUMBERS), 1 => 0..NUMBERS];
    let last = prop_oneof![0..NUMBERS, Just(u32::MAX)];
    prop_oneof![
        6 => any::<bool>().prop_map(|close| Call::Open { close }),
        4 => number().prop_map(|number| Call::Dup { number }),
        4 => (number(), number(), any::<bool>())
            .prop_map(|(number, min, close)| Call::DupFrom { number, min, close }),
        4 => (number(), number()).prop_map(|(number, new)| Call::Dup2 { number, new }),
        4 => (number(), number(), any::<bool>())
            .prop_map(|(number, new, close)| Call::Dup3 { number, new, close }),
        4 => number().prop_map(|number| Call::Close { number }),
        1 => (0..NUMBERS, last, any::<bool>())
            .prop_map(|(first, last, on_exec)| Call::CloseRange { first, last, on_exec }),
        1 => number().prop_map(|number| Call::GetClose { number }),
        1 => (number(), any::<bool>())
            .prop_map(|(number, close)| Call::SetClose { number, close }),
        1 => limit.prop_map(|limit| Call::SetLimit { limit }),
        1 => Just(Call::Fork),
    ]
}

/// What it returns, or the number of the error.
pub(crate) fn made_by(
    files: &FdTable<u32>,
    call: &Call,
    opened: Description<u32>,
) -> Result<i32, i32> {
    let nothing = |result: Result<(), Errno>| result.map(|()| 0);
    let result = match *call {
        Call::Open { close } => files.install(opened, close),
        Call::Dup { number } => files.dup(number),
        Call::DupFrom { number, min, close } => files.dup_from(number, min, close),
        Call::Dup2 { number, new } => files.dup2(number, new),
        Call::Dup3 { number, new, close } => files.dup3(number, new, close),
        Call::Close { number } => nothing(files.close(number)),
        Call::CloseRange {
            first,
            last,
            on_exec,
        } => {
            let how = if on_exec {
                CloseRange::OnExec
            } else {
                CloseRange::Close
            };
            nothing(files.close_range(first, last, how))
        }
        Call::GetClose { number } => files.close_on_exec(number).map(i32::from),
        Call::SetClose { number, close } => nothing(files.set_close_on_exec(number, close)),
        Call::SetLimit { .. } | Call::Fork => unreachable!("they are of more than one table"),
    };
    result.map_err(Errno::number)
}
