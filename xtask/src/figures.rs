//! The places of documents that say what a record says: found, filled, and compared.
//!
//! `slotpark_report::Place` says what stands in a place of a benchmark's record. In a place
//! `instructions:FILE GROUP::PATH INPUT` stands how many instructions an operation is, by a file of
//! `bench/instructions/`. Places are found in Markdown, by its parser, so that what is code is
//! none.

use pulldown_cmark::{Event, Options, Parser};
use slotpark_report::Place;

use crate::records::Records;

const OPEN: [&str; 2] = ["<!-- bench", "<!-- instructions:"];
const CLOSE: &str = "<!-- /bench -->";

/// A document with its places filled.
pub(crate) struct Filled {
    pub(crate) text: String,
    /// Lines of the document whose place said something else, and what.
    pub(crate) changed: Vec<(usize, String)>,
    /// Lines whose place cannot be filled, and why.
    pub(crate) wrong: Vec<(usize, String)>,
}

/// What a record says in a place.
enum Said {
    /// Inside a line.
    Figure(String),
    /// On lines of its own.
    Table(String),
}

/// Fills every place of `text`. One that is wrong stays as it is.
pub(crate) fn fill(text: &str, records: &Records) -> Filled {
    let mut filled = Filled {
        text: String::new(),
        changed: Vec::new(),
        wrong: Vec::new(),
    };
    let mut done = 0;
    for (at, is_block) in openings(text) {
        let line = text[..at].matches('\n').count() + 1;
        if at < done {
            filled
                .wrong
                .push((line, "a place inside another one".to_owned()));
            continue;
        }
        match one(text, at, is_block, records) {
            Ok(None) => {}
            Ok(Some((from, to, should))) => {
                if text[from..to] != should {
                    let was = text[from..to].trim().to_owned();
                    let said = should.trim();
                    filled
                        .changed
                        .push((line, format!("`{was}`, on record `{said}`")));
                }
                filled.text += &text[done..from];
                filled.text += &should;
                done = to;
            }
            Err(why) => filled.wrong.push((line, why)),
        }
    }
    filled.text += &text[done..];
    filled
}

/// Where comments begin that may be places, and whether they begin a block.
fn openings(text: &str) -> Vec<(usize, bool)> {
    let mut openings = Vec::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        let is_block = match event {
            Event::Html(_) => true,
            Event::InlineHtml(_) => false,
            _ => continue,
        };
        for open in OPEN {
            let found = text[range.clone()].match_indices(open);
            openings.extend(found.map(|(at, _)| (range.start + at, is_block)));
        }
    }
    openings.sort_unstable();
    openings
}

/// From where to where the text of the place at `at` reaches, and what it should be.
fn one(
    text: &str,
    at: usize,
    is_block: bool,
    records: &Records,
) -> Result<Option<(usize, usize, String)>, String> {
    let rest = &text[at..];
    let end = rest.find("-->").ok_or("the comment has no end")?;
    let Some(said) = said(rest["<!--".len()..end].trim(), records)? else {
        return Ok(None);
    };
    if is_block && matches!(said, Said::Figure(_)) {
        return Err("a figure begins no line: all of the line would be shown as it is".to_owned());
    }
    let from = at + end + "-->".len();
    let length = text[from..]
        .find(CLOSE)
        .ok_or_else(|| format!("no `{CLOSE}` follows"))?;
    if OPEN
        .iter()
        .any(|open| text[from..from + length].contains(open))
    {
        return Err(format!("no `{CLOSE}` before the next place"));
    }
    let should = match said {
        Said::Figure(said) => said,
        Said::Table(said) => format!("\n\n{said}\n"),
    };
    Ok(Some((from, from + length, should)))
}

/// What stands in the place of a comment; none if it is no place.
fn said(comment: &str, records: &Records) -> Result<Option<Said>, String> {
    if let Some(rest) = comment.strip_prefix("instructions:") {
        let (file, path) = rest.split_once(' ').ok_or("FILE PATH INPUT is asked")?;
        return Ok(Some(Said::Figure(records.instructions(file, path)?)));
    }
    let Some(place) = Place::parse(comment)? else {
        return Ok(None);
    };
    let text = place.text(&*records.report(place.file())?)?;
    Ok(Some(if place.is_table() {
        Said::Table(text)
    } else {
        Said::Figure(text)
    }))
}

#[cfg(test)]
mod tests {
    use super::{Filled, fill};
    use crate::records::{RECORDS, Records};
    use crate::tidy::tree::Tree;

