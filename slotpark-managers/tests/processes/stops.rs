//! Stopping and going on.

use slotpark_managers::*;

use crate::common::{Numbers, until, watchdog};
use crate::{System, result, set};

fn wait_for(system: &System, wait_for: WaitFor) -> Result<ChildReport, Errno> {
    let init = system.init();
    system
        .processes
        .wait(init, Children::Any, wait_for, Block::FOREVER)
}

#[test]
fn a_stop_is_reported_when_all_threads_rest() {
    let _watchdog = watchdog("a_stop_is_reported_when_all_threads_rest");
    let system = System::new();
    let first = system.child();
    let second = system.processes.add_thread(first).expect("a thread");
    // The second thread waits for something else, and is interrupted.
    let busy = system.waiting(second, move |system| {
        let awaited = set(&[Signal::USR1]);
        system.signals.timed_wait(second, awaited, Block::FOREVER)
    });
    let parent =
        system.waiting_for_children(system.init(), |system| wait_for(system, WaitFor::STOPPED));
    system.kill(first, Signal::STOP);
    assert_eq!(system.signals.deliver(first), Ok(Some(Delivered::Stop)));
    let first_rests = system.waiting(first, move |system| {
        system.signals.while_stopped(first, Block::FOREVER)
    });
    assert_eq!(result(busy), Err(Errno::Interrupted));
    assert_eq!(system.signals.is_stopped(first), Ok(false));
    assert_eq!(system.processes.waiters(system.init()), Ok(1));
    assert_eq!(system.signals.deliver(second), Ok(Some(Delivered::Stop)));
    let second_rests = system.waiting(second, move |system| {
        system.signals.while_stopped(second, Block::FOREVER)
    });
    let change = ChildChange::Stopped(Signal::STOP);
    let report = ChildReport {
        child: first,
        change,
    };
    assert_eq!(result(parent), Ok(report));
    assert_eq!(system.signals.is_stopped(first), Ok(true));

    // What comes meanwhile is there afterwards.
    let action = SignalAction::call(1);
    let before = system.signals.set_action(first, Signal::USR2, action);
    before.expect("it is there");
    system.kill(first, Signal::USR2);
    assert_eq!(system.signals.waiters(first), Ok(1));
    system.kill(first, Signal::CONT);
    assert_eq!(result(first_rests), Ok(()));
    assert_eq!(result(second_rests), Ok(()));
    let told = system.signals.deliver(first);
    assert!(matches!(told, Ok(Some(Delivered::Handler(_)))), "{told:?}");
    let report = wait_for(system, WaitFor::CONTINUED).map(|report| report.change);
    assert_eq!(report, Ok(ChildChange::Continued));
}

#[test]
fn a_thread_that_leaves_completes_a_stop() {
    let _watchdog = watchdog("a_thread_that_leaves_completes_a_stop");
    let system = System::new();
    let first = system.child();
    let second = system.processes.add_thread(first).expect("a thread");
    system.kill(first, Signal::TSTP);
    // A group of the first process's session is nobody's job: SIGTSTP does nothing in it.
    assert_eq!(system.signals.deliver(first), Ok(None));
    system.kill(first, Signal::STOP);
    assert_eq!(system.signals.deliver(first), Ok(Some(Delivered::Stop)));
    let stopped = system.signals.while_stopped(first, Block::NO);
    assert_eq!(stopped, Err(Errno::Again));
    assert_eq!(system.signals.is_stopped(first), Ok(false));
    system.processes.exit_thread(second, 0).expect("it runs");
    assert_eq!(system.signals.is_stopped(first), Ok(true));
    assert!(wait_for(system, WaitFor::STOPPED).is_ok());
}

#[test]
fn a_report_that_is_kept_is_made_again() {
    let system = System::new();
    let (init, guest) = (system.init(), system.child());
    let ask = |wait_for| {
        let report = system.processes.try_wait(init, Children::Any, wait_for);
        report.expect("it is a child").map(|report| report.change)
    };
    system.kill(guest, Signal::STOP);
    assert_eq!(system.signals.deliver(guest), Ok(Some(Delivered::Stop)));
    let stopped = system.signals.while_stopped(guest, Block::NO);
    assert_eq!(stopped, Err(Errno::Again));
    let change = Some(ChildChange::Stopped(Signal::STOP));
    assert_eq!(ask(WaitFor::STOPPED | WaitFor::KEEP), change);
    assert_eq!(ask(WaitFor::STOPPED), change);
    assert_eq!(ask(WaitFor::STOPPED), None);
    system.kill(guest, Signal::CONT);
    let change = Some(ChildChange::Continued);
    assert_eq!(ask(WaitFor::CONTINUED | WaitFor::KEEP), change);
    assert_eq!(ask(WaitFor::CONTINUED), change);
    assert_eq!(ask(WaitFor::CONTINUED), None);
}

#[test]
fn a_stopped_process_can_be_killed() {
    let _watchdog = watchdog("a_stopped_process_can_be_killed");
    let system = System::new();
    let guest = system.child();
    system.kill(guest, Signal::STOP);
    assert_eq!(system.signals.deliver(guest), Ok(Some(Delivered::Stop)));
    let rests = system.waiting(guest, move |system| {
        system.signals.while_stopped(guest, Block::FOREVER)
    });
    system.kill(guest, Signal::TERM);
    assert_eq!(system.signals.waiters(guest), Ok(1));
    system.kill(guest, Signal::KILL);
    assert_eq!(result(rests), Ok(()));
    let killed = ExitStatus::signaled(Signal::KILL);
    let told = system.signals.deliver(guest);
    assert_eq!(told, Ok(Some(Delivered::Exit(killed))));
    system.processes.exit_thread(guest, 0).expect("it runs");
    let report = wait_for(system, WaitFor::EXITED).map(|report| report.change);
    assert_eq!(report, Ok(ChildChange::Ended(killed)));
}

