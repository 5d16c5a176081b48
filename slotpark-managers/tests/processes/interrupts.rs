//! Interrupts that come late: what they were for is taken already.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use slotpark_managers::*;

use crate::common::{Numbers, until, watchdog};
use crate::{System, result, set};

const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// A signal wakes a thread and then interrupts it, which can come after the wait that has taken the
/// signal: the next wait for signals does not end by that.
#[test]
fn what_a_wait_has_taken_does_not_end_the_next() {
    let _watchdog = watchdog("what_a_wait_has_taken_does_not_end_the_next");
    let system = System::new();
    let guest = system.child();
    let usr1 = set(&[USR1]);
    system.signals.set_mask(guest, usr1).expect("it is there");
    let thread = system.signals.interrupter(guest).expect("it is there");
    thread.interrupt();
    let waiting = std::thread::spawn(move || {
        let block = Block::FOREVER.interruptible(&thread);
        system.signals.timed_wait(guest, usr1, block)
    });
    until("it waits, or is interrupted", || {
        system.signals.waiters(guest) == Ok(1) || waiting.is_finished()
    });
    system.kill(guest, USR1);
    assert_eq!(result(waiting).map(|info| info.signal), Ok(USR1));
}

/// Of two signals one is waited for, and the other one ends that wait or the next one.
#[test]
fn no_signal_is_forgotten_in_a_wait_for_another() {
    let _watchdog = watchdog("no_signal_is_forgotten_in_a_wait_for_another");
    const COUNT: u64 = 20_000;
    let system = System::new();
    let guest = system.child();
    let _held = system.processes.fork(guest).expect("it never ends");
    let action = SignalAction::call(1);
    let before = system.signals.set_action(guest, USR2, action);
    before.expect("it is there");
    let usr1 = set(&[USR1]);
    system.signals.set_mask(guest, usr1).expect("it is there");
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    let thread = std::thread::spawn(move || {
        let interrupter = system.signals.interrupter(guest).expect("it is there");
        let block = Block::FOREVER.interruptible(&interrupter);
        let handlers = Cell::new(0);
        let deliver = || {
            while let Some(told) = system.signals.deliver(guest).expect("it is there") {
                let Delivered::Handler(call) = told else {
                    panic!("{told:?}")
                };
                handlers.set(handlers.get() + 1);
                let ended = system.signals.end_handler(guest, call.restores);
                ended.expect("it is there");
            }
        };
        for round in 1..=COUNT {
            while let Err(error) = system.signals.timed_wait(guest, usr1, block) {
                assert_eq!(error, Errno::Interrupted);
                deliver();
                assert_eq!(handlers.get(), round, "by nothing else");
            }
            let (any, ended) = (Children::Any, WaitFor::EXITED);
            while handlers.get() < round {
                let waited = system.processes.wait(guest, any, ended, block);
                assert_eq!(waited, Err(Errno::Interrupted));
                deliver();
            }
            ROUNDS.store(round, Ordering::Relaxed);
        }
    });
    let mut numbers = Numbers::new(1);
    for round in 1..=COUNT {
        let mut signals = [USR1, USR2];
        signals.rotate_left(numbers.below(2) as usize);
        for signal in signals {
            system.kill(guest, signal);
            for _ in 0..numbers.below(400) {
                std::hint::spin_loop();
            }
        }
        until("both are taken", || {
            ROUNDS.load(Ordering::Relaxed) == round || thread.is_finished()
        });
    }
    result(thread);
}
