//! The rounds in which cargo-mutants runs: each tries what the rounds before have let survive.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::mutants::CRATE;
use crate::mutants::outcomes::{self, Fate, Tried};
use crate::repo::Repo;

type Environment = &'static [(&'static str, &'static str)];

/// Tests that are built and run together.
struct Round {
    name: &'static str,
    tests: &'static [&'static str],
    environment: Environment,
    is_loom: bool,
}

/// The quickest and strongest come first, so that most mutants cost no more than their build.
const ROUNDS: [Round; 3] = [
    Round {
        name: "model",
        tests: &["--lib", "--test", "model"],
        environment: NATIVE,
        is_loom: false,
    },
    Round {
        name: "stories",
        tests: &[
            "--test",
            "pitfalls_ends",
            "--test",
            "pitfalls_faults",
            "--test",
            "pitfalls_fork",
            "--test",
            "pitfalls_mailbox",
            "--test",
            "pitfalls_many",
            "--test",
            "pitfalls_permits",
            "--test",
            "pitfalls_requeue",
            "--test",
            "pitfalls_sleep",
            "--test",
            "pitfalls_spin",
            "--test",
            "pitfalls_tasks",
            "--test",
            "pitfalls_wakers",
            "--test",
            "pitfalls_wakes",
        ],
        environment: NATIVE,
        is_loom: false,
    },
    Round {
        name: "loom",
        tests: &["--release", "--test", "loom"],
        environment: LOOM,
        is_loom: true,
    },
];

/// Of debug builds: the invariants that are asserted count too.
const NATIVE: Environment = &[
    // Nobody debugs a mutant, and debug information is a good part of its build.
    ("CARGO_PROFILE_DEV_DEBUG", "false"),
    ("PROPTEST_CASES", "100"),
    ("PROPTEST_RNG_SEED", "1"),
    // It is enough that a program fails; nobody reads the smallest one.
    ("PROPTEST_MAX_SHRINK_ITERS", "0"),
    ("SLOTPARK_WATCHDOG_S", "15"),
];
const LOOM: Environment = &[
    ("RUSTFLAGS", "--cfg slotpark_loom"),
    ("LOOM_MAX_PREEMPTIONS", "2"),
    ("CARGO_INCREMENTAL", "1"),
];

/// Tests of a mutant hang if they take this many times what they take without it.
const TIMEOUT_FACTOR: &str = "4";
const TIMEOUT_S_MIN: &str = "20";

/// Functions of unit tests, which cargo-mutants knows only by a plain `cfg(test)`.
const HELPERS: &str = r"\btests::";

/// Exit codes of cargo-mutants that speak of mutants: all caught, some missed, some timed out.
const VERDICTS: [i32; 3] = [0, 2, 3];

/// Tries all mutants of the files at `paths`.
pub(super) fn try_all(repo: &Repo, paths: &[String]) -> Result<Vec<Tried>> {
    // Each run has a copy of the tree in a place of its own, for which cargo builds the engine
    // anew; the dependencies are shared by the rounds, and what is older serves nobody.
    let build = repo.target().join("mutants").join("build");
    if build.exists() {
        fs::remove_dir_all(&build).with_context(|| build.display().to_string())?;
    }
    let files = paths.iter().flat_map(|path| ["--file", path]).collect();
    let [first, others @ ..] = &ROUNDS;
    let mut tried = first.run(repo, files)?;
    for round in others {
        let survivors = || tried.iter().filter(|mutant| mutant.fate == Fate::Survived);
        let pattern = |mutant: &Tried| format!("^{}$", regex::escape(&mutant.name));
        let patterns: Vec<_> = survivors().map(pattern).collect();
        if patterns.is_empty() {
            break;
        }
        let files = survivors().flat_map(|mutant| ["--file", &mutant.file]);
        let names = patterns.iter().flat_map(|pattern| ["--re", pattern]);
        let again = round.run(repo, files.chain(names).collect())?;
        round.add_to(&mut tried, &again)?;
    }
    Ok(tried)
}

