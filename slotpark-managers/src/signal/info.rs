//! What is told with a signal.

use crate::{Pid, Signal};

/// A signal that was sent, and what its receiver is told of it: the part of `siginfo_t` that does
/// not depend on a machine.
///
/// ```
/// use slotpark_managers::{Pid, Signal, SignalInfo};
/// let info = SignalInfo::queued(Signal::RT_MIN, Pid(1), 42);
/// assert_eq!((info.code, info.value), (SignalInfo::QUEUE, 42));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalInfo {
    /// `si_signo`.
    pub signal: Signal,
    /// `si_code`: who has sent it, and by which call; above zero: why the kernel has.
    pub code: i32,
    /// `si_pid`: the process that sent it, or the child that it is about.
    pub sender: Pid,
    /// `si_value`, `si_status` or `si_addr`, by what the code says.
    pub value: u64,
}

impl SignalInfo {
    /// The code of kill(2).
    pub const USER: i32 = 0;
    /// The code of sigqueue(3).
    pub const QUEUE: i32 = -1;
    /// The code of tgkill(2).
    pub const TKILL: i32 = -6;
    /// The code of what the kernel sends without saying more.
    pub const KERNEL: i32 = 0x80;

    /// As kill(2) sends it.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalInfo};
    /// assert_eq!(SignalInfo::user(Signal::TERM, Pid(1)).code, SignalInfo::USER);
    /// ```
    #[must_use]
    pub const fn user(signal: Signal, sender: Pid) -> Self {
        Self::kernel(signal, Self::USER, sender, 0)
    }

    /// As tgkill(2) sends it.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalInfo};
    /// assert_eq!(SignalInfo::thread(Signal::TERM, Pid(1)).code, SignalInfo::TKILL);
    /// ```
    #[must_use]
    pub const fn thread(signal: Signal, sender: Pid) -> Self {
        Self::kernel(signal, Self::TKILL, sender, 0)
    }

    /// As sigqueue(3) sends it.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalInfo};
    /// assert_eq!(SignalInfo::queued(Signal::TERM, Pid(1), 7).value, 7);
    /// ```
    #[must_use]
    pub const fn queued(signal: Signal, sender: Pid, value: u64) -> Self {
        Self::kernel(signal, Self::QUEUE, sender, value)
    }

    /// As a kernel sends it: with any code.
    ///
    /// ```
    /// use slotpark_managers::{Pid, Signal, SignalInfo};
    /// let info = SignalInfo::kernel(Signal::SEGV, 1, Pid(0), 0xDEAD_BEEF);
    /// assert_eq!(info.value, 0xDEAD_BEEF);
    /// ```
    #[must_use]
    pub const fn kernel(signal: Signal, code: i32, sender: Pid, value: u64) -> Self {
        Self {
            signal,
            code,
            sender,
            value,
        }
    }
}
