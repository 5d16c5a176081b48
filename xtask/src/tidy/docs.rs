//! Rules of documents: links lead somewhere, records exist, figures are those of their record,
//! commands agree, and nothing points out of the repository.

use std::sync::LazyLock;

use pulldown_cmark::{Event, LinkType, Parser, Tag};
use regex::Regex;

use crate::figures::fill;
use crate::records::Records;
use crate::tidy::tree::Tree;
use crate::tidy::{Finding, pattern};

/// What a newcomer runs, and what CI runs before everything else.
const TEST_COMMAND: &str = "cargo test --workspace";

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let on_record = Records::new(tree);
    for (path, text) in tree.files() {
        if path.ends_with(".md") {
            links(tree, path, text, findings);
            figures(&on_record, path, text, findings);
        }
        if path.ends_with(".md") || path.ends_with(".rs") {
            records(tree, path, text, findings);
        }
        outside(path, text, findings);
    }
    test_command(tree, findings);
}

fn links(tree: &Tree, path: &str, text: &str, findings: &mut Vec<Finding>) {
    let parser = Parser::new(text);
    // Definitions are looked at by themselves: one that no text uses is a link too.
    let mut targets: Vec<(String, usize)> = parser
        .reference_definitions()
        .iter()
        .map(|(_, definition)| (definition.dest.to_string(), definition.span.start))
        .collect();
    for (event, range) in parser.into_offset_iter() {
        let (Event::Start(Tag::Link {
            link_type,
            dest_url,
            ..
        })
        | Event::Start(Tag::Image {
            link_type,
            dest_url,
            ..
        })) = event
        else {
            continue;
        };
        if matches!(link_type, LinkType::Inline | LinkType::Autolink) {
            targets.push((dest_url.to_string(), range.start));
        }
    }
    for (target, at) in targets {
        if !is_link_good(tree, path, &target) {
            let line = line_of(&text[..at]);
            let text = format!("`{target}` does not exist");
            findings.push(Finding::error(path, line, "link", text));
        }
    }
}

fn line_of(before: &str) -> usize {
    before.matches('\n').count() + 1
}

fn is_link_good(tree: &Tree, path: &str, target: &str) -> bool {
    static SCHEME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[a-z][a-z+.-]*:[^:]"));
    // Chapters are part of rustdoc's pages: `cargo doc` itself checks links to items.
    static ITEM: LazyLock<Regex> = LazyLock::new(|| pattern(r"^([a-z]+@)?[A-Za-z_]\w*(::\w+)*$"));
    let file = target.split('#').next().unwrap_or_default();
    let is_chapter = path.starts_with("slotpark/docs/");
    if file.is_empty() || SCHEME.is_match(target) || (is_chapter && ITEM.is_match(file)) {
        return true;
    }
    resolve(path, file).is_some_and(|file| tree.exists(&file))
}

