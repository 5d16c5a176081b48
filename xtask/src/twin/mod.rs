//! A copy of some crates in a workspace of its own, where they can be broken and tested.

pub(crate) mod trial;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use regex::Regex;

use crate::repo::{Repo, output};
use crate::tidy::tree::Tree;

/// How tests are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Build {
    Debug,
    Release,
    /// For the model checker, which is optimized too.
    Loom,
}

pub(crate) struct Twin {
    root: PathBuf,
    /// Text by path, as the working tree has it.
    files: BTreeMap<String, String>,
}

impl Twin {
    /// A new copy of the crates `members` in the folder `name` of the build directory, with the
    /// versions of the repository's lock file.
    pub(crate) fn new(repo: &Repo, tree: &Tree, name: &str, members: &[&str]) -> Result<Self> {
        let is_wanted = |path: &str| {
            let crate_of = path.split_once('/').map(|(folder, _)| folder);
            path == "Cargo.lock" || crate_of.is_some_and(|folder| members.contains(&folder))
        };
        let mut files: BTreeMap<String, String> = tree
            .files()
            .filter(|(path, _)| is_wanted(path))
            .map(|(path, text)| {
                let is_manifest = path.ends_with("/Cargo.toml");
                let less = is_manifest.then(|| without_dev_dependencies(text));
                (path.to_string(), less.unwrap_or_else(|| text.to_string()))
            })
            .collect();
        let manifest = tree.text("Cargo.toml").context("no Cargo.toml")?;
        files.insert("Cargo.toml".into(), only_members(manifest, members)?);
        let twin = Self {
            root: repo.target().join(name),
            files,
        };
        // What was deleted since the last run must not stay; what cargo has built may.
        for member in members {
            twin.remove_strangers(&twin.root.join(member))?;
        }
        twin.write(|_, text| text.to_string())?;
        Ok(twin)
    }

    /// Removes what is no file of the copy. The others keep their times, by which cargo knows what
    /// it has to build.
    fn remove_strangers(&self, folder: &Path) -> Result<()> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Ok(());
        };
        for entry in entries {
            let path = entry.with_context(|| folder.display().to_string())?.path();
            let name = path.strip_prefix(&self.root).unwrap_or(&path);
            if path.is_dir() {
                self.remove_strangers(&path)?;
            } else if name
                .to_str()
                .is_none_or(|name| !self.files.contains_key(name))
            {
                fs::remove_file(&path).with_context(|| path.display().to_string())?;
            }
        }
        Ok(())
    }

    /// Where a run may leave its output.
    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("output.txt")
    }

    /// Makes the copy equal to the working tree, but for what `change` makes of a path's text.
    pub(crate) fn write(&self, change: impl Fn(&str, &str) -> String) -> Result<()> {
        for (path, text) in &self.files {
            write_if_changed(&self.root.join(path), &change(path, text))?;
        }
        Ok(())
    }

    /// Builds the tests `test` of a crate of the copy, and returns the program.
    pub(crate) fn build(
        &self,
        repo: &Repo,
        package: &str,
        test: &str,
        build: Build,
    ) -> Result<PathBuf> {
        let mut command = self.cargo(repo, build);
        command
            .args(["--package", package, "--test", test, "--no-run"])
            .args(["--message-format", "json-render-diagnostics"]);
        program(&output(&mut command)?).context("cargo names no test program")
    }

    /// `cargo test` in the copy, still without a word about what to test.
    pub(crate) fn cargo(&self, repo: &Repo, build: Build) -> Command {
        let mut command = repo.cargo(&["test"]);
        if build != Build::Debug {
            command.arg("--release");
        }
        // Other flags in the same folder would build everything anew.
        let (flags, target) = match build {
            // What a change leaves unused is no news.
            Build::Debug | Build::Release => ("-A warnings", "target"),
            Build::Loom => ("--cfg slotpark_loom -A warnings", "target-loom"),
        };
        command
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.join(target))
            .env("RUSTFLAGS", flags)
            .env("CARGO_INCREMENTAL", "1");
        command
    }
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

/// The workspace's manifest with other members.
fn only_members(manifest: &str, members: &[&str]) -> Result<String> {
    static MEMBERS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?ms)^(default-)?members = \[.*?\]\n").expect("the tests compile the pattern")
    });
    let rest = MEMBERS.replace_all(manifest, "");
    let members = format!("[workspace]\nmembers = {members:?}\n");
    let only = rest.replacen("[workspace]\n", &members, 1);
    ensure!(only.contains(&members), "Cargo.toml has no `[workspace]`");
    Ok(only)
}

/// A crate's manifest without what only the model's tests need, which are not built in a copy, and
/// which takes longer to build than everything else.
fn without_dev_dependencies(manifest: &str) -> String {
    let mut is_kept = true;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            is_kept = *line != "[dev-dependencies]";
        }
        is_kept
    });
    lines.map(|line| format!("{line}\n")).collect()
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

    use super::{only_members, program, without_dev_dependencies};

    #[test]
    fn the_copy_has_its_own_members() {
        let manifest = "[workspace]\nresolver = \"3\"\nmembers = [\n  \"a\",\n  \"b\",\n]\n\
                        default-members = [\"b\"]\n\n[workspace.lints.rust]\nx = \"warn\"\n";
        assert_eq!(
            only_members(manifest, &["slotpark-core", "slotpark"]).unwrap(),
            "[workspace]\nmembers = [\"slotpark-core\", \"slotpark\"]\nresolver = \"3\"\n\n\
             [workspace.lints.rust]\nx = \"warn\"\n"
        );
        assert!(only_members("[package]\n", &["a"]).is_err());
    }

    #[test]
    fn a_copy_builds_no_more_than_it_needs() {
        let manifest = "[dependencies]\na = \"1\"\n\n[dev-dependencies]\nb = \"1\"\n\n[lints]\n";
        let less = "[dependencies]\na = \"1\"\n\n[lints]\n";
        assert_eq!(without_dev_dependencies(manifest), less);
    }

    #[test]
    fn the_program_is_found_in_the_messages() {
        let messages = "{\"executable\":null,\"fresh\":true}\n{\"executable\":\"/t/loom-1\"}\n";
        assert_eq!(program(messages).as_deref(), Some(Path::new("/t/loom-1")));
        assert_eq!(program("{\"executable\":null}"), None);
    }
}
