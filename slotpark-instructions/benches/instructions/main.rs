//! The hot paths, in a form whose instructions callgrind counts. `cargo xtask instructions` runs
//! them and compares the counts with the record of the compiler and the target.
//!
//! A path is a function that has its operation done [`TIMES`](fixture::TIMES) times by
//! [`repeat`](fixture::repeat), which alone is counted: not what is made before and dropped after.
//! Nothing in a path depends on chance: the hashers have a fixed seed, nobody sleeps, and there is
//! one thread.

mod fixture;
mod paths;

use gungraun::prelude::*;
use gungraun::{Callgrind, EntryPoint, main};

use paths::hashes::hashes;
use paths::keyed::keyed;
use paths::tasks::tasks;
use paths::values::values;
use paths::waits::waits;
use paths::wakes::wakes;
use paths::words::words;

/// Not the function of a path, as is usual: a closure in it that is not inlined would have a name
/// that begins with the function's, and entering it would end the counting.
const COUNTED: &str = "instructions::fixture::repeat*";

main!(
    config = LibraryBenchmarkConfig::default().tool(
        Callgrind::with_args(["--cache-sim=no"])
            .entry_point(EntryPoint::Custom(COUNTED.to_string()))
    );
    library_benchmark_groups = hashes, wakes, waits, tasks, keyed, words, values
);
