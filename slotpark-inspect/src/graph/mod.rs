//! Who waits for whom: threads and tasks, keys between them.
//!
//! Edges lead from a party to its wait, from there to the places of the wait, from a place to its
//! key, and from the key to those who hold it. What each node needs so that it can never go on:
//!
//! | node | can never go on |
//! |---|---|
//! | party | all its waits cannot; or the thread that polls it now cannot |
//! | wait | all its places cannot: a wait on several keys ends by any |
//! | place | its key cannot come free for it; or the writer before it cannot go on |
//! | key, for a writer | any who holds it cannot: all must leave |
//! | key, for a reader | the writer who holds it cannot: readers keep no reader out |
//! | key, for permits | there is a holder, and none can go on: any may give back enough |
//!
//! Nodes without an edge can go on: who does not wait; a wait for a wake, which anybody may give;
//! a key of which nobody is seen to hold anything. Whatever is not known is taken for able to go
//! on. So a task with several waits (`join`, `select`) is stuck only if all are; and a task that
//! waits keeps no thread busy: the thread that polled it last goes on with others, and is not in
//! its way. But a thread that waits *inside* a poll keeps the task that it polls.
//!
//! Of those before a reader only writers are in its way, and of those the first stands for all.
//! Nobody else needs an edge to those before it: a queue of writers, or of those who want permits,
//! stands still exactly if those who hold the key do.
//!
//! The parties that can never go on are what is left when all are taken to be such, and then who
//! can go on is taken away until nobody can. It needs each node and each edge once.

mod wanted;

use std::collections::{HashMap, HashSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use self::wanted::{Wanted, keeps_out, wanted};

use crate::{Holder, Kind, Party, PartyKind, Snapshot, Table, Wait};

/// A node of the graph. Numbers are places in the snapshot's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// Who waits or holds, or both.
    Party,
    /// All that a party waits for: one of them must end.
    Waits,
    /// A wait, maybe on several keys.
    Wait,
    /// One place of a wait: of which table, which wait.
    Place(usize, usize),
    /// A key, as who wants it finds it: of which table.
    Key(usize, Wanted),
}

/// What an edge stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// To a part of the same.
    Part,
    /// From a task to the thread that waits inside its poll.
    PolledBy,
    /// From a key to who holds it: of the table of the key, which holder.
    HeldBy(usize),
    /// From a reader to the writer before it.
    Behind,
}

/// Threads by the system's number, tasks by theirs; who has no number is known by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Known(PartyKind, u64),
    Waiter(usize, usize),
    Holder(usize, usize),
}

/// A key of a slot of a table.
type Name = (usize, Option<usize>, u32, u64);

/// The graph of one snapshot.
#[derive(Debug)]
pub(crate) struct Graph<'s> {
    pub(crate) snapshot: &'s Snapshot,
    pub(crate) nodes: DiGraph<Node, Edge>,
    pub(crate) parties: HashMap<NodeIndex, Party>,
    stuck: Vec<bool>,
}

impl<'s> Graph<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot) -> Self {
        let mut building = Building::new(snapshot);
        for (number, table) in snapshot.tables.iter().enumerate() {
            building.add_holders(number, table);
        }
        for (number, table) in snapshot.tables.iter().enumerate() {
            building.add_waits(number, table);
        }
        building.add_polls();
        let nodes = building.nodes;
        let stuck = stuck(&nodes);
        Self {
            snapshot,
            nodes,
            parties: building.parties,
            stuck,
        }
    }

    /// Whether it can never go on, as far as this look tells.
    pub(crate) fn is_stuck(&self, node: NodeIndex) -> bool {
        self.stuck[node.index()]
    }

    pub(crate) fn wait(&self, table: usize, wait: usize) -> &'s Wait {
        &self.snapshot.tables[table].waits[wait]
    }

    pub(crate) fn holder(&self, table: usize, holder: usize) -> &'s Holder {
        &self.snapshot.tables[table].holders[holder]
    }
}

/// Whether a node is stuck if any of those is that it leads to; else, if all are.
fn by_any(node: Node) -> bool {
    match node {
        Node::Party | Node::Place(..) => true,
        Node::Key(_, wanted) => wanted != Wanted::Permit,
        Node::Waits | Node::Wait => false,
    }
}

fn stuck(nodes: &DiGraph<Node, Edge>) -> Vec<bool> {
    let mut stuck = vec![true; nodes.node_count()];
    let edges = |node| nodes.edges_directed(node, Direction::Outgoing).count();
    let mut left = nodes.node_indices().map(edges).collect::<Vec<_>>();
    let mut free = nodes.externals(Direction::Outgoing).collect::<Vec<_>>();
    while let Some(node) = free.pop() {
        if !std::mem::replace(&mut stuck[node.index()], false) {
            continue;
        }
        for before in nodes.neighbors_directed(node, Direction::Incoming) {
            left[before.index()] -= 1;
            if left[before.index()] == 0 || !by_any(nodes[before]) {
                free.push(before);
            }
        }
    }
    stuck
}

struct Building<'s> {
    snapshot: &'s Snapshot,
    nodes: DiGraph<Node, Edge>,
    parties: HashMap<NodeIndex, Party>,
    known: HashMap<Who, NodeIndex>,
    holders: HashMap<Name, Vec<usize>>,
    keys: HashMap<(Name, Wanted), NodeIndex>,
    /// Of a party: all its waits; of a wait: all its places.
    waits: HashMap<NodeIndex, NodeIndex>,
    places: HashMap<(NodeIndex, u64), NodeIndex>,
    /// Who holds a key upgradable.
    upgraders: HashSet<(Name, NodeIndex)>,
    /// The first writer who waits for a key, and its place.
    writers: HashMap<Name, (NodeIndex, usize)>,
    polls: Vec<(u64, NodeIndex)>,
}

