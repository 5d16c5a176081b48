//! Processes end: who learns of it, what stays, and what another program takes over.

use std::sync::{Arc, Mutex};

use slotpark_managers::*;

use crate::common::{until, watchdog};
use crate::{System, result, set};

/// As many waits as children, and each child is reported to one of them.
#[test]
fn each_zombie_is_reaped_once() {
    let _watchdog = watchdog("each_zombie_is_reaped_once");
    let system = System::new();
    for _ in 0..100 {
        let children: Vec<_> = (0..8).map(|_| system.child()).collect();
        let waits: Vec<_> = children
            .iter()
            .map(|_| {
                system.waiting_for_children(system.init(), |system| {
                    let (init, any) = (system.init(), Children::Any);
                    let report = system
                        .processes
                        .wait(init, any, WaitFor::EXITED, Block::FOREVER);
                    report.expect("as many children as waits").child
                })
            })
            .collect();
        let ends: Vec<_> = children
            .iter()
            .map(|child| {
                let child = *child;
                std::thread::spawn(move || system.processes.exit_group(child, 7))
            })
            .collect();
        for end in ends {
            result(end).expect("it runs");
        }
        let mut reaped: Vec<_> = waits.into_iter().map(result).collect();
        reaped.sort_unstable();
        assert_eq!(reaped, children);
    }
    assert_eq!(system.processes.len(), 1);
}

/// Where children leave no zombies, a wait lasts until the last has ended, and finds none.
#[test]
fn who_ignores_children_waits_for_the_last() {
    let _watchdog = watchdog("who_ignores_children_waits_for_the_last");
    let system = System::new();
    let init = system.init();
    let ignored = SignalAction::IGNORE;
    let before = system.signals.set_action(init, Signal::CHLD, ignored);
    before.expect("it is there");
    let children = [system.child(), system.child()];
    let wait = system.waiting_for_children(init, move |system| {
        let any = Children::Any;
        system
            .processes
            .wait(init, any, WaitFor::EXITED, Block::FOREVER)
    });
    system
        .processes
        .exit_group(children[0], 0)
        .expect("it runs");
    until("it waits again", || system.processes.waiters(init) == Ok(1));
    system
        .processes
        .exit_group(children[1], 0)
        .expect("it runs");
    assert_eq!(result(wait), Err(Errno::NoChild));
    assert_eq!(system.processes.len(), 1);
}

/// A parent that has waited finds all cleaned up; the zombie can be asked for, and nothing of it
/// runs.
#[test]
fn hooks_run_before_the_parent_learns() {
    let _watchdog = watchdog("hooks_run_before_the_parent_learns");
    let system = System::new();
    let ended = Arc::new(Mutex::new(Vec::new()));
    for hook in 1..=2 {
        let ended = Arc::clone(&ended);
        system.processes.on_exit(move |pid| {
            // It is there still, and cannot be waited for.
            let (init, one) = (system.init(), Children::One(pid));
            let report = system.processes.try_wait(init, one, WaitFor::EXITED);
            assert_eq!(report, Ok(None));
            ended.lock().expect("no hook panics").push((hook, pid));
        });
    }
    let guest = system.child();
    let thread = system.processes.add_thread(guest).expect("a thread");
    system.processes.exit_thread(guest, 3).expect("it runs");
    assert!(ended.lock().expect("no hook panics").is_empty());
    system.processes.exit_thread(thread, 4).expect("it runs");
    let expected = [(1, guest), (2, guest)];
    assert_eq!(*ended.lock().expect("no hook panics"), expected);
    // The code of the first thread, which left first.
    let (init, any) = (system.init(), Children::Any);
    let report = system
        .processes
        .try_wait(init, any, WaitFor::EXITED | WaitFor::KEEP);
    let change = ChildChange::Ended(ExitStatus::exited(3));
    let child = guest;
    assert_eq!(report, Ok(Some(ChildReport { child, change })));
    // Kept: it is there still, and may be sent signals.
    system.kill(guest, Signal::TERM);
    assert!(
        system
            .processes
            .try_wait(init, any, WaitFor::EXITED)
            .is_ok()
    );
    let target = KillTarget::Process(guest);
    let sent = system.processes.kill(init, target, None);
    assert_eq!(sent, Err(Errno::NoProcess));
}

