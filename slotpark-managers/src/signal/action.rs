//! What a process does about a signal.

use bitflags::bitflags;

use super::number::Signal;
use super::set::SignalSet;

/// What a process does about a signal: `struct sigaction`.
///
/// ```
/// use slotpark_managers::{Handler, SignalAction, SignalFlags};
/// let action = SignalAction::call(7).with(SignalFlags::RESTART);
/// assert_eq!(action.handler, Handler::Call(7));
/// assert_eq!(SignalAction::default().handler, Handler::Default);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SignalAction {
    /// What is done.
    pub handler: Handler,
    /// How.
    pub flags: SignalFlags,
    /// What is blocked beside the signal itself while the handler runs.
    pub mask: SignalSet,
}

/// What is done about a signal.
///
/// ```
/// assert_eq!(slotpark_managers::Handler::default(), slotpark_managers::Handler::Default);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Handler {
    /// SIG_DFL: what [`Signal::default_action`] says.
    #[default]
    Default,
    /// SIG_IGN: nothing; it does not even become pending.
    Ignore,
    /// A function of the guest's, by whatever number its kernel knows it.
    Call(u64),
}

bitflags! {
    /// The flags of an action, with Linux's bits.
    ///
    /// ```
    /// use slotpark_managers::SignalFlags;
    /// assert_eq!(SignalFlags::RESTART.bits(), 0x1000_0000);
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct SignalFlags: u32 {
        /// Of SIGCHLD: not when a child stops or goes on.
        const NOCLDSTOP = 1;
        /// Of SIGCHLD: children leave no zombies.
        const NOCLDWAIT = 2;
        /// The handler is told more than the number. Kept for the guest's kernel.
        const SIGINFO = 4;
        /// The call that was interrupted is made again.
        const RESTART = 0x1000_0000;
        /// The signal itself is not blocked while its handler runs.
        const NODEFER = 0x4000_0000;
        /// Once: the handler is the default again when it is called.
        const RESETHAND = 0x8000_0000;
    }
}

impl SignalAction {
    /// The default.
    pub const DEFAULT: Self = Self::of(Handler::Default);
    /// Nothing.
    pub const IGNORE: Self = Self::of(Handler::Ignore);

    const fn of(handler: Handler) -> Self {
        Self {
            handler,
            flags: SignalFlags::empty(),
            mask: SignalSet::EMPTY,
        }
    }

    /// A function of the guest's.
    ///
    /// ```
    /// use slotpark_managers::{SignalAction, SignalFlags};
    /// assert_eq!(SignalAction::call(7).flags, SignalFlags::empty());
    /// ```
    #[must_use]
    pub const fn call(function: u64) -> Self {
        Self::of(Handler::Call(function))
    }

    /// The same with these flags too.
    ///
    /// ```
    /// use slotpark_managers::{SignalAction, SignalFlags};
    /// let action = SignalAction::IGNORE.with(SignalFlags::NOCLDWAIT);
    /// assert_eq!(action.flags, SignalFlags::NOCLDWAIT);
    /// ```
    #[must_use]
    pub fn with(self, flags: SignalFlags) -> Self {
        Self {
            flags: self.flags | flags,
            ..self
        }
    }

    /// The same, with these blocked while the handler runs.
    ///
    /// ```
    /// use slotpark_managers::{Signal, SignalAction, SignalSet};
    /// let action = SignalAction::call(7).blocking(SignalSet::EMPTY.with(Signal::HUP));
    /// assert!(action.mask.contains(Signal::HUP));
    /// ```
    #[must_use]
    pub fn blocking(self, mask: SignalSet) -> Self {
        Self {
            mask: mask.as_mask(),
            ..self
        }
    }

    /// Whether `signal` would be thrown away.
    pub(super) fn ignores(&self, signal: Signal) -> bool {
        match self.handler {
            Handler::Default => signal.is_nothing_by_default(),
            Handler::Ignore => true,
            Handler::Call(_) => false,
        }
    }
}
