//! The survivors that are explained, and whether the list of them is true.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::mutants::outcomes::{Fate, Tried};

const LIST: &str = include_str!("explained.json");

/// A survivor and why no test can tell it from the code as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    mutant: String,
    reason: String,
}

/// The explanations for the files that are examined. One stands for one mutant: two mutants of the
/// same text in one function take two.
#[derive(Debug)]
pub(super) struct Explained(Vec<Entry>);

/// What of the list is true.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// File and text of survivors that are explained, each with its reason beside it.
    pub(super) explained: Vec<(String, String)>,
    reasons: Vec<String>,
    unexplained: Vec<String>,
    untrue: Vec<String>,
}

impl Explained {
    pub(super) fn load(paths: &[String]) -> Result<Self> {
        let mut all = Self::parse(LIST).context("explained.json")?;
        all.0.retain(|entry| paths.contains(&entry.file));
        Ok(all)
    }

    fn parse(list: &str) -> Result<Self> {
        let entries: Vec<Entry> = serde_json::from_str(list)?;
        for entry in &entries {
            let is_sentence = entry.reason.ends_with('.') && entry.reason.contains(' ');
            ensure!(is_sentence, "no reason for {}", entry.mutant);
        }
        Ok(Self(entries))
    }

    pub(super) fn compare(&self, tried: &[Tried]) -> Judged {
        let mut left: Vec<&Entry> = self.0.iter().collect();
        let mut judged = Judged::default();
        for mutant in tried.iter().filter(|mutant| mutant.fate == Fate::Survived) {
            let is_meant =
                |entry: &&Entry| entry.file == mutant.file && entry.mutant == mutant.text;
            let Some(at) = left.iter().position(is_meant) else {
                judged.unexplained.push(mutant.name.clone());
                continue;
            };
            let entry = left.remove(at);
            judged
                .explained
                .push((mutant.file.clone(), mutant.text.clone()));
            judged
                .reasons
                .push(format!("{}: {}", mutant.name, entry.reason));
        }
        judged.untrue = left
            .into_iter()
            .map(|entry| format!("{}: {}", entry.file, entry.mutant))
            .collect();
        judged
    }
}

impl Judged {
    pub(super) fn is_true(&self) -> bool {
        self.unexplained.is_empty() && self.untrue.is_empty()
    }

    /// Every survivor with its reason, then what is wrong.
    pub(super) fn report(&self) -> String {
        let explained = self
            .reasons
            .iter()
            .map(|line| format!("explained: {line}\n"));
        let unexplained = self.unexplained.iter();
        let unexplained = unexplained.map(|line| format!("SURVIVED, unexplained: {line}\n"));
        let untrue = self.untrue.iter();
        let untrue = untrue.map(|line| format!("EXPLAINED, but caught or gone: {line}\n"));
        explained.chain(unexplained).chain(untrue).collect()
    }

    pub(super) fn complaint(&self) -> String {
        let (unexplained, untrue) = (self.unexplained.len(), self.untrue.len());
        format!("{unexplained} survivors unexplained, {untrue} explanations of no survivor")
    }
}

#[cfg(test)]
mod tests {
    use super::{Explained, LIST};
    use crate::mutants::outcomes::{Fate, Tried};

    const ONE: &str = "[{\"file\":\"a.rs\",\"mutant\":\"m\",\"reason\":\"It is equal.\"}]";

    fn survivor(text: &str) -> Tried {
        Tried::of("a.rs", text, Fate::Survived)
    }

    #[test]
    fn the_list_is_sound() {
        assert!(Explained::parse(LIST).is_ok());
        assert!(Explained::parse(&ONE.replace("It is equal.", "")).is_err());
        assert!(Explained::parse(&ONE.replace("reason", "because")).is_err());
    }

    #[test]
    fn an_explanation_is_of_one_survivor_and_no_other() {
        let list = Explained::parse(ONE).unwrap();
        assert!(list.compare(&[survivor("m")]).is_true());
        for tried in [
            vec![survivor("m"), survivor("m")],
            vec![survivor("m"), survivor("n")],
        ] {
            let judged = list.compare(&tried);
            assert!(!judged.is_true());
            assert_eq!((judged.explained.len(), judged.unexplained.len()), (1, 1));
        }
        let elsewhere = Tried::of("b.rs", "m", Fate::Survived);
        assert!(!list.compare(&[survivor("m"), elsewhere]).is_true());
    }

    #[test]
    fn an_explanation_of_what_is_caught_or_gone_is_untrue() {
        let list = Explained::parse(ONE).unwrap();
        for tried in [vec![], vec![Tried::of("a.rs", "m", Fate::Loom)]] {
            let judged = list.compare(&tried);
            assert_eq!(judged.untrue, ["a.rs: m"]);
            assert!(!judged.is_true() && judged.report().contains("a.rs: m"));
        }
    }

    #[test]
    fn only_the_files_examined_are_compared() {
        let list = Explained::load(&["none.rs".into()]).unwrap();
        assert!(list.compare(&[]).is_true());
    }
}