impl Round {
    /// Works in a copy of the working tree, which is gone afterwards; the report stays.
    fn run(&self, repo: &Repo, selection: Vec<&str>) -> Result<Vec<Tried>> {
        let folder = repo.target().join("mutants");
        let report = folder.join(self.name);
        fs::create_dir_all(&report).with_context(|| report.display().to_string())?;
        let mut command = repo.command("cargo", &["mutants", "--package", CRATE, "--jobs", "1"]);
        command
            .args(["--no-shuffle", "--colors", "never", "--output"])
            .arg(&report)
            .args(["--exclude-re", HELPERS])
            .args(["--timeout-multiplier", TIMEOUT_FACTOR])
            .args(["--minimum-test-timeout", TIMEOUT_S_MIN])
            .args(selection)
            // For the build too: what follows a `--` only says what is run.
            .args(self.tests.iter().map(|arg| format!("--cargo-arg={arg}")))
            .envs(self.environment.iter().copied())
            .env("CARGO_TARGET_DIR", folder.join("build"));
        eprintln!("\nround `{}`", self.name);
        verdict(&mut command)?;
        outcomes::read(&report.join("mutants.out"))
    }

    /// Adds what this round has found about the survivors of those before.
    fn add_to(&self, tried: &mut [Tried], again: &[Tried]) -> Result<()> {
        for mutant in tried {
            if mutant.fate == Fate::Survived {
                let mut again = again.iter();
                let found = again.find(|other| other.name == mutant.name);
                let found = found.with_context(|| format!("{} was left out", mutant.name))?;
                mutant.fate = self.fate(found.fate);
            }
        }
        Ok(())
    }

    /// That loom does not come to an end proves nothing: it may have more to walk through, and it
    /// sees a hang of its threads as a deadlock. Nor does code that only loom cannot compile.
    fn fate(&self, found: Fate) -> Fate {
        match found {
            Fate::Native if self.is_loom => Fate::Loom,
            Fate::Hang | Fate::Unviable if self.is_loom => Fate::Survived,
            other => other,
        }
    }
}

fn verdict(command: &mut Command) -> Result<()> {
    let status = command.status().context("cargo mutants")?;
    if !status.code().is_some_and(|code| VERDICTS.contains(&code)) {
        bail!("cargo mutants: {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{ROUNDS, verdict};
    use crate::mutants::outcomes::{Fate, Tried};

    fn of(text: &str, fate: Fate) -> Tried {
        Tried::of("a.rs", text, fate)
    }

    #[test]
    fn a_round_catches_survivors_and_nobody_else() {
        let [_, stories, loom] = &ROUNDS;
        let again = [
            of("a", Fate::Native),
            of("b", Fate::Hang),
            of("c", Fate::Survived),
            of("d", Fate::Native),
        ];
        for (round, expected) in [
            (
                stories,
                [Fate::Native, Fate::Hang, Fate::Survived, Fate::Unviable],
            ),
            (
                loom,
                [Fate::Loom, Fate::Survived, Fate::Survived, Fate::Unviable],
            ),
        ] {
            let mut tried = ["a", "b", "c"]
                .map(|text| of(text, Fate::Survived))
                .to_vec();
            tried.push(of("d", Fate::Unviable));
            round.add_to(&mut tried, &again).unwrap();
            let fates: Vec<_> = tried.iter().map(|mutant| mutant.fate).collect();
            assert_eq!(fates, expected);
        }
    }

    #[test]
    fn a_survivor_that_a_round_leaves_out_is_an_error() {
        let tried = &mut [of("a", Fate::Survived)];
        assert!(ROUNDS[1].add_to(tried, &[of("b", Fate::Native)]).is_err());
    }

    #[test]
    fn survivors_are_a_verdict_and_a_broken_build_is_none() {
        let ends = |code: &str| verdict(Command::new("sh").args(["-c", &format!("exit {code}")]));
        assert!(["0", "2", "3"].map(ends).iter().all(Result::is_ok));
        assert!(["1", "4", "70"].map(ends).iter().all(Result::is_err));
    }
}
