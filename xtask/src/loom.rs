//! `loom`: the model checker walks through the interleavings of the engine's pair tests.

use std::env;

use crate::repo::run_tests;
use crate::step::{Outcome, Step};

/// Two preemptions find every bug of the orderings that was planted while the protocols were
/// designed, in seconds; a test that needs three says so itself.
const PREEMPTIONS: &str = "2";

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("loom", |repo| {
        let args = ["test", "-p", "slotpark-core", "--release", "--test", "loom"];
        let mut command = repo.cargo_with_cfg("slotpark_loom", &args);
        if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
            command.env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS);
        }
        run_tests(&mut command)?;
        Ok(Outcome::Done)
    })]
}
