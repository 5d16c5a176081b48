//! Waiting on any of several keys, and waits that can be interrupted: decided by a claim.
//!
//! One waiter has a node in the queue of each key. Whoever wants to end the wait (a waker of one of
//! the keys, an interrupter, the waiter itself past its deadline or after a signal) first takes the
//! waiter's claim, and only one of them gets it. A waker that does not goes on to the next waiter,
//! so no wake is spent on a wait that another key has ended. The nodes of the other keys are
//! unlinked by the waiter itself.
//!
//! **Lock order**: one slot lock at a time. **Orderings**: DEKKER side A, LOCK, HANDOFF, SLEEP.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr;

use crate::any_thread::WaitAny;
use crate::inspect::{Traced, waited};
use crate::interrupt::Interrupter;
use crate::node::{Name, Role};
use crate::options::{ParkOptions, Parked};
use crate::park::Enqueued;
use crate::platform::{Deadline, Platform};
use crate::reentry;
use crate::slot::SlotGuard;
use crate::spin::Moment;
use crate::table::Table;
use crate::waiter::Waiter;

/// The most keys that one wait can name.
///
/// ```
/// assert_eq!(slotpark_core::ANY_MAX, 128);
/// ```
pub const ANY_MAX: usize = 128;

/// How a wait on several keys came to its end.
///
/// ```
/// use slotpark_core::{ParkOptions, Parked, Table};
/// let table = Table::<u64>::new();
/// let keys = [(1, &7), (2, &8)];
/// let ended = table.park_any(&keys, ParkOptions::new(), |entry| entry != 1);
/// assert_eq!((ended.parked, ended.entry), (Parked::Stale, Some(1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct ParkedAny {
    /// How.
    pub parked: Parked,
    /// The key that was woken, stale or closed, by its place in the caller's list; `None` if the
    /// wait timed out or was interrupted.
    pub entry: Option<usize>,
}

impl ParkedAny {
    pub(crate) const fn new(parked: Parked, entry: Option<usize>) -> Self {
        Self { parked, entry }
    }
}

impl<K: Eq, P: Platform> Table<K, P> {
    /// Waits on `key` as [`park`](Self::park) does, until woken, until the deadline, or until
    /// interrupted. An interrupter costs two short locks and a compare-exchange.
    ///
    /// At the start of the wait, what is said is the first of Stale, Closed, Interrupted, TimedOut
    /// that is true; once it is queued, whatever came first.
    ///
    /// # Panics
    /// As [`park`](Self::park); and if another wait uses the interrupter.
    ///
    /// ```
    /// use slotpark_core::{Interrupter, ParkOptions, Parked, Table};
    /// let (table, interrupter) = (Table::<u64>::new(), Interrupter::new());
    /// std::thread::scope(|scope| {
    ///     let waiting = scope.spawn(|| {
    ///         table.park_interruptible(1, &7, ParkOptions::new(), &interrupter, || true)
    ///     });
    ///     interrupter.interrupt(); // now or before it sleeps: it returns
    ///     assert_eq!(waiting.join().unwrap(), Parked::Interrupted);
    /// });
    /// ```
    pub fn park_interruptible(
        &self,
        hash: u64,
        key: &K,
        options: ParkOptions,
        interrupter: &Interrupter<P>,
        mut validate: impl FnMut() -> bool,
    ) -> Parked {
        let entries = [(hash, key)];
        self.park_entries::<1>(&entries, options, Some(interrupter), |_| validate())
            .parked
    }

    /// Waits on any of up to [`ANY_MAX`] keys, each with its own hash. `validate` is called with
    /// the place of a key in `entries` and says whether there is something to wait for there: for
    /// each key once outside its slot's lock and once under it. The first that says no ends the
    /// wait.
    ///
    /// Exactly one key ends the wait, and a wake of another key is never spent on it. A key may be
    /// named twice.
    ///
    /// # Panics
    /// If there are no keys or more than [`ANY_MAX`]: nothing could end the wait. Else as
    /// [`park`](Self::park).
    ///
    /// ```
    /// use slotpark_core::{Deadline, ParkOptions, Parked, Table};
    /// let table = Table::<u64>::new();
    /// let options = ParkOptions::new().deadline(Some(Deadline::PAST));
    /// let ended = table.park_any(&[(1, &7), (2, &8)], options, |_| true);
    /// assert_eq!((ended.parked, ended.entry), (Parked::TimedOut, None));
    /// ```
    #[track_caller]
    pub fn park_any(
        &self,
        entries: &[(u64, &K)],
        options: ParkOptions,
        validate: impl FnMut(usize) -> bool,
    ) -> ParkedAny {
        self.park_any_with(entries, options, None, validate)
    }