/// A shell, in a session of its own, and a job of it.
fn shell_and_job(system: &System) -> (Pid, Pid) {
    let shell = system.child();
    let session = system.processes.begin_session(shell);
    session.expect("it leads no group");
    let job = system.processes.fork(shell).expect("a child");
    let in_job = system.processes.set_group(shell, job, Pid(0));
    in_job.expect("a child of the same session");
    (shell, job)
}

/// A stop and a continue race each other: whatever comes last decides, and nobody sleeps on.
#[test]
fn stops_and_continues_race() {
    let _watchdog = watchdog("stops_and_continues_race");
    let system = System::new();
    let (_, job) = shell_and_job(system);
    let thread = system.waiting(job, move |system| {
        loop {
            let wait = system
                .signals
                .timed_wait(job, SignalSet::EMPTY, Block::FOREVER);
            assert_eq!(wait, Err(Errno::Interrupted));
            match system.signals.deliver(job).expect("it is there") {
                Some(Delivered::Stop) => {
                    let stopped = system.signals.while_stopped(job, Block::FOREVER);
                    stopped.expect("for ever");
                }
                Some(Delivered::Exit(_)) => break,
                Some(told) => panic!("{told:?}"),
                None => {}
            }
        }
        system.processes.exit_thread(job, 0).expect("it runs");
    });
    let mut numbers = Numbers::new(1);
    for round in 0..10_000 {
        system.kill(
            job,
            if round % 4 == 0 {
                Signal::STOP
            } else {
                Signal::TSTP
            },
        );
        for _ in 0..numbers.below(300) {
            std::hint::spin_loop();
        }
        system.kill(job, Signal::CONT);
        // First where it waits: in `while_stopped` it waits too.
        until("it goes on", || {
            system.signals.waiters(job) == Ok(1) && system.signals.is_stopped(job) == Ok(false)
        });
    }
    system.kill(job, Signal::STOP);
    until("it is stopped", || {
        system.signals.is_stopped(job) == Ok(true)
    });
    system.kill(job, Signal::CONT);
    system.kill(job, Signal::TERM);
    result(thread);
}

/// The last tie of a stopped group to its session goes: it is told, and goes on.
#[test]
fn an_orphaned_group_is_not_left_stopped() {
    let _watchdog = watchdog("an_orphaned_group_is_not_left_stopped");
    let system = System::new();
    let (shell, job) = shell_and_job(system);
    system.kill(job, Signal::TSTP);
    assert_eq!(system.signals.deliver(job), Ok(Some(Delivered::Stop)));
    let rests = system.waiting(job, move |system| {
        system.signals.while_stopped(job, Block::FOREVER)
    });
    system.processes.exit_group(shell, 0).expect("it runs");
    assert_eq!(result(rests), Ok(()));
    let hung_up = ExitStatus::signaled(Signal::HUP);
    let told = system.signals.deliver(job);
    assert_eq!(told, Ok(Some(Delivered::Exit(hung_up))));
}

/// One tie of two goes: somebody is left who can continue the group.
#[test]
fn a_group_that_is_still_tied_stays_stopped() {
    let system = System::new();
    let (shell, job) = shell_and_job(system);
    let other_shell = system.processes.fork(shell).expect("a child");
    let other_job = system.processes.fork(other_shell).expect("a child");
    for (pid, group) in [(other_shell, other_shell), (other_job, job)] {
        let moved = system.processes.set_group(pid, pid, group);
        moved.expect("a group of the session");
    }
    system.kill(job, Signal::STOP);
    assert_eq!(system.signals.deliver(job), Ok(Some(Delivered::Stop)));
    let stopped = system.signals.while_stopped(job, Block::NO);
    assert_eq!(stopped, Err(Errno::Again));
    system
        .processes
        .exit_group(other_shell, 0)
        .expect("it runs");
    assert_eq!(system.signals.is_stopped(job), Ok(true));
    system.processes.exit_group(shell, 0).expect("it runs");
    assert_eq!(system.signals.is_stopped(job), Ok(false));
}

#[test]
fn a_parent_is_sent_stops_if_it_wants_them() {
    let system = System::new();
    let (init, guest) = (system.init(), system.child());
    let chld = set(&[Signal::CHLD]);
    system.signals.set_mask(init, chld).expect("it is there");
    for flags in [SignalFlags::empty(), SignalFlags::NOCLDSTOP] {
        let action = SignalAction::call(1).with(flags);
        let before = system.signals.set_action(init, Signal::CHLD, action);
        before.expect("it is there");
        let told = |code, signal: Signal| {
            let status = signal.number() as u64;
            let info = SignalInfo::kernel(Signal::CHLD, code, guest, status);
            let told = flags.is_empty().then_some(info).ok_or(Errno::Again);
            assert_eq!(system.signals.timed_wait(init, chld, Block::NO), told);
        };
        system.kill(guest, Signal::STOP);
        assert_eq!(system.signals.deliver(guest), Ok(Some(Delivered::Stop)));
        let stopped = system.signals.while_stopped(guest, Block::NO);
        assert_eq!(stopped, Err(Errno::Again));
        told(5, Signal::STOP);
        system.kill(guest, Signal::CONT);
        told(6, Signal::CONT);
    }
}
