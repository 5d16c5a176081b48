//! The same waits as tasks: what a dropped future leaves.

use std::future::Future;
use std::pin::pin;

use slotpark_managers::*;

use crate::common::bells::{Bell, poll, ready};
use crate::common::watchdog;
use crate::{System, result, set};

/// Two wait for a signal; the one that is told is dropped, and the other takes it.
#[test]
fn a_dropped_wait_for_signals_hands_its_signal_on() {
    let _watchdog = watchdog("a_dropped_wait_for_signals_hands_its_signal_on");
    let system = System::new();
    let first = system.child();
    let second = system.processes.add_thread(first).expect("a thread");
    let usr1 = set(&[Signal::USR1]);
    for tid in [first, second] {
        system.signals.set_mask(tid, usr1).expect("it is there");
    }
    let thread = system.waiting(second, move |system| {
        system.signals.timed_wait(second, usr1, Block::FOREVER)
    });
    {
        let bell = Bell::new();
        let mut wait = pin!(system.signals.timed_wait_async(first, usr1));
        assert!(poll(wait.as_mut(), &bell).is_pending());
        assert_eq!(system.signals.waiters(first), Ok(1));
        system.kill(first, Signal::USR1);
        assert_eq!(bell.rings(), 1);
        assert_eq!(system.signals.waiters(second), Ok(1));
    }
    assert_eq!(result(thread).map(|info| info.signal), Ok(Signal::USR1));
    assert_eq!(system.signals.mask(first), Ok(usr1));
}

#[test]
fn a_dropped_suspension_restores_the_mask() {
    let system = System::new();
    let guest = system.child();
    let usr1 = set(&[Signal::USR1]);
    system.signals.set_mask(guest, usr1).expect("it is there");
    {
        let bell = Bell::new();
        let mut wait = pin!(system.signals.suspend_async(guest, SignalSet::EMPTY));
        assert!(poll(wait.as_mut(), &bell).is_pending());
        assert_eq!(system.signals.mask(guest), Ok(SignalSet::EMPTY));
    }
    assert_eq!(system.signals.mask(guest), Ok(usr1));
}

#[test]
fn a_dropped_wait_takes_no_report() {
    let system = System::new();
    let init = system.init();
    let guest = system.child();
    let bell = Bell::new();
    let wait = || {
        let any = Children::Any;
        system.processes.wait_async(init, any, WaitFor::EXITED)
    };
    {
        let mut dropped = pin!(wait());
        assert!(poll(dropped.as_mut(), &bell).is_pending());
        system.processes.exit_group(guest, 0).expect("it runs");
        assert_eq!(bell.rings(), 1);
    }
    assert_eq!(ready(pin!(wait())).map(|report| report.child), Ok(guest));
}

#[test]
fn a_task_is_stopped_and_goes_on() {
    let system = System::new();
    let guest = system.child();
    system.kill(guest, Signal::STOP);
    assert_eq!(system.signals.deliver(guest), Ok(Some(Delivered::Stop)));
    let bell = Bell::new();
    let mut rest = pin!(system.signals.while_stopped_async(guest));
    assert!(poll(rest.as_mut(), &bell).is_pending());
    assert_eq!(system.signals.is_stopped(guest), Ok(true));
    system.kill(guest, Signal::CONT);
    assert_eq!(ready(rest.as_mut()), Ok(()));
}

#[test]
fn a_task_runs_another_program() {
    let system = System::new();
    let guest = system.child();
    let second = system.processes.add_thread(guest).expect("a thread");
    let bell = Bell::new();
    let mut exec = pin!(system.processes.exec_async(second));
    assert!(poll(exec.as_mut(), &bell).is_pending());
    let told = system.signals.deliver(guest);
    assert_eq!(told, Ok(Some(Delivered::ExitThread)));
    system.processes.exit_thread(guest, 0).expect("it runs");
    assert_eq!(ready(exec.as_mut()), Ok(guest));
}

#[test]
fn a_task_learns_that_a_signal_is_there() {
    let system = System::new();
    let guest = system.child();
    let usr1 = set(&[Signal::USR1]);
    system.signals.set_mask(guest, usr1).expect("it is there");
    let bell = Bell::new();
    let mut due = pin!(system.signals.due_async(guest));
    assert!(poll(due.as_mut(), &bell).is_pending());
    system.kill(guest, Signal::USR1);
    assert!(poll(due.as_mut(), &bell).is_pending());
    system.kill(guest, Signal::TERM);
    assert_eq!(ready(due.as_mut()), Ok(()));
}

fn _is_send(system: &System) {
    fn is_send<T: Future + Send>(_: T) {}
    is_send(system.signals.timed_wait_async(Pid(1), SignalSet::EMPTY));
    is_send(system.signals.suspend_async(Pid(1), SignalSet::EMPTY));
    is_send(system.signals.while_stopped_async(Pid(1)));
    is_send(system.signals.due_async(Pid(1)));
    is_send(system.processes.exec_async(Pid(1)));
    let any = Children::Any;
    is_send(system.processes.wait_async(Pid(1), any, WaitFor::EXITED));
}
