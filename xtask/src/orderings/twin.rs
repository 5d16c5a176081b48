//! A copy of the engine and its tests in a workspace of its own, where they can be weakened.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use crate::orderings::mutants::Mutant;
use crate::repo::{Repo, output};
use crate::tidy::tree::Tree;

pub(super) const CRATE: &str = "slotpark-core";
const FIRST_FILE: &str = "slotpark-core/src/lib.rs";

pub(super) struct Twin {
    root: PathBuf,
    /// Text by path, as the working tree has it.
    files: BTreeMap<String, String>,
}

impl Twin {
    /// A new copy of the crate, with the versions of the repository's lock file.
    pub(super) fn new(repo: &Repo, tree: &Tree) -> Result<Self> {
        let folder = format!("{CRATE}/");
        let mut files: BTreeMap<String, String> = tree
            .files()
            .filter(|(path, _)| path.starts_with(&folder) || *path == "Cargo.lock")
            .map(|(path, text)| (path.to_string(), text.to_string()))
            .collect();
        let manifest = tree.text("Cargo.toml").context("no Cargo.toml")?;
        files.insert("Cargo.toml".into(), lone_member(manifest)?);
        let root = repo.target().join("orderings");
        // What was deleted since the last run must not stay; what cargo has built may.
        let old = root.join(CRATE);
        if old.exists() {
            fs::remove_dir_all(&old).with_context(|| old.display().to_string())?;
        }
        let twin = Self { root, files };
        twin.write(None)?;
        Ok(twin)
    }

    /// Where a run may leave its output.
    pub(super) fn log(&self) -> PathBuf {
        self.root.join("output.txt")
    }

    /// Makes the copy equal to the working tree, but for the mutant.
    pub(super) fn write(&self, mutant: Option<&Mutant>) -> Result<()> {
        for (path, text) in &self.files {
            write_if_changed(&self.root.join(path), &mutated(path, text, mutant))?;
        }
        Ok(())
    }

    /// Builds the loom tests of the copy, and returns the program.
    pub(super) fn build(&self, repo: &Repo) -> Result<PathBuf> {
        let mut command = repo.cargo(&["test", "--package", CRATE, "--release", "--test", "loom"]);
        command
            .args(["--no-run", "--message-format", "json-render-diagnostics"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            // What a mutant leaves unused is no news.
            .env("RUSTFLAGS", "--cfg slotpark_loom -A warnings")
            .env("CARGO_INCREMENTAL", "1");
        program(&output(&mut command)?).context("cargo names no test program")
    }
}

/// The text of a file of the copy.
fn mutated(path: &str, text: &str, mutant: Option<&Mutant>) -> String {
    let Some(mutant) = mutant else {
        return text.to_string();
    };
    let mut text = if path == mutant.path {
        mutant.applied(text)
    } else {
        text.to_string()
    };
    if path == FIRST_FILE {
        text += &mutant.witness();
    }
    text
}

/// Leaves the time of an equal file alone, by which cargo knows what it has to build.
fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// The workspace's manifest with the engine as its only member.
fn lone_member(manifest: &str) -> Result<String> {
    static MEMBERS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?ms)^(default-)?members = \[.*?\]\n").expect("the tests compile the pattern")
    });
    let rest = MEMBERS.replace_all(manifest, "");
    let members = format!("[workspace]\nmembers = [\"{CRATE}\"]\n");
    let lone = rest.replacen("[workspace]\n", &members, 1);
    ensure!(lone.contains(&members), "Cargo.toml has no `[workspace]`");
    Ok(lone)
}

/// The program that cargo has built, by its messages.
fn program(messages: &str) -> Option<PathBuf> {
    static PROGRAM: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#""executable":"([^"]+)""#).expect("the tests compile the pattern")
    });
    PROGRAM
        .captures(messages)
        .map(|found| PathBuf::from(&found[1]))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{FIRST_FILE, lone_member, mutated, program};
    use crate::orderings::mutants;
    use crate::tidy::source::Source;

    #[test]
    fn the_engine_is_alone_in_its_workspace() {
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\n  \"a\",\n  \"b\",\n]\n\
                        default-members = [\"b\"]\n\n[workspace.lints.rust]\nx = \"warn\"\n";
        assert_eq!(
            lone_member(manifest).unwrap(),
            "[workspace]\nmembers = [\"slotpark-core\"]\nresolver = \"3\"\n\n\
             [workspace.lints.rust]\nx = \"warn\"\n"
        );
        assert!(lone_member("[package]\n").is_err());
    }

    #[test]
    fn the_program_is_found_in_the_messages() {
        let messages = "{\"executable\":null,\"fresh\":true}\n{\"executable\":\"/t/loom-1\"}\n";
        assert_eq!(program(messages).as_deref(), Some(Path::new("/t/loom-1")));
        assert_eq!(program("{\"executable\":null}"), None);
    }

    #[test]
    fn a_mutant_changes_its_file_and_brings_its_witness() {
        let text = "// ORDERING: LOCK side: x.\nw.load(Ordering::Acquire);\n";
        let found = mutants::of(&Source::new("slotpark-core/src/x.rs", text)).unwrap();
        let mutant = Some(&found[0]);
        assert_eq!(mutated("slotpark-core/src/x.rs", text, None), text);
        assert_eq!(mutated("slotpark-core/src/y.rs", text, mutant), text);
        let weakened = mutated("slotpark-core/src/x.rs", text, mutant);
        assert!(weakened.contains("Relaxed") && !weakened.contains("mod mutant"));
        let first = mutated(FIRST_FILE, text, mutant);
        assert!(first.starts_with(text) && first.ends_with(&found[0].witness()));
    }
}
