//! Random programs of calls, and those that the fuzzer has found worth keeping.

use std::path::Path;

use proptest::prelude::*;

use super::common::watchdog;
use super::program::{Program, Seen};

fn programs() -> impl Strategy<Value = Program> {
    prop::collection::vec(any::<u8>(), 0..400).prop_map(|bytes| Program::of(&bytes))
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(4_000)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_calls_in_a_row(program in programs()) {
        let _watchdog = watchdog("random_calls_in_a_row");
        program.compare(&mut Seen::default());
    }
}

/// A packed crate comes without the corpus.
#[test]
fn the_corpus_of_the_fuzzer_is_answered_as_by_the_kernel() {
    let _watchdog = watchdog("the_corpus_of_the_fuzzer_is_answered_as_by_the_kernel");
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    if !fuzz.exists() {
        return;
    }
    let mut seen = Seen::default();
    for file in fuzz.join("corpus/futex_abi").read_dir().unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        Program::of(&bytes).compare(&mut seen);
    }
    // On kernels before Linux 6.7 there is the first kind only.
    let kinds = if seen.calls[1..] == [0; 4] { 1 } else { 5 };
    let happened = |counts: [usize; 5]| counts[..kinds].iter().all(|&count| count > 0);
    assert!(happened(seen.calls) && happened(seen.valid), "{seen:?}");
}
