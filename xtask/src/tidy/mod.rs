//! `tidy`: the rules of this repository that neither the compiler nor clippy knows.
//!
//! A rule reads the tree in memory and reports findings, so that each has a test which plants a
//! violation: a check that cannot fail is a defect.

mod docs;
pub(crate) mod orderings;
pub(crate) mod source;
mod style;
pub(crate) mod tree;

use std::fmt;

use regex::Regex;

use crate::repo::Repo;
use crate::tidy::tree::Tree;

/// Something that breaks a rule, or soon will.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// Counted from 1; 0 stands for the whole file.
    line: usize,
    rule: &'static str,
    text: String,
    is_warning: bool,
}

impl Finding {
    fn error(path: &str, line: usize, rule: &'static str, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line,
            rule,
            text: text.into(),
            is_warning: false,
        }
    }

    fn warning(path: &str, line: usize, rule: &'static str, text: impl Into<String>) -> Self {
        Self {
            is_warning: true,
            ..Self::error(path, line, rule, text)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.is_warning { "warning" } else { "error" };
        write!(
            f,
            "{level}: {}:{}: {}: {}",
            self.path, self.line, self.rule, self.text
        )
    }
}

/// Prints every finding in the repository and returns the number of errors.
pub(crate) fn check(repo: &Repo) -> anyhow::Result<usize> {
    let tree = Tree::load(repo)?;
    let findings = findings(&tree);
    for finding in &findings {
        eprintln!("{finding}");
    }
    let errors = findings
        .iter()
        .filter(|finding| !finding.is_warning)
        .count();
    let warnings = findings.len() - errors;
    eprintln!(
        "{} Rust files: {errors} errors, {warnings} warnings",
        tree.sources().len()
    );
    Ok(errors)
}

fn findings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources() {
        style::check(source, &mut findings);
    }
    orderings::check(tree, &mut findings);
    docs::check(tree, &mut findings);
    findings.sort();
    findings
}

/// A pattern written in the source, and therefore a valid one.
fn pattern(text: &'static str) -> Regex {
    Regex::new(text).expect("the tests of the rules compile every pattern")
}

/// The rules that a tree of `files` breaks: what the tests of the rules look at.
#[cfg(test)]
fn rules_broken(files: &[(&str, &str)], check: impl Fn(&Tree, &mut Vec<Finding>)) -> Vec<String> {
    let mut findings = Vec::new();
    check(&Tree::of(files), &mut findings);
    findings.sort();
    findings
        .iter()
        .map(|finding| format!("{}:{}", finding.rule, finding.line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::findings;
    use crate::tidy::tree::Tree;

    #[test]
    fn every_kind_of_rule_is_asked() {
        let files = [
            (
                "slotpark-core/src/lib.rs",
                "fn f() { w.load(Ordering::Acquire); }\n",
            ),
            ("README.md", "[gone](gone.md)\n"),
            (".ci/run", ""),
        ];
        let found = findings(&Tree::of(&files));
        let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
        for rule in ["header", "ordering", "link", "test-command"] {
            assert!(
                found.iter().any(|finding| finding.rule == rule),
                "{rule} in {shown:?}"
            );
        }
        let header = "error: slotpark-core/src/lib.rs:1: header: ";
        assert!(
            shown.iter().any(|line| line.starts_with(header)),
            "{shown:?}"
        );
    }
}