/// The first who says how a process ends is believed, and the others are interrupted.
#[test]
fn a_process_ends_when_its_last_thread_leaves() {
    let _watchdog = watchdog("a_process_ends_when_its_last_thread_leaves");
    let system = System::new();
    let guest = system.child();
    let threads = [0; 3].map(|_| system.processes.add_thread(guest).expect("a thread"));
    let waits = threads.map(|tid| {
        system.waiting(tid, move |system| {
            let awaited = set(&[Signal::USR1]);
            let wait = system.signals.timed_wait(tid, awaited, Block::FOREVER);
            assert_eq!(wait, Err(Errno::Interrupted));
            let told = system.signals.deliver(tid);
            let status = ExitStatus::exited(5);
            assert_eq!(told, Ok(Some(Delivered::Exit(status))));
            // Later, and so of no account.
            system.processes.exit_group(tid, 6).expect("it runs");
        })
    });
    let init = system.init();
    let parent = system.waiting_for_children(init, move |system| {
        let any = Children::Any;
        system
            .processes
            .wait(init, any, WaitFor::EXITED, Block::FOREVER)
    });
    system.processes.exit_group(guest, 5).expect("it runs");
    for wait in waits {
        result(wait);
    }
    let report = result(parent).map(|report| report.change);
    assert_eq!(report, Ok(ChildChange::Ended(ExitStatus::exited(5))));
    // It was sent SIGCHLD, and no action is taken by default.
    assert_eq!(system.signals.deliver(init), Ok(None));
}

#[test]
fn a_parent_is_sent_what_has_become_of_a_child() {
    let system = System::new();
    let init = system.init();
    let chld = set(&[Signal::CHLD]);
    system.signals.set_mask(init, chld).expect("it is there");
    let before = system
        .signals
        .set_action(init, Signal::CHLD, SignalAction::call(1));
    before.expect("it is there");
    let guest = system.child();
    system.processes.exit_group(guest, 7).expect("it runs");
    let info = system.signals.timed_wait(init, chld, Block::NO);
    assert_eq!(info, Ok(SignalInfo::kernel(Signal::CHLD, 1, guest, 7)));
    for (signal, is_dumped, code) in [
        (Signal::KILL, false, 2),
        (Signal::SEGV, false, 2),
        (Signal::SEGV, true, 3),
    ] {
        let guest = system.child();
        assert_eq!(system.signals.set_dumped(guest), Err(Errno::Invalid));
        system.kill(guest, signal);
        let end = Delivered::Exit(ExitStatus::signaled(signal));
        assert_eq!(system.signals.deliver(guest), Ok(Some(end)));
        if is_dumped {
            system.signals.set_dumped(guest).expect("a signal ends it");
        }
        system.processes.exit_thread(guest, 0).expect("it runs");
        let info = system.signals.timed_wait(init, chld, Block::NO);
        let number = signal.number() as u64;
        assert_eq!(
            info,
            Ok(SignalInfo::kernel(Signal::CHLD, code, guest, number))
        );
    }
}

/// Zombies that their parent has not waited for are told to the one that gets them, and are gone
/// where that one wants none.
#[test]
fn orphaned_zombies_are_told_anew() {
    let system = System::new();
    let init = system.init();
    let chld = set(&[Signal::CHLD]);
    system.signals.set_mask(init, chld).expect("it is there");
    for (action, is_told) in [(SignalAction::call(1), true), (SignalAction::IGNORE, false)] {
        let before = system.signals.set_action(init, Signal::CHLD, action);
        before.expect("it is there");
        let parent = system.child();
        let zombie = system.processes.fork(parent).expect("a child");
        system.processes.exit_group(zombie, 7).expect("it runs");
        system.processes.exit_group(parent, 0).expect("it runs");
        let told = system.signals.timed_wait(init, chld, Block::NO);
        assert_eq!(told.is_ok(), is_told);
        if is_told {
            // The zombie's comes first; the parent's finds one that is pending.
            let info = SignalInfo::kernel(Signal::CHLD, 1, zombie, 7);
            assert_eq!(told, Ok(info));
            for child in [parent, zombie] {
                let one = Children::One(child);
                let report = system.processes.try_wait(init, one, WaitFor::EXITED);
                assert!(matches!(report, Ok(Some(_))), "{report:?}");
            }
        }
        assert_eq!(system.processes.len(), 1);
    }
}
