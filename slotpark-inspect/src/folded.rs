//! Folded stacks: what flame graphs are drawn of.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::words::{Keyed, Named, kind};
use crate::{PartyKind, Snapshot, Table, Wait};

/// A line per party and place: the table, the party, what it waits for, where, and for how many
/// microseconds. That is what `inferno-flamegraph` and others of its kind read.
///
/// Parties that have a name share one frame with those of the same name. Where it is not recorded
/// since when somebody waits, each wait counts 1; so all of a snapshot are of one unit or the other
/// only if the level was not changed meanwhile.
///
/// ```
/// use slotpark_inspect::{Party, Snapshot, Table, Wait, folded};
/// let wait = Wait {
///     by: Party { name: Some("loader".into()), ..Party::default() },
///     since_ns: Some(2_000),
///     location: Some("src/main.rs:7:9".into()),
///     ..Wait::default()
/// };
/// let table = Table { name: "pages".into(), waits: vec![wait], ..Table::default() };
/// let snapshot = Snapshot { at_ns: 9_000, tables: vec![table], ..Snapshot::default() };
/// let text = "pages;thread loader;a wake of #0000000000000000;src/main.rs:7:9 7\n";
/// assert_eq!(folded(&snapshot), text);
/// ```
#[must_use]
pub fn folded(snapshot: &Snapshot) -> String {
    let mut stacks = BTreeMap::<_, u64>::new();
    for table in &snapshot.tables {
        for wait in &table.waits {
            let since = wait.since_ns;
            let weight = since.map_or(1, |since| snapshot.at_ns.saturating_sub(since) / 1_000);
            *stacks.entry(stack(table, wait)).or_default() += weight;
        }
    }
    let mut text = String::new();
    for (stack, weight) in stacks {
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "{stack} {weight}");
    }
    text
}

/// Frames with `;` between them, the outermost first.
fn stack(table: &Table, wait: &Wait) -> String {
    let by = match (&wait.by.name, wait.by.kind) {
        (Some(name), PartyKind::Thread) => format!("thread {name}"),
        (Some(name), PartyKind::Task) => format!("task {name}"),
        (None, _) => Named(&wait.by).to_string(),
    };
    let what = format!("{} {}", kind(wait.kind), Keyed(&wait.key));
    let mut frames = vec![frame(&table.name), frame(&by), frame(&what)];
    frames.extend(wait.stack.iter().rev().map(|text| frame(text)));
    frames.extend(wait.location.as_deref().map(frame));
    frames.join(";")
}

/// Without what would end a frame or a line.
fn frame(text: &str) -> String {
    let plain = |sign: char| match sign {
        ';' => ':',
        sign if sign.is_control() => ' ',
        sign => sign,
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, Party};

    #[test]
    fn flame_graphs_can_be_drawn_of_it() {
        let wait = Wait {
            key: Key {
                text: Some("a;b\nc 7".into()),
                ..Key::default()
            },
            since_ns: Some(0),
            stack: vec!["inner".into(), "outer".into()],
            by: Party {
                name: Some("loader".into()),
                ..Party::default()
            },
            ..Wait::default()
        };
        let table = Table {
            name: "t".into(),
            waits: vec![wait.clone(), wait],
            ..Table::default()
        };
        let snapshot = Snapshot {
            at_ns: 5_000_000,
            tables: vec![table],
            ..Snapshot::default()
        };
        let text = folded(&snapshot);
        assert_eq!(
            text,
            "t;thread loader;a wake of a:b c 7;outer;inner 10000\n"
        );
        let mut options = inferno::flamegraph::Options::default();
        let mut svg = Vec::new();
        inferno::flamegraph::from_lines(&mut options, text.lines(), &mut svg).unwrap();
        let svg = String::from_utf8(svg).unwrap();
        assert!(svg.contains("thread loader") && svg.contains("outer"));
    }
}
