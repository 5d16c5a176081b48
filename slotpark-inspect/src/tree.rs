//! Who is held up by whom, as trees: who holds everybody up at the root, who waits for it below.

use std::collections::{HashMap, HashSet};

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;

use crate::graph::{Edge, Graph, Node};
use crate::{Party, Snapshot, Wait};

/// So many lines are shown at most, and so deep.
const LINES_MAX: usize = 500;
const DEPTH_MAX: usize = 32;

/// One party, and who waits for it.
#[derive(Debug)]
pub(crate) struct Tree<'s> {
    pub(crate) by: Party,
    /// Its table and what it waits for of the one above; `None` at the root, and for a task that
    /// the one above polls.
    pub(crate) wait: Option<(&'s str, &'s Wait)>,
    /// It can never go on, as far as this look tells.
    pub(crate) is_stuck: bool,
    /// It stands elsewhere with those who wait for it.
    pub(crate) is_again: bool,
    pub(crate) behind: Vec<Tree<'s>>,
}

/// The trees of a snapshot, those that hold up most first, and whether some lines were left out.
pub(crate) fn trees(snapshot: &Snapshot) -> (Vec<Tree<'_>>, bool) {
    let graph = Graph::new(snapshot);
    let mut growing = Growing {
        behind: behind(&graph),
        graph,
        shown: HashSet::new(),
        lines: 0,
    };
    let mut roots = growing.roots();
    roots.sort_by_key(|root| {
        let is_free = !growing.graph.is_stuck(*root);
        let held_up = growing.behind.get(root).map_or(0, Vec::len);
        (is_free, std::cmp::Reverse(held_up), *root)
    });
    let mut trees = Vec::new();
    for root in roots {
        // One of a circle stands in the tree of another one of it.
        if !growing.shown.contains(&root) {
            trees.extend(growing.tree(root, None, 0));
        }
    }
    (trees, growing.lines > LINES_MAX)
}

/// Who waits for a party, and in which place of which table's waits.
type Behind = HashMap<NodeIndex, Vec<(NodeIndex, Option<(usize, usize)>)>>;

fn behind(graph: &Graph<'_>) -> Behind {
    let mut behind = Behind::new();
    let mut owners = HashMap::new();
    let edges = |node| graph.nodes.edges_directed(node, Direction::Outgoing);
    for party in graph.parties.keys() {
        let mut below = vec![*party];
        while let Some(node) = below.pop() {
            for edge in edges(node) {
                match (*edge.weight(), graph.nodes[edge.target()]) {
                    (Edge::PolledBy, _) => {
                        behind
                            .entry(edge.target())
                            .or_default()
                            .push((*party, None));
                    }
                    (Edge::Part, Node::Place(..)) => {
                        owners.insert(edge.target(), *party);
                    }
                    (Edge::Part, Node::Waits | Node::Wait) => below.push(edge.target()),
                    _ => {}
                }
            }
        }
    }
    for (place, party) in owners {
        let Node::Place(table, wait) = graph.nodes[place] else {
            continue;
        };
        let mut add = |owner| {
            let list: &mut Vec<_> = behind.entry(owner).or_default();
            list.push((party, Some((table, wait))));
        };
        for edge in edges(place) {
            match *edge.weight() {
                Edge::Behind => add(edge.target()),
                _ => edges(edge.target()).for_each(|held| add(held.target())),
            }
        }
    }
    for list in behind.values_mut() {
        list.sort_unstable();
        list.dedup();
    }
    behind
}

struct Growing<'s> {
    graph: Graph<'s>,
    behind: Behind,
    shown: HashSet<NodeIndex>,
    lines: usize,
}

impl<'s> Growing<'s> {
    /// Those for whom somebody waits and who wait for nobody; and of those who can never go on all,
    /// since each may be in a circle.
    fn roots(&self) -> Vec<NodeIndex> {
        let held_up = self.behind.values().flatten().map(|(party, _)| *party);
        let held_up = held_up.collect::<HashSet<_>>();
        let first = self.behind.keys().copied();
        let first = first.filter(|party| !held_up.contains(party) || self.graph.is_stuck(*party));
        first.collect()
    }

