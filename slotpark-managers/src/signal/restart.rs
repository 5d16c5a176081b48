//! Whether a call that a signal has interrupted is made again.

use super::SignalManager;
use super::action::SignalFlags;
use super::deliver::{Delivered, HandlerCall};
use crate::{Block, Errno, Pid};

/// What becomes of a call that has failed with EINTR once signals are delivered: signal(7),
/// "Interruption of system calls and library functions by signal handlers". Where no handler was
/// delivered (the process was stopped and continued, or the signal was ignored after all), all but
/// [`Never`](Self::Never) are made again.
///
/// ```
/// use slotpark_managers::Restart;
/// assert!(Restart::ByFlag.applies(None));
/// assert!(!Restart::Never.applies(None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Made again if the handler has SA_RESTART: read(2), write(2), wait4(2), futex(2) without a
    /// timeout. The kernel's ERESTARTSYS.
    ByFlag,
    /// Not made again after a handler: sigsuspend(2), poll(2), whatever has a timeout. The kernel's
    /// ERESTARTNOHAND.
    Unhandled,
    /// Never made again: sigtimedwait(2).
    Never,
    /// Always made again: fork(2). The kernel's ERESTARTNOINTR.
    Always,
}

impl Restart {
    /// Whether the call is made again after the first handler that was delivered, or none.
    ///
    /// ```
    /// use slotpark_managers::{HandlerCall, Pid, Restart, Signal, SignalFlags};
    /// use slotpark_managers::{SignalInfo, SignalSet};
    /// let call = HandlerCall {
    ///     function: 7,
    ///     info: SignalInfo::user(Signal::HUP, Pid(1)),
    ///     flags: SignalFlags::RESTART,
    ///     blocks: SignalSet::EMPTY,
    ///     restores: SignalSet::EMPTY,
    /// };
    /// assert!(Restart::ByFlag.applies(Some(&call)));
    /// assert!(!Restart::Unhandled.applies(Some(&call)));
    /// ```
    #[must_use]
    pub fn applies(self, first: Option<&HandlerCall>) -> bool {
        match (self, first) {
            (Self::Never, _) => false,
            (Self::Always, _) | (_, None) => true,
            (Self::ByFlag, Some(call)) => call.flags.contains(SignalFlags::RESTART),
            (Self::Unhandled, Some(_)) => false,
        }
    }
}

impl SignalManager {
    /// Makes a blocking call as thread `tid`: with `block` and the thread's interrupter. If it
    /// fails with EINTR, signals are delivered: each goes to `handle`, which does what it says (a
    /// handler runs there, and the mask is restored when it returns; a stop is waited for here, and
    /// does not reach it). Then the call is made again, if `restart` says so.
    ///
    /// The deadline of `block` stays what it is.
    ///
    /// # Errors
    /// Those of `call`. [`Errno::Interrupted`] also once the thread is to leave.
    ///
    /// ```
    /// use slotpark_managers::{Block, Delivered, Errno, Pid, Restart, Signal, SignalAction};
    /// use slotpark_managers::{SignalFlags, SignalInfo, SignalManager};
    /// let signals = SignalManager::new(Default::default());
    /// signals.register(Pid(1))?;
    /// let action = SignalAction::call(7).with(SignalFlags::RESTART);
    /// signals.set_action(Pid(1), Signal::HUP, action)?;
    /// signals.send(Pid(1), SignalInfo::user(Signal::HUP, Pid(2)))?;
    /// let (mut calls, mut handlers) = (0, 0);
    /// let result = signals.restarting(
    ///     (Pid(1), Restart::ByFlag),
    ///     Block::FOREVER,
    ///     |_block| {
    ///         calls += 1;
    ///         // As a read would end that blocks.
    ///         if calls == 1 { Err(Errno::Interrupted) } else { Ok(calls) }
    ///     },
    ///     |_delivered| handlers += 1,
    /// );
    /// assert_eq!((result, handlers), (Ok(2), 1));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn restarting<T>(
        &self,
        (tid, restart): (Pid, Restart),
        block: Block<'_>,
        mut call: impl FnMut(Block<'_>) -> Result<T, Errno>,
        mut handle: impl FnMut(Delivered),
    ) -> Result<T, Errno> {
        let interrupter = self.interrupter(tid)?;
        let block = block.interruptible(&interrupter);
        loop {
            let result = call(block);
            if !matches!(result, Err(Errno::Interrupted)) {
                return result;
            }
            let is_again = self.deliver_all(tid, restart, &mut handle)?;
            if !is_again {
                return Err(Errno::Interrupted);
            }
        }
    }

    /// Delivers all that there is; whether the call is made again.
    fn deliver_all(
        &self,
        tid: Pid,
        restart: Restart,
        handle: &mut impl FnMut(Delivered),
    ) -> Result<bool, Errno> {
        let mut first = None;
        let mut frames: Vec<HandlerCall> = Vec::new();
        loop {
            match self.deliver(tid)? {
                Some(Delivered::Handler(call)) => {
                    first.get_or_insert(call);
                    frames.push(call);
                }
                Some(Delivered::Stop) => self.while_stopped(tid, Block::FOREVER)?,
                Some(end) => {
                    handle(end);
                    return Ok(false);
                }
                None => match frames.pop() {
                    None => return Ok(restart.applies(first.as_ref())),
                    Some(call) => {
                        handle(Delivered::Handler(call));
                        self.end_handler(tid, call.restores)?;
                    }
                },
            }
        }
    }
}
