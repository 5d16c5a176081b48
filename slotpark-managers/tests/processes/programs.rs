//! Another program in a process, and numbers, groups and sessions.

use std::sync::Arc;

use slotpark_managers::*;

use crate::common::{until, watchdog};
use crate::{System, result, set};

/// A thread that is not the first runs another program: it alone is left, with the first's number.
#[test]
fn another_program_has_one_thread() {
    let _watchdog = watchdog("another_program_has_one_thread");
    let system = System::new();
    let guest = system.child();
    let second = system.processes.add_thread(guest).expect("a thread");
    let before = system
        .signals
        .set_action(guest, Signal::USR1, SignalAction::call(1));
    before.expect("it is there");
    let blocked = set(&[Signal::HUP]);
    system
        .signals
        .set_mask(second, blocked)
        .expect("it is there");
    let hup = SignalInfo::thread(Signal::HUP, guest);
    system
        .signals
        .send_thread(second, hup)
        .expect("it is there");
    let first = system.waiting(guest, move |system| {
        let awaited = set(&[Signal::USR2]);
        let wait = system.signals.timed_wait(guest, awaited, Block::FOREVER);
        assert_eq!(wait, Err(Errno::Interrupted));
        let told = system.signals.deliver(guest);
        assert_eq!(told, Ok(Some(Delivered::ExitThread)));
        assert_eq!(system.processes.add_thread(guest), Err(Errno::Interrupted));
        until("the other one waits for this one", || {
            system.processes.waiters(guest) == Ok(1)
        });
        system.processes.exit_thread(guest, 0).expect("it runs");
    });
    let pid = system.processes.exec(second, Block::FOREVER);
    assert_eq!(pid, Ok(guest));
    result(first);
    assert_eq!(system.processes.process_of(second), Err(Errno::NoProcess));
    assert_eq!(system.processes.process_of(guest), Ok(guest));
    // Mask and pending are the thread's; the handler is gone with the program.
    assert_eq!(system.signals.pending(guest), Ok(blocked));
    let action = system.signals.action(guest, Signal::USR1);
    assert_eq!(action, Ok(SignalAction::DEFAULT));
    let moved = system.processes.set_group(system.init(), guest, Pid(0));
    assert_eq!(moved, Err(Errno::Access));
    assert!(system.processes.add_thread(guest).is_ok());
}

#[test]
fn numbers_in_use_are_not_given_out() {
    let waits = Arc::new(Waits::new());
    let signals = Arc::new(SignalManager::new(waits.clone()));
    let processes = ProcessManager::with_numbers(waits, signals, 5).expect("a new system");
    let init = processes.init();
    let leader = processes.fork(init).expect("a number is free");
    processes.begin_session(leader).expect("it leads no group");
    let member = processes.fork(leader).expect("a number is free");
    processes.exit_group(leader, 0).expect("it runs");
    let reaped = processes.try_wait(init, Children::One(leader), WaitFor::EXITED);
    assert!(matches!(reaped, Ok(Some(_))), "{reaped:?}");
    // A group and a session still have its number; a zombie has its own.
    let zombie = processes.fork(init).expect("a number is free");
    processes.exit_group(zombie, 0).expect("it runs");
    let thread = processes.add_thread(init).expect("a number is free");
    assert_eq!([leader, member, zombie, thread], [2, 3, 4, 5].map(Pid));
    assert_eq!(processes.fork(init), Err(Errno::Again));
    processes.exit_group(member, 0).expect("it runs");
    assert_eq!(processes.fork(init), Err(Errno::Again));
    let reaped = processes.try_wait(init, Children::OfGroup(leader), WaitFor::EXITED);
    assert!(matches!(reaped, Ok(Some(_))), "{reaped:?}");
    assert_eq!(processes.fork(init), Ok(leader));
    assert_eq!(processes.fork(init), Ok(member));

    // A group alone, whose leader is gone.
    processes
        .set_group(leader, leader, Pid(0))
        .expect("its own group");
    processes
        .set_group(member, member, leader)
        .expect("of its session");
    processes.exit_group(leader, 0).expect("it runs");
    let reaped = processes.try_wait(init, Children::One(leader), WaitFor::EXITED);
    assert!(matches!(reaped, Ok(Some(_))), "{reaped:?}");
    assert_eq!(processes.fork(init), Err(Errno::Again));
}

#[test]
fn a_child_in_another_session_is_not_moved() {
    let system = System::new();
    let parent = system.child();
    let child = system.processes.fork(parent).expect("a child");
    let session = system.processes.begin_session(parent);
    session.expect("it leads no group");
    let moved = system.processes.set_group(parent, child, Pid(0));
    assert_eq!(moved, Err(Errno::NotPermitted));
    // By itself it may.
    assert_eq!(system.processes.set_group(child, child, Pid(0)), Ok(()));
}