    /// As [`park_any`](Self::park_any), and may be interrupted.
    ///
    /// # Panics
    /// As [`park_any`](Self::park_any); and if another wait uses the interrupter.
    ///
    /// ```
    /// use slotpark_core::{Interrupter, ParkOptions, Parked, Table};
    /// let (table, interrupter) = (Table::<u64>::new(), Interrupter::new());
    /// interrupter.interrupt();
    /// let keys = [(1, &7), (2, &8)];
    /// let ended = table.park_any_interruptible(&keys, ParkOptions::new(), &interrupter, |_| true);
    /// assert_eq!((ended.parked, ended.entry), (Parked::Interrupted, None));
    /// ```
    #[track_caller]
    pub fn park_any_interruptible(
        &self,
        entries: &[(u64, &K)],
        options: ParkOptions,
        interrupter: &Interrupter<P>,
        validate: impl FnMut(usize) -> bool,
    ) -> ParkedAny {
        self.park_any_with(entries, options, Some(interrupter), validate)
    }

    #[track_caller]
    fn park_any_with(
        &self,
        entries: &[(u64, &K)],
        options: ParkOptions,
        interrupter: Option<&Interrupter<P>>,
        validate: impl FnMut(usize) -> bool,
    ) -> ParkedAny {
        // A node is two cache lines: the frame is as large as the list asks for.
        match entries.len() {
            0 => panic!("slotpark: a wait on no keys would never end"),
            1..=4 => self.park_entries::<4>(entries, options, interrupter, validate),
            5..=16 => self.park_entries::<16>(entries, options, interrupter, validate),
            17..=ANY_MAX => self.park_entries::<ANY_MAX>(entries, options, interrupter, validate),
            count => panic!("slotpark: a wait on {count} keys, more than {ANY_MAX}"),
        }
    }

    /// There is room for `N` nodes.
    #[inline(never)]
    fn park_entries<const N: usize>(
        &self,
        entries: &[(u64, &K)],
        options: ParkOptions,
        interrupter: Option<&Interrupter<P>>,
        mut validate: impl FnMut(usize) -> bool,
    ) -> ParkedAny {
        reentry::check();
        for (entry, (hash, _)) in entries.iter().enumerate() {
            if !options.validated && !validate(entry) {
                return ParkedAny::new(Parked::Stale, Some(entry));
            }
            if self.slot(*hash).announced.is_closed() {
                return ParkedAny::new(Parked::Closed, Some(entry));
            }
        }
        let home = self.slot(entries[0].0);
        let waiter = Waiter::thread(home, Moment::now::<P>(self.spin()));
        let rooms = [const { UnsafeCell::new(MaybeUninit::<K>::uninit()) }; N];
        let mut nodes = [const { MaybeUninit::uninit() }; N];
        let traced = Traced::new();
        let mut wait = WaitAny::new(self, home, &waiter, &mut nodes);
        // SAFETY: V1: there is no node yet.
        wait.says = unsafe { traced.record::<P>(options.caller, None, false) };
        // SAFETY: the waiter lives in this frame, and `wait` exits before that ends.
        if !unsafe { wait.enter(interrupter) } {
            return ParkedAny::new(Parked::Interrupted, None);
        }
        if options.deadline.is_some_and(Deadline::is_past::<P>) {
            // Unless an interrupt that has been answered since has ended it.
            return wait.refuse(ParkedAny::new(Parked::TimedOut, None));
        }
        for ((entry, (hash, key)), room) in entries.iter().enumerate().zip(&rooms) {
            let name = Name {
                hash: *hash,
                key: ptr::from_ref(*key).cast(),
            };
            let node = wait.place(name, room.get().cast(), options, entry as u8, Role::Thread);
            let validate =
                |_: &SlotGuard<'_, P>| Ok::<_, core::convert::Infallible>(validate(entry));
            let critical = P::critical();
            match self.enqueue(self.slot(*hash), node, key, options.order, validate) {
                Ok(Enqueued::Linked(_guard, leads)) if entry == 0 => {
                    wait.spin_ns = home.spin.plan_ns(self.spin().limit_ns(), leads);
                }
                Ok(Enqueued::Linked(..)) => {}
                Ok(Enqueued::Refused(parked)) => {
                    drop(critical);
                    return wait.refuse(ParkedAny::new(parked, Some(entry)));
                }
                Err(never) => match never {},
            }
            // Chosen already: the other keys need not be bothered.
            if !waiter.claim.is_open() {
                break;
            }
        }
        let ended = wait.sleep(options.until());
        let says = wait.says;
        // Where it lies: a move would claim the nodes, to which others point.
        wait.leave(|_| false);
        let hash = entries[ended.entry.unwrap_or(0)].0;
        // SAFETY: V1: its nodes are in no queue any more.
        unsafe { waited::<P>(self.id(), hash, says, || ended.parked.into()) };
        ended
    }
}
