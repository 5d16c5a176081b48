//! parking_lot_core by key: its own table, one for the whole process, with the key as the address.
//!
//! It compares whole keys and validates under its lock, so it loses nothing. A key that is no
//! number would have to be hashed to one, and two keys of one hash would share their wakes; here
//! the numbers themselves are the keys, which is the best case for it.
//!
//! Two versions: 0.10, and 0.9, which most programs have.

use crate::measure::{Deadline, Engine, Outcome, Place, Slots};

/// The address that stands for a key. Nothing else in the process parks while a sample runs, but
/// the seed's slots, which are not in the same process.
#[expect(clippy::cast_possible_truncation, reason = "keys are small numbers")]
fn address(at: Place<'_>) -> usize {
    at.key as usize
}

/// The same code on one version.
macro_rules! adapter {
    ($name:ident, $version:ident) => {
        /// Nothing of its own: the table belongs to the process.
        #[derive(Debug)]
        pub(crate) struct $name;

        impl Engine for $name {
            const NAME: &'static str = stringify!($version);

            fn new(slots: Slots) -> Option<Self> {
                (slots == Slots::Default).then_some(Self)
            }

            #[inline]
            fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
                // SAFETY: no other user of this parking lot in the process has such small
                // addresses, and the closures neither unwind nor call back.
                let result = unsafe {
                    $version::park(
                        address(at),
                        || at.word.value() == expected,
                        || {},
                        |_, _| {},
                        $version::DEFAULT_PARK_TOKEN,
                        deadline.map(|deadline| deadline.instant),
                    )
                };
                match result {
                    $version::ParkResult::Unparked(_) => Outcome::Woken,
                    $version::ParkResult::Invalid => Outcome::Stale,
                    $version::ParkResult::TimedOut => Outcome::TimedOut,
                }
            }

            #[inline]
            fn wake_one(&self, at: Place<'_>) -> usize {
                // SAFETY: nobody else has such small addresses, as in `wait`; the closure cannot
                // unwind.
                let result = unsafe {
                    $version::unpark_one(address(at), |_| $version::DEFAULT_UNPARK_TOKEN)
                };
                result.unparked_threads
            }

            #[inline]
            fn wake_all(&self, at: Place<'_>) -> usize {
                // SAFETY: nobody else has such small addresses, as in `wait`.
                unsafe { $version::unpark_all(address(at), $version::DEFAULT_UNPARK_TOKEN) }
            }
        }
    };
}

adapter!(ParkingLotCore, parking_lot_core);
adapter!(ParkingLotCore09, parking_lot_core_09);
