//! Calls that wait for signals: sigtimedwait, sigsuspend.

use std::convert::Infallible;
use std::sync::Arc;

use super::bell::Bell;
use super::info::SignalInfo;
use super::set::SignalSet;
use super::{Member, SignalManager, Tells};
use crate::event::Seen;
use crate::{Block, Errno, Pid};

/// What to wait for.
pub(super) type Awaited = (Arc<Bell>, Seen);

/// What a look has found.
enum Look {
    Found(SignalInfo),
    /// A signal that is to be delivered.
    Due,
    Nothing(Seen),
}

impl SignalManager {
    /// Takes the next signal of `set` that is pending for thread `tid` or its process, or waits
    /// for one; no handler runs for it. The thread should block them all. sigtimedwait(2).
    ///
    /// Another signal that the thread does not block ends the wait: deliver it. `block` need not
    /// name the thread's interrupter.
    ///
    /// # Errors
    /// [`Errno::Again`]: none came in time, also where the call does not block.
    /// [`Errno::Interrupted`]: by a signal that is not one of these. [`Errno::NoProcess`]: there is
    /// no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Block, Errno, Pid, Signal, SignalInfo, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// let set = SignalSet::EMPTY.with(Signal::RT_MIN);
    /// signals.set_mask(Pid(1), set)?;
    /// assert_eq!(signals.timed_wait(Pid(1), set, Block::NO), Err(Errno::Again));
    /// signals.send(Pid(1), SignalInfo::queued(Signal::RT_MIN, Pid(2), 42))?;
    /// assert_eq!(signals.timed_wait(Pid(1), set, Block::FOREVER)?.value, 42);
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn timed_wait(
        &self,
        tid: Pid,
        set: SignalSet,
        block: Block<'_>,
    ) -> Result<SignalInfo, Errno> {
        let Some(waiting) = self.begin_wait(tid, set, block.may_block())? else {
            return Err(Errno::Again);
        };
        let waiting = match waiting {
            Begun::Found(info) => return Ok(info),
            Begun::Waits(waiting) => waiting,
        };
        loop {
            let seen = match waiting.look()? {
                Look::Found(info) => return Ok(info),
                Look::Due => return Err(Errno::Interrupted),
                Look::Nothing(seen) => seen,
            };
            let event = &waiting.member.bell.event;
            if let Err(errno) = event.wait(&self.waits, seen, block) {
                return waiting.give_up(errno);
            }
        }
    }

    /// As [`timed_wait`](Self::timed_wait), for a task, as long as it takes. **Cancel safety**: a
    /// dropped future has taken nothing, and what it was told of is told to another thread that
    /// takes it.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalInfo, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// let set = SignalSet::EMPTY.with(Signal::USR1);
    /// signals.set_mask(Pid(1), set)?;
    /// signals.send(Pid(1), SignalInfo::user(Signal::USR1, Pid(2)))?;
    /// let info = futures_lite::future::block_on(signals.timed_wait_async(Pid(1), set))?;
    /// assert_eq!(info.sender, Pid(2));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    pub async fn timed_wait_async(&self, tid: Pid, set: SignalSet) -> Result<SignalInfo, Errno> {
        let waiting = match self.begin_wait(tid, set, true)? {
            Some(Begun::Waits(waiting)) => waiting,
            Some(Begun::Found(info)) => return Ok(info),
            None => return Err(Errno::Again),
        };
        loop {
            let seen = match waiting.look()? {
                Look::Found(info) => return Ok(info),
                Look::Due => return Err(Errno::Interrupted),
                Look::Nothing(seen) => seen,
            };
            let event = &waiting.member.bell.event;
            if let Err(errno) = event.wait_async(&self.waits, seen).await {
                return waiting.give_up(errno);
            }
        }
    }

    /// Blocks `mask` and waits until there is a signal to deliver, as one step; then deliver it.
    /// The mask before comes back when the handler ends, or by the deliver that finds nothing. A
    /// signal that is ignored ends it too; make the call again if no handler is delivered, as
    /// [`Restart::Unhandled`](crate::Restart::Unhandled) says. sigsuspend(2).
    ///
    /// `block` need not name the thread's interrupter.
    ///
    /// # Errors
    /// Always: [`Errno::Interrupted`], and with the mask before: [`Errno::Again`],
    /// [`Errno::TimedOut`], as `block` says; [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use slotpark_managers::{Block, Errno, Pid, Signal, SignalAction, SignalInfo};
    /// use slotpark_managers::{Delivered, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.set_action(Pid(1), Signal::HUP, SignalAction::call(7))?;
    /// let hup = SignalSet::EMPTY.with(Signal::HUP);
    /// signals.set_mask(Pid(1), hup)?;
    /// signals.send(Pid(1), SignalInfo::user(Signal::HUP, Pid(2)))?;
    /// let ended = signals.suspend(Pid(1), SignalSet::EMPTY, Block::FOREVER);
    /// assert_eq!(ended, Err(Errno::Interrupted));
    /// let Some(Delivered::Handler(call)) = signals.deliver(Pid(1))? else { panic!() };
    /// assert_eq!(call.restores, hup);
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn suspend(
        &self,
        tid: Pid,
        mask: SignalSet,
        block: Block<'_>,
    ) -> Result<Infallible, Errno> {
        let suspended = self.begin_suspend(tid, mask)?;
        while let Some(seen) = suspended.look()? {
            let event = &suspended.member.bell.event;
            event.wait(&self.waits, seen, block)?;
        }
        suspended.succeed()
    }

    /// As [`suspend`](Self::suspend), for a task. **Cancel safety**: a dropped future leaves the
    /// mask as it was before.
    ///
    /// ```
    /// use slotpark_managers::{Errno, Pid, Signal, SignalInfo, SignalManager, SignalSet};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.send(Pid(1), SignalInfo::user(Signal::HUP, Pid(2)))?;
    /// let suspend = signals.suspend_async(Pid(1), SignalSet::EMPTY);
    /// assert_eq!(futures_lite::future::block_on(suspend), Err(Errno::Interrupted));
    /// # Ok::<_, Errno>(())
    /// ```
    pub async fn suspend_async(&self, tid: Pid, mask: SignalSet) -> Result<Infallible, Errno> {
        let suspended = self.begin_suspend(tid, mask)?;
        while let Some(seen) = suspended.look()? {
            let event = &suspended.member.bell.event;
            event.wait_async(&self.waits, seen).await?;
        }
        suspended.succeed()
    }

    /// Takes one that is there; else, if it may block, unblocks those of `set` for the time being.
    fn begin_wait(
        &self,
        tid: Pid,
        set: SignalSet,
        may_block: bool,
    ) -> Result<Option<Begun<'_>>, Errno> {
        let set = set.as_mask();
        let member = self.member(tid)?;
        let mut state = member.process.lock();
        let at = state.thread(tid).ok_or(Errno::NoProcess)?;
        if let Some(info) = state.take(at, set) {
            return Ok(Some(Begun::Found(info)));
        }
        if !may_block {
            return Ok(None);
        }
        let thread = &mut state.threads[at];
        thread.awaiting = Some(thread.mask);
        thread.mask = thread.mask & !set;
        thread.is_told = false;
        drop(state);
        Ok(Some(Begun::Waits(Waiting {
            signals: self,
            member,
            tid,
            set,
        })))
    }

    fn begin_suspend(&self, tid: Pid, mask: SignalSet) -> Result<Suspended<'_>, Errno> {
        let member = self.member(tid)?;
        self.with_thread(tid, |state, at, tells| {
            let thread = &mut state.threads[at];
            thread.saved = Some(thread.mask);
            thread.is_told = false;
            state.set_mask(at, mask.as_mask(), tells);
            Ok(())
        })?;
        Ok(Suspended {
            signals: self,
            member,
            tid,
            is_over: false,
        })
    }
}

