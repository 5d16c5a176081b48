//! What a userspace kernel, an emulator or a sandbox keeps by key, and blocks its guests on: state
//! where state belongs, waiting in slotpark's slots.
//!
//! A pipe has a buffer, a process has a parent: such state is an entry of a map, made when its key
//! begins and removed when it ends. But who blocks on it waits in one fixed table of slots, shared
//! by all managers: a thread that blocks costs no allocation, a key that nobody waits on costs
//! nothing there, and nothing is to be cleaned up after a wait.
//!
//! Every call that may block takes a [`Block`], which says how: not at all, for ever, until a
//! deadline, as long as its thread is not interrupted. Each has a form for tasks. Errors are
//! [`Errno`]s, the host's numbers.
//!
//! **Inside.** A manager changes an entry under the entry's own lock, moves on the version of the
//! `Event` that others wait for, and wakes after it has given back all locks. Who waits looks at
//! the version under the slot lock, and takes no other lock there. **Lock order**: an entry of the
//! map, then the lock of its state; both are given back before a table is called.
#![forbid(unsafe_code)]

mod access;
mod block;
mod channel;
mod condvar;
mod errno;
mod event;
mod fd;
mod memory;
mod number;
mod once;
mod pid;
mod pipe;
mod process;
mod signal;
mod stored;

pub use access::Access;
pub use block::Block;
pub use channel::{
    Channel, ChannelAttributes, ChannelLimits, ChannelOptions, ChannelState, IpcChannels,
    PRIORITIES, Received,
};
pub use condvar::{CondvarGuard, CondvarWait};
pub use errno::Errno;
pub use event::{WaitKey, Waits};
pub use fd::{CloseRange, Description, FdTable, OpenFd};
pub use memory::{Mapped, Mapping, MemoryRegions, Place, Protection, Region};
pub use once::{OnceError, OnceMap};
pub use pid::Pid;
pub use pipe::{PIPE_BUF, PipeEnd, PipeManager, PipePoll, Readiness};
pub use process::{
    ChildChange, ChildReport, Children, ExitStatus, KillTarget, ProcessManager, WaitFor,
};
pub use signal::{
    DefaultAction, Delivered, Handler, HandlerCall, MaskChange, Restart, Signal, SignalAction,
    SignalFlags, SignalInfo, SignalManager, SignalSet,
};
pub use stored::StoredNotify;
