//! `miri`: the engine's tests under the interpreter that sees undefined behavior.

use crate::repo::{output, run_tests};
use crate::step::{Outcome, Step};

/// What runs where the caller names nothing: the engine's unit tests. Miri is a hundred times
/// slower than the machine, so stress tests and tests with many threads stay out.
const DEFAULT_TARGETS: [&str; 1] = ["--lib"];

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Schedules to try, each with a seed of its own.
    #[arg(long, default_value_t = 1)]
    seeds: u32,
    /// What goes to `cargo miri test` instead of `--lib`: `-- --test model -- one_test`.
    #[arg(last = true)]
    targets: Vec<String>,
}

pub(crate) fn steps(args: &Args) -> Vec<Step> {
    let seeds = args.seeds.max(1);
    let targets = match args.targets.as_slice() {
        [] => DEFAULT_TARGETS.map(String::from).to_vec(),
        given => given.to_vec(),
    };
    vec![Step::new("miri", move |repo| {
        if !repo.has_toolchain("nightly") {
            return Ok(Outcome::Skipped(
                "toolchain nightly is not installed".into(),
            ));
        }
        if output(&mut repo.cargo_of("nightly", &["miri", "--version"])).is_err() {
            return Ok(Outcome::Skipped("nightly has no component miri".into()));
        }
        let mut command = repo.cargo_of("nightly", &["miri", "test", "-p", "slotpark-core"]);
        command.args(&targets);
        // Isolated programs have no clock, and waits with deadlines need one.
        let mut flags = String::from("-Zmiri-disable-isolation");
        if seeds > 1 {
            flags += &format!(" -Zmiri-many-seeds=0..{seeds}");
        }
        command.env("MIRIFLAGS", flags);
        run_tests(&mut command)?;
        Ok(Outcome::Done)
    })]
}
