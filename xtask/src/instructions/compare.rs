//! Counts against the record: what has become dearer by more than 2 % fails.

use crate::columns::table;
use crate::instructions::RECORD_ANEW;
use crate::instructions::record::{Record, Toolchain};

/// More above the record is a regression, more below it makes the record too lenient.
const PERCENT_MAX: u64 = 2;

pub(super) struct Comparison {
    toolchain: Toolchain,
    rows: Vec<Row>,
}

/// A path that is in the record, or was counted now, or both.
struct Row {
    path: String,
    old: Option<u64>,
    new: Option<u64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Change {
    Same,
    Little,
    Dearer,
    Cheaper,
    Unrecorded,
    Gone,
}

impl Row {
    fn change(&self) -> Change {
        let (old, new) = match (self.old, self.new) {
            (Some(old), Some(new)) => (old, new),
            (None, _) => return Change::Unrecorded,
            (_, None) => return Change::Gone,
        };
        if new * 100 > old * (100 + PERCENT_MAX) {
            Change::Dearer
        } else if new * 100 < old * (100 - PERCENT_MAX) {
            Change::Cheaper
        } else if new == old {
            Change::Same
        } else {
            Change::Little
        }
    }

    fn percent(&self) -> String {
        match (self.old, self.new) {
            (Some(old), Some(new)) if old != new => {
                let percent = (new as f64 / old as f64 - 1.0) * 100.0;
                format!("{percent:+.1} %")
            }
            _ => String::new(),
        }
    }

    fn cells(&self) -> [String; 5] {
        let count = |count: Option<u64>| count.map_or("-".into(), |count| count.to_string());
        let verdict = match self.change() {
            Change::Same | Change::Little => "",
            Change::Dearer => "DEARER",
            Change::Cheaper => "cheaper",
            Change::Unrecorded => "NOT RECORDED",
            Change::Gone => "GONE",
        };
        let (old, new) = (count(self.old), count(self.new));
        [self.path.clone(), old, new, self.percent(), verdict.into()]
    }
}

impl Comparison {
    pub(super) fn of(record: &Record, now: &Record) -> Self {
        let mut paths: Vec<_> = record.counts.keys().chain(now.counts.keys()).collect();
        paths.sort();
        paths.dedup();
        let row = |path: &String| Row {
            path: path.clone(),
            old: record.counts.get(path).copied(),
            new: now.counts.get(path).copied(),
        };
        Self {
            toolchain: now.toolchain.clone(),
            rows: paths.into_iter().map(row).collect(),
        }
    }

    pub(super) fn table(&self) -> String {
        let title = ["path", "record", "now", "change", ""].map(String::from);
        let rows = self.rows.iter().map(Row::cells);
        table(&[title].into_iter().chain(rows).collect::<Vec<_>>())
    }

    /// How many paths have become cheaper, and what to do then; else that all is well.
    pub(super) fn advice(&self) -> String {
        match self.with(&Change::Cheaper).count() {
            0 => format!("counted and recorded with {}", self.toolchain),
            count => format!(
                "{count} cheaper by more than {PERCENT_MAX} %: keep that with `{RECORD_ANEW}`"
            ),
        }
    }

    /// Why the step fails, if it does.
    pub(super) fn complaint(&self) -> Option<String> {
        let dearer = self.with(&Change::Dearer).map(|row| {
            let [path, old, new, percent, _] = row.cells();
            format!("{path}: {old} -> {new} ({percent})")
        });
        let absent = |change, why: &'static str| {
            self.with(change)
                .map(move |row| format!("{}: {why}", row.path))
        };
        let unrecorded = absent(&Change::Unrecorded, "not recorded");
        let gone = absent(&Change::Gone, "recorded, but not counted");
        let complaints: Vec<_> = dearer.chain(unrecorded).chain(gone).collect();
        (!complaints.is_empty()).then(|| {
            let complaints = complaints.join("; ");
            format!("{complaints}; if that is meant: `{RECORD_ANEW}`")
        })
    }

    fn with(&self, change: &Change) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.change() == *change)
    }
}

#[cfg(test)]
mod tests {
    use super::Comparison;
    use crate::instructions::record::{Record, Toolchain};

    fn record(counts: &[(&str, u64)]) -> Record {
        let counts = counts
            .iter()
            .map(|&(path, count)| (path.to_string(), count));
        Record {
            toolchain: Toolchain::of("release: 1.95.0\nhost: x86_64-unknown-linux-gnu").unwrap(),
            counts: counts.collect(),
        }
    }

    fn compared(old: u64, new: u64) -> Comparison {
        Comparison::of(&record(&[("a", old)]), &record(&[("a", new)]))
    }

    #[test]
    fn two_percent_above_the_record_is_the_limit() {
        assert_eq!(compared(1000, 1000).complaint(), None);
        assert_eq!(compared(1000, 1020).complaint(), None);
        let complaint = compared(1000, 1021).complaint().unwrap();
        assert!(
            complaint.starts_with("a: 1000 -> 1021 (+2.1 %); "),
            "{complaint}"
        );
        assert!(complaint.contains("`cargo xtask instructions --record`"));
    }

    #[test]
    fn what_became_cheaper_passes_and_asks_for_a_record() {
        let asks = |new| {
            let compared = compared(1000, new);
            assert_eq!(compared.complaint(), None);
            compared.advice().contains("--record")
        };
        assert!(!asks(1000) && !asks(980));
        assert!(asks(979));
    }

    #[test]
    fn a_path_on_one_side_only_fails() {
        let compared = Comparison::of(&record(&[("old", 5)]), &record(&[("new", 5)]));
        let complaint = compared.complaint().unwrap();
        assert!(complaint.contains("new: not recorded"), "{complaint}");
        assert!(
            complaint.contains("old: recorded, but not counted"),
            "{complaint}"
        );
    }

    #[test]
    fn the_table_has_every_path_with_its_change() {
        let old = record(&[("a", 1000), ("b", 1000), ("c", 1000), ("d", 1)]);
        let new = record(&[("a", 1100), ("b", 1000), ("c", 500), ("e", 1)]);
        let table = Comparison::of(&old, &new).table();
        let lines: Vec<Vec<_>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(lines[1], ["a", "1000", "1100", "+10.0", "%", "DEARER"]);
        assert_eq!(lines[2], ["b", "1000", "1000"]);
        assert_eq!(lines[3], ["c", "1000", "500", "-50.0", "%", "cheaper"]);
        assert_eq!(lines[4], ["d", "1", "-", "GONE"]);
        assert_eq!(lines[5], ["e", "-", "1", "NOT", "RECORDED"]);
    }
}
