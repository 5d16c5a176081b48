//! The places of documents that say what a record says: found, filled, and compared.
//!
//! `slotpark_report::Place` says what stands in a place; here they are found in Markdown, by its
//! parser, so that what is code is none.

use pulldown_cmark::{Event, Options, Parser};
use slotpark_report::{Place, Report};

const OPEN: &str = "<!-- bench";
const CLOSE: &str = "<!-- /bench -->";

/// A document with its places filled.
pub(crate) struct Filled {
    pub(crate) text: String,
    /// Lines of the document whose place said something else, and what.
    pub(crate) changed: Vec<(usize, String)>,
    /// Lines whose place cannot be filled, and why.
    pub(crate) wrong: Vec<(usize, String)>,
}

/// Fills every place of `text` from the records that `record` reads by their paths below
/// `bench/record/`. A place that is wrong stays as it is.
pub(crate) fn fill(text: &str, record: impl Fn(&str) -> Result<Report, String>) -> Filled {
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
        match one(text, at, is_block, &record) {
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
        let found = text[range.clone()].match_indices(OPEN);
        openings.extend(found.map(|(at, _)| (range.start + at, is_block)));
    }
    openings
}

/// From where to where the text of the place at `at` reaches, and what it should be.
fn one(
    text: &str,
    at: usize,
    is_block: bool,
    record: impl Fn(&str) -> Result<Report, String>,
) -> Result<Option<(usize, usize, String)>, String> {
    let rest = &text[at..];
    let end = rest.find("-->").ok_or("the comment has no end")?;
    let Some(place) = Place::parse(&rest["<!--".len()..end])? else {
        return Ok(None);
    };
    if is_block && !place.is_table() {
        return Err("a figure begins no line: all of the line would be shown as it is".to_owned());
    }
    let from = at + end + "-->".len();
    let length = text[from..]
        .find(CLOSE)
        .ok_or_else(|| format!("no `{CLOSE}` follows"))?;
    if text[from..from + length].contains(OPEN) {
        return Err(format!("no `{CLOSE}` before the next place"));
    }
    let report = record(place.file())?;
    let said = place.text(&report)?;
    let said = if place.is_table() {
        format!("\n\n{said}\n")
    } else {
        said
    };
    Ok(Some((from, from + length, said)))
}

#[cfg(test)]
mod tests {
    use super::fill;
    use slotpark_report::Report;

    const SAMPLE: &str = include_str!("../../slotpark-report/tests/reports/sample.json");

    fn record(file: &str) -> Result<Report, String> {
        if file == "m/1.json" {
            return Report::from_json(SAMPLE).map_err(|error| error.to_string());
        }
        Err(format!("no record {file}"))
    }

    /// What is in the place of a document, filled.
    fn filled(text: &str) -> String {
        let filled = fill(text, record);
        assert_eq!(filled.wrong, []);
        let again = fill(&filled.text, record);
        assert_eq!(
            (again.text.as_str(), again.changed.len()),
            (filled.text.as_str(), 0)
        );
        filled.text
    }

    fn wrong(text: &str) -> Vec<(usize, String)> {
        let filled = fill(text, record);
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
        let changed = fill(&text, record).changed;
        assert_eq!(changed, [(3, "`2 s`, on record `1.84 ns`".to_owned())]);
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
        assert_eq!(wrong(&gone), [(1, "no record m/2.json".to_owned())]);
        let unknown = format!("a {FIGURE}1<!-- /bench -->\n").replace(" time", " speed");
        assert_eq!(wrong(&unknown), [(1, "`speed` is no figure".to_owned())]);
    }
}
