//! Taking signals without a handler: sigtimedwait.

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
    /// no such thread. [`Errno::Busy`]: another call waits as this thread.
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
            match event.wait(&self.waits, seen, block) {
                Ok(()) => {}
                Err(Errno::Interrupted) if waiting.forgets_interrupt(block)? => {}
                Err(errno) => return waiting.give_up(errno),
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
        if thread.awaiting.is_some() {
            return Err(Errno::Busy);
        }
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

    /// Forgets an interrupt, if it was for a signal that a wait before has taken: a bell rings
    /// first, and interrupts then. False for interrupts that others make.
    fn forgets_interrupt(&self, block: Block<'_>) -> Result<bool, Errno> {
        let own = &*self.member.bell.interrupter;
        if !block.interrupter.is_some_and(|by| std::ptr::eq(by, own)) {
            return Ok(false);
        }
        // First this, then the look, as where signals are delivered.
        own.clear();
        let is_due = {
            let state = self.member.process.lock();
            let at = state.thread(self.tid).ok_or(Errno::NoProcess)?;
            state.is_due(at)
        };
        if is_due {
            // It ends the next wait, if this one finds what it waits for.
            own.interrupt();
        }
        Ok(true)
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
            let at = state.thread(self.tid);
            let before = at.and_then(|at| Some((at, state.threads[at].awaiting.take()?)));
            if let Some((at, mask)) = before {
                state.set_mask(at, mask, &mut tells);
            }
        }
        self.signals.ring(tells);
    }
}
