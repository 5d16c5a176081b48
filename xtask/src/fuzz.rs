//! `fuzz`: each target for a while, from the committed corpus, under AddressSanitizer.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::repo::{Repo, output, run};
use crate::step::{Outcome, Step};

/// As `fuzz/Cargo.toml` has them.
const TARGETS: [&str; 3] = ["queue_operations", "futex_abi", "inspect_socket"];

/// Longer programs say nothing new, and take longer.
const BYTES_MAX: u32 = 600;

/// A snapshot with names for all its fields is longer than a program.
const SNAPSHOT_BYTES_MAX: u32 = 2_000;

/// An input that takes longer is a finding, also on a machine with much else to do.
const HANG_SECONDS: u32 = 60;

const SECONDS: u32 = 30;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds for each target.
    #[arg(long, default_value_t = SECONDS, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Only this target.
    #[arg(value_parser = TARGETS)]
    target: Option<String>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            seconds: SECONDS,
            target: None,
        }
    }
}

pub(crate) fn steps(args: &Args) -> Vec<Step> {
    let seconds = args.seconds;
    let is_meant = |target: &&str| args.target.as_deref().is_none_or(|name| name == *target);
    TARGETS
        .into_iter()
        .filter(is_meant)
        .map(|target| {
            let work = move |repo: &Repo| fuzz(repo, target, seconds);
            Step::new(format!("fuzz {target}"), work)
        })
        .collect()
}

fn fuzz(repo: &Repo, target: &str, seconds: u32) -> Result<Outcome> {
    if let Some(missing) = missing(repo) {
        return Ok(Outcome::Skipped(missing.into()));
    }
    let built = repo.target().join("fuzz");
    let finding = built.join(format!("finding-{target}"));
    if finding.exists() {
        fs::remove_file(&finding).with_context(|| finding.display().to_string())?;
    }
    // The fuzzer adds what it finds to the first folder of two; the committed one stays as it is.
    let found = built.join("found").join(target);
    fs::create_dir_all(&found).with_context(|| found.display().to_string())?;
    let corpus = repo.root().join("fuzz/corpus").join(target);
    let bytes_max = match target {
        "inspect_socket" => SNAPSHOT_BYTES_MAX,
        _ => BYTES_MAX,
    };
    let mut command = repo.cargo_of("nightly", &["fuzz", "run", target]);
    command.args([&found, &corpus]);
    command.arg("--target-dir").arg(&built).args([
        "--".into(),
        format!("-max_total_time={seconds}"),
        format!("-max_len={bytes_max}"),
        format!("-timeout={HANG_SECONDS}"),
        format!("-exact_artifact_path={}", finding.display()),
        // Long programs from the start: a short run would not come to them by itself.
        "-len_control=0".into(),
        "-print_final_stats=1".into(),
    ]);
    let result = run(&mut command);
    if result.is_err() && finding.exists() {
        let finding = finding.display();
        bail!("replay it: cargo +nightly fuzz run {target} {finding}");
    }
    result.map(|()| Outcome::Done)
}

/// What this machine lacks, by name.
fn missing(repo: &Repo) -> Option<&'static str> {
    let lacks = |command: &mut Command| output(command).is_err();
    if !repo.has_toolchain("nightly") {
        Some("toolchain nightly is not installed")
    } else if lacks(&mut repo.cargo_of("nightly", &["fuzz", "--version"])) {
        Some("no cargo-fuzz here")
    } else if lacks(&mut repo.command("c++", &["--version"])) {
        Some("no C++ compiler here")
    } else {
        None
    }
}
