//! What can be weakened: each fence and each ordering of the engine that is not relaxed.
//!
//! A mutant says so when its code runs: a run in which nothing is said has tested nothing, be it
//! because cargo built nothing anew or because the code is not part of a loom build.

use std::ops::Range;

use anyhow::{Result, bail};

use crate::tidy::orderings::{RELAXED, fences, orderings, pairs_at};
use crate::tidy::source::{Source, closing};

/// What a mutant calls in the place of what it lacks.
const REACHED: &str = "crate::mutant::reached()";

/// One change of one file.
#[derive(Debug)]
pub(super) struct Mutant {
    pub(super) path: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// The pairs that its comment names, each with its side.
    pub(super) sides: Vec<(String, String)>,
    pub(super) change: String,
    range: Range<usize>,
    replacement: String,
}

impl Mutant {
    /// What it prints when its code runs for the first time.
    pub(super) fn says(&self) -> String {
        let Self { path, line, .. } = self;
        let (start, change) = (self.range.start, &self.change);
        format!("mutant reached: {path}:{line}, byte {start}: {change}")
    }

    /// Its file, weakened.
    pub(super) fn applied(&self, text: &str) -> String {
        let mut text = text.to_string();
        text.replace_range(self.range.clone(), &self.replacement);
        text
    }

    /// The module that the weakened code calls, for the end of the crate's first file.
    pub(super) fn witness(&self) -> String {
        format!(
            "\n/// Says that the weakened code ran.\n\
             mod mutant {{\n    \
                 extern crate std;\n\n    \
                 pub(crate) fn reached() {{\n        \
                     static ONCE: std::sync::Once = std::sync::Once::new();\n        \
                     ONCE.call_once(|| std::eprintln!({:?}));\n    \
                 }}\n\
             }}\n",
            self.says()
        )
    }
}

/// The mutants of one file, in its order.
pub(super) fn of(source: &Source) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for at in fences(source) {
        let token = &source.tokens[at];
        let last = &source.tokens[closing(&source.tokens, at + 1)];
        let start = source.tokens[path_start(source, at)].start;
        mutants.push(Mutant {
            path: source.path.clone(),
            line: token.line + 1,
            sides: fence_sides(source, token.line),
            change: format!("{} removed", token.text),
            range: start..last.start + last.text.len(),
            replacement: REACHED.into(),
        });
    }
    let fences: Vec<_> = mutants.iter().map(|fence| fence.range.clone()).collect();
    for at in orderings(source) {
        let token = &source.tokens[at];
        if fences.iter().any(|fence| fence.contains(&token.start)) {
            continue;
        }
        let first = path_start(source, at);
        let path = source.tokens[first..at].iter().map(|token| &*token.text);
        let path = path.collect::<String>();
        for weaker in weaker(&token.text) {
            mutants.push(Mutant {
                path: source.path.clone(),
                line: token.line + 1,
                sides: pairs_at(source, token.line),
                change: format!("{} -> {weaker}", token.text),
                range: source.tokens[first].start..token.start + token.text.len(),
                replacement: format!("{{ {REACHED}; {path}{weaker} }}"),
            });
        }
    }
    mutants.sort_by_key(|mutant| mutant.range.start);
    match mutants.iter().find(|mutant| mutant.sides.is_empty()) {
        Some(Mutant { line, .. }) => bail!("{}:{line} names no pair", source.path),
        None => Ok(mutants),
    }
}

/// Each ordering that is one step weaker. An access of SeqCst is AcqRel to the model checker.
fn weaker(ordering: &str) -> &'static [&'static str] {
    match ordering {
        RELAXED => &[],
        "AcqRel" | "SeqCst" => &["Acquire", "Release"],
        _ => &[RELAXED],
    }
}

/// A fence is explained above it, or with the access that it stands before.
fn fence_sides(source: &Source, line: usize) -> Vec<(String, String)> {
    let above = pairs_at(source, line);
    let mut below = line + 1..source.lines.len();
    match below.find(|&line| !source.lines[line].is_comment()) {
        Some(access) if above.is_empty() => pairs_at(source, access),
        _ => above,
    }
}

