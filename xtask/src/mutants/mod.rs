//! `mutants`: changes the code of the engine, one change at a time, and requires a test to fail.
//!
//! First the native tests try every mutant, then the model checker those that are left. Who
//! survives both is a gap in the tests, or needless code, or explained in `explained.json`; an
//! explanation that is true of no survivor fails the step too, so that the list stays true.

mod explained;
mod outcomes;
mod trial;

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};

use crate::mutants::explained::Explained;
use crate::mutants::outcomes::{Fate, Tried};
use crate::repo::{Repo, output};
use crate::step::{Outcome, Step};

const CRATE: &str = "slotpark-core";
/// The files whose mistakes lose or double a wake.
const FILES: [&str; 6] = [
    "queue.rs",
    "park.rs",
    "unpark.rs",
    "unpark_one.rs",
    "choose.rs",
    "requeue.rs",
];

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Only this file of the engine, as `queue.rs`; may be said more than once.
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<String>,
}

pub(crate) fn steps(args: Args) -> Vec<Step> {
    vec![Step::new("mutants", move |repo| {
        if !is_installed(repo) {
            return Ok(Outcome::Skipped("cargo-mutants is not installed".into()));
        }
        examine(repo, &paths(repo, &args.files)?)?;
        Ok(Outcome::Done)
    })]
}

pub(crate) fn is_installed(repo: &Repo) -> bool {
    output(&mut repo.command("cargo", &["mutants", "--version"])).is_ok()
}

/// Where the files are, from the root; all of `FILES` if none is named.
fn paths(repo: &Repo, names: &[String]) -> Result<Vec<String>> {
    let all = || FILES.map(String::from).to_vec();
    let names = if names.is_empty() {
        all()
    } else {
        names.to_vec()
    };
    let path = |name: String| {
        let path = format!("{CRATE}/src/{name}");
        ensure!(repo.root().join(&path).is_file(), "no file {path}");
        Ok(path)
    };
    names.into_iter().map(path).collect()
}

fn examine(repo: &Repo, paths: &[String]) -> Result<()> {
    let explained = Explained::load(paths)?;
    let tried = trial::try_all(repo, paths)?;
    ensure!(!tried.is_empty(), "no mutant of {}", paths.join(", "));
    let judged = explained.compare(&tried);
    print!("\n{}", table(paths, &tried, &judged.explained));
    println!("{}", judged.report());
    if judged.is_true() {
        return Ok(());
    }
    bail!("{}", judged.complaint())
}

/// The mutants of each file by what became of them.
fn table(paths: &[String], tried: &[Tried], explained: &[(String, String)]) -> String {
    const COLUMNS: [&str; 7] = [
        "mutants",
        "native",
        "hang",
        "loom",
        "unviable",
        "explained",
        "survived",
    ];
    let mut rows: BTreeMap<&str, [usize; COLUMNS.len()]> = BTreeMap::new();
    for mutant in tried {
        let column = match mutant.fate {
            Fate::Native => 1,
            Fate::Hang => 2,
            Fate::Loom => 3,
            Fate::Unviable => 4,
            Fate::Survived => 6,
        };
        let row = rows.entry(&mutant.file).or_default();
        row[0] += 1;
        row[column] += 1;
    }
    for (file, _) in explained {
        let row = rows.entry(file).or_default();
        row[5] += 1;
        row[6] -= 1;
    }
    let width = paths.iter().map(String::len).max().unwrap_or(0);
    let line = |name: &str, cells: [String; COLUMNS.len()]| {
        let cells: String = cells.iter().map(|cell| format!("  {cell:>9}")).collect();
        format!("{name:width$}{cells}\n")
    };
    let mut text = line("caught by:", COLUMNS.map(String::from));
    let mut total = [0; COLUMNS.len()];
    for (file, row) in rows {
        text += &line(file, row.map(|count| count.to_string()));
        for (sum, count) in total.iter_mut().zip(row) {
            *sum += count;
        }
    }
    text + &line("all", total.map(|count| count.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{FILES, paths, table};
    use crate::mutants::outcomes::{Fate, Tried};
    use crate::repo::Repo;

    #[test]
    fn files_are_named_without_their_folder() {
        let repo = Repo::here();
        assert_eq!(paths(&repo, &[]).unwrap().len(), FILES.len());
        let named = paths(&repo, &["home.rs".into()]).unwrap();
        assert_eq!(named, ["slotpark-core/src/home.rs"]);
        assert!(paths(&repo, &["nowhere.rs".into()]).is_err());
    }

    #[test]
    fn the_table_counts_every_mutant_once() {
        let tried = |file: &str, fate| Tried::of(file, "x", fate);
        let tried = [
            tried("a.rs", Fate::Native),
            tried("a.rs", Fate::Hang),
            tried("b.rs", Fate::Loom),
            tried("b.rs", Fate::Unviable),
            tried("b.rs", Fate::Survived),
            tried("b.rs", Fate::Survived),
        ];
        let table = table(&["a.rs".into()], &tried, &[("b.rs".into(), "x".into())]);
        let rows: Vec<Vec<_>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[1], ["a.rs", "2", "1", "1", "0", "0", "0", "0"]);
        assert_eq!(rows[2], ["b.rs", "4", "0", "0", "1", "1", "1", "1"]);
        assert_eq!(rows[3], ["all", "6", "1", "1", "1", "1", "1", "1"]);
    }
}
