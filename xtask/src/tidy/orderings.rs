//! Memory orderings: each one is explained, and each pair has sites, a row and a loom test.
//!
//! The triangle holds for the engine and the library. Other crates only explain what is not
//! relaxed; tests, benchmarks and examples are free.

pub(crate) mod pairs;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::orderings::pairs::Pairs;
use crate::tidy::source::{Source, Token};
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, pattern};

const STRONG: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];
pub(crate) const RELAXED: &str = "Relaxed";
/// How far above an ordering its comment may stand, in lines of code.
const LINES_ABOVE_MAX: usize = 6;

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let mut pairs = Pairs::default();
    for source in tree.sources() {
        if source.path.starts_with("slotpark-core/src/")
            && !source.path.starts_with("slotpark-core/src/sync")
        {
            door(source, findings);
        }
        let in_triangle = ["slotpark-core/src/", "slotpark/src/"]
            .iter()
            .any(|folder| source.path.starts_with(folder));
        if source.path.contains("/src/") {
            renames(source, findings);
        }
        if in_triangle {
            engine(source, &mut pairs, findings);
        } else if source.path.contains("/src/") {
            others(source, findings);
        }
    }
    pairs.check(tree, findings);
}

/// `sync` is the only door to atomics: else the model checker does not see all of them.
fn door(source: &Source, findings: &mut Vec<Finding>) {
    for token in &source.tokens {
        if token.text == "atomic" && !source.lines[token.line].is_test {
            let text = "atomics come from `crate::sync` alone";
            findings.push(Finding::error(
                &source.path,
                token.line + 1,
                "atomics",
                text,
            ));
        }
    }
}

fn engine(source: &Source, pairs: &mut Pairs, findings: &mut Vec<Finding>) {
    for ordering in orderings(source).map(|at| &source.tokens[at]) {
        let strong = ordering.text != RELAXED;
        let Some(block) = comment_block(source, ordering.line, !strong) else {
            findings.push(unexplained(source, ordering));
            continue;
        };
        let sides = pair_sides(&block.text);
        if strong && sides.is_empty() {
            let text = format!("`{}` needs `// ORDERING: PAIR side: why`", ordering.text);
            findings.push(Finding::error(
                &source.path,
                ordering.line + 1,
                "ordering",
                text,
            ));
        }
        for (pair, side) in sides {
            pairs.add_site(pair, side, &source.path, block.first_line + 1, strong);
        }
    }
}

fn others(source: &Source, findings: &mut Vec<Finding>) {
    for ordering in orderings(source).map(|at| &source.tokens[at]) {
        let strong = ordering.text != RELAXED;
        if strong && comment_block(source, ordering.line, false).is_none() {
            findings.push(unexplained(source, ordering));
        }
    }
}

fn unexplained(source: &Source, ordering: &Token) -> Finding {
    let text = format!(
        "`{}` without an `// ORDERING:` comment near it",
        ordering.text
    );
    Finding::error(&source.path, ordering.line + 1, "ordering", text)
}

/// An ordering under another name is not found by what follows.
fn renames(source: &Source, findings: &mut Vec<Finding>) {
    for pair in source.tokens.windows(2) {
        let line = pair[1].line;
        if pair[0].text == "Ordering" && pair[1].text == "as" && !source.lines[line].is_test {
            let text = "`Ordering` keeps its name: under another one it is not found";
            findings.push(Finding::error(&source.path, line + 1, "ordering", text));
        }
    }
}

/// Every use of an ordering outside tests and imports, as an index into the tokens.
pub(crate) fn orderings(source: &Source) -> impl Iterator<Item = usize> {
    let imports = imports(&source.tokens);
    let is_imported = |name: &str| imports.iter().any(|&at| source.tokens[at].text == name);
    let is_ordering = |at: usize| {
        let token = &source.tokens[at];
        let before = |steps: usize| at.checked_sub(steps).map(|at| &*source.tokens[at].text);
        if token.text != RELAXED && !STRONG.contains(&&*token.text) {
            return false;
        }
        match (before(1), before(2)) {
            (Some(":"), Some(":")) => before(3) == Some("Ordering"),
            _ => is_imported(&token.text) || is_imported("*"),
        }
    };
    let found = code(source).filter(|at| !imports.contains(at) && is_ordering(*at));
    found.collect::<Vec<_>>().into_iter()
}

