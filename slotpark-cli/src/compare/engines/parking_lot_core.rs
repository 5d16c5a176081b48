//! parking_lot_core by key: its own table, one for the whole process, with the key as the address.
//!
//! It compares whole keys and validates under its lock, so it loses nothing. A key that is no
//! number would have to be hashed to one, and two keys of one hash would share their wakes; here
//! the numbers themselves are the keys, which is the best case for it.

use parking_lot_core::{DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, ParkResult};

use crate::measure::{Deadline, Engine, Outcome, Place, Slots};

/// Nothing of its own: the table belongs to the process.
#[derive(Debug)]
pub(crate) struct ParkingLotCore;

/// The address that stands for a key. Nothing else in the process parks while a sample runs, but
/// the seed's slots, which are not in the same process.
#[expect(clippy::cast_possible_truncation, reason = "keys are small numbers")]
fn address(at: Place<'_>) -> usize {
    at.key as usize
}

impl Engine for ParkingLotCore {
    const NAME: &'static str = "parking_lot_core";

    fn new(slots: Slots) -> Option<Self> {
        (slots == Slots::Default).then_some(Self)
    }

    #[inline]
    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        // SAFETY: no other user of parking_lot_core in this process has such small addresses, and
        // the closures neither unwind nor call back.
        let result = unsafe {
            parking_lot_core::park(
                address(at),
                || at.word.value() == expected,
                || {},
                |_, _| {},
                DEFAULT_PARK_TOKEN,
                deadline.map(|deadline| deadline.instant),
            )
        };
        match result {
            ParkResult::Unparked(_) => Outcome::Woken,
            ParkResult::Invalid => Outcome::Stale,
            ParkResult::TimedOut => Outcome::TimedOut,
        }
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) -> usize {
        // SAFETY: nobody else has such small addresses, as in `wait`; the closure cannot unwind.
        let result = unsafe { parking_lot_core::unpark_one(address(at), |_| DEFAULT_UNPARK_TOKEN) };
        result.unparked_threads
    }

    #[inline]
    fn wake_all(&self, at: Place<'_>) -> usize {
        // SAFETY: nobody else has such small addresses, as in `wait`.
        unsafe { parking_lot_core::unpark_all(address(at), DEFAULT_UNPARK_TOKEN) }
    }
}
