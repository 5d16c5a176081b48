//! Many processes come and go; nothing of them is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slotpark_managers::*;

use crate::common::{Numbers, until, watchdog};
use crate::{System, result, set};

/// Families that fork, send signals, are orphaned, killed, stopped and waited for, on four threads
/// at a time.
#[test]
fn ten_thousand_come_and_go() {
    let _watchdog = watchdog("ten_thousand_come_and_go");
    let system = System::new();
    let init = system.init();
    let drivers: Vec<_> = (0..4)
        .map(|driver| std::thread::spawn(move || families(system, driver)))
        .collect();
    let are_done = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&are_done);
    let reaper = std::thread::spawn(move || {
        let mut reaped = 0;
        loop {
            let (any, exited) = (Children::Any, WaitFor::EXITED);
            let report = system.processes.wait(init, any, exited, Block::FOREVER);
            match report {
                Ok(_) => reaped += 1,
                Err(Errno::NoChild) if done.load(Ordering::Relaxed) => return reaped,
                // Between two families there may be none.
                Err(Errno::NoChild) => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        }
    });
    let forked: usize = drivers.into_iter().map(result).sum();
    are_done.store(true, Ordering::Relaxed);
    assert_eq!(result(reaper), forked);
    assert_eq!(system.processes.len(), 1);
    system.processes.exit_group(init, 0).expect("it runs");
    assert!(system.processes.is_empty());
    assert!(system.signals.is_empty());
}

/// 1,250 families of two, a child of the first process and a child of that one; how many of them
/// the first process has to wait for.
fn families(system: &System, driver: u64) -> usize {
    let mut left = 0;
    let mut numbers = Numbers::new(driver);
    for _ in 0..1_250 {
        left += 2;
        let parent = system.child();
        let child = system.processes.fork(parent).expect("numbers are free");
        if numbers.below(2) == 0 {
            let moved = system.processes.set_group(parent, child, Pid(0));
            moved.expect("a child of the same session");
        }
        match numbers.below(4) {
            // Orphaned.
            0 => {
                system.processes.exit_group(parent, 0).expect("it runs");
                system.processes.exit_group(child, 0).expect("it runs");
                continue;
            }
            // A zombie that is orphaned.
            1 => system.processes.exit_group(child, 1).expect("it runs"),
            // Stopped, and killed.
            2 => {
                system.kill(child, Signal::STOP);
                assert_eq!(system.signals.deliver(child), Ok(Some(Delivered::Stop)));
                let stopped = system.signals.while_stopped(child, Block::NO);
                assert_eq!(stopped, Err(Errno::Again));
                system.kill(child, Signal::KILL);
                let told = system.signals.deliver(child);
                assert!(matches!(told, Ok(Some(Delivered::Exit(_)))), "{told:?}");
                system.processes.exit_thread(child, 0).expect("it runs");
            }
            // Waited for.
            _ => {
                system.processes.exit_group(child, 2).expect("it runs");
                let one = Children::One(child);
                let report = system.processes.try_wait(parent, one, WaitFor::EXITED);
                assert!(matches!(report, Ok(Some(_))), "{report:?}");
                left -= 1;
            }
        }
        system.processes.exit_group(parent, 0).expect("it runs");
    }
    left
}

/// A group is killed while its members fork: whoever begins too late is not of it, and whoever is
/// of it is killed.
#[test]
fn nobody_escapes_a_killed_group_by_forking() {
    let _watchdog = watchdog("nobody_escapes_a_killed_group_by_forking");
    for _ in 0..200 {
        let system = System::new();
        let init = system.init();
        let leader = system.child();
        let moved = system.processes.set_group(leader, leader, Pid(0));
        moved.expect("its own group");
        let ignored = SignalAction::IGNORE;
        let before = system.signals.set_action(init, Signal::CHLD, ignored);
        before.expect("it is there");
        let family = std::thread::spawn(move || {
            let mut forked = vec![leader];
            // The youngest forks, until a signal is there before.
            loop {
                let youngest = *forked.last().expect("there is one");
                match system.processes.fork(youngest) {
                    Ok(child) if forked.len() < 64 => forked.push(child),
                    // Killed later.
                    Ok(child) => {
                        forked.push(child);
                        return forked;
                    }
                    Err(Errno::Interrupted) => return forked,
                    Err(error) => panic!("{error}"),
                }
            }
        });
        until("some are there", || system.processes.len() > 3);
        let target = KillTarget::Group(leader);
        let sent = system.processes.kill(init, target, Some(Signal::KILL));
        sent.expect("it is there");
        for pid in result(family) {
            let told = system.signals.deliver(pid);
            let killed = ExitStatus::signaled(Signal::KILL);
            assert_eq!(told, Ok(Some(Delivered::Exit(killed))));
            system.processes.exit_thread(pid, 0).expect("it runs");
        }
        assert_eq!(system.processes.len(), 1);
    }
}

/// Threads of a process come and go while signals are sent to it: each is taken by one of them.
#[test]
fn signals_are_taken_while_threads_come_and_go() {
    let _watchdog = watchdog("signals_are_taken_while_threads_come_and_go");
    const COUNT: u64 = 2_000;
    let system = System::new();
    let guest = system.child();
    let usr1 = set(&[Signal::RT_MAX]);
    system.signals.set_mask(guest, usr1).expect("it is there");
    let takers: Vec<_> = (0..2)
        .map(|_| {
            std::thread::spawn(move || {
                let mut taken = 0;
                loop {
                    let tid = system.processes.add_thread(guest).expect("a thread");
                    let wait = system.signals.timed_wait(tid, usr1, Block::FOREVER);
                    system.processes.exit_thread(tid, 0).expect("it runs");
                    match wait.expect("nothing else is sent").value {
                        0 => return taken,
                        _ => taken += 1,
                    }
                }
            })
        })
        .collect();
    let send = |value| {
        let info = SignalInfo::queued(Signal::RT_MAX, system.init(), value);
        system.signals.send(guest, info)
    };
    for value in 1..=COUNT {
        while send(value) == Err(Errno::Again) {
            std::thread::yield_now();
        }
    }
    for _ in &takers {
        while send(0) == Err(Errno::Again) {
            std::thread::yield_now();
        }
    }
    let taken: u64 = takers.into_iter().map(result).sum();
    assert_eq!(taken, COUNT);
}