/// How a wait for signals begins.
enum Begun<'s> {
    Found(SignalInfo),
    Waits(Waiting<'s>),
}

/// A thread that waits for the signals of a set, which it does not block meanwhile. Dropped, it
/// blocks them again, and what is pending of them is told to others.
struct Waiting<'s> {
    signals: &'s SignalManager,
    member: Member,
    tid: Pid,
    set: SignalSet,
}

impl Waiting<'_> {
    fn look(&self) -> Result<Look, Errno> {
        let mut state = self.member.process.lock();
        let at = state.thread(self.tid).ok_or(Errno::NoProcess)?;
        state.threads[at].is_told = false;
        if let Some(info) = state.take(at, self.set) {
            return Ok(Look::Found(info));
        }
        if state.is_due(at) {
            return Ok(Look::Due);
        }
        Ok(Look::Nothing(state.threads[at].bell.event.seen()))
    }

    /// The wait has ended without a wake; but what was sent before counts.
    fn give_up(self, errno: Errno) -> Result<SignalInfo, Errno> {
        match self.look()? {
            Look::Found(info) => Ok(info),
            _ if errno == Errno::TimedOut => Err(Errno::Again),
            _ => Err(errno),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut tells = Tells::default();
        {
            let mut state = self.member.process.lock();
            if let Some(at) = state.thread(self.tid)
                && let Some(mask) = state.threads[at].awaiting.take()
            {
                state.set_mask(at, mask, &mut tells);
            }
        }
        self.signals.ring(tells);
    }
}

/// A thread with a mask for the time being. Dropped before it is over, it has the one before.
struct Suspended<'s> {
    signals: &'s SignalManager,
    member: Member,
    tid: Pid,
    is_over: bool,
}

impl Suspended<'_> {
    /// `None`: there is something to deliver.
    fn look(&self) -> Result<Option<Seen>, Errno> {
        let mut state = self.member.process.lock();
        let at = state.thread(self.tid).ok_or(Errno::NoProcess)?;
        state.threads[at].is_told = state.is_due(at);
        let thread = &state.threads[at];
        Ok((!thread.is_told).then(|| thread.bell.event.seen()))
    }

    /// The mask stays until the deliver that follows.
    fn succeed(mut self) -> Result<Infallible, Errno> {
        self.is_over = true;
        Err(Errno::Interrupted)
    }
}

impl Drop for Suspended<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut tells = Tells::default();
        {
            let mut state = self.member.process.lock();
            if let Some(at) = state.thread(self.tid)
                && let Some(mask) = state.threads[at].saved.take()
            {
                state.set_mask(at, mask, &mut tells);
            }
        }
        self.signals.ring(tells);
    }
}
