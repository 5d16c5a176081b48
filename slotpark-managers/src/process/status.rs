//! How processes end, and what is reported of children.

use bitflags::bitflags;

use crate::{Pid, Signal};

/// How a process has ended.
///
/// ```
/// use slotpark_managers::{ExitStatus, Signal};
/// assert_eq!(ExitStatus::exited(256 + 7), ExitStatus::Exited(7));
/// assert_eq!(ExitStatus::exited(7).wait_status(), 0x700);
/// assert_eq!(ExitStatus::signaled(Signal::KILL).wait_status(), 9);
/// assert_eq!(ExitStatus::signaled(Signal::SEGV).dumped().wait_status(), 11 | 0x80);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// By exit(2), with the low byte of what it said.
    Exited(u8),
    /// By a signal.
    Signaled {
        /// Which.
        signal: Signal,
        /// It has left an image of its memory.
        is_dumped: bool,
    },
}

impl ExitStatus {
    /// By exit(2) with this code, of which the low byte counts.
    ///
    /// ```
    /// use slotpark_managers::ExitStatus;
    /// assert_eq!(ExitStatus::exited(-1), ExitStatus::Exited(255));
    /// ```
    #[must_use]
    pub const fn exited(code: i32) -> Self {
        Self::Exited(code as u8)
    }

    /// By this signal.
    ///
    /// ```
    /// use slotpark_managers::{ExitStatus, Signal};
    /// let status = ExitStatus::signaled(Signal::TERM);
    /// assert!(matches!(status, ExitStatus::Signaled { is_dumped: false, .. }));
    /// ```
    #[must_use]
    pub const fn signaled(signal: Signal) -> Self {
        Self::Signaled {
            signal,
            is_dumped: false,
        }
    }

    /// The same, and the image of its memory was written; if it was a signal.
    ///
    /// ```
    /// use slotpark_managers::ExitStatus;
    /// assert_eq!(ExitStatus::exited(7).dumped(), ExitStatus::exited(7));
    /// ```
    #[must_use]
    pub const fn dumped(self) -> Self {
        match self {
            Self::Exited(_) => self,
            Self::Signaled { signal, .. } => Self::Signaled {
                signal,
                is_dumped: true,
            },
        }
    }

    /// As waitpid(2) gives it.
    ///
    /// ```
    /// assert_eq!(slotpark_managers::ExitStatus::exited(1).wait_status(), 256);
    /// ```
    #[must_use]
    pub const fn wait_status(self) -> i32 {
        match self {
            Self::Exited(code) => (code as i32) << 8,
            Self::Signaled { signal, is_dumped } => signal.number() | (is_dumped as i32) << 7,
        }
    }
}

/// What has become of a child.
///
/// ```
/// use slotpark_managers::{ChildChange, Signal};
/// assert_eq!(ChildChange::Stopped(Signal::STOP).wait_status(), 0x137f);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChildChange {
    /// It has ended, and with this report it is gone.
    Ended(ExitStatus),
    /// A signal has stopped it.
    Stopped(Signal),
    /// It goes on.
    Continued,
}

impl ChildChange {
    /// As waitpid(2) gives it.
    ///
    /// ```
    /// assert_eq!(slotpark_managers::ChildChange::Continued.wait_status(), 0xffff);
    /// ```
    #[must_use]
    pub const fn wait_status(self) -> i32 {
        match self {
            Self::Ended(status) => status.wait_status(),
            Self::Stopped(signal) => signal.number() << 8 | 0x7f,
            Self::Continued => 0xffff,
        }
    }

    /// `si_code` of SIGCHLD: CLD_EXITED and so on.
    ///
    /// ```
    /// use slotpark_managers::{ChildChange, ExitStatus};
    /// assert_eq!(ChildChange::Ended(ExitStatus::exited(0)).code(), 1);
    /// ```
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::Ended(ExitStatus::Exited(_)) => 1,
            Self::Ended(ExitStatus::Signaled { is_dumped, .. }) => 2 + is_dumped as i32,
            Self::Stopped(_) => 5,
            Self::Continued => 6,
        }
    }

    /// `si_status` of SIGCHLD: a code or the number of a signal.
    ///
    /// ```
    /// use slotpark_managers::{ChildChange, ExitStatus};
    /// assert_eq!(ChildChange::Ended(ExitStatus::exited(7)).status(), 7);
    /// assert_eq!(ChildChange::Continued.status(), 18);
    /// ```
    #[must_use]
    pub const fn status(self) -> i32 {
        match self {
            Self::Ended(ExitStatus::Exited(code)) => code as i32,
            Self::Ended(ExitStatus::Signaled { signal, .. }) | Self::Stopped(signal) => {
                signal.number()
            }
            Self::Continued => Signal::CONT.number(),
        }
    }
}

/// What a wait for a child has come to.
///
/// ```
/// use slotpark_managers::{ChildChange, ChildReport, Pid};
/// let report = ChildReport { child: Pid(2), change: ChildChange::Continued };
/// assert_eq!(report.child, Pid(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChildReport {
    /// Which child.
    pub child: Pid,
    /// What has become of it.
    pub change: ChildChange,
}

/// Which children to wait for.
///
/// ```
/// use slotpark_managers::{Children, Pid};
/// assert_ne!(Children::One(Pid(7)), Children::OfGroup(Pid(7)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Children {
    /// Any: waitpid(-1), P_ALL.
    Any,
    /// This one: P_PID.
    One(Pid),
    /// Those in this group: waitpid(-group), P_PGID.
    OfGroup(Pid),
    /// Those in the group of the caller, as it is when the call begins: waitpid(0).
    OfOwnGroup,
}

bitflags! {
    /// What to wait for.
    ///
    /// ```
    /// use slotpark_managers::WaitFor;
    /// let waitpid_untraced = WaitFor::EXITED | WaitFor::STOPPED;
    /// assert!(waitpid_untraced.contains(WaitFor::EXITED));
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct WaitFor: u8 {
        /// Children that end. WEXITED; waitpid(2) always has it.
        const EXITED = 1;
        /// Children that a signal stops. WSTOPPED, WUNTRACED.
        const STOPPED = 2;
        /// Children that go on. WCONTINUED.
        const CONTINUED = 4;
        /// Leaves what it reports to be waited for again. WNOWAIT.
        const KEEP = 8;
    }
}
