//! What nightly has here: the checks that need it are skipped by the name of what is missing.

use std::path::Path;

use crate::repo::{Repo, output};

/// Why Miri does not run here, if it does not.
pub(crate) fn no_miri(repo: &Repo) -> Option<String> {
    let version = |repo: &Repo| output(&mut repo.cargo_of("nightly", &["miri", "--version"]));
    no_nightly(repo).or_else(|| lacking(version(repo).is_ok(), "miri"))
}

/// Why the standard library cannot be built here, if it cannot.
pub(crate) fn no_std_source(repo: &Repo) -> Option<String> {
    let has_source = || {
        let sysroot = rustc(repo, &["--print", "sysroot"]);
        Path::new(sysroot.trim())
            .join("lib/rustlib/src/rust/library/Cargo.lock")
            .exists()
    };
    no_nightly(repo).or_else(|| lacking(has_source(), "rust-src"))
}

/// Why nothing of nightly runs here, if nothing does.
pub(crate) fn no_nightly(repo: &Repo) -> Option<String> {
    let is_there = repo.has_toolchain("nightly");
    (!is_there).then(|| "toolchain nightly is not installed".into())
}

/// The target that nightly itself runs on.
pub(crate) fn host(repo: &Repo) -> String {
    let version = rustc(repo, &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap_or_default().to_string()
}

fn rustc(repo: &Repo, args: &[&str]) -> String {
    let mut command = repo.command("rustup", &["run", "nightly", "rustc"]);
    output(command.args(args)).unwrap_or_default()
}

fn lacking(is_there: bool, component: &str) -> Option<String> {
    (!is_there).then(|| format!("nightly has no component {component}"))
}
