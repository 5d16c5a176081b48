//! The numbers of processes and of what is numbered with them.

use std::fmt;

/// The number of a process, a thread, a process group or a session: they share one space of
/// numbers, in which a process has that of its first thread, a group that of the process that began
/// it, and so has a session.
///
/// ```
/// use slotpark_managers::Pid;
/// assert_eq!(Pid(7).to_string(), "7");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pid(pub u32);

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
