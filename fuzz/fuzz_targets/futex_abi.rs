//! Arbitrary arguments of the futex system call: what `slotpark run` makes of them is what
//! futex(2) says.
#![no_main]

#[path = "../../slotpark-preload/src"]
mod preload {
    pub(crate) mod call;
    pub(crate) mod oracle;
}

use libfuzzer_sys::fuzz_target;

use preload::{call, oracle};

fuzz_target!(|call: oracle::FutexCall| call.check());