/// Every call of a fence, or of a function that is named as one, outside tests: an index into the
/// tokens.
pub(crate) fn fences(source: &Source) -> impl Iterator<Item = usize> {
    let text = |at: usize| source.tokens.get(at).map(|token| &*token.text);
    code(source).filter(move |&at| {
        let is_fence = text(at).is_some_and(|name| name == "fence" || name.ends_with("_fence"));
        let is_declared = at > 0 && text(at - 1) == Some("fn");
        is_fence && !is_declared && text(at + 1) == Some("(")
    })
}

/// The tokens outside tests.
fn code(source: &Source) -> impl Iterator<Item = usize> {
    (0..source.tokens.len()).filter(|&at| !source.lines[source.tokens[at].line].is_test)
}

/// The pairs that the comment of a line names, each with its side.
pub(crate) fn pairs_at(source: &Source, line: usize) -> Vec<(String, String)> {
    let block = comment_block(source, line, false);
    let sides = block.as_ref().map(|block| pair_sides(&block.text));
    let owned = |(pair, side): (&str, &str)| (pair.to_string(), side.to_string());
    sides.unwrap_or_default().into_iter().map(owned).collect()
}

/// The tokens that stand in `use` declarations.
fn imports(tokens: &[Token]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut inside = false;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map(|token| &*token.text);
        // `use<'a>` lists what a type captures; it imports nothing.
        inside |= token.text == "use" && next != Some("<");
        if inside {
            found.insert(at);
        }
        inside &= token.text != ";";
    }
    found
}

struct Block {
    text: String,
    first_line: usize,
}

/// The comment that explains the orderings of a line: on it, or above it with no blank line and
/// no more than a few lines of code between.
fn comment_block(source: &Source, line: usize, is_relaxed: bool) -> Option<Block> {
    let explains = |at: usize| {
        let comment = &source.lines[at].comment;
        comment.contains("ORDERING:") || (is_relaxed && comment.contains("Relaxed:"))
    };
    let mut at = line;
    let mut code_lines = 0;
    while !explains(at) {
        at = at.checked_sub(1)?;
        let above = &source.lines[at];
        code_lines += usize::from(!above.is_comment());
        if above.raw.trim().is_empty() || code_lines >= LINES_ABOVE_MAX {
            return None;
        }
    }
    if !source.lines[at].is_comment() {
        return Some(Block {
            text: source.lines[at].comment.clone(),
            first_line: at,
        });
    }
    let mut first_line = at;
    while first_line > 0 && source.lines[first_line - 1].is_comment() {
        first_line -= 1;
    }
    let lines = source.lines[first_line..]
        .iter()
        .take_while(|line| line.is_comment());
    let text: Vec<_> = lines
        .map(|line| line.comment.trim_start_matches(['/', '!', ' ']))
        .collect();
    Some(Block {
        text: text.join(" "),
        first_line,
    })
}

/// The pairs, each with its side, that a comment names: `ORDERING: DEKKER side A: why`.
fn pair_sides(comment: &str) -> Vec<(&str, &str)> {
    static PAIR: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"^\s*([A-Z][A-Z0-9_]+)\s+([^:]+):\s*\S"));
    let texts = comment.split("ORDERING:").skip(1);
    let found = texts.filter_map(|text| PAIR.captures(text));
    found
        .map(|found| found.extract())
        .map(|(_, [pair, side])| (pair, side.trim()))
        .collect()
}

#[cfg(test)]
mod tests;
