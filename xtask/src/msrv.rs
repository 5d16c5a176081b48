//! `msrv`: the libraries build with the oldest toolchain that their manifests promise. Each is a
//! step of its own: where a toolchain is not installed, its libraries are skipped by name.

use std::fs;

use anyhow::Context;

use crate::repo::{Repo, run};
use crate::step::{Outcome, Step};

/// The crates that other people's crates depend on. What is only run (the program, and the library
/// that it preloads) builds on stable.
const LIBRARIES: [&str; 5] = [
    "slotpark-core",
    "slotpark",
    "slotpark-capi",
    "slotpark-managers",
    "slotpark-inspect",
];

pub(crate) fn steps() -> Vec<Step> {
    LIBRARIES
        .map(|library| {
            Step::new(format!("msrv {library}"), move |repo| {
                let version = promised(repo, library)?;
                if !repo.has_toolchain(&version) {
                    return Ok(Outcome::Skipped(format!(
                        "toolchain {version} is not installed"
                    )));
                }
                run(&mut repo.cargo_of(&version, &["check", "-p", library, "--lib"]))?;
                Ok(Outcome::Done)
            })
        })
        .into()
}

/// Every toolchain that a library promises, once.
pub(crate) fn toolchains(repo: &Repo) -> Vec<String> {
    let mut versions: Vec<_> = LIBRARIES
        .iter()
        .filter_map(|library| promised(repo, library).ok())
        .collect();
    versions.sort();
    versions.dedup();
    versions
}

fn promised(repo: &Repo, library: &str) -> anyhow::Result<String> {
    let path = repo.root().join(library).join("Cargo.toml");
    let manifest = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    rust_version(&manifest).with_context(|| format!("{}: no rust-version", path.display()))
}

fn rust_version(manifest: &str) -> Option<String> {
    let value = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))?;
    Some(value.trim().trim_matches('"').to_string())
}

#[cfg(test)]
mod tests {
    use super::{rust_version, toolchains};
    use crate::repo::Repo;

    #[test]
    fn the_promise_is_read_from_the_manifest() {
        assert_eq!(
            rust_version("[package]\nrust-version = \"1.85\"\n").as_deref(),
            Some("1.85")
        );
        assert_eq!(rust_version("[package]\n"), None);
        assert!(!toolchains(&Repo::here()).is_empty());
    }
}