    const SAMPLE: &str = include_str!("../../slotpark-report/tests/reports/sample.json");
    const COUNTS: &str =
        "rustc = \"1\"\ntarget = \"t\"\n[instructions]\n\"waits::wait stale\" = 951\n";

    fn fill_by_sample(text: &str) -> Filled {
        let sample = format!("{RECORDS}/m/1.json");
        let files = [
            (sample.as_str(), SAMPLE),
            ("bench/instructions/1-t.toml", COUNTS),
        ];
        fill(text, &Records::new(&Tree::of(&files)))
    }

    /// What is in the place of a document, filled.
    fn filled(text: &str) -> String {
        let filled = fill_by_sample(text);
        assert_eq!(filled.wrong, []);
        let again = fill_by_sample(&filled.text);
        assert_eq!(
            (again.text.as_str(), again.changed.len()),
            (filled.text.as_str(), 0)
        );
        filled.text
    }

    fn wrong(text: &str) -> Vec<(usize, String)> {
        let filled = fill_by_sample(text);
        assert_eq!(filled.text, text);
        filled.wrong
    }

    const FIGURE: &str = "<!-- bench:m/1.json wake_nobody slotpark time -->";

    #[test]
    fn a_figure_is_filled_in_its_line_and_in_a_cell() {
        let text = format!("It takes {FIGURE}?<!-- /bench --> here.\n");
        assert_eq!(filled(&text), text.replace('?', "1.84 ns"));
        let text = format!("| a | b |\n|---|---|\n| x | {FIGURE}2 s<!-- /bench --> |\n");
        assert_eq!(filled(&text), text.replace("2 s", "1.84 ns"));
        let changed = fill_by_sample(&text).changed;
        assert_eq!(changed, [(3, "`2 s`, on record `1.84 ns`".to_owned())]);
    }

    #[test]
    fn instructions_are_those_of_one_operation() {
        let place = |path: &str| format!("a <!-- instructions:{path} -->?<!-- /bench -->\n");
        let text = place("1-t waits::wait stale");
        assert_eq!(filled(&text), text.replace('?', "10"));
        for (path, why) in [
            ("1-t waits::wait", "`1-t` has no `waits::wait`"),
            (
                "2-t waits::wait stale",
                "`bench/instructions/2-t.toml` is not committed",
            ),
            ("1-t", "FILE PATH INPUT is asked"),
        ] {
            assert_eq!(wrong(&place(path)), [(1, why.to_owned())]);
        }
    }

    #[test]
    fn a_table_is_filled_between_empty_lines() {
        let text =
            "# a\n\n<!-- bench-table:m/1.json\nover threads time\n-->\n<!-- /bench -->\n\nb\n";
        let filled = filled(text);
        let (before, rest) = filled.split_once("-->").expect("the place is kept");
        assert!(before.ends_with("over threads time\n"));
        assert!(rest.starts_with("\n\n| threads | slotpark |"), "{filled}");
        assert!(rest.ends_with(" |\n\n<!-- /bench -->\n\nb\n"), "{filled}");
    }

    #[test]
    fn code_and_other_comments_are_no_places() {
        for text in [
            format!("`{FIGURE}`\n"),
            format!("```\n{FIGURE}\n```\n"),
            "a <!-- benchmarks are good --> b\n".to_owned(),
        ] {
            assert_eq!(filled(&text), text);
        }
    }

    #[test]
    fn what_cannot_be_filled_is_named_with_its_line() {
        let begins = format!("a\n\n{FIGURE}1<!-- /bench --> b\n");
        let said = "a figure begins no line: all of the line would be shown as it is";
        assert_eq!(wrong(&begins), [(3, said.to_owned())]);
        let open = format!("a {FIGURE}1\n");
        assert_eq!(
            wrong(&open),
            [(1, "no `<!-- /bench -->` follows".to_owned())]
        );
        let two = format!("a {FIGURE}1 {FIGURE}1.84 ns<!-- /bench -->\n");
        assert_eq!(
            wrong(&two),
            [(1, "no `<!-- /bench -->` before the next place".to_owned())]
        );
        let gone = format!("a {FIGURE}1<!-- /bench -->\n").replace("m/1", "m/2");
        assert_eq!(
            wrong(&gone),
            [(1, format!("`{RECORDS}/m/2.json` is not committed"))]
        );
        let unknown = format!("a {FIGURE}1<!-- /bench -->\n").replace(" time", " speed");
        assert_eq!(wrong(&unknown), [(1, "`speed` is no figure".to_owned())]);
    }
}
