//! The order of locks, by what they are called: a deadlock that is possible is told of before it
//! happens.
//!
//! **Invariants**
//! - O1: the recorded pairs make no circle: a pair that would close one is reported instead.

mod engine;
mod inversion;
mod watch;

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use petgraph::algo::astar;
use petgraph::graphmap::DiGraphMap;

use self::engine::{ByEngine, Party};
pub(crate) use self::engine::{asks, gave_up, holds, name};
pub use self::inversion::{Inversion, OrderStep};
pub use self::watch::{LockOrderWatch, watch_lock_order};
use crate::traced;

type Label = &'static str;
type Place = &'static Location<'static>;

/// What a thread holds, of all orders: the order's number, the lock's own, its label, its place.
type Held = (u64, u64, Label, Place);

thread_local! {
    static HELD: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

/// Numbers of orders and of asked locks.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Records which lock is asked for while which other is held, by label, and reports the first time
/// that two orders contradict each other: then some run of the program can end in a deadlock, even
/// if this one does not.
///
/// It costs a mutex per lock that is asked for while another is held: a check for tests and for
/// hunting, not for every day. Locks with one label are one: who takes two of them has an order of
/// its own for those, and nothing is said of it. At most 16,384 pairs of labels are remembered.
///
/// Of locks by key nothing has to be said: [`watch_lock_order`]. What is told here by hand, of
/// other locks, is put in one order with those.
///
/// ```
/// use slotpark_inspect::LockOrder;
/// let order = LockOrder::new(|inversion| eprintln!("{inversion}"));
/// {
///     let _accounts = order.ask("accounts"); // lock accounts here
///     let _journal = order.ask("journal"); // and the journal here
/// }
/// let _journal = order.ask("journal");
/// let _accounts = order.ask("accounts"); // reported, though nobody waits
/// ```
pub struct LockOrder {
    number: u64,
    pairs: Mutex<Pairs>,
    report: Box<dyn Fn(&Inversion) + Send + Sync>,
    by_engine: ByEngine,
}

/// Pairs of labels that are remembered, or were reported, at most.
const PAIRS_MAX: usize = 16 * 1024;

#[derive(Default)]
struct Pairs {
    /// From what was held to what was asked for, and where either was asked for first.
    known: DiGraphMap<Label, (Place, Place)>,
    reported: HashSet<(Label, Label)>,
}

impl LockOrder {
    /// An order of which nothing is known yet. `report` is called where the contradicting lock is
    /// asked for, before it is waited for, once per pair of labels.
    ///
    /// ```
    /// use slotpark_inspect::LockOrder;
    /// use std::sync::Arc;
    /// let order = Arc::new(LockOrder::new(|inversion| panic!("{inversion}")));
    /// let held = order.ask("page");
    /// ```
    #[must_use]
    pub fn new(report: impl Fn(&Inversion) + Send + Sync + 'static) -> Self {
        Self {
            // ORDERING: relaxed: a number that no other has; nothing is published by it.
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            pairs: Mutex::default(),
            report: Box::new(report),
            by_engine: ByEngine::default(),
        }
    }

    /// The calling thread is about to ask for a lock of this label. To be called before it waits;
    /// the returned value is to be kept until the lock is given back.
    ///
    /// Of a task that may go on on another thread, use a [`chain`](Self::chain).
    ///
    /// ```
    /// let order = slotpark_inspect::LockOrder::new(|inversion| eprintln!("{inversion}"));
    /// let asked = order.ask("page");
    /// // lock, use, unlock
    /// drop(asked);
    /// ```
    #[track_caller]
    pub fn ask(&self, label: Label) -> Asked {
        let place = Location::caller();
        let mut held = self.held_here();
        if let Some(party) = Party::here() {
            held.extend(self.by_engine.of(party));
        }
        self.asked(&held, label, place);
        // ORDERING: relaxed: as in `new`.
        let lock = NEXT.fetch_add(1, Ordering::Relaxed);
        HELD.with_borrow_mut(|held| held.push((self.number, lock, label, place)));
        Asked {
            lock,
            of_thread: PhantomData,
        }
    }

    /// What a task holds, for as long as it lives and wherever it goes on.
    ///
    /// ```
    /// let order = slotpark_inspect::LockOrder::new(|inversion| eprintln!("{inversion}"));
    /// let chain = order.chain();
    /// let page = chain.ask("page");
    /// let inode = chain.ask("inode");
    /// ```
    #[must_use]
    pub fn chain(&self) -> OrderChain<'_> {
        OrderChain {
            order: self,
            held: Arc::default(),
        }
    }

    /// Of how many locks by key it is not known that they were held, since too many were at once:
    /// 4096 are listed.
    ///
    /// ```
    /// let order = slotpark_inspect::LockOrder::new(|inversion| eprintln!("{inversion}"));
    /// assert_eq!(order.unlisted(), 0);
    /// ```
    #[must_use]
    pub fn unlisted(&self) -> usize {
        self.by_engine.unlisted()
    }

    /// What this thread has said that it holds.
    fn held_here(&self) -> Vec<(Label, Place)> {
        // Where the thread's list has gone, so has what it held.
        let held = HELD.try_with(|held| {
            let held = held.borrow();
            let here = held.iter().filter(|held| held.0 == self.number);
            here.map(|held| (held.2, held.3)).collect()
        });
        held.unwrap_or_default()
    }

    fn asked(&self, held: &[(Label, Place)], label: Label, place: Place) {
        for (before, before_at) in held.iter().filter(|(before, _)| *before != label) {
            let found = {
                // A panic leaves the pairs whole.
                let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
                pairs.add((before, before_at), (label, place))
            };
            if let Some(inversion) = found {
                traced::inversion(&inversion);
                (self.report)(&inversion);
            }
        }
    }
}

