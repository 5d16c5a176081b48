//! Which thread of a process is told of a signal, and that another one is when it cannot take it.

use slotpark_managers::*;

use crate::common::watchdog;
use crate::{System, result, set};

const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// A process of two threads that have a handler for SIGUSR1.
fn two_threads() -> (&'static System, Pid, Pid) {
    let system = System::new();
    let first = system.child();
    let second = system.processes.add_thread(first).expect("a thread");
    let action = SignalAction::call(1);
    let before = system.signals.set_action(first, USR1, action);
    before.expect("it is there");
    (system, first, second)
}

fn wait_for_usr2(system: &System, tid: Pid) -> Result<SignalInfo, Errno> {
    system.signals.timed_wait(tid, set(&[USR2]), Block::FOREVER)
}

#[test]
fn a_thread_that_does_not_block_it_is_told() {
    let _watchdog = watchdog("a_thread_that_does_not_block_it_is_told");
    let (system, first, second) = two_threads();
    system.signals.set_mask(first, set(&[USR1])).expect("there");
    let thread = system.waiting(second, move |system| wait_for_usr2(system, second));
    system.kill(first, USR1);
    assert_eq!(result(thread), Err(Errno::Interrupted));
    let told = system.signals.deliver(second);
    assert!(matches!(told, Ok(Some(Delivered::Handler(_)))), "{told:?}");
    assert_eq!(system.signals.deliver(first), Ok(None));
}

#[test]
fn what_is_sent_to_a_thread_is_its_own() {
    let _watchdog = watchdog("what_is_sent_to_a_thread_is_its_own");
    let (system, first, second) = two_threads();
    let info = SignalInfo::thread(USR1, system.init());
    system.signals.send_thread(second, info).expect("there");
    assert_eq!(system.signals.deliver(first), Ok(None));
    let told = system.signals.deliver(second);
    assert!(matches!(told, Ok(Some(Delivered::Handler(_)))), "{told:?}");
}

/// A thread that has something to take already is passed over for one that has not.
#[test]
fn one_that_is_told_already_is_not_told_first() {
    let _watchdog = watchdog("one_that_is_told_already_is_not_told_first");
    let (system, first, second) = two_threads();
    let action = SignalAction::call(2);
    let before = system.signals.set_action(first, Signal::HUP, action);
    before.expect("it is there");
    let thread = system.waiting(second, move |system| wait_for_usr2(system, second));
    system.kill(first, USR1);
    assert_eq!(system.signals.waiters(second), Ok(1));
    system.kill(first, Signal::HUP);
    assert_eq!(result(thread), Err(Errno::Interrupted));
}

/// The first thread is told, and blocks the signal before it looks: the second, which sleeps, has
/// to learn of it.
#[test]
fn one_that_blocks_it_after_it_was_told_hands_it_on() {
    let _watchdog = watchdog("one_that_blocks_it_after_it_was_told_hands_it_on");
    let (system, first, second) = two_threads();
    let thread = system.waiting(second, move |system| wait_for_usr2(system, second));
    system.kill(first, USR1);
    assert_eq!(system.signals.waiters(second), Ok(1));
    system.signals.set_mask(first, set(&[USR1])).expect("there");
    assert_eq!(result(thread), Err(Errno::Interrupted));
}

/// As above, but the first thread leaves.
#[test]
fn one_that_leaves_after_it_was_told_hands_it_on() {
    let _watchdog = watchdog("one_that_leaves_after_it_was_told_hands_it_on");
    let (system, first, second) = two_threads();
    let thread = system.waiting(second, move |system| wait_for_usr2(system, second));
    system.kill(first, USR1);
    assert_eq!(system.signals.waiters(second), Ok(1));
    system.processes.exit_thread(first, 0).expect("it runs");
    assert_eq!(result(thread), Err(Errno::Interrupted));
}

/// The handler of the first signal blocks the second, which came to the same thread.
#[test]
fn one_whose_handler_blocks_it_hands_it_on() {
    let _watchdog = watchdog("one_whose_handler_blocks_it_hands_it_on");
    let (system, first, second) = two_threads();
    let action = SignalAction::call(2).blocking(set(&[USR1]));
    let before = system.signals.set_action(first, Signal::HUP, action);
    before.expect("it is there");
    let thread = system.waiting(second, move |system| wait_for_usr2(system, second));
    let hup = SignalInfo::thread(Signal::HUP, system.init());
    // Told by a signal of the process first, so that the one of its own finds it told.
    system.kill(first, USR1);
    system.signals.send_thread(first, hup).expect("there");
    let told = system.signals.deliver(first);
    assert!(matches!(told, Ok(Some(Delivered::Handler(_)))), "{told:?}");
    assert_eq!(result(thread), Err(Errno::Interrupted));
}

/// Two threads wait for the same signals, and each signal has one taker.
#[test]
fn of_two_that_wait_for_it_each_takes_one() {
    let _watchdog = watchdog("of_two_that_wait_for_it_each_takes_one");
    let (system, first, second) = two_threads();
    let awaited = set(&[USR2, Signal::HUP]);
    for tid in [first, second] {
        system.signals.set_mask(tid, awaited).expect("there");
    }
    for _ in 0..500 {
        let threads = [first, second].map(|tid| {
            system.waiting(tid, move |system| {
                let taken = system.signals.timed_wait(tid, awaited, Block::FOREVER);
                taken.map(|info| info.signal)
            })
        });
        system.kill(first, USR2);
        system.kill(first, Signal::HUP);
        let mut taken = threads.map(|thread| result(thread).expect("each is sent one"));
        taken.sort_unstable();
        assert_eq!(taken, [Signal::HUP, USR2]);
    }
}

/// One signal comes when a wait for it just gives up: it is taken, or it is there still.
#[test]
fn a_wait_that_gives_up_leaves_the_signal_there() {
    let _watchdog = watchdog("a_wait_that_gives_up_leaves_the_signal_there");
    let (system, first, second) = two_threads();
    for tid in [first, second] {
        system.signals.set_mask(tid, set(&[USR2])).expect("there");
    }
    for round in 0..1_000 {
        let timeout = std::time::Duration::from_micros(round % 200);
        let thread = std::thread::spawn(move || {
            let block = Block::for_at_most(timeout);
            system.signals.timed_wait(first, set(&[USR2]), block)
        });
        let other = system.waiting(second, move |system| wait_for_usr2(system, second));
        system.kill(first, USR2);
        if result(thread).is_ok() {
            system.kill(first, USR2);
        }
        assert!(result(other).is_ok());
    }
}
