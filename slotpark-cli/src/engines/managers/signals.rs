//! Signals: a thread sends one to its own process, and its handler runs.

use std::mem::zeroed;
use std::ptr::{from_ref, null_mut};
use std::sync::Arc;

use crossbeam_utils::atomic::AtomicCell;
use rustix::process::{Pid as HostPid, Signal as HostSignal, getpid, kill_process};
use slotpark_managers::{Delivered, Pid, Signal, SignalAction, SignalInfo, SignalManager, Waits};

use super::{KERNEL, SLOTPARK};
use crate::measure::managers::SignalEngine;

const GUEST: Pid = Pid(1);
/// The number by which the guest's kernel knows its handler.
const HANDLER: u64 = 7;

/// A manager's: the guest's kernel sends, asks what is to be done, does it, and says when it is
/// done.
#[derive(Debug)]
pub(crate) struct SlotparkSignals {
    manager: SignalManager,
    handled: u32,
}

impl SignalEngine for SlotparkSignals {
    const NAME: &'static str = SLOTPARK;

    fn new() -> Self {
        let manager = SignalManager::new(Arc::new(Waits::new()));
        manager.register(GUEST).expect("nobody else is there");
        let action = SignalAction::call(HANDLER);
        let set = manager.set_action(GUEST, Signal::USR1, action);
        set.expect("it can be caught");
        Self {
            manager,
            handled: 0,
        }
    }

    #[inline]
    fn signal(&mut self) -> u32 {
        let sent = self
            .manager
            .send(GUEST, SignalInfo::user(Signal::USR1, GUEST));
        sent.expect("the guest is there");
        if let Ok(Some(Delivered::Handler(call))) = self.manager.deliver(GUEST) {
            self.handled = self
                .handled
                .wrapping_add(u32::from(call.function == HANDLER));
            let ended = self.manager.end_handler(GUEST, call.restores);
            ended.expect("the guest is there");
        }
        self.handled
    }
}

static HANDLED: AtomicCell<u32> = AtomicCell::new(0);

/// A handler of the host's. Adding to a lock-free cell is all that it does.
extern "C" fn handler(_signal: libc::c_int) {
    HANDLED.fetch_add(1);
}

/// The kernel's: kill(2) of this process itself. While others do not block the signal either, the
/// kernel gives it to the first thread, which samples are taken by: the handler has run when the
/// call returns.
#[derive(Debug)]
pub(crate) struct KernelSignals(HostPid);

impl SignalEngine for KernelSignals {
    const NAME: &'static str = KERNEL;

    fn new() -> Self {
        let handler: extern "C" fn(libc::c_int) = handler;
        // SAFETY: a `sigaction` is plain data, of which zeros are an empty mask and no flags.
        let mut action: libc::sigaction = unsafe { zeroed() };
        action.sa_sigaction = handler as usize;
        // SAFETY: the action lives, the old one is not asked for, and the handler only adds to a
        // lock-free cell.
        let result = unsafe { libc::sigaction(libc::SIGUSR1, from_ref(&action), null_mut()) };
        assert_eq!(result, 0, "the signal can be caught");
        Self(getpid())
    }

    #[inline]
    fn signal(&mut self) -> u32 {
        let before = HANDLED.load();
        kill_process(self.0, HostSignal::USR1).expect("this process is there");
        loop {
            let handled = HANDLED.load();
            if handled != before {
                return handled;
            }
            // Another thread was given it.
            std::hint::spin_loop();
        }
    }
}
