//! Runs the paths and reads what callgrind counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::instructions::{CRATE, profile};
use crate::repo::{Repo, output};

/// Instructions by path.
pub(super) type Counts = BTreeMap<String, u64>;

/// What of the harness's report on one path is read; it has one on each line.
#[derive(Deserialize)]
struct Report {
    group: String,
    function_name: String,
    id: Option<String>,
    benchmark_exe: PathBuf,
    /// From the root, as the others, if it is below that.
    output_dir: PathBuf,
}

impl Report {
    fn path(&self) -> String {
        let id = self
            .id
            .iter()
            .map(|id| format!(" {id}"))
            .collect::<String>();
        format!("{}::{}{id}", self.group, self.function_name)
    }
}

pub(super) fn count(repo: &Repo) -> Result<Counts> {
    let args = ["bench", "-p", CRATE, "--bench", "instructions", "--"];
    let mut command = repo.cargo(&args);
    command.arg("--output-format=json");
    // Flags and targets of the caller's would make other code of the paths.
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "GUNGRAUN_HOME",
    ] {
        command.env_remove(name);
    }
    command.env("RUSTFLAGS", "").env("CARGO_INCREMENTAL", "0");
    let reports = output(&mut command)?;
    let mut counts = Counts::new();
    for line in reports.lines() {
        let report: Report = serde_json::from_str(line).context("a report of the harness")?;
        let path = report.path();
        let count = own(repo, &report).with_context(|| path.clone())?;
        ensure!(
            counts.insert(path.clone(), count).is_none(),
            "two paths are {path}"
        );
    }
    ensure!(!counts.is_empty(), "no path was run");
    Ok(counts)
}

fn own(repo: &Repo, report: &Report) -> Result<u64> {
    let program = report
        .benchmark_exe
        .file_name()
        .and_then(|name| name.to_str());
    let written = written(&repo.root().join(&report.output_dir))?;
    let profile = fs::read_to_string(&written).with_context(|| written.display().to_string())?;
    profile::own(&profile, program.context("the harness names no program")?)
}

/// Callgrind's own file in `folder`; that of the run before lies beside it.
fn written(folder: &Path) -> Result<PathBuf> {
    let files = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files = files.filter_map(|file| Some(file.ok()?.path()));
    let found = files.find(|file| file.extension().is_some_and(|ending| ending == "out"));
    found.with_context(|| format!("no profile in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::Report;

    #[test]
    fn a_path_is_named_by_group_function_and_case() {
        let report = |more: &str| {
            let fields = r#""group":"waits","function_name":"wait","benchmark_exe":"a/b""#;
            let text = format!(r#"{{{fields},"output_dir":"a/c"{more}}}"#);
            serde_json::from_str::<Report>(&text).unwrap().path()
        };
        assert_eq!(
            report(r#","id":"stale","version":"7""#),
            "waits::wait stale"
        );
        assert_eq!(report(""), "waits::wait");
    }
}
