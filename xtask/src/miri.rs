//! `miri`: the tests under the interpreter that sees undefined behavior.

use crate::nightly::no_miri;
use crate::repo::run_tests;
use crate::step::{Outcome, Step};

/// What runs once, where the caller names nothing. Miri is a hundred times slower than the machine,
/// so stress tests and tests with many threads stay out.
const ONCE: [(&str, &[&str]); 2] = [
    ("miri: unit tests", &["-p", "slotpark-core", "--lib"]),
    (
        "miri: bad input",
        &["-p", "slotpark", "--test", "bad_input"],
    ),
];

/// The program that runs once for each seed.
const WITH_SEEDS: [&str; 4] = ["-p", "slotpark-core", "--test", "miri"];

/// A machine without a clock but the number of steps: a seed repeats exactly. It is what Miri does
/// unless it is told otherwise, as in `ONCE`, whose watchdogs read the machine's clock and files.
const ISOLATED: &str = "";

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
    const MACHINE: &str = "-Zmiri-disable-isolation";
    let many = format!("-Zmiri-many-seeds=0..{}", args.seeds);
    if !args.targets.is_empty() {
        return vec![step("miri", args.targets.clone(), MACHINE.into())];
    }
    let owned = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
    let mut steps: Vec<_> = ONCE
        .iter()
        .map(|(name, targets)| step(name, owned(targets), MACHINE.into()))
        .collect();
    let name = format!("miri: {} seeds", args.seeds);
    steps.push(step(
        &name,
        owned(&WITH_SEEDS),
        ISOLATED.to_string() + &many,
    ));
    steps
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
