//! `features`: what the libraries add on request is linted, tested and documented.
//!
//! The README's tests are without it, so here only the tests that need it run.

use anyhow::{Context, Result, bail};

use crate::repo::{output, run, run_tests};
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
            run(repo.cargo(&check).args(["--features", "inspect,lock_api"]))?;
            Ok(Outcome::Done)
        }),
        Step::new("features: tests", |repo| {
            let library = ["test", "-p", "slotpark", "--features", "lock_api"];
            run_tests(repo.cargo(&library).args(["--test", "locks"]))?;
            run_tests(repo.cargo(&library).args(["--doc", "locks"]))?;
            let owners = ["test", "-p", "slotpark-core", "--features", "inspect"];
            run_tests(repo.cargo(&owners).args(["--test", "owners"]))?;
            Ok(Outcome::Done)
        }),
        Step::new("features: looks without owners", |repo| {
            let looks = ["-p", "slotpark-inspect", "--no-default-features", "--lib"];
            let mut clippy = repo.cargo(&["clippy"]);
            run(clippy.args(looks).args(["--", "-D", "warnings"]))?;
            Ok(Outcome::Done)
        }),
        Step::new("features: measured without owners", |repo| {
            let tree = ["tree", "-p", "slotpark-cli", "-e", "normal"];
            let tree = output(
                repo.cargo(&tree)
                    .args(["--prefix", "none", "-f", "{p} {f}"]),
            )?;
            if let Some(line) = with_owners(&tree)? {
                bail!("what is measured is not what programs use: {line}");
            }
            Ok(Outcome::Done)
        }),
        Step::new("features: doc", |repo| {
            let mut doc = repo.cargo(&["doc", "--no-deps"]);
            run(doc.args(FEATURES).env("RUSTDOCFLAGS", "-D warnings"))?;
            Ok(Outcome::Done)
        }),
    ]
}

/// The line of the engine in a tree of packages with their features, if it keeps owners.
fn with_owners(tree: &str) -> Result<Option<&str>> {
    let mut lines = tree
        .lines()
        .filter(|line| line.starts_with("slotpark-core "));
    let line = lines.next().context("the engine is not in the tree")?;
    let features = line.split_once(") ").map_or("", |(_, features)| features);
    let mut features = features.split([',', ' ']).filter(|name| *name == "inspect");
    Ok(features.next().map(|_| line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_told_by_the_engine_s_features() {
        let tree = "slotpark-cli v0.1.0 (/a)\nslotpark-inspect v0.1.0 (/a/slotpark-inspect) html\n";
        assert!(with_owners(tree).is_err());
        let without = format!("{tree}slotpark-core v0.1.0 (/a/inspect) alloc,lock_api,std");
        assert_eq!(with_owners(&without).expect("it is there"), None);
        let with = without.replace("alloc,", "alloc,inspect,");
        assert!(with_owners(&with).expect("it is there").is_some());
        let with = without.replace("std", "inspect (*)");
        assert!(with_owners(&with).expect("it is there").is_some());
    }
}
