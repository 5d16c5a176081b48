//! Programs of futex calls by number, none of which waits long: a table answers as the kernel does,
//! and leaves the same in the words. The programs are those of the engine's tests, whose files
//! these are.
#![no_main]

#[path = "../../slotpark-core/tests/conformance"]
mod conformance {
    #[expect(dead_code, reason = "the tests read the corpus")]
    mod bytes;
    #[expect(dead_code, reason = "the tables of cases use the rest")]
    pub(crate) mod calls;
    pub(crate) mod program;
    pub(crate) mod sides;
}

use libfuzzer_sys::fuzz_target;

use conformance::program::{Program, Seen};

fuzz_target!(|program: Program| program.compare(&mut Seen::default()));