/// The path from the root that `target` means inside the file `path`; none if it leaves the root.
fn resolve(path: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// A figure's record is committed, also where the text names it without a link.
fn records(tree: &Tree, path: &str, text: &str, findings: &mut Vec<Finding>) {
    static RECORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bbench/record/[\w./-]*\w"));
    if path.starts_with("xtask/src/tidy/") {
        return;
    }
    for found in RECORD.find_iter(text) {
        if !tree.exists(found.as_str()) {
            let line = line_of(&text[..found.start()]);
            let text = format!("`{}` is not committed", found.as_str());
            findings.push(Finding::error(path, line, "record", text));
        }
    }
}

/// A figure that a place takes from a record is the record's.
fn figures(records: &Records, path: &str, text: &str, findings: &mut Vec<Finding>) {
    let filled = fill(text, records);
    for (line, why) in filled.wrong {
        findings.push(Finding::error(path, line, "figure", why));
    }
    for (line, what) in filled.changed {
        let text = format!("{what}: `cargo xtask bench --docs`");
        findings.push(Finding::error(path, line, "figure", text));
    }
}

/// A clone has nothing but the repository.
fn outside(path: &str, text: &str, findings: &mut Vec<Finding>) {
    // In pieces, so that this file does not contain what it looks for.
    static OUTSIDE: LazyLock<Regex> =
        LazyLock::new(|| pattern(concat!(r"(?m)(?:^|[^\w~.-])/wo", "rk/|\\.\\./sha", "red")));
    for found in OUTSIDE.find_iter(text) {
        let line = line_of(&text[..found.start()]);
        let text = format!("`{}` is outside the repository", found.as_str().trim());
        findings.push(Finding::error(path, line, "outside", text));
    }
}

fn test_command(tree: &Tree, findings: &mut Vec<Finding>) {
    for path in ["README.md", ".ci/run"] {
        let text = tree.text(path).unwrap_or_default();
        if !text.lines().any(|line| line.trim() == TEST_COMMAND) {
            let text = format!("no line `{TEST_COMMAND}`: README and CI run the same tests");
            findings.push(Finding::error(path, 0, "test-command", text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{check, resolve};
    use crate::tidy::rules_broken;

    const COMMANDS: [(&str, &str); 2] = [
        ("README.md", "```\ncargo test --workspace\n```\n"),
        (".ci/run", "cargo test --workspace"),
    ];

    fn broken(path: &str, text: &str) -> Vec<String> {
        let more = [
            (path, text),
            ("docs/a.md", ""),
            ("bench/record/one.json", "{}"),
        ];
        rules_broken(&[&COMMANDS[..], &more[..]].concat(), check)
    }

    #[test]
    fn links_lead_to_files() {
        let good = "[a](docs/a.md) [b](docs/a.md#part) [c](docs/) [d](#part) [e](https://x.y/z)\n\n\
                    ![f][f] `[g](gone.md)` <mailto:a@b.c>\n\n    [h](gone.md)\n\n[f]: docs/a.md\n";
        assert_eq!(broken("X.md", good), [""; 0]);
        assert_eq!(broken("X.md", "\n[a](gone.md)\n"), ["link:2"]);
        assert_eq!(broken("X.md", "![a](gone.svg)\n"), ["link:1"]);
        assert_eq!(broken("X.md", "[a]\n\n[a]: gone.md\n"), ["link:3"]);
        assert_eq!(broken("X.md", "[a](../docs/a.md)\n"), ["link:1"]);
        assert_eq!(broken("X.md", "[a](Item)\n"), ["link:1"]);
    }

    #[test]
    fn chapters_may_link_items() {
        let items = "[a](crate::Item::new) [b](Item) [c](struct@Item)\n";
        assert_eq!(broken("slotpark/docs/x.md", items), [""; 0]);
        assert_eq!(broken("slotpark/docs/x.md", "[a](gone.md)\n"), ["link:1"]);
        assert_eq!(
            broken("slotpark/docs/x.md", "[a](../../docs/a.md)\n"),
            [""; 0]
        );
    }

    #[test]
    fn paths_are_resolved_from_their_file() {
        assert_eq!(resolve("a/b.md", "../c/./d.md").as_deref(), Some("c/d.md"));
        assert_eq!(resolve("a/b.md", "c.md").as_deref(), Some("a/c.md"));
        assert_eq!(resolve("b.md", "../c.md"), None);
    }

    #[test]
    fn records_are_committed() {
        assert_eq!(
            broken("X.md", "See bench/record/one.json, or bench/record/.\n"),
            [""; 0]
        );
        assert_eq!(
            broken("X.md", "See\n`bench/record/two.json`.\n"),
            ["record:2"]
        );
        assert_eq!(
            broken("a/src/x.rs", "//! bench/record/two.json\n"),
            ["record:1"]
        );
    }

    #[test]
    fn figures_are_those_of_their_record() {
        let record = include_str!("../../../slotpark-report/tests/reports/sample.json");
        let of_text = |text: &str| {
            let files = [("X.md", text), ("bench/record/m/1.json", record)];
            rules_broken(&[&COMMANDS[..], &files[..]].concat(), check)
        };
        let place = |file: &str, said: &str| {
            format!("\na <!-- bench:{file} wake_nobody futex time -->{said}<!-- /bench -->\n")
        };
        assert_eq!(of_text(&place("m/1.json", "154 ns")), [""; 0]);
        assert_eq!(of_text(&place("m/1.json", "155 ns")), ["figure:2"]);
        assert_eq!(of_text(&place("m/2.json", "154 ns")), ["figure:2"]);
    }

    #[test]
    fn nothing_names_what_is_outside() {
        let work = concat!("/wo", "rk/");
        let shared = concat!("../sha", "red");
        assert_eq!(broken("a/x.sh", &format!("\ncd {work}a\n")), ["outside:2"]);
        assert_eq!(broken("a/x.sh", &format!("{work}a\n")), ["outside:1"]);
        assert_eq!(
            broken("a/x.sh", &format!("cat {shared}/a\n")),
            ["outside:1"]
        );
        assert_eq!(broken("a/x.sh", &format!("ls target{work}\n")), [""; 0]);
    }

    #[test]
    fn readme_and_ci_run_the_same_tests() {
        let other = ("README.md", "```\ncargo test\n```\n");
        assert_eq!(
            rules_broken(&[other, COMMANDS[1]], check),
            ["test-command:0"]
        );
        assert_eq!(rules_broken(&[COMMANDS[0]], check), ["test-command:0"]);
        assert_eq!(rules_broken(&COMMANDS, check), [""; 0]);
    }
}
