//! The model's platform, which tells somebody what happens in a slot.

use std::fmt::Debug;

use slotpark_core::{AtomicU32, Clock, Deadline, Event, Model, Platform, Slept};

use crate::{oracle, turns};

/// All threads of a slot sleep on one word.
#[derive(Debug)]
pub(crate) enum Grouped {}

/// Each thread sleeps on a word of its own.
#[derive(Debug)]
pub(crate) enum Alone {}

/// Of a semaphore: told who comes and goes.
#[derive(Debug)]
pub(crate) enum Queued {}

macro_rules! told {
    ($host:ty, $group_sleep:literal, $told:ident) => {
        // SAFETY: sleep and wake are the model's; who is told does not call a table, and its panics
        // end the run.
        unsafe impl Platform for $host {
            const GROUP_SLEEP: bool = $group_sleep;
            type Handle = ();
            type Critical = ();

            fn handle() {}

            fn critical() {
                $told::looked();
            }

            fn sleep(
                word: &AtomicU32,
                expected: u32,
                bits: u32,
                deadline: Option<Deadline>,
            ) -> Slept {
                let slept = Model::sleep(word, expected, bits, deadline);
                $told::slept(slept);
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
                $told::observe(event, slot);
            }

            fn observe_waiter(event: Event, slot: usize, tag: u64) {
                $told::observe_waiter(event, slot, tag);
            }
        }
    };
}

told!(Grouped, true, oracle);
told!(Alone, false, oracle);
told!(Queued, true, turns);