    fn tree(
        &mut self,
        party: NodeIndex,
        place: Option<(usize, usize)>,
        depth: usize,
    ) -> Option<Tree<'s>> {
        self.lines += 1;
        if self.lines > LINES_MAX {
            return None;
        }
        let is_again = !self.shown.insert(party);
        let snapshot = self.graph.snapshot;
        let list = self.behind.get(&party).cloned().unwrap_or_default();
        let list = list.into_iter().filter(|_| !is_again && depth < DEPTH_MAX);
        let behind = list.filter_map(|(below, place)| self.tree(below, place, depth + 1));
        let behind = behind.collect();
        Some(Tree {
            by: self.graph.parties[&party].clone(),
            wait: place.map(|(table, wait)| {
                let table = &snapshot.tables[table];
                (&*table.name, &table.waits[wait])
            }),
            is_stuck: self.graph.is_stuck(party),
            is_again,
            behind,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Holder, Key, Kind, Table};

    fn party(id: u64) -> Party {
        Party {
            id: Some(id),
            ..Party::default()
        }
    }

    fn snapshot(holds: &[(u64, u64)], waits: &[(u64, u64)]) -> Snapshot {
        let key = |hash| Key {
            hash,
            ..Key::default()
        };
        let holders = holds.iter().map(|(by, hash)| Holder {
            slot: Some(0),
            key: key(*hash),
            kind: Kind::Lock,
            by: party(*by),
            ..Holder::default()
        });
        let waits = waits.iter().map(|(by, hash)| Wait {
            key: key(*hash),
            kind: Kind::Lock,
            wait: *by,
            by: party(*by),
            ..Wait::default()
        });
        Snapshot {
            tables: vec![Table {
                holders: holders.collect(),
                waits: waits.collect(),
                ..Table::default()
            }],
            ..Snapshot::default()
        }
    }

    fn text(tree: &Tree<'_>) -> String {
        let below = tree.behind.iter().map(text).collect::<Vec<_>>();
        let again = if tree.is_again { "!" } else { "" };
        format!("{}{again}[{}]", tree.by.id.unwrap(), below.join(" "))
    }

    #[test]
    fn who_holds_up_others_is_the_root() {
        let snapshot = snapshot(&[(1, 10), (2, 20)], &[(2, 10), (3, 10), (4, 20)]);
        let (trees, is_cut) = trees(&snapshot);
        assert_eq!(
            trees.iter().map(text).collect::<Vec<_>>(),
            ["1[2[4[]] 3[]]"]
        );
        assert!(!is_cut && !trees[0].is_stuck);
    }

    #[test]
    fn a_circle_is_shown_once() {
        let snapshot = snapshot(&[(1, 10), (2, 20)], &[(2, 10), (1, 20)]);
        let (trees, _) = trees(&snapshot);
        assert_eq!(trees.iter().map(text).collect::<Vec<_>>(), ["1[2[1![]]]"]);
        assert!(trees[0].is_stuck);
    }

    #[test]
    fn many_are_cut_off() {
        let waits = (2..10_000).map(|by| (by, 10)).collect::<Vec<_>>();
        let snapshot = snapshot(&[(1, 10)], &waits);
        let (trees, is_cut) = trees(&snapshot);
        assert!(is_cut && trees[0].behind.len() < LINES_MAX);
    }

    #[test]
    fn a_long_chain_is_not_followed_for_ever() {
        let holds = (1..5_000).map(|by| (by, by)).collect::<Vec<_>>();
        let waits = (2..5_000).map(|by| (by, by - 1)).collect::<Vec<_>>();
        assert_eq!(trees(&snapshot(&holds, &waits)).0.len(), 1);
    }
}
