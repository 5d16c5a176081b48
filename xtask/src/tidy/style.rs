//! Rules of one Rust file: its size and header, its comments, ignored tests, sleeps in tests.

use std::sync::LazyLock;

use regex::Regex;

use crate::tidy::source::Source;
use crate::tidy::{Finding, pattern};

const COLUMNS_MAX: usize = 100;
const LINES_AIM: usize = 300;
const LINES_MAX: usize = 500;
/// A shorter text cannot cite an invariant or a contract.
const SAFETY_CHARS_MIN: usize = 20;

pub(super) fn check(source: &Source, findings: &mut Vec<Finding>) {
    header_and_size(source, findings);
    open_work(source, findings);
    words(source, findings);
    safety(source, findings);
    ignored_tests(source, findings);
    sleeps(source, findings);
}

fn header_and_size(source: &Source, findings: &mut Vec<Finding>) {
    if !source
        .lines
        .first()
        .is_some_and(|line| line.raw.starts_with("//! "))
    {
        let text = "the file does not open with `//!` and its purpose";
        findings.push(Finding::error(&source.path, 1, "header", text));
    }
    for (index, line) in source.lines.iter().enumerate() {
        let columns = line.raw.chars().count();
        if columns > COLUMNS_MAX {
            let text = format!("{columns} columns, {COLUMNS_MAX} allowed");
            findings.push(Finding::error(&source.path, index + 1, "columns", text));
        }
    }
    let count = source.lines.len();
    if count > LINES_MAX {
        let text = format!("{count} lines, {LINES_MAX} allowed: what is it really two of?");
        findings.push(Finding::error(&source.path, 0, "size", text));
    } else if count > LINES_AIM {
        let text = format!("{count} lines, aim at {LINES_AIM}");
        findings.push(Finding::warning(&source.path, 0, "size", text));
    }
}

fn open_work(source: &Source, findings: &mut Vec<Finding>) {
    static IN_COMMENTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(TODO|FIXME|XXX)\b"));
    static IN_CODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(todo|unimplemented)\s*!"));
    for (index, line) in source.lines.iter().enumerate() {
        let found = IN_COMMENTS
            .find(&line.comment)
            .or_else(|| IN_CODE.find(&line.code));
        if let Some(found) = found {
            let text = format!("`{}`: finish it or leave it out", found.as_str());
            findings.push(Finding::error(&source.path, index + 1, "open-work", text));
        }
    }
}

fn words(source: &Source, findings: &mut Vec<Finding>) {
    static WORDS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?i)\b(hopefully|should be fine|magic|hack|untriaged)\b"));
    for (index, line) in source.lines.iter().enumerate() {
        if let Some(found) = WORDS.find(&line.comment) {
            let text = format!("`{}` in a comment: say why it holds", found.as_str());
            findings.push(Finding::error(&source.path, index + 1, "word", text));
        }
    }
}

fn safety(source: &Source, findings: &mut Vec<Finding>) {
    for (index, line) in source.lines.iter().enumerate() {
        let Some((_, first)) = line.comment.split_once("SAFETY:") else {
            continue;
        };
        let more = source.lines[index + 1..]
            .iter()
            .take_while(|line| line.is_comment());
        let more: String = more
            .map(|line| line.comment.trim_matches(['/', ' ']))
            .collect();
        if first.trim().len() + more.len() < SAFETY_CHARS_MIN {
            let text = "a SAFETY comment that cites neither an invariant nor a contract";
            findings.push(Finding::error(&source.path, index + 1, "safety", text));
        }
    }
}

fn ignored_tests(source: &Source, findings: &mut Vec<Finding>) {
    static IGNORED: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"#\s*\[\s*(ignore|cfg_attr\s*\(.*,\s*ignore\s*\))\s*\]"));
    for (index, line) in source.lines.iter().enumerate() {
        if IGNORED.is_match(&line.code) {
            let text = "an ignored test without a reason";
            findings.push(Finding::error(&source.path, index + 1, "ignore", text));
        }
    }
}

