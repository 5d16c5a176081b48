//! The triangle of a pair: its sites in the code, its row in the chapter, its test under loom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::source::Source;
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, pattern};

const CHAPTER: &str = "slotpark/docs/orderings.md";

/// A place in a file, its line counted from 1.
type Place = (String, usize);

/// What the code says about one pair.
#[derive(Default)]
struct Sites {
    places: BTreeSet<Place>,
    sides: BTreeSet<String>,
    any_strong: bool,
}

/// Every pair that the code names.
#[derive(Default)]
pub(super) struct Pairs(BTreeMap<String, Sites>);

impl Pairs {
    pub(super) fn add_site(
        &mut self,
        pair: &str,
        side: &str,
        path: &str,
        line: usize,
        strong: bool,
    ) {
        let sites = self.0.entry(pair.into()).or_default();
        sites.places.insert((path.into(), line));
        sites.sides.insert(side.into());
        sites.any_strong |= strong;
    }

    pub(super) fn check(&self, tree: &Tree, findings: &mut Vec<Finding>) {
        let rows = rows(tree.text(CHAPTER).unwrap_or_default());
        let tests = tests(tree);
        for (pair, sites) in &self.0 {
            let Some((path, line)) = sites.places.first() else {
                continue;
            };
            let mut error = |rule, text| findings.push(Finding::error(path, *line, rule, text));
            if sites.places.len() < 2 || sites.sides.len() < 2 {
                error(
                    "pair-sites",
                    format!("{pair} has one side only: what does it pair with?"),
                );
            }
            if !sites.any_strong {
                error(
                    "pair-sites",
                    format!("{pair} is all relaxed: it orders nothing"),
                );
            }
            if !rows.contains_key(pair) {
                error("pair-row", format!("{pair} has no row in {CHAPTER}"));
            }
            if !tests.iter().any(|(test, _)| is_test_of(test, pair)) {
                let name = pair.to_lowercase();
                error(
                    "pair-test",
                    format!("no loom test `pair_{name}`, nor one that starts so"),
                );
            }
        }
        for (pair, line) in rows.iter().filter(|(pair, _)| !self.0.contains_key(*pair)) {
            let text = format!("{pair} has no site in the code");
            findings.push(Finding::error(CHAPTER, *line, "pair-row", text));
        }
        for (test, (path, line)) in &tests {
            if !self.0.keys().any(|pair| is_test_of(test, pair)) {
                let text = format!("`{test}` tests a pair that no site names");
                findings.push(Finding::error(path, *line, "pair-test", text));
            }
        }
    }
}

/// The test's name says that it is one of the pair's.
pub(crate) fn is_test_of(test: &str, pair: &str) -> bool {
    let name = format!("pair_{}", pair.to_lowercase());
    test.strip_prefix(&name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The pairs of the chapter with their lines: first cells of a table, or headings.
fn rows(chapter: &str) -> BTreeMap<String, usize> {
    static ROW: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^\|\s*[*`]*([A-Z][A-Z0-9_]+)[*`]*\s*\|"));
    static HEADING: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^##+\s+[*`]*([A-Z][A-Z0-9_]+)[*`]*\s*(?:$|[:,(])"));
    let mut rows = BTreeMap::new();
    for (index, line) in chapter.lines().enumerate() {
        let found = ROW.captures(line).or_else(|| HEADING.captures(line));
        if let Some(found) = found {
            rows.entry(found[1].to_string()).or_insert(index + 1);
        }
    }
    rows
}

/// The functions `pair_*` of the engine's loom tests, and of the engine itself, that are tests.
fn tests(tree: &Tree) -> Vec<(String, Place)> {
    let sources = tree.sources().iter().filter(|source| {
        ["slotpark-core/tests/loom", "slotpark-core/src/"]
            .iter()
            .any(|folder| source.path.starts_with(folder))
    });
    let mut found = Vec::new();
    for source in sources {
        for pair in source.tokens.windows(2) {
            let line = pair[1].line;
            let named = pair[0].text == "fn" && pair[1].text.starts_with("pair_");
            if named && has_test_attribute(source, line) {
                found.push((pair[1].text.clone(), (source.path.clone(), line + 1)));
            }
        }
    }
    found
}

fn has_test_attribute(source: &Source, line: usize) -> bool {
    let above = source.lines[..line].iter().rev();
    let attributes =
        above.take_while(|line| line.is_comment() || line.code.trim_start().starts_with("#["));
    attributes
        .map(|line| line.code.trim())
        .any(|code| code == "#[test]")
}
