//! Requeue: move waiters from one key to another without waking them.
//!
//! A requeuer is a waiter on its target: it announces itself there before it validates. Without
//! that, the unlocker of the target reads "nobody waits" while the requeuer reads "locked", and
//! those moved sleep for ever. Both slot locks are held while waiters move, so nobody sees one in
//! neither queue.
//!
//! **Lock order**: two slot locks in index order. **Orderings**: DEKKER side A on the target, LOCK.

use core::borrow::Borrow;
use core::ptr;

use crate::choose::{Chosen, Filter};
use crate::node::{Moved, Name, NodeRef};
use crate::platform::{Event, Platform};
use crate::reentry;
use crate::slot::SlotGuard;
use crate::table::Table;
use crate::waiter::{Ending, Verdict};
use crate::wakers::Wakers;

/// What a requeue did.
///
/// ```
/// use slotpark_core::Requeued;
/// assert_eq!(Requeued::default(), Requeued { woken: 0, moved: 0 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requeued {
    /// Waiters woken.
    pub woken: usize,
    /// Waiters moved to the target (or left where they are, if source and target are one key). At a
    /// key that is closed their waits end.
    pub moved: usize,
}

/// How many waiters a requeue wakes and moves at most, and what it hands to the woken.
///
/// ```
/// use slotpark_core::RequeueOptions;
/// let all = RequeueOptions { move_max: usize::MAX, ..RequeueOptions::default() };
/// assert_eq!(all.wake_max, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequeueOptions {
    /// The first this many are woken.
    pub wake_max: usize,
    /// The next this many are moved.
    pub move_max: usize,
    /// For those woken.
    pub token: u64,
}

impl RequeueOptions {
    /// So many, with nothing to hand over.
    pub(crate) const fn of(wake_max: usize, move_max: usize) -> Self {
        Self {
            wake_max,
            move_max,
            token: 0,
        }
    }
}

/// Whether anybody waits at the source of a requeue.
type Anybody<'a> = &'a dyn Fn() -> bool;

/// A slot whose lock the requeue holds.
type Locked<'a, P> = &'a SlotGuard<'a, P>;

impl<K: Eq + Copy + Send, P: Platform> Table<K, P> {
    /// Under both slot locks: if `validate` says yes, wakes the first waiters of `from` and moves
    /// the next ones to the end of `to`'s queue. `None` if `validate` says no.
    ///
    /// A moved waiter keeps its deadline, its tag and the place where it sleeps; from now on only a
    /// wake of `to` ends its wait. If both keys are equal, those who would be moved stay where they
    /// are and are counted. If `to` is closed, the waits of those moved end as closed; if the whole
    /// table is, nobody is moved, and who still waits is just being told. The keys are `Copy`
    /// because a moved waiter keeps the new key in its own frame, and no code of the caller may run
    /// for that under two locks.
    ///
    /// # Errors
    /// What `validate` returns, after unlocking.
    ///
    /// # Panics
    /// Passes panics of `validate` and `Eq` on; the queues stay sound. In debug builds, if called
    /// from a closure that runs under a slot lock.
    ///
    /// ```
    /// use slotpark_core::{RequeueOptions, Table};
    /// let table = Table::<u64>::new();
    /// let options = RequeueOptions { wake_max: 1, move_max: usize::MAX, token: 0 };
    /// let result = table.requeue((1, &7), (2, &8), options, || Ok::<_, ()>(true));
    /// assert_eq!(result.unwrap().unwrap().moved, 0);
    /// ```
    pub fn requeue<E>(
        &self,
        from: (u64, &K),
        to: (u64, &K),
        options: RequeueOptions,
        validate: impl FnOnce() -> Result<bool, E>,
    ) -> Result<Option<Requeued>, E> {
        let validate = |_: Anybody<'_>| Ok(validate()?.then_some(options));
        self.requeue_with(from, to, options.token, validate, |_| {})
    }

