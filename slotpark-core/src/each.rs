//! Waiting on several keys, each of which is counted by itself: what `futex_waitv` promises.
//!
//! The first wake claims the wait and releases the thread, as for a wait on any of several keys.
//! Until the thread has left its other queues, a wake that finds it there detaches it there too and
//! counts it: more than one wake may count one wait, and none of them goes on to somebody else.
//!
//! **Lock order**: one slot lock at a time. **Orderings**: DEKKER side A, LOCK, HANDOFF, SLEEP,
//! UNLINK.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr;

use crate::any::{ANY_MAX, ParkedAny};
use crate::any_thread::WaitAny;
use crate::inspect::{Traced, WaitEnd, waited};
use crate::node::{Name, Role};
use crate::options::{ParkOptions, Parked};
use crate::park::Enqueued;
use crate::platform::{Deadline, Platform};
use crate::reentry;
use crate::slot::SlotGuard;
use crate::spin::Moment;
use crate::table::Table;
use crate::waiter::{Until, Waiter};

impl<K: Eq, P: Platform> Table<K, P> {
    /// Waits on up to [`ANY_MAX`] keys as [`park_any`](Self::park_any) does, but every wake of one
    /// of them counts it, until it has left its queue: so a wake of all may count this wait twice,
    /// if a key is named twice. The entry that is told is the last in the list of those woken.
    ///
    /// Once an entry was woken the wait says so, whatever else has happened: that another entry is
    /// stale, that `validate` failed, that the deadline has passed, or that a signal came. For
    /// programs that rely on the kernel's way to count; a wake that is spent on a wait which
    /// another one has ended is lost to the others who wait.
    ///
    /// # Errors
    /// What `validate` returns, if no entry was woken.
    ///
    /// # Panics
    /// As [`park_any`](Self::park_any).
    ///
    /// ```
    /// use slotpark_core::{Deadline, ParkOptions, Parked, Table};
    /// let table = Table::<u64>::new();
    /// let options = ParkOptions::new().deadline(Some(Deadline::PAST));
    /// let ended = table.park_each(&[(1, &7), (2, &8)], options, |_| Ok::<_, ()>(true)).unwrap();
    /// assert_eq!((ended.parked, ended.entry), (Parked::TimedOut, None));
    /// ```
    #[track_caller]
    pub fn park_each<E>(
        &self,
        entries: &[(u64, &K)],
        options: ParkOptions,
        validate: impl FnMut(usize) -> Result<bool, E>,
    ) -> Result<ParkedAny, E> {
        match entries.len() {
            0 => panic!("slotpark: a wait on no keys would never end"),
            1..=4 => self.park_each_entry::<4, E>(entries, options, validate),
            5..=ANY_MAX => self.park_each_entry::<ANY_MAX, E>(entries, options, validate),
            count => panic!("slotpark: a wait on {count} keys, more than {ANY_MAX}"),
        }
    }

    /// There is room for `N` nodes.
    #[inline(never)]
    fn park_each_entry<const N: usize, E>(
        &self,
        entries: &[(u64, &K)],
        options: ParkOptions,
        mut validate: impl FnMut(usize) -> Result<bool, E>,
    ) -> Result<ParkedAny, E> {
        reentry::check();
        for entry in 0..entries.len() {
            if !options.validated && !validate(entry)? {
                return Ok(ParkedAny::new(Parked::Stale, Some(entry)));
            }
        }
        if options.deadline.is_some_and(Deadline::is_past::<P>) {
            return Ok(ParkedAny::new(Parked::TimedOut, None));
        }
        let home = self.slot(entries[0].0);
        let waiter = Waiter::thread(home, Moment::now::<P>(self.spin()));
        let rooms = [const { UnsafeCell::new(MaybeUninit::<K>::uninit()) }; N];
        let mut nodes = [const { MaybeUninit::uninit() }; N];
        let traced = Traced::new();
        let mut wait = WaitAny::new(self, home, &waiter, &mut nodes);
        // SAFETY: V1: there is no node yet.
        wait.says = unsafe { traced.record::<P>(options.caller, None, false) };
        let says = wait.says;
        let (mut linked, mut refused) = (0, None);
        for ((entry, (hash, key)), room) in entries.iter().enumerate().zip(&rooms) {
            let name = Name {
                hash: *hash,
                key: ptr::from_ref(*key).cast(),
            };
            let node = wait.place(name, room.get().cast(), options, entry as u8, Role::Each);
            let validate = |_: &SlotGuard<'_, P>| validate(entry);
            let _critical = P::critical();
            match self.enqueue(self.slot(*hash), node, key, options.order, validate) {
                Ok(Enqueued::Linked(_guard, leads)) if entry == 0 => {
                    wait.spin_ns = home.spin.plan_ns(self.spin().limit_ns(), leads);
                    linked = 1;
                }
                Ok(Enqueued::Linked(..)) => linked += 1,
                Ok(Enqueued::Refused(parked)) => {
                    refused = Some(Ok(ParkedAny::new(parked, Some(entry))));
                }
                Err(error) => refused = Some(Err(error)),
            }
            // Chosen already: the other keys need not be bothered.
            if refused.is_some() || !waiter.claim.is_open() {
                break;
            }
        }
        let ended = finish(wait, linked, refused, options.until());
        let entry = ended.as_ref().map_or(0, |ended| ended.entry.unwrap_or(0));
        // SAFETY: V1: its nodes are in no queue any more.
        unsafe {
            waited::<P>(self.id(), entries[entry].0, says, || {
                let parked = ended.as_ref().map(|ended| ended.parked);
                parked.map_or(WaitEnd::Cancelled, WaitEnd::from)
            });
        }
        ended
    }
}

/// Sleeps, unless there is nothing to wait for; leaves; and says how it ended. So many entries were
/// linked.
fn finish<K, P: Platform, E>(
    mut wait: WaitAny<'_, '_, K, P>,
    linked: usize,
    refused: Option<Result<ParkedAny, E>>,
    until: Until,
) -> Result<ParkedAny, E> {
    let mine = ParkedAny::new(Parked::Stale, None);
    let ended = match refused {
        None => Ok(wait.sleep(until)),
        Some(refused) => match wait.refuse(mine) {
            told if told == mine => refused,
            told => Ok(told),
        },
    };
    // The node of a key that was closed was chosen, too, but by no wake.
    let closed = match &ended {
        Ok(told) if told.parked == Parked::Closed => told.entry,
        _ => None,
    };
    match (
        wait.leave(|entry| entry < linked && Some(entry) != closed),
        ended,
    ) {
        (None, ended) => ended,
        (entry, Ok(told)) if told.parked.is_woken() => Ok(ParkedAny::new(told.parked, entry)),
        (entry, _) => Ok(ParkedAny::new(Parked::Woken { token: 0 }, entry)),
    }
}
