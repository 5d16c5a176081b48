//! `check`: formatting, lints, tidy, the C header and documentation; what every change must pass
//! before a test.

use anyhow::bail;

use crate::header;
use crate::repo::run;
use crate::step::{Outcome, Step};
use crate::tidy;

pub(crate) fn steps() -> Vec<Step> {
    vec![
        Step::new("fmt", |repo| {
            run(&mut repo.cargo(&["fmt", "--all", "--", "--check"]))?;
            let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml"];
            run(repo.cargo(&fuzz).args(["--", "--check"]))?;
            Ok(Outcome::Done)
        }),
        tidy(),
        header::check(),
        Step::new("clippy", |repo| {
            let args = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ];
            run(&mut repo.cargo(&args))?;
            Ok(Outcome::Done)
        }),
        Step::new("doc", |repo| {
            let mut doc = repo.cargo(&["doc", "--workspace", "--no-deps"]);
            run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
            Ok(Outcome::Done)
        }),
    ]
}

/// The style test alone.
pub(crate) fn tidy() -> Step {
    Step::new("tidy", |repo| {
        let errors = tidy::check(repo)?;
        if errors > 0 {
            bail!("{errors} errors");
        }
        Ok(Outcome::Done)
    })
}
