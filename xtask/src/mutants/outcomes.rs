//! What cargo-mutants reports: each mutant, and how its tests have ended.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What the watchdog of the engine's tests says before it ends the process.
const WATCHDOG: &str = "watchdog: `";

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A native test failed.
    Native,
    /// The native tests did not end: that is how a lost wake shows.
    Hang,
    /// The model checker objected.
    Loom,
    /// It does not compile.
    Unviable,
    Survived,
}

/// A mutant that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    /// As cargo-mutants names it, with its line and column.
    pub(super) name: String,
    /// The path from the root.
    pub(super) file: String,
    /// The name without its place, which moves with every change of the file.
    pub(super) text: String,
    pub(super) fate: Fate,
}

#[derive(Deserialize)]
struct Report {
    outcomes: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    scenario: Scenario,
    summary: Summary,
    /// From the folder of the report.
    log_path: String,
}

#[derive(Deserialize)]
enum Scenario {
    Baseline,
    Mutant { name: String, file: String },
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Summary {
    Success,
    CaughtMutant,
    MissedMutant,
    Unviable,
    Failure,
    Timeout,
}

/// Reads what a run has left in `folder`.
pub(super) fn read(folder: &Path) -> Result<Vec<Tried>> {
    let path = folder.join("outcomes.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let hangs = |log: &str| {
        let log = fs::read(folder.join(log)).unwrap_or_default();
        String::from_utf8_lossy(&log).contains(WATCHDOG)
    };
    tried(&text, hangs).with_context(|| path.display().to_string())
}

/// The mutants of a report; `hangs` says whether a log tells of a hang.
fn tried(report: &str, hangs: impl Fn(&str) -> bool) -> Result<Vec<Tried>> {
    let report: Report = serde_json::from_str(report)?;
    let mut tried = Vec::new();
    for entry in report.outcomes {
        let Scenario::Mutant { name, file } = entry.scenario else {
            continue;
        };
        let fate = match entry.summary {
            Summary::CaughtMutant if hangs(&entry.log_path) => Fate::Hang,
            Summary::CaughtMutant => Fate::Native,
            Summary::Timeout => Fate::Hang,
            Summary::Unviable => Fate::Unviable,
            Summary::MissedMutant => Fate::Survived,
            other @ (Summary::Success | Summary::Failure) => bail!("{name}: {other:?}"),
        };
        tried.push(Tried {
            text: without_place(&name, &file).to_string(),
            name,
            file,
            fate,
        });
    }
    Ok(tried)
}

/// `file:line:column: text` without what comes before the text.
fn without_place<'n>(name: &'n str, file: &str) -> &'n str {
    let rest = name.strip_prefix(file).unwrap_or(name);
    rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit())
        .trim_start()
}

#[cfg(test)]
impl Tried {
    pub(super) fn of(file: &str, text: &str, fate: Fate) -> Self {
        Self {
            name: format!("{file}:1:2: {text}"),
            file: file.into(),
            text: text.into(),
            fate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, Tried, tried};

    fn entry(line: u32, summary: &str) -> String {
        format!(
            "{{\"scenario\":{{\"Mutant\":{{\"name\":\"a/b.rs:{line}:9: replace < with ==\",\
             \"file\":\"a/b.rs\",\"genre\":\"BinaryOperator\"}}}},\
             \"summary\":\"{summary}\",\"log_path\":\"log/{line}\"}}"
        )
    }

    fn report(entries: &[String]) -> String {
        let baseline = "{\"scenario\":\"Baseline\",\"summary\":\"Success\",\"log_path\":\"log/0\"}";
        format!(
            "{{\"outcomes\":[{baseline},{}],\"missed\":1}}",
            entries.join(",")
        )
    }

    #[test]
    fn every_summary_has_its_fate() {
        let summaries = [
            "CaughtMutant",
            "CaughtMutant",
            "Timeout",
            "Unviable",
            "MissedMutant",
        ];
        let entries: Vec<_> = (1..)
            .zip(summaries)
            .map(|(line, s)| entry(line, s))
            .collect();
        let tried = tried(&report(&entries), |log| log == "log/2").unwrap();
        let fates: Vec<_> = tried.iter().map(|mutant| mutant.fate).collect();
        let (hang, native) = (Fate::Hang, Fate::Native);
        assert_eq!(fates, [native, hang, hang, Fate::Unviable, Fate::Survived]);
        assert_eq!(tried[4].name, "a/b.rs:5:9: replace < with ==");
        assert_eq!(
            tried[0],
            Tried {
                name: "a/b.rs:1:9: replace < with ==".into(),
                ..tried[0].clone()
            }
        );
        assert_eq!(
            (&*tried[0].file, &*tried[0].text),
            ("a/b.rs", "replace < with ==")
        );
    }

    #[test]
    fn what_is_no_verdict_is_an_error() {
        assert!(tried(&report(&[entry(1, "Failure")]), |_| false).is_err());
        assert!(tried("{}", |_| false).is_err());
    }
}