impl<'s> Building<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        Self {
            snapshot,
            nodes: DiGraph::new(),
            parties: HashMap::new(),
            known: HashMap::new(),
            holders: HashMap::new(),
            keys: HashMap::new(),
            waits: HashMap::new(),
            places: HashMap::new(),
            upgraders: HashSet::new(),
            writers: HashMap::new(),
            polls: Vec::new(),
        }
    }

    fn party(&mut self, who: Who, party: &Party) -> NodeIndex {
        let nodes = &mut self.nodes;
        let node = *self
            .known
            .entry(who)
            .or_insert_with(|| nodes.add_node(Node::Party));
        let known = self.parties.entry(node).or_insert_with(|| Party {
            kind: party.kind,
            id: party.id,
            ..Party::default()
        });
        known.name = known.name.take().or_else(|| party.name.clone());
        known.thread = known.thread.or(party.thread);
        node
    }

    fn add_holders(&mut self, number: usize, table: &Table) {
        for (place, holder) in table.holders.iter().enumerate() {
            let by = owner(&holder.by);
            let party = self.party(who(&by, Who::Holder(number, place)), &by);
            let name = (number, holder.slot, holder.queue, holder.key.hash);
            if holder.kind == Kind::Upgradable {
                self.upgraders.insert((name, party));
            }
            self.holders.entry(name).or_default().push(place);
        }
    }

    fn add_waits(&mut self, number: usize, table: &Table) {
        // Writers first, so that readers find those before them.
        let (writers, others) = (0..table.waits.len())
            .partition::<Vec<_>, _>(|place| table.waits[*place].kind == Kind::Lock);
        for place in writers.into_iter().chain(others) {
            self.add_wait(number, place, &table.waits[place]);
        }
    }

    fn add_wait(&mut self, number: usize, place: usize, wait: &Wait) {
        let party = self.party(who(&wait.by, Who::Waiter(number, place)), &wait.by);
        if let Some(task) = wait.by.task.filter(|_| wait.by.kind == PartyKind::Thread) {
            self.polls.push((task, party));
        }
        let nodes = &mut self.nodes;
        let waits = *self.waits.entry(party).or_insert_with(|| {
            let waits = nodes.add_node(Node::Waits);
            nodes.add_edge(party, waits, Edge::Part);
            waits
        });
        let whole = *self.places.entry((party, wait.wait)).or_insert_with(|| {
            let whole = nodes.add_node(Node::Wait);
            nodes.add_edge(waits, whole, Edge::Part);
            whole
        });
        let here = nodes.add_node(Node::Place(number, place));
        nodes.add_edge(whole, here, Edge::Part);
        let Some(wanted) = wanted(wait.kind) else {
            return;
        };
        let name = (number, Some(wait.slot), wait.queue, wait.key.hash);
        let key = self.key(name, wanted, party);
        self.nodes.add_edge(here, key, Edge::Part);
        match (wanted, self.writers.get(&name)) {
            (Wanted::All, Some((_, first))) if *first <= wait.place => {}
            (Wanted::All, _) => {
                self.writers.insert(name, (party, wait.place));
            }
            (Wanted::Read | Wanted::Upgradable, Some((writer, first))) if *first < wait.place => {
                self.nodes.add_edge(here, *writer, Edge::Behind);
            }
            _ => {}
        }
    }

    /// The node of a key for who wants it so; one of its own for who holds it upgradable and wants
    /// to write, since that is not in its own way.
    fn key(&mut self, name: Name, wanted: Wanted, by: NodeIndex) -> NodeIndex {
        let upgrades = wanted == Wanted::All && self.upgraders.contains(&(name, by));
        if let Some(node) = self.keys.get(&(name, wanted)).filter(|_| !upgrades) {
            return *node;
        }
        let node = self.nodes.add_node(Node::Key(name.0, wanted));
        for place in self.holders.get(&name).into_iter().flatten() {
            let holder = &self.snapshot.tables[name.0].holders[*place];
            let party = self.known[&who(&owner(&holder.by), Who::Holder(name.0, *place))];
            let is_its_own = upgrades && party == by && holder.kind == Kind::Upgradable;
            if keeps_out(holder.kind, wanted) && !is_its_own {
                self.nodes.add_edge(node, party, Edge::HeldBy(*place));
            }
        }
        if !upgrades {
            self.keys.insert((name, wanted), node);
        }
        node
    }

    fn add_polls(&mut self) {
        for (task, thread) in &self.polls {
            // A task of which nothing else is known is in nobody's way.
            if let Some(task) = self.known.get(&Who::Known(PartyKind::Task, *task)) {
                self.nodes.add_edge(*task, *thread, Edge::PolledBy);
            }
        }
    }
}

fn who(party: &Party, unknown: Who) -> Who {
    party.id.map_or(unknown, |id| Who::Known(party.kind, id))
}

/// What a thread locked inside the poll of a task is the task's: its next poll may be elsewhere.
pub(crate) fn owner(by: &Party) -> Party {
    match by.task {
        Some(task) if by.kind == PartyKind::Thread => Party {
            kind: PartyKind::Task,
            id: Some(task),
            name: None,
            thread: by.id.and_then(|id| u32::try_from(id).ok()),
            task: None,
        },
        _ => by.clone(),
    }
}
