//! Waiting for a handler with a mask for the time being: sigsuspend.

use std::convert::Infallible;

use super::set::SignalSet;
use super::{Member, SignalManager, Tells};
use crate::event::Seen;
use crate::{Block, Errno, Pid};

impl SignalManager {
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

    /// Waits until there is something to [`deliver`](Self::deliver) to thread `tid`: for a task
    /// that waits for something else at the same time, which a signal is to end. **Cancel safety**:
    /// it takes nothing.
    ///
    /// # Errors
    /// [`Errno::NoProcess`]: there is no such thread.
    ///
    /// ```
    /// use futures_lite::future::{block_on, or, pending};
    /// use slotpark_managers::{Errno, Pid, Signal, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// signals.send(Pid(1), SignalInfo::user(Signal::TERM, Pid(2)))?;
    /// let read = pending::<Result<usize, Errno>>();
    /// let read = or(read, async {
    ///     signals.due_async(Pid(1)).await?;
    ///     Err(Errno::Interrupted)
    /// });
    /// assert_eq!(block_on(read), Err(Errno::Interrupted));
    /// # Ok::<_, Errno>(())
    /// ```
    pub async fn due_async(&self, tid: Pid) -> Result<(), Errno> {
        let member = self.member(tid)?;
        loop {
            let seen = {
                let state = member.process.lock();
                let at = state.thread(tid).ok_or(Errno::NoProcess)?;
                if state.is_due(at) {
                    return Ok(());
                }
                member.bell.event.seen()
            };
            member.bell.event.wait_async(&self.waits, seen).await?;
        }
    }

    fn begin_suspend(&self, tid: Pid, mask: SignalSet) -> Result<Suspended<'_>, Errno> {
        let member = self.member(tid)?;
        self.with_thread(tid, |state, at, tells| {
            let thread = &mut state.threads[at];
            // Not one for the time being, if that was not delivered yet.
            thread.saved = thread.saved.or(Some(thread.mask));
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
            let at = state.thread(self.tid);
            let before = at.and_then(|at| Some((at, state.threads[at].saved.take()?)));
            if let Some((at, mask)) = before {
                state.set_mask(at, mask, &mut tells);
            }
        }
        self.signals.ring(tells);
    }
}
