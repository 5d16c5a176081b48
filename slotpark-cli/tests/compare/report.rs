//! The program is run, and its report looked into.

use std::process::{Command, Output};

use serde_json::Value;

pub(crate) fn compare(args: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_slotpark");
    Command::new(program)
        .arg("compare")
        .args(args)
        .output()
        .expect("the program starts")
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the output is text")
}

/// A row, its unit and the engines that fill it; the first is compared with the others.
pub(crate) type Row = (&'static str, &'static str, &'static [&'static str]);

pub(crate) struct Report(pub(crate) Value);

impl Report {
    pub(crate) fn list(&self, name: &str) -> &[Value] {
        self.0[name].as_array().expect("it is a list")
    }

    /// The one entry of `list` whose members have the given values.
    pub(crate) fn entry(&self, list: &str, members: &[(&str, &str)]) -> &Value {
        let matches = |entry: &&Value| members.iter().all(|&(name, value)| entry[name] == value);
        let found: Vec<&Value> = self.list(list).iter().filter(matches).collect();
        assert_eq!(found.len(), 1, "{list} has {members:?} once");
        found[0]
    }

    pub(crate) fn row(&self, row: &str, engine: &str) -> &Value {
        self.entry("rows", &[("row", row), ("engine", engine)])
    }

    pub(crate) fn all_figures(&self, row: &str, engine: &str, expected: f64) {
        let entry = self.row(row, engine);
        for figure in ["median", "min", "max"] {
            assert_eq!(
                entry[figure].as_f64(),
                Some(expected),
                "{figure} of {entry}"
            );
        }
    }
}

/// The three numbers of an entry, in order, unless all three are null.
fn in_order(entry: &Value, names: [&str; 3]) -> Option<[f64; 3]> {
    let numbers = names.map(|name| entry[name].as_f64());
    if numbers == [None; 3] {
        assert!(names.iter().all(|name| entry[name].is_null()), "{entry}");
        return None;
    }
    let [low, middle, high] = numbers.map(|number| number.expect("all three are numbers"));
    assert!(low <= middle && middle <= high, "{entry}");
    Some([low, middle, high])
}

/// Every row has the figures of its engines and no others; `absent` are a row and an engine that
/// cannot have one.
pub(crate) fn shape_of_rows(report: &Report, rows: &[Row], absent: &[(&str, &str)]) {
    for &(row, unit, engines) in rows {
        for engine in engines {
            let entry = report.row(row, engine);
            assert_eq!(entry["unit"], unit);
            assert!(entry["hung"].is_u64(), "{entry}");
            assert_eq!(
                in_order(entry, ["min", "median", "max"]).is_none(),
                absent.contains(&(row, engine)),
                "{entry}"
            );
        }
    }
    let filled: usize = rows.iter().map(|(_, _, engines)| engines.len()).sum();
    assert_eq!(report.list("rows").len(), filled);
}

/// Every row has the ratios of its first engine to the others.
pub(crate) fn shape_of_ratios(report: &Report, rows: &[Row]) {
    for &(row, unit, engines) in rows {
        let of = engines[0];
        for to in &engines[1..] {
            let ratio = report.entry("ratios", &[("row", row), ("of", of), ("to", to)]);
            let numbers = in_order(ratio, ["lo", "median", "hi"]);
            let other = &report.row(row, to);
            // No ratio to zero or to nothing; every time has one.
            if other["min"].as_f64().is_none_or(|min| min == 0.0) {
                assert_eq!(numbers, None, "{ratio}");
            } else {
                assert!(numbers.is_some(), "{ratio}");
            }
            assert!(
                numbers.is_some() || !["ns", "ms"].contains(&unit),
                "{ratio}"
            );
        }
    }
    let others: usize = rows.iter().map(|(_, _, engines)| engines.len() - 1).sum();
    assert_eq!(report.list("ratios").len(), others);
}