/// A sleep in a test is load on the machine, or it is a race that somebody hopes to win.
fn sleeps(source: &Source, findings: &mut Vec<Finding>) {
    static SLEEP: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"\bthread\s*::\s*sleep\b|\bsleep\s*\(\s*Duration\b"));
    for (index, line) in source.lines.iter().enumerate() {
        let said = |line: &str| line.contains("// load:");
        let before = index.checked_sub(1).map(|before| &source.lines[before]);
        let explained = said(&line.comment) || before.is_some_and(|before| said(&before.comment));
        let is_import = line.code.trim_start().starts_with("use ");
        if line.is_test && SLEEP.is_match(&line.code) && !explained && !is_import {
            let text = "a sleep in a test without `// load: why`: wait for the event itself";
            findings.push(Finding::error(&source.path, index + 1, "sleep", text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::rules_broken;

    /// The rules that `text` breaks as the file `path`, each with its line.
    fn broken_in(path: &str, text: &str) -> Vec<String> {
        rules_broken(&[(path, text)], |tree, findings| {
            check(&tree.sources()[0], findings)
        })
    }

    fn broken(text: &str) -> Vec<String> {
        broken_in("a/src/x.rs", text)
    }

    #[test]
    fn a_file_says_its_purpose_first() {
        assert_eq!(broken("//! Purpose.\nfn f() {}\n"), [""; 0]);
        assert_eq!(broken("fn f() {}\n"), ["header:1"]);
        assert_eq!(broken("\n//! Purpose.\n"), ["header:1"]);
        assert_eq!(broken(""), ["header:1"]);
    }

    #[test]
    fn lines_and_files_are_short() {
        let line = |columns: usize| format!("//! {}\n", "ä".repeat(columns - 4));
        assert_eq!(broken(&line(100)), [""; 0]);
        assert_eq!(broken(&line(101)), ["columns:1"]);
        let lines = |count: usize| format!("//! Purpose.\n{}", "\n".repeat(count - 1));
        assert_eq!(broken(&lines(300)), [""; 0]);
        assert_eq!(broken(&lines(301)), ["size:0"]);
        let findings = |count| {
            let mut findings = Vec::new();
            check(&super::Source::new("x.rs", &lines(count)), &mut findings);
            findings
        };
        assert!(findings(500)[0].is_warning);
        assert!(!findings(501)[0].is_warning);
    }

    #[test]
    fn nothing_is_left_open() {
        for left in [
            "// TODO: x",
            "/* FIXME */",
            "// a XXX b",
            "todo!();",
            "unimplemented!(1)",
        ] {
            assert_eq!(
                broken(&format!("//! P.\n{left}\n")),
                ["open-work:2"],
                "{left}"
            );
        }
        assert_eq!(
            broken("//! P.\nlet s = \"TODO todo!()\"; // TODOS\n"),
            [""; 0]
        );
    }

    #[test]
    fn comments_hope_for_nothing() {
        for word in [
            "hopefully",
            "Should be fine",
            "magic",
            "a hack",
            "untriaged",
        ] {
            assert_eq!(
                broken(&format!("//! P.\n// x {word}.\n")),
                ["word:2"],
                "{word}"
            );
        }
        assert_eq!(
            broken("//! P.\nlet magic = \"a hack\"; // magical, hacking\n"),
            [""; 0]
        );
    }

    #[test]
    fn safety_comments_say_something() {
        assert_eq!(broken("//! P.\n// SAFETY: fine.\nx();\n"), ["safety:2"]);
        assert_eq!(broken("//! P.\n// SAFETY:\nx();\n"), ["safety:2"]);
        assert_eq!(
            broken("//! P.\n// SAFETY: by Q2 the node is linked.\nx();\n"),
            [""; 0]
        );
        assert_eq!(
            broken("//! P.\n// SAFETY: by\n// the caller's contract.\nx();\n"),
            [""; 0]
        );
    }

    #[test]
    fn ignored_tests_have_a_reason() {
        assert_eq!(broken("//! P.\n#[ignore]\nfn f() {}\n"), ["ignore:2"]);
        assert_eq!(
            broken("//! P.\n#[cfg_attr(miri, ignore)]\nfn f() {}\n"),
            ["ignore:2"]
        );
        assert_eq!(broken("//! P.\n#[ignore = \"slow\"]\nfn f() {}\n"), [""; 0]);
        assert_eq!(
            broken("//! P.\n#[cfg_attr(miri, ignore = \"slow\")]\nfn f() {}\n"),
            [""; 0]
        );
    }

    #[test]
    fn sleeps_in_tests_are_load() {
        let broken = |text: &str| broken_in("a/tests/x.rs", &format!("//! P.\n{text}\n"));
        assert_eq!(broken("thread::sleep(d);"), ["sleep:2"]);
        assert_eq!(broken("sleep(Duration::from_millis(1));"), ["sleep:2"]);
        assert_eq!(broken("thread::sleep(d); // load: a busy core"), [""; 0]);
        assert_eq!(broken("// load: a busy core\nthread::sleep(d);"), [""; 0]);
        assert_eq!(
            broken_in("a/src/x.rs", "//! P.\nthread::sleep(d);\n"),
            [""; 0]
        );
        let module = "//! P.\n#[cfg(test)]\nmod tests {\n    thread::sleep(d);\n}\n";
        assert_eq!(broken_in("a/src/x.rs", module), ["sleep:4"]);
    }
}
