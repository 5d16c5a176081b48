//! Runs a scenario in thousands of random interleavings; a failure says how to see it again.

use std::env;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, FailurePersistence, Runner};

use crate::oracle;
use crate::program::Mix;

/// Interleavings of one test; `SLOTPARK_SHUTTLE_RUNS` changes it.
const RUNS_DEFAULT: usize = 20_000;
/// The same, of futures that are moved: their programs are short, and their races rare.
const RUNS_OF_MOVERS: usize = 60_000;
/// Of semaphores and event counters.
const RUNS_OF_WORDS: usize = 20_000;
/// Of keyed locks: there are many kinds of them.
const RUNS_OF_KEYS: usize = 6_000;
/// Of flights, latches and barriers.
const RUNS_OF_GATES: usize = 8_000;
/// Interleavings that share a seed: the second scheduler learns from the first ones how long a
/// program is.
const BATCH_RUNS: usize = 250;
/// Moments at which a priority changes.
const CHANGES: usize = 3;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Scheduler {
    /// Any thread that can run, at each step.
    Random,
    /// The thread of the highest priority; priorities change at a few random steps (PCT).
    Priorities,
}

/// Runs `scenario` with seed after seed, or with the one seed of `SLOTPARK_SHUTTLE_SEED`.
pub(crate) fn explore(name: &str, scheduler: Scheduler, mix: Mix, scenario: fn()) {
    oracle::forget();
    if let Some(seed) = number("SLOTPARK_SHUTTLE_SEED") {
        run_batch(name, scheduler, seed, scenario);
        return;
    }
    let runs_default = match mix {
        Mix::Everything => RUNS_DEFAULT,
        Mix::Movers => RUNS_OF_MOVERS,
        Mix::Permits | Mix::Events => RUNS_OF_WORDS,
        Mix::Keys => RUNS_OF_KEYS,
        Mix::Flights | Mix::Latches | Mix::Barriers => RUNS_OF_GATES,
    };
    let runs = number("SLOTPARK_SHUTTLE_RUNS").map_or(runs_default, |runs| runs as usize);
    let mut seed = std::hash::RandomState::new().build_hasher().finish();
    for _ in 0..runs.div_ceil(BATCH_RUNS) {
        run_batch(name, scheduler, seed, scenario);
        seed = seed.wrapping_add(1);
    }
    let seen = oracle::seen();
    report(&format!("{name}: {seen:?}\n"));
    if runs >= runs_default {
        seen.assert_everything_happened(mix);
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}: `{text}` is no number")),
    )
}

fn run_batch(name: &str, scheduler: Scheduler, seed: u64, scenario: fn()) {
    let mut config = Config::new();
    config.silence_warnings = true;
    config.failure_persistence = FailurePersistence::None;
    config
        .ungraceful_shutdown_config
        .immediately_return_on_panic = true;
    let batch = || match scheduler {
        Scheduler::Random => {
            Runner::new(RandomScheduler::new_from_seed(seed, BATCH_RUNS), config).run(scenario)
        }
        Scheduler::Priorities => {
            let scheduler = PctScheduler::new_from_seed(seed, CHANGES, BATCH_RUNS);
            Runner::new(scheduler, config).run(scenario)
        }
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(batch)) {
        report(&format!(
            "\n{name} failed with seed {seed}, in this program:\n{}\nsee it again:\n  \
             SLOTPARK_SHUTTLE_SEED={seed} cargo xtask shuttle {name}\n\n",
            oracle::program()
        ));
        resume_unwind(panic);
    }
}

fn report(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
