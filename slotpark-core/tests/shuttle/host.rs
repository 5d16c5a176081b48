//! The model's platform, which tells the oracle what happens in a slot.

use std::fmt::Debug;

use slotpark_core::{AtomicU32, Clock, Deadline, Event, Model, Platform, Slept};

use crate::oracle;

/// All threads of a slot sleep on one word.
#[derive(Debug)]
pub(crate) enum Grouped {}

/// Each thread sleeps on a word of its own.
#[derive(Debug)]
pub(crate) enum Alone {}

macro_rules! told_to_the_oracle {
    ($host:ty, $group_sleep:literal) => {
        // SAFETY: sleep and wake are the model's; the oracle does not call a table, and its panics
        // end the run.
        unsafe impl Platform for $host {
            const GROUP_SLEEP: bool = $group_sleep;
            type Handle = ();
            type Critical = ();

            fn handle() {}

            fn critical() {
                oracle::looked();
            }

            fn sleep(
                word: &AtomicU32,
                expected: u32,
                bits: u32,
                deadline: Option<Deadline>,
            ) -> Slept {
                let slept = Model::sleep(word, expected, bits, deadline);
                oracle::slept(slept);
                slept
            }

            fn wake_group(word: &AtomicU32, bits: u32) {
                Model::wake_group(word, bits);
            }

            fn wake_thread(word: *const AtomicU32, handle: &()) {
                Model::wake_thread(word, handle);
            }

            fn lock_sleep(word: &AtomicU32, expected: u32) {
                Model::lock_sleep(word, expected);
            }

            fn lock_wake(word: &AtomicU32) {
                Model::lock_wake(word);
            }

            fn now_ns(clock: Clock) -> u64 {
                Model::now_ns(clock)
            }

            fn ticks() -> u64 {
                0
            }

            fn observe(event: Event, slot: usize) {
                oracle::observe(event, slot);
            }

            fn observe_waiter(event: Event, slot: usize, tag: u64) {
                oracle::observe_waiter(event, slot, tag);
            }
        }
    };
}

told_to_the_oracle!(Grouped, true);
told_to_the_oracle!(Alone, false);
