//! Who keeps whom waiting: a tree with those who hold at the root and those who wait below.

use std::collections::{HashMap, HashSet};

use slotpark_inspect::{Holder, Kind, Party, Snapshot, Wait};

use crate::shown;

/// A line of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) depth: usize,
    pub(crate) text: String,
    /// It names somebody who stands above it in the same branch.
    pub(crate) is_circle: bool,
}

/// Beyond this the tree is cut: what matters stands at the root.
const DEPTH_MAX: usize = 40;

/// The key of one table: the table, the slot, and what tells it from others there.
type KeyId = (usize, Option<usize>, u32, u64);

struct Tree<'a> {
    at_ns: u64,
    waits: HashMap<KeyId, Vec<&'a Wait>>,
    holds: HashMap<&'a Party, Vec<(KeyId, &'a Holder)>>,
    /// Who waits for something that has an owner.
    blocked: HashSet<&'a Party>,
    done: HashSet<&'a Party>,
    lines: Vec<Line>,
}

/// The whole tree; empty where nobody waits for what somebody holds.
pub(crate) fn lines(snapshot: &Snapshot) -> Vec<Line> {
    let mut tree = Tree {
        at_ns: snapshot.at_ns,
        waits: HashMap::new(),
        holds: HashMap::new(),
        blocked: HashSet::new(),
        done: HashSet::new(),
        lines: Vec::new(),
    };
    let mut roots = Vec::new();
    for (index, table) in snapshot.tables.iter().enumerate() {
        for wait in table.waits.iter().filter(|wait| has_owner(wait.kind)) {
            let queue = tree
                .waits
                .entry((index, Some(wait.slot), wait.queue, wait.key.hash))
                .or_default();
            queue.push(wait);
            tree.blocked.insert(&wait.by);
        }
        for holder in &table.holders {
            let holds = tree.holds.entry(&holder.by).or_default();
            let key = (index, holder.slot, holder.queue, holder.key.hash);
            holds.push((key, holder));
            roots.push(&holder.by);
        }
    }
    // First those who wait for nobody, then who is left: circles.
    let (blocked, free): (Vec<_>, Vec<_>) = roots
        .into_iter()
        .partition(|party| tree.blocked.contains(party));
    for party in free.into_iter().chain(blocked) {
        if !tree.done.contains(party) && tree.keeps_somebody(party) {
            tree.push(0, shown::party(party), false);
            tree.below(party, 1, &mut Vec::new());
        }
    }
    tree.lines
}

/// Whether somebody can hold what is waited for.
pub(crate) fn has_owner(kind: Kind) -> bool {
    !matches!(kind, Kind::Wait | Kind::Closed | Kind::Unknown)
}

impl<'a> Tree<'a> {
    fn push(&mut self, depth: usize, text: String, is_circle: bool) {
        self.lines.push(Line {
            depth,
            text,
            is_circle,
        });
    }

    fn keeps_somebody(&self, party: &Party) -> bool {
        let holds = self.holds.get(party).into_iter().flatten();
        holds
            .into_iter()
            .any(|(key, _)| self.waits.contains_key(key))
    }

    fn age(&self, since_ns: Option<u64>) -> String {
        since_ns.map_or_else(String::new, |since| {
            format!(" for {}", shown::duration(self.at_ns.saturating_sub(since)))
        })
    }

    fn below(&mut self, party: &'a Party, depth: usize, path: &mut Vec<&'a Party>) {
        self.done.insert(party);
        if depth > DEPTH_MAX {
            self.push(depth, "...".to_owned(), false);
            return;
        }
        path.push(party);
        let holds = self.holds.get(party).cloned().unwrap_or_default();
        for (key, holder) in holds {
            let Some(queue) = self.waits.get(&key).cloned() else {
                continue;
            };
            let text = format!(
                "holds {} ({}){}{}",
                shown::key(&holder.key),
                label(holder),
                self.age(holder.since_ns),
                at(holder.location.as_ref()),
            );
            self.push(depth, text, false);
            for wait in queue {
                self.waiter(wait, depth + 1, path);
            }
        }
        path.pop();
    }

    fn waiter(&mut self, wait: &'a Wait, depth: usize, path: &mut Vec<&'a Party>) {
        let is_circle = path.contains(&&wait.by);
        let is_told = self.done.contains(&wait.by) && self.keeps_somebody(&wait.by);
        let end = match (is_circle, is_told) {
            (true, _) => ": A CIRCLE, it stands above",
            (false, true) => ": what it holds stands above",
            _ => "",
        };
        let text = format!(
            "{} waits ({}){}{}{end}",
            shown::party(&wait.by),
            shown::kind(wait.kind, wait.weight),
            self.age(wait.since_ns),
            at(wait.location.as_ref()),
        );
        self.push(depth, text, is_circle);
        if !is_circle && !is_told {
            self.below(&wait.by, depth + 1, path);
        }
    }
}

fn label(holder: &Holder) -> String {
    let kind = shown::kind(holder.kind, holder.weight);
    holder.label.as_deref().map_or(kind.clone(), |label| {
        format!("{kind} `{}`", shown::plain(label))
    })
}

fn at(location: Option<&String>) -> String {
    location.map_or_else(String::new, |location| {
        format!(" at {}", shown::plain(location))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::fixture;

    #[test]
    fn a_circle_is_shown_once() {
        let lines = lines(&fixture::deadlocked());
        let circles: Vec<_> = lines.iter().filter(|line| line.is_circle).collect();
        assert_eq!(circles.len(), 1, "{lines:#?}");
        assert!(
            circles[0]
                .text
                .starts_with("thread left (4243) waits (lock) for 60.0 s")
        );
        assert!(
            lines
                .iter()
                .any(|line| line.text.starts_with("thread audit (4244)"))
        );
    }

    #[test]
    fn no_owners_make_no_tree() {
        assert_eq!(lines(&fixture::busy()), []);
    }

    #[test]
    fn a_long_chain_is_cut() {
        let mut snapshot = fixture::deadlocked();
        let table = &mut snapshot.tables[0];
        let (wait, holder) = (table.waits[0].clone(), table.holders[0].clone());
        table.waits.clear();
        table.holders.clear();
        for link in 0..100_u64 {
            let party = |id| Party {
                id: Some(id),
                ..Party::default()
            };
            table.holders.push(Holder {
                key: fixture::key("", link),
                slot: Some(0),
                by: party(link),
                ..holder.clone()
            });
            table.waits.push(Wait {
                key: fixture::key("", link),
                slot: 0,
                by: party(link + 1),
                ..wait.clone()
            });
        }
        let lines = lines(&snapshot);
        assert_eq!(lines[0].text, "thread 0");
        let deepest = lines.iter().map(|line| line.depth).max();
        assert!(deepest <= Some(DEPTH_MAX + 2), "{deepest:?}");
    }
}
