//! Deadlocks: circles of parties that wait for each other, and who waits for those.

use std::collections::{BTreeSet, HashSet};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::NodeIndex;
use petgraph::visit::{Dfs, EdgeFiltered, EdgeRef};
use serde::{Deserialize, Serialize};

use crate::graph::{Edge, Graph, Node};
use crate::{Holder, Party, Snapshot, Wait};

/// Parties none of which can ever go on, because each waits for another of them.
///
/// Seen in one look it is a suspicion ([`Snapshot::suspects`]): the slots were looked at one after
/// the other. Seen in two, with the same waits and holds since the same moments, all of them were
/// there at once, and the circle was real ([`deadlocks`]). What can still end it: a deadline, an
/// interrupter, a dropped future, a guard that was handed to somebody else and is dropped there. A
/// program that does none of these hangs for ever.
///
/// Parties are known by number from [`Detail::Timing`](crate::Detail::Timing) on; below that no
/// deadlock is found.
///
/// ```
/// use slotpark_inspect::{Snapshot, deadlocks};
/// let (first, second) = (Snapshot::take(), Snapshot::take());
/// for deadlock in deadlocks(&first, &second) {
///     eprintln!("{deadlock}");
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deadlock {
    /// The time of the look.
    pub at_ns: u64,
    /// Who waits in the circle, each for the next or for another one of them.
    pub links: Vec<Link>,
    /// Who is in no circle, and waits for those who are.
    pub behind: Vec<Party>,
}

/// One of a deadlock, and why it cannot go on.
///
/// ```
/// use slotpark_inspect::{Link, Snapshot};
/// fn names(links: &[Link]) -> Vec<&str> {
///     links.iter().filter_map(|link| link.by.name.as_deref()).collect()
/// }
/// for deadlock in Snapshot::take().suspects() {
///     println!("{:?}", names(&deadlock.links));
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// Who.
    pub by: Party,
    /// What it waits for.
    pub waits: Vec<Blocked>,
    /// Of a task: the thread that waits inside its poll.
    pub polled_by: Option<Party>,
}

/// A wait of a deadlock.
///
/// ```
/// let blocked = slotpark_inspect::Blocked::default();
/// assert!(blocked.held.is_empty() && blocked.behind.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Blocked {
    /// The table's name.
    pub table: String,
    /// The wait.
    pub wait: Wait,
    /// Those of the circle that hold the key.
    pub held: Vec<Holder>,
    /// The writer of the circle that is before it in the key's queue.
    pub behind: Option<Party>,
}

impl Snapshot {
    /// What looks like a deadlock in this one look. See [`deadlocks`] to be sure.
    ///
    /// ```
    /// assert!(slotpark_inspect::Snapshot::default().suspects().is_empty());
    /// ```
    #[must_use]
    pub fn suspects(&self) -> Vec<Deadlock> {
        find(&Graph::new(self))
    }
}

/// The deadlocks that two looks at one process agree on: the same waits and holds, since the same
/// moments. The second must have begun after the first ended.
///
/// ```
/// use slotpark_inspect::{Snapshot, deadlocks};
/// let first = Snapshot::take();
/// assert!(deadlocks(&first, &Snapshot::take()).is_empty());
/// ```
#[must_use]
pub fn deadlocks(first: &Snapshot, second: &Snapshot) -> Vec<Deadlock> {
    let is_later = second.at_ns >= first.at_ns.saturating_add(first.took_ns);
    if !is_later || first.at_ns == second.at_ns || first.process != second.process {
        return Vec::new();
    }
    let before = first.suspects();
    let before = before.iter().map(Deadlock::proof).collect::<HashSet<_>>();
    let mut found = second.suspects();
    found.retain(|deadlock| before.contains(&deadlock.proof()));
    found
}

/// What must not have changed for a circle to be real: numbers and moments of waits and holds.
pub(crate) type Proof = BTreeSet<(String, u64, bool, u64, Option<u64>)>;

impl Deadlock {
    /// See [`Proof`]. Two with the same are the same deadlock.
    pub(crate) fn proof(&self) -> Proof {
        let mut proof = Proof::new();
        for blocked in self.links.iter().flat_map(|link| &link.waits) {
            let (table, hash) = (&blocked.table, blocked.wait.key.hash);
            let wait = &blocked.wait;
            proof.insert((table.clone(), hash, false, wait.wait, wait.since_ns));
            for held in &blocked.held {
                proof.insert((table.clone(), hash, true, held.hold, held.since_ns));
            }
        }
        proof
    }
}

