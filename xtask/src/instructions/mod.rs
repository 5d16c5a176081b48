//! `instructions`: what the hot paths cost, counted by callgrind, against the record.
//!
//! A count does not depend on noise, but on the compiler. So there is a record for each version of
//! rustc and target that somebody counted with; more than 2 % above it fails.

mod compare;
mod count;
mod profile;
mod record;

use anyhow::{Context, Result, bail};

use crate::instructions::compare::Comparison;
pub(crate) use crate::instructions::record::{FOLDER, of_one};
use crate::instructions::record::{Record, Toolchain};
use crate::repo::{Repo, output};
use crate::step::{Outcome, Step};

/// The crate of the paths. It pins the harness, whose program must be of the same version.
const CRATE: &str = "slotpark-instructions";
const RUNNER: &str = "gungraun-runner";
const RECORD_ANEW: &str = "cargo xtask instructions --record";

#[derive(clap::Args, Clone, Copy, Default)]
pub(crate) struct Args {
    /// Write the record of this rustc and target anew instead of comparing with it.
    #[arg(long)]
    record: bool,
}

pub(crate) fn steps(args: Args) -> Vec<Step> {
    vec![Step::new("instructions", move |repo| {
        if let Some(missing) = missing(repo)? {
            return Ok(Outcome::Skipped(missing));
        }
        let now = Record {
            toolchain: Toolchain::of(&output(&mut repo.command("rustc", &["-vV"]))?)?,
            counts: count::count(repo)?,
        };
        if args.record {
            let path = now.write(repo)?;
            println!("{}{path} is written", now.table());
            return Ok(Outcome::Done);
        }
        match Record::load(repo, &now.toolchain)? {
            Some(record) => judge(&Comparison::of(&record, &now)),
            None => no_record(repo, &now),
        }
    })]
}

fn judge(comparison: &Comparison) -> Result<Outcome> {
    println!("{}{}", comparison.table(), comparison.advice());
    match comparison.complaint() {
        Some(complaint) => bail!("{complaint}"),
        None => Ok(Outcome::Done),
    }
}

/// Nothing to compare with: says what there is, and how that changes.
fn no_record(repo: &Repo, now: &Record) -> Result<Outcome> {
    print!("{}", now.table());
    let recorded = record::names(repo)?;
    Ok(Outcome::Skipped(format!(
        "counted with {}, recorded in {FOLDER} for {}: `{RECORD_ANEW}`",
        now.toolchain,
        recorded.join(", ")
    )))
}

/// The program that is not installed here, if there is one.
fn missing(repo: &Repo) -> Result<Option<String>> {
    if output(&mut repo.command("valgrind", &["--version"])).is_err() {
        return Ok(Some("valgrind is not installed".into()));
    }
    let version = runner_version(repo)?;
    let is_there = is_runner_installed(repo, &version);
    Ok((!is_there).then(|| format!("{RUNNER} {version} is not installed")))
}

fn is_runner_installed(repo: &Repo, version: &str) -> bool {
    output(&mut repo.command(RUNNER, &["--version"]))
        .is_ok_and(|said| said.trim() == format!("{RUNNER} {version}"))
}

fn runner_version(repo: &Repo) -> Result<String> {
    let path = repo.root().join(CRATE).join("Cargo.toml");
    let manifest = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    pinned(&manifest).with_context(|| format!("{}: gungraun is not pinned", path.display()))
}

fn pinned(manifest: &str) -> Option<String> {
    let manifest: toml::Table = toml::from_str(manifest).ok()?;
    let version = manifest.get("dev-dependencies")?.get("gungraun")?.as_str();
    Some(version?.strip_prefix('=')?.to_string())
}

/// Installs the program that runs the paths, at the version that they are written for.
pub(crate) fn install_runner() -> Step {
    Step::new(RUNNER, |repo| {
        let version = runner_version(repo)?;
        if !is_runner_installed(repo, &version) {
            // Not optimized: that would take twice as long, and it does little but start valgrind.
            let args = ["install", "--quiet", "--locked", "--debug"];
            let mut install = repo.command("cargo", &args);
            crate::repo::run(install.args(["--version", &version, RUNNER]))?;
        }
        Ok(Outcome::Done)
    })
}

#[cfg(test)]
mod tests {
    use super::{is_runner_installed, pinned, runner_version};
    use crate::repo::Repo;

    #[test]
    fn the_version_is_the_one_that_the_paths_are_pinned_to() {
        let manifest = |version| format!("[dev-dependencies]\ngungraun = \"{version}\"\n");
        assert_eq!(pinned(&manifest("=0.20.0")).as_deref(), Some("0.20.0"));
        assert_eq!(pinned(&manifest("0.20.0")), None);
        assert_eq!(pinned("[dependencies]\n"), None);
        assert!(runner_version(&Repo::here()).is_ok());
    }

    #[test]
    fn another_version_is_not_installed() {
        assert!(!is_runner_installed(&Repo::here(), "0.0.0"));
    }
}
