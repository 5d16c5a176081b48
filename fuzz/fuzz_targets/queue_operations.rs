//! Programs of waits of threads and tasks, wakes, requeues, closings, interrupts, deadlines and
//! panics on a small table, compared step by step with the naive model of the engine's tests, whose
//! files these are.
#![no_main]

#[path = "../../slotpark-core/tests/model"]
mod model {
    pub(crate) mod bytes;
    pub(crate) mod check;
    pub(crate) mod chosen;
    pub(crate) mod ends;
    pub(crate) mod expected;
    pub(crate) mod host;
    pub(crate) mod leaving;
    pub(crate) mod lookout;
    #[expect(dead_code, reason = "what happened is counted for the tests")]
    pub(crate) mod machine;
    pub(crate) mod outcomes;
    pub(crate) mod program;
    pub(crate) mod tasks;
    pub(crate) mod touches;
    pub(crate) mod waits;
    pub(crate) mod wakes;
    pub(crate) mod words;
    pub(crate) mod words_expected;
    pub(crate) mod words_ground;
    pub(crate) mod words_machine;
}
#[path = "../../slotpark-core/tests/common/naive.rs"]
#[expect(dead_code, reason = "shuttle's oracle uses the rest")]
mod naive;

use std::ffi::{CStr, c_char};

use libfuzzer_sys::fuzz_target;

use model::{chosen, expected, host, lookout, machine, outcomes, program, tasks, waits};
use model::{words, words_expected, words_ground, words_machine};

fuzz_target!(|input: model::bytes::Input| input.follow(&mut machine::Seen::default()));

/// AddressSanitizer asks for its options here. A coroutine that ends leaves its fake stack behind,
/// which would fill the memory within minutes, so there are none.
#[unsafe(no_mangle)]
extern "C" fn __asan_default_options() -> *const c_char {
    const OPTIONS: &CStr = c"detect_stack_use_after_return=0";
    OPTIONS.as_ptr()
}