fn find(graph: &Graph<'_>) -> Vec<Deadlock> {
    let both = |edge: petgraph::graph::EdgeReference<'_, Edge>| {
        graph.is_stuck(edge.source()) && graph.is_stuck(edge.target())
    };
    let stuck = EdgeFiltered::from_fn(&graph.nodes, both);
    // Not the one that recurses: a circle may be as long as there are parties.
    let circles = kosaraju_scc(&stuck).into_iter();
    let circles = circles.filter(|circle| circle.len() > 1);
    let mut found = circles
        .map(|circle| {
            let members = circle.iter().copied().collect::<HashSet<_>>();
            // In the order in which they wait for each other, as far as there is one.
            let first = parties(graph, circle.iter().copied()).min();
            let order = first.map(|first| {
                let mut walk = Dfs::new(&stuck, first);
                std::iter::from_fn(|| walk.next(&stuck)).collect::<Vec<_>>()
            });
            let order = order.into_iter().flatten();
            let order = parties(graph, order.filter(|node| members.contains(node)));
            Deadlock {
                at_ns: graph.snapshot.at_ns,
                links: order.map(|party| link(graph, party, &members)).collect(),
                behind: behind(graph, &circle, &members),
            }
        })
        .collect::<Vec<_>>();
    found.sort_by_key(|deadlock| deadlock.since_ns());
    found
}

impl Deadlock {
    /// When the circle closed: when the last of its waits began.
    ///
    /// ```
    /// for deadlock in slotpark_inspect::Snapshot::take().suspects() {
    ///     println!("since {:?} ns", deadlock.since_ns());
    /// }
    /// ```
    #[must_use]
    pub fn since_ns(&self) -> Option<u64> {
        let waits = self.links.iter().flat_map(|link| &link.waits);
        waits.filter_map(|blocked| blocked.wait.since_ns).max()
    }
}

fn parties(
    graph: &Graph<'_>,
    nodes: impl Iterator<Item = NodeIndex>,
) -> impl Iterator<Item = NodeIndex> {
    nodes.filter(|node| graph.nodes[*node] == Node::Party)
}

/// The parties outside that lead into the circle, and can never go on either.
fn behind(graph: &Graph<'_>, circle: &[NodeIndex], members: &HashSet<NodeIndex>) -> Vec<Party> {
    let mut met = members.clone();
    let mut open = circle.to_vec();
    let mut found = Vec::new();
    while let Some(node) = open.pop() {
        for before in graph.nodes.neighbors_directed(node, Direction::Incoming) {
            if graph.is_stuck(before) && met.insert(before) {
                open.push(before);
                found.extend(graph.parties.get(&before).cloned());
            }
        }
    }
    found.sort_by_key(|party| (party.kind as u8, party.id));
    found
}

fn link(graph: &Graph<'_>, party: NodeIndex, members: &HashSet<NodeIndex>) -> Link {
    let mut link = Link {
        by: graph.parties[&party].clone(),
        ..Link::default()
    };
    let mut below = vec![party];
    while let Some(node) = below.pop() {
        for edge in graph.nodes.edges_directed(node, Direction::Outgoing) {
            let target = edge.target();
            if !members.contains(&target) {
                continue;
            }
            match (*edge.weight(), graph.nodes[target]) {
                (Edge::PolledBy, _) => {
                    link.polled_by = Some(graph.parties[&target].clone());
                }
                (Edge::Part, Node::Place(table, wait)) => {
                    link.waits
                        .push(blocked(graph, target, (table, wait), members));
                }
                (Edge::Part, _) => below.push(target),
                (Edge::HeldBy(_) | Edge::Behind, _) => {}
            }
        }
    }
    link
}

fn blocked(
    graph: &Graph<'_>,
    place: NodeIndex,
    (table, wait): (usize, usize),
    members: &HashSet<NodeIndex>,
) -> Blocked {
    let mut blocked = Blocked {
        table: graph.snapshot.tables[table].name.clone(),
        wait: graph.wait(table, wait).clone(),
        ..Blocked::default()
    };
    let within = |node| {
        let edges = graph.nodes.edges_directed(node, Direction::Outgoing);
        edges.filter(|edge| members.contains(&edge.target()))
    };
    for edge in within(place) {
        if *edge.weight() == Edge::Behind {
            blocked.behind = Some(graph.parties[&edge.target()].clone());
            continue;
        }
        for held in within(edge.target()) {
            if let Edge::HeldBy(holder) = *held.weight() {
                blocked.held.push(graph.holder(table, holder).clone());
            }
        }
    }
    blocked
}
