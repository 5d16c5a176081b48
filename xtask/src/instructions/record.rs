//! Committed counts, one file for each rustc and target.

use std::fmt;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::columns::table;
use crate::instructions::RECORD_ANEW;
use crate::instructions::count::Counts;
use crate::repo::Repo;

pub(crate) const FOLDER: &str = "bench/instructions";

/// Operations of each count.
const OPERATIONS: u64 = 100;

/// What decides how many instructions the same source is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Toolchain {
    rustc: String,
    target: String,
}

/// Counts, and by what they were compiled.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Record {
    #[serde(flatten)]
    pub(super) toolchain: Toolchain,
    /// Of so many operations as the crate of the paths says, 100.
    #[serde(rename = "instructions")]
    pub(super) counts: Counts,
}

impl Toolchain {
    /// As `rustc -vV` says it.
    pub(super) fn of(said: &str) -> Result<Self> {
        let field = |name: &str| {
            let mut lines = said.lines();
            let value = lines.find_map(|line| line.strip_prefix(name));
            value
                .map(|value| value.trim().to_string())
                .with_context(|| format!("rustc does not say its `{name}`"))
        };
        Ok(Self {
            rustc: field("release:")?,
            target: field("host:")?,
        })
    }

    fn path(&self) -> String {
        format!("{FOLDER}/{}-{}.toml", self.rustc, self.target)
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rustc {} for {}", self.rustc, self.target)
    }
}

impl Record {
    /// None if nobody recorded with this toolchain.
    pub(super) fn load(repo: &Repo, toolchain: &Toolchain) -> Result<Option<Self>> {
        let path = toolchain.path();
        let file = repo.root().join(&path);
        if !file.exists() {
            return Ok(None);
        }
        let record = Self::parse(&fs::read_to_string(file)?).with_context(|| path.clone())?;
        ensure!(
            record.toolchain == *toolchain,
            "{path} is of {}",
            record.toolchain
        );
        Ok(Some(record))
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// Writes the file of its toolchain; returns its path from the root.
    pub(super) fn write(&self, repo: &Repo) -> Result<String> {
        let path = self.toolchain.path();
        fs::create_dir_all(repo.root().join(FOLDER))?;
        fs::write(repo.root().join(&path), self.text()).with_context(|| path.clone())?;
        Ok(path)
    }

    fn text(&self) -> String {
        let Toolchain { rustc, target } = &self.toolchain;
        let counts = self.counts.iter();
        let counts: String = counts
            .map(|(path, count)| format!("\"{path}\" = {count}\n"))
            .collect();
        format!(
            "# Instructions of {OPERATIONS} operations of each hot path, those of the system's \
             libraries\n# left out. Written by `{RECORD_ANEW}`; compared by `cargo xtask ci`.\n\
             rustc = \"{rustc}\"\ntarget = \"{target}\"\n\n[instructions]\n{counts}"
        )
    }

    pub(super) fn table(&self) -> String {
        let title = ["path".into(), format!("instructions of {OPERATIONS}")];
        let rows = self
            .counts
            .iter()
            .map(|(path, count)| [path.clone(), count.to_string()]);
        table(&[title].into_iter().chain(rows).collect::<Vec<_>>())
    }
}

/// What one operation of a path costs by the text of a record, rounded; none if it has no such
/// path.
pub(crate) fn of_one(text: &str, path: &str) -> Result<Option<u64>> {
    let counts = Record::parse(text)?.counts;
    let count = counts.get(path);
    Ok(count.map(|count| (count + OPERATIONS / 2) / OPERATIONS))
}

/// The toolchains that there are records of, as their files are named.
pub(super) fn names(repo: &Repo) -> Result<Vec<String>> {
    let files = fs::read_dir(repo.root().join(FOLDER)).context(FOLDER)?;
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names
        .filter_map(|name| Some(name.strip_suffix(".toml")?.to_string()))
        .collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{FOLDER, Record, Toolchain, names, of_one};
    use crate::repo::Repo;

    const SAID: &str = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\n\
        host: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";

    fn record() -> Record {
        Record {
            toolchain: Toolchain::of(SAID).unwrap(),
            counts: [("waits::wait stale".to_string(), 916)].into(),
        }
    }

    #[test]
    fn a_toolchain_is_a_version_and_a_target() {
        let toolchain = record().toolchain;
        assert_eq!(
            toolchain.to_string(),
            "rustc 1.95.0 for x86_64-unknown-linux-gnu"
        );
        let path = "bench/instructions/1.95.0-x86_64-unknown-linux-gnu.toml";
        assert_eq!(toolchain.path(), path);
        assert!(Toolchain::of("rustc 1.95.0").is_err());
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Record::parse(&record().text()).unwrap(), record());
        assert!(record().table().contains("waits::wait stale  916"));
    }

    #[test]
    fn one_operation_is_a_hundredth() {
        let of_one = |path| of_one(&record().text(), path).unwrap();
        assert_eq!(of_one("waits::wait stale"), Some(9));
        assert_eq!(of_one("waits::wait"), None);
        assert!(super::of_one("no record", "waits::wait stale").is_err());
    }

    #[test]
    fn a_toolchain_without_a_record_has_none() {
        let repo = Repo::here();
        let mut toolchain = record().toolchain;
        toolchain.rustc = "1.0.0".into();
        assert_eq!(Record::load(&repo, &toolchain).unwrap(), None);
    }

    #[test]
    fn every_committed_record_is_one_of_the_toolchain_that_names_it() {
        let repo = Repo::here();
        let names = names(&repo).unwrap();
        assert!(!names.is_empty());
        for name in names {
            let path = format!("{FOLDER}/{name}.toml");
            let text = fs::read_to_string(repo.root().join(&path)).unwrap();
            let record = Record::parse(&text).unwrap();
            assert_eq!(record.toolchain.path(), path);
            assert_eq!(record.text(), text, "{path} was changed by hand");
        }
    }
}
