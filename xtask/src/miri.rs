//! `miri`: the tests under the interpreter that sees undefined behavior.

use crate::nightly::no_miri;
use crate::repo::run_tests;
use crate::step::{Outcome, Step};

/// What runs once, where the caller names nothing. Miri is a hundred times slower than the machine,
/// so stress tests and tests with many threads stay out.
const ONCE: [(&str, &[&str]); 3] = [
    ("miri: unit tests", &["-p", "slotpark-core", "--lib"]),
    (
        "miri: aliasing",
        &["-p", "slotpark-core", "--test", "aliasing"],
    ),
    (
        "miri: bad input",
        &["-p", "slotpark", "--test", "bad_input"],
    ),
];
/// Their watchdogs read the machine's clock and files.
const ONCE_FLAGS: &str = "-Zmiri-disable-isolation";

/// Their tables live for ever, so that a test that fails leaves nobody behind in one that ended.
const LEAKING: [(&str, &[&str]); 2] = [
    ("miri: looks", &["-p", "slotpark-core", "--test", "looks"]),
    (
        "miri: owners",
        &[
            "-p",
            "slotpark-core",
            "--features",
            "inspect",
            "--test",
            "owners",
        ],
    ),
];
const LEAKING_FLAGS: &str = "-Zmiri-disable-isolation -Zmiri-ignore-leaks";

/// What runs once for each seed, cut off from the machine: its clock counts steps, so that a seed
/// repeats exactly.
const SEEDED: &[&str] = &["-p", "slotpark-core", "--test", "miri"];
/// A futex call passes addresses as integers; without the second flag each seed warns of that.
const SEEDED_FLAGS: &str = "-Zmiri-many-seeds-keep-going -Zmiri-permissive-provenance";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Schedules to try of the programs in `tests/miri`, each with a seed of its own.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    seeds: u32,
    /// What goes to `cargo miri test` instead: `-- -p slotpark-core --test model -- one_test`.
    #[arg(last = true)]
    targets: Vec<String>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            seeds: 64,
            targets: Vec::new(),
        }
    }
}

pub(crate) fn steps(args: &Args) -> Vec<Step> {
    if !args.targets.is_empty() {
        return vec![step("miri", args.targets.clone(), ONCE_FLAGS.into())];
    }
    let owned = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
    let once = ONCE.map(|(name, targets)| step(name, owned(targets), ONCE_FLAGS.into()));
    let leaking = LEAKING.map(|(name, targets)| step(name, owned(targets), LEAKING_FLAGS.into()));
    let seeds = args.seeds;
    let flags = format!("-Zmiri-many-seeds=0..{seeds} {SEEDED_FLAGS}");
    let seeded = step(&format!("miri: {seeds} seeds"), owned(SEEDED), flags);
    once.into_iter().chain(leaking).chain([seeded]).collect()
}

fn step(name: &str, targets: Vec<String>, flags: String) -> Step {
    Step::new(name, move |repo| {
        if let Some(reason) = no_miri(repo) {
            return Ok(Outcome::Skipped(reason));
        }
        let mut command = repo.cargo_of("nightly", &["miri", "test"]);
        command.args(&targets).env("MIRIFLAGS", &flags);
        // A directory of its own: nightly would build what stable has built anew, and be undone.
        command.env("CARGO_TARGET_DIR", repo.target().join("miri"));
        run_tests(&mut command)?;
        Ok(Outcome::Done)
    })
}
