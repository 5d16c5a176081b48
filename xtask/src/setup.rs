//! `setup`: the only command that installs things; what cannot be had is named, and it goes on.

use crate::msrv;
use crate::mutants;
use crate::nostd::BARE_TARGET;
use crate::repo::{Repo, output, run};
use crate::step::{Outcome, Step};

/// Debian's names of the programs that tests and people use where they are there.
const PACKAGES: [&str; 6] = [
    "strace", "valgrind", "tmux", "ripgrep", "fd-find", "chromium",
];

pub(crate) fn steps(repo: &Repo) -> Vec<Step> {
    let mut steps = vec![
        rustup(
            "rustfmt and clippy",
            &["component", "add", "rustfmt", "clippy"],
        ),
        nightly(),
        cargo_fuzz(),
        rustup(BARE_TARGET, &["target", "add", BARE_TARGET]),
    ];
    steps.extend(msrv::toolchains(repo).into_iter().map(toolchain));
    steps.push(cargo_mutants());
    steps.push(package_lists());
    steps.extend(PACKAGES.map(package));
    steps
}

fn rustup(name: &str, args: &'static [&'static str]) -> Step {
    Step::new(name, move |repo| {
        if !has(repo, "rustup") {
            return Ok(Outcome::Skipped("no rustup here".into()));
        }
        run(&mut repo.command("rustup", args))?;
        Ok(Outcome::Done)
    })
}

fn nightly() -> Step {
    Step::new("nightly with miri and rust-src", |repo| {
        if !has(repo, "rustup") {
            return Ok(Outcome::Skipped("no rustup here".into()));
        }
        if !repo.has_toolchain("nightly") {
            run(repo.command("rustup", &INSTALL).arg("nightly"))?;
        }
        let add = ["component", "add", "--toolchain", "nightly"];
        run(repo
            .command("rustup", &add)
            .args(["miri", "rust-src", "clippy", "rustfmt"]))?;
        Ok(Outcome::Done)
    })
}

fn cargo_fuzz() -> Step {
    Step::new("cargo-fuzz", |repo| {
        if output(&mut repo.cargo(&["fuzz", "--version"])).is_err() {
            run(&mut repo.cargo(&["install", "cargo-fuzz", "--locked"]))?;
        }
        Ok(Outcome::Done)
    })
}

const INSTALL: [&str; 5] = [
    "toolchain",
    "install",
    "--no-self-update",
    "--profile",
    "minimal",
];

fn toolchain(version: String) -> Step {
    Step::new(format!("toolchain {version}"), move |repo| {
        if repo.has_toolchain(&version) {
            return Ok(Outcome::Done);
        }
        if !has(repo, "rustup") {
            return Ok(Outcome::Skipped("no rustup here".into()));
        }
        run(repo.command("rustup", &INSTALL).arg(&version))?;
        Ok(Outcome::Done)
    })
}

fn cargo_mutants() -> Step {
    Step::new("cargo-mutants", |repo| {
        if !mutants::is_installed(repo) {
            let args = ["install", "--quiet", "--locked", "cargo-mutants"];
            run(&mut repo.command("cargo", &args))?;
        }
        Ok(Outcome::Done)
    })
}

/// Brings apt's lists up to date, once, where a package is missing.
fn package_lists() -> Step {
    Step::new("package lists", |repo| {
        if PACKAGES.iter().all(|package| is_installed(repo, package)) {
            return Ok(Outcome::Done);
        }
        if let Some(reason) = no_apt(repo) {
            return Ok(Outcome::Skipped(reason));
        }
        run(&mut repo.command("apt-get", &["update", "-qq"]))?;
        Ok(Outcome::Done)
    })
}

fn package(name: &'static str) -> Step {
    Step::new(name, move |repo| {
        if is_installed(repo, name) {
            return Ok(Outcome::Done);
        }
        if let Some(reason) = no_apt(repo) {
            return Ok(Outcome::Skipped(reason));
        }
        let args = ["install", "-qq", "-y", "--no-install-recommends", name];
        run(repo
            .command("apt-get", &args)
            .env("DEBIAN_FRONTEND", "noninteractive"))?;
        Ok(Outcome::Done)
    })
}

/// Why packages cannot be installed here, if they cannot.
fn no_apt(repo: &Repo) -> Option<String> {
    if !has(repo, "apt-get") {
        return Some("no apt-get here".into());
    }
    let user = output(&mut repo.command("id", &["-u"])).unwrap_or_default();
    (user.trim() != "0").then(|| "not root".into())
}

fn is_installed(repo: &Repo, package: &str) -> bool {
    output(&mut repo.command("dpkg-query", &["-W", "-f=${Status}", package]))
        .is_ok_and(|status| status.ends_with(" installed"))
}

fn has(repo: &Repo, program: &str) -> bool {
    output(&mut repo.command(program, &["--version"])).is_ok()
}
