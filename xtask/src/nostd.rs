//! `nostd`: the engine builds without the standard library, also where there is none.

use crate::repo::run;
use crate::step::{Outcome, Step};

/// A target without an operating system: what names `std` does not build there.
pub(crate) const BARE_TARGET: &str = "x86_64-unknown-none";

const CHECK: [&str; 4] = ["check", "-p", "slotpark-core", "--no-default-features"];

pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::new("nostd", |repo| {
            run(&mut repo.cargo(&CHECK))?;
            Ok(Outcome::Done)
        }),
        Step::new("nostd alloc", |repo| {
            run(repo.cargo(&CHECK).args(["--features", "alloc"]))?;
            Ok(Outcome::Done)
        }),
        Step::new("nostd bare target", |repo| {
            if !repo.has_target(BARE_TARGET) {
                return Ok(Outcome::Skipped(format!(
                    "target {BARE_TARGET} is not installed"
                )));
            }
            run(repo.cargo(&CHECK).args(["--target", BARE_TARGET]))?;
            run(repo
                .cargo(&CHECK)
                .args(["--features", "alloc", "--target", BARE_TARGET]))?;
            Ok(Outcome::Done)
        }),
    ]
}
