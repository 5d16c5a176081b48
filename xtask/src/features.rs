//! `features`: what the libraries add on request is linted, tested and documented.
//!
//! The README's tests are without it, so here only the tests that need it run.

use crate::repo::{run, run_tests};
use crate::step::{Outcome, Step};

/// Turned on in the engine by the library.
const FEATURES: [&str; 6] = [
    "-p",
    "slotpark-core",
    "-p",
    "slotpark",
    "--features",
    "slotpark/lock_api",
];

pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::new("features: clippy", |repo| {
            let mut clippy = repo.cargo(&["clippy", "--all-targets"]);
            run(clippy.args(FEATURES).args(["--", "-D", "warnings"]))?;
            Ok(Outcome::Done)
        }),
        Step::new("features: no_std", |repo| {
            let check = ["check", "-p", "slotpark-core", "--no-default-features"];
            run(repo.cargo(&check).args(["--features", "lock_api"]))?;
            Ok(Outcome::Done)
        }),
        Step::new("features: tests", |repo| {
            let library = ["test", "-p", "slotpark", "--features", "lock_api"];
            run_tests(repo.cargo(&library).args(["--test", "locks"]))?;
            run_tests(repo.cargo(&library).args(["--doc", "locks"]))?;
            Ok(Outcome::Done)
        }),
        Step::new("features: doc", |repo| {
            let mut doc = repo.cargo(&["doc", "--no-deps"]);
            run(doc.args(FEATURES).env("RUSTDOCFLAGS", "-D warnings"))?;
            Ok(Outcome::Done)
        }),
    ]
}