    /// Requeues as [`requeue`](Self::requeue) does, with what a word that both keys belong to
    /// needs, under both slot locks: `validate` may ask whether anybody waits at `from`, and says
    /// how many are woken and moved; `then`, after they are, may ask whether anybody remains there.
    pub(crate) fn requeue_with<E>(
        &self,
        from: (u64, &K),
        to: (u64, &K),
        token: u64,
        validate: impl FnOnce(Anybody<'_>) -> Result<Option<RequeueOptions>, E>,
        then: impl FnOnce(Anybody<'_>),
    ) -> Result<Option<Requeued>, E> {
        let anybody =
            |source: &SlotGuard<'_, P>| self.tags_of(source, from.0, from.1).next().is_some();
        let validate =
            |source: &SlotGuard<'_, P>, _: &SlotGuard<'_, P>| validate(&|| anybody(source));
        let then = |source: &SlotGuard<'_, P>| then(&|| anybody(source));
        self.requeue_locked(from, to, token, validate, then)
    }

    /// As [`requeue_with`](Self::requeue_with), with the locks of the source and of the target,
    /// which may be one.
    pub(crate) fn requeue_locked<E>(
        &self,
        from: (u64, &K),
        to: (u64, &K),
        token: u64,
        validate: impl FnOnce(Locked<'_, P>, Locked<'_, P>) -> Result<Option<RequeueOptions>, E>,
        then: impl FnOnce(Locked<'_, P>),
    ) -> Result<Option<Requeued>, E> {
        reentry::check();
        let (source, target) = (self.slot(from.0), self.slot(to.0));
        target.announced.announce();
        let mut wakers = Wakers::new(core::slice::from_ref(source), Some(from.0));
        let mut refused_wakers = Wakers::new(core::slice::from_ref(source), Some(from.0));
        let _critical = P::critical();
        let mut chosen = Chosen::new(&mut wakers, Verdict::woken(token));
        let mut refused = Chosen::new(&mut refused_wakers, Verdict::ended(Ending::Closed));
        let one_slot = ptr::eq(source, target);
        let source_first = ptr::from_ref(source) <= ptr::from_ref(target);
        let lower = if source_first { source } else { target }.lock();
        let upper = (!one_slot).then(|| if source_first { target } else { source }.lock());
        let upper = upper.as_ref().unwrap_or(&lower);
        let (source, target) = if source_first {
            (&lower, upper)
        } else {
            (upper, &lower)
        };
        // Our announcement is taken back when the lock is given back, in one step with what was
        // moved: the count never says less than there is.
        target.leave_one();
        let Some(options) = validate(source, target)? else {
            return Ok(None);
        };
        let mut moved = 0;
        let all = |_: &_| Filter::Unpark;
        if let Some(head) = self.find(source, from.0, from.1) {
            let remain = self.choose(source, head, options.wake_max, all, &mut chosen);
            chosen.collect(source);
            if remain && !target.slot.announced.is_closed() {
                moved = self.move_waiters(source, from, target, to, options.move_max, &mut refused);
            }
        }
        then(source);
        Ok(Some(Requeued {
            woken: chosen.count,
            moved,
        }))
    }

    /// Moves up to `move_max` waiters; both slots are locked.
    fn move_waiters<'g>(
        &self,
        source: &'g SlotGuard<'_, P>,
        from: (u64, &K),
        target: &'g SlotGuard<'_, P>,
        to: (u64, &K),
        move_max: usize,
        refused: &mut Chosen<'_, '_, P>,
    ) -> usize {
        let Some(head) = self.find(source, from.0, from.1) else {
            return 0;
        };
        let stay = from.1.borrow() == to.1;
        let mut target_head = self.find(target, to.0, to.1);
        if !stay && target_head.is_some_and(|head| head.group().closers > 0) {
            self.choose(source, head, move_max, |_| Filter::Unpark, refused);
            refused.collect(source);
            return refused.count;
        }
        let mut moved = 0;
        for node in source.ring(head).filter(|node| node.waits()).take(move_max) {
            if !stay {
                source.unlink(node);
                source.leave_one();
                self.rename(node, to);
                target.push(target_head, node);
                target.enter_one();
                // A node of more weight than all others goes to the front.
                target_head = match target_head {
                    Some(head) if head.is_head() => Some(head),
                    _ => Some(node),
                };
            }
            target.slot.tallies.requeues.add_locked(1);
            self.observe_node(Event::Requeue, target.slot, node);
            moved += 1;
        }
        moved
    }

    fn rename(&self, node: NodeRef<'_, P>, to: (u64, &K)) {
        let room = node.room().cast::<K>();
        // SAFETY: N1, T2: the frame has room for one `K` of this table, accessed under the lock of
        // the node's slot only.
        unsafe { room.write(*to.1) };
        node.set_name(Name {
            hash: to.0,
            key: room.cast_const().cast(),
        });
        node.set_moved(Moved::Yes);
    }
}