/// The first token of the path that ends at `at`: `Ordering` of `Ordering::Acquire`.
fn path_start(source: &Source, at: usize) -> usize {
    let text = |at: usize| &*source.tokens[at].text;
    let mut first = at;
    while first >= 3
        && text(first - 1) == ":"
        && text(first - 2) == ":"
        && text(first - 3).starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
    {
        first -= 3;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::{Mutant, of};
    use crate::tidy::source::Source;

    const PATH: &str = "slotpark-core/src/x.rs";

    fn mutants(text: &str) -> Vec<Mutant> {
        of(&Source::new(PATH, text)).unwrap()
    }

    /// Each mutant as its line, pair, side and change.
    fn shown(text: &str) -> Vec<String> {
        let show = |mutant: &Mutant| {
            let sides = mutant
                .sides
                .iter()
                .map(|(pair, side)| format!("{pair} {side}"));
            let sides = sides.collect::<Vec<_>>().join(" + ");
            format!("{} {sides}: {}", mutant.line, mutant.change)
        };
        mutants(text).iter().map(show).collect()
    }

    /// The code that replaces the second line, for each mutant.
    fn second_lines(text: &str) -> Vec<String> {
        let second = |mutant: &Mutant| {
            let text = mutant.applied(text);
            text.lines().nth(1).unwrap().to_string()
        };
        mutants(text).iter().map(second).collect()
    }

    #[test]
    fn acquire_and_release_become_relaxed() {
        let text = "// ORDERING: LOCK acquire side: x.\nw.load(Ordering::Acquire);\n\n\
                    // ORDERING: LOCK release side: x. ORDERING: SLEEP wake side: y.\n\
                    w.store(\n    0, Ordering::Release);\n\
                    // ORDERING: none, relaxed: x.\nw.load(Ordering::Relaxed);\n";
        assert_eq!(
            shown(text),
            [
                "2 LOCK acquire side: Acquire -> Relaxed",
                "6 LOCK release side + SLEEP wake side: Release -> Relaxed"
            ]
        );
        assert_eq!(
            second_lines(text)[0],
            "w.load({ crate::mutant::reached(); Ordering::Relaxed });"
        );
    }

    #[test]
    fn a_double_ordering_loses_each_half() {
        let text = "// ORDERING: LOCK both: x.\nw.swap(0, a::Ordering::AcqRel);\n";
        assert_eq!(
            second_lines(text),
            [
                "w.swap(0, { crate::mutant::reached(); a::Ordering::Acquire });",
                "w.swap(0, { crate::mutant::reached(); a::Ordering::Release });"
            ]
        );
        let sequential = text.replace("AcqRel", "SeqCst");
        assert_eq!(second_lines(&sequential), second_lines(text));
    }

    #[test]
    fn the_orderings_of_a_compare_exchange_are_weakened_by_themselves() {
        let text = "// ORDERING: LOCK both: x.\n\
                    w.compare_exchange(0, 1, Ordering::Acquire, Ordering::Acquire);\n";
        let weak = "{ crate::mutant::reached(); Ordering::Relaxed }";
        assert_eq!(
            second_lines(text),
            [
                format!("w.compare_exchange(0, 1, {weak}, Ordering::Acquire);"),
                format!("w.compare_exchange(0, 1, Ordering::Acquire, {weak});")
            ]
        );
        let [first, second] = &mutants(text)[..] else {
            panic!("two mutants")
        };
        assert_ne!(first.says(), second.says());
    }

    #[test]
    fn fences_and_calls_of_their_wrappers_are_removed() {
        let text = "// ORDERING: DEKKER both sides: x.\ncrate::fence(Ordering::SeqCst);\n\n\
                    fn full_fence() {}\n\nfull_fence();\n\
                    // ORDERING: DEKKER side B: x.\nw.load(Ordering::Relaxed);\n\
                    full_fence();\n";
        assert_eq!(
            shown(text),
            [
                "2 DEKKER both sides: fence removed",
                "6 DEKKER side B: full_fence removed",
                "9 DEKKER side B: full_fence removed"
            ]
        );
        assert_eq!(second_lines(text)[0], "crate::mutant::reached();");
    }

    #[test]
    fn imports_tests_comments_and_strings_hold_no_mutant() {
        let text = "use a::{fence, Ordering::Acquire};\n// ORDERING: LOCK side: fence(SeqCst)\n\
                    let s = \"Ordering::Acquire fence()\";\n\
                    #[cfg(test)]\nmod t { fn f() { fence(Ordering::SeqCst); } }\n";
        assert_eq!(shown(text), [""; 0]);
    }

    #[test]
    fn what_names_no_pair_is_an_error() {
        for text in ["full_fence();\n", "w.load(Ordering::Acquire);\n"] {
            let error = of(&Source::new(PATH, text)).unwrap_err().to_string();
            assert_eq!(error, format!("{PATH}:1 names no pair"));
        }
    }

    #[test]
    fn the_witness_says_which_mutant_it_is() {
        let text = "// ORDERING: LOCK side: x.\nw.load(Ordering::Acquire);\n";
        let mutant = &mutants(text)[0];
        assert_eq!(
            mutant.says(),
            "mutant reached: slotpark-core/src/x.rs:2, byte 34: Acquire -> Relaxed"
        );
        assert!(mutant.witness().contains(&format!("\"{}\"", mutant.says())));
    }
}