impl Pairs {
    fn add(
        &mut self,
        (held, held_at): (Label, Place),
        (asked, asked_at): (Label, Place),
    ) -> Option<Inversion> {
        if self.known.contains_edge(held, asked) || self.reported.contains(&(held, asked)) {
            return None;
        }
        if self.known.edge_count().max(self.reported.len()) >= PAIRS_MAX {
            return None;
        }
        let there = self.known.contains_node(held) && self.known.contains_node(asked);
        let path = there
            .then(|| astar(&self.known, asked, |node| node == held, |_| 1, |_| 0))
            .flatten();
        let Some((_, path)) = path else {
            self.known.add_edge(held, asked, (held_at, asked_at));
            return None;
        };
        self.reported.insert((held, asked));
        let earlier = path.windows(2).filter_map(|pair| {
            let (held_at, asked_at) = *self.known.edge_weight(pair[0], pair[1])?;
            Some(OrderStep {
                held: pair[0],
                held_at,
                asked: pair[1],
                asked_at,
            })
        });
        Some(Inversion {
            now: OrderStep {
                held,
                held_at,
                asked,
                asked_at,
            },
            earlier: earlier.collect(),
        })
    }
}

impl fmt::Debug for LockOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockOrder").finish_non_exhaustive()
    }
}

/// A lock that a thread has asked for and has not given back.
///
/// ```
/// let order = slotpark_inspect::LockOrder::new(|inversion| eprintln!("{inversion}"));
/// let asked = order.ask("page");
/// ```
#[must_use = "the lock counts as given back once this is dropped"]
#[derive(Debug)]
pub struct Asked {
    lock: u64,
    /// Not `Send`: it is in a list of its thread.
    of_thread: PhantomData<*const ()>,
}

impl Drop for Asked {
    fn drop(&mut self) {
        // Where the thread's list has gone, so has what it held.
        let _ = HELD.try_with(|held| held.borrow_mut().retain(|held| held.1 != self.lock));
    }
}

/// What a task holds of a [`LockOrder`].
///
/// ```
/// let order = slotpark_inspect::LockOrder::new(|inversion| eprintln!("{inversion}"));
/// let page = order.chain().ask("page");
/// ```
#[derive(Clone, Debug)]
pub struct OrderChain<'o> {
    order: &'o LockOrder,
    held: Arc<Mutex<Vec<(u64, Label, Place)>>>,
}

impl OrderChain<'_> {
    /// As [`LockOrder::ask`], of this task.
    ///
    /// ```
    /// let order = slotpark_inspect::LockOrder::new(|inversion| eprintln!("{inversion}"));
    /// let chain = order.chain();
    /// let page = chain.ask("page");
    /// ```
    #[track_caller]
    pub fn ask(&self, label: Label) -> AskedByTask {
        let place = Location::caller();
        let list = || self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = list()
            .iter()
            .map(|held| (held.1, held.2))
            .collect::<Vec<_>>();
        self.order.asked(&held, label, place);
        // ORDERING: relaxed: as in `LockOrder::new`.
        let lock = NEXT.fetch_add(1, Ordering::Relaxed);
        list().push((lock, label, place));
        AskedByTask {
            lock,
            held: Arc::clone(&self.held),
        }
    }
}

/// A lock that a task has asked for and has not given back.
///
/// ```
/// let order = slotpark_inspect::LockOrder::new(|inversion| eprintln!("{inversion}"));
/// let page = order.chain().ask("page");
/// std::thread::spawn(move || drop(page)).join().unwrap();
/// ```
#[must_use = "the lock counts as given back once this is dropped"]
#[derive(Debug)]
pub struct AskedByTask {
    lock: u64,
    held: Arc<Mutex<Vec<(u64, Label, Place)>>>,
}

impl Drop for AskedByTask {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|held| held.0 != self.lock);
    }
}
