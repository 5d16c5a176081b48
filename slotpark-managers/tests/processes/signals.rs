//! A signal ends a wait, and what becomes of the call that waited.

use std::sync::atomic::{AtomicU64, Ordering};

use slotpark_managers::*;

use crate::common::{Numbers, soon, until, watchdog};
use crate::{System, result, set};

const USR1: Signal = Signal::USR1;
const USR2: Signal = Signal::USR2;

/// Waits for a child that does not end; returns what became of it, and how many handlers ran.
fn wait_with_handler(flags: SignalFlags) -> (Result<ChildReport, Errno>, u32) {
    let system = System::new();
    let (guest, child) = {
        let guest = system.child();
        (guest, system.processes.fork(guest).expect("a child"))
    };
    let action = SignalAction::call(1).with(flags);
    let before = system.signals.set_action(guest, USR1, action);
    before.expect("it is there");
    static HANDLERS: AtomicU64 = AtomicU64::new(0);
    let handled = HANDLERS.load(Ordering::Relaxed);
    let thread = system.waiting_for_children(guest, move |system| {
        let mut handlers = 0;
        let waited = system.signals.restarting(
            (guest, Restart::ByFlag),
            Block::FOREVER,
            |block| {
                let any = Children::Any;
                system.processes.wait(guest, any, WaitFor::EXITED, block)
            },
            |_| {
                handlers += 1;
                HANDLERS.fetch_add(1, Ordering::Relaxed);
            },
        );
        (waited, handlers)
    });
    system.kill(guest, USR1);
    until("the handler runs", || {
        HANDLERS.load(Ordering::Relaxed) > handled
    });
    if flags.contains(SignalFlags::RESTART) {
        until("the call is made again", || {
            system.processes.waiters(guest) == Ok(1)
        });
        system.processes.exit_group(child, 0).expect("it runs");
    }
    result(thread)
}

#[test]
fn a_handler_ends_a_call_or_has_it_made_again() {
    let _watchdog = watchdog("a_handler_ends_a_call_or_has_it_made_again");
    let (waited, handlers) = wait_with_handler(SignalFlags::empty());
    assert_eq!((waited, handlers), (Err(Errno::Interrupted), 1));
    let (waited, handlers) = wait_with_handler(SignalFlags::RESTART);
    assert!(waited.is_ok(), "{waited:?}");
    assert_eq!(handlers, 1);
}

/// A send comes at any moment between two waits; none is missed, although each look forgets
/// interrupts.
#[test]
fn no_signal_is_lost_between_two_waits() {
    let _watchdog = watchdog("no_signal_is_lost_between_two_waits");
    const COUNT: u64 = 20_000;
    let system = System::new();
    let guest = system.child();
    let action = SignalAction::call(1);
    let before = system.signals.set_action(guest, Signal::RT_MIN, action);
    before.expect("it is there");
    let _held = system
        .processes
        .fork(guest)
        .expect("a child that never ends");
    let taken = std::sync::Arc::new(AtomicU64::new(0));
    let counts = taken.clone();
    let thread = std::thread::spawn(move || {
        let interrupter = system.signals.interrupter(guest).expect("it is there");
        let block = Block::FOREVER.interruptible(&interrupter);
        while counts.load(Ordering::Relaxed) < COUNT {
            let waited = system
                .processes
                .wait(guest, Children::Any, WaitFor::EXITED, block);
            assert_eq!(waited, Err(Errno::Interrupted));
            let mut frames = Vec::new();
            while let Some(told) = system.signals.deliver(guest).expect("it is there") {
                let Delivered::Handler(call) = told else {
                    panic!("{told:?}")
                };
                counts.fetch_add(1, Ordering::Relaxed);
                frames.push(call.restores);
                let ended = system.signals.end_handler(guest, call.restores);
                ended.expect("it is there");
            }
        }
    });
    let mut numbers = Numbers::new(1);
    for number in 0..COUNT {
        let info = SignalInfo::queued(Signal::RT_MIN, system.init(), number);
        system.signals.send(guest, info).expect("within the limit");
        // One at a time, so that each has to end a wait by itself; and at any moment between.
        until("it is taken", || taken.load(Ordering::Relaxed) > number);
        for _ in 0..numbers.below(400) {
            std::hint::spin_loop();
        }
    }
    result(thread);
}

#[test]
fn a_wait_for_signals_ends_by_signal_time_or_another_signal() {
    let _watchdog = watchdog("a_wait_for_signals_ends_by_signal_time_or_another_signal");
    let system = System::new();
    let guest = system.child();
    system.signals.set_mask(guest, set(&[USR1])).expect("there");
    let action = SignalAction::call(1);
    let before = system.signals.set_action(guest, USR2, action);
    before.expect("it is there");
    let wait = move |system: &System, block: Block<'_>| {
        system.signals.timed_wait(guest, set(&[USR1]), block)
    };
    let thread = system.waiting(guest, move |system| wait(system, Block::FOREVER));
    system.kill(guest, USR1);
    assert_eq!(result(thread).map(|info| info.signal), Ok(USR1));
    // It is taken: no handler and no default follows.
    assert_eq!(system.signals.deliver(guest), Ok(None));

    let deadline = soon(std::time::Duration::from_millis(5));
    assert_eq!(wait(system, Block::at(deadline)), Err(Errno::Again));

    let thread = system.waiting(guest, move |system| wait(system, Block::FOREVER));
    system.kill(guest, USR2);
    assert_eq!(result(thread), Err(Errno::Interrupted));
    // What it waited for is blocked again.
    assert_eq!(system.signals.mask(guest), Ok(set(&[USR1])));
}

/// What is blocked and then awaited by a mask for the time being is not missed, whenever it comes.
#[test]
fn a_suspension_misses_no_signal() {
    let _watchdog = watchdog("a_suspension_misses_no_signal");
    let system = System::new();
    let guest = system.child();
    let before = system
        .signals
        .set_action(guest, USR1, SignalAction::call(1));
    before.expect("it is there");
    let blocked = set(&[USR1, USR2]);
    system
        .signals
        .set_mask(guest, blocked)
        .expect("it is there");
    for round in 0..2_000 {
        let thread =
            std::thread::spawn(move || system.signals.suspend(guest, set(&[USR2]), Block::FOREVER));
        if round % 2 == 0 {
            until("it waits", || system.signals.waiters(guest) == Ok(1));
        }
        system.kill(guest, USR1);
        let Err(errno) = result(thread);
        assert_eq!(errno, Errno::Interrupted);
        let Ok(Some(Delivered::Handler(call))) = system.signals.deliver(guest) else {
            panic!("no handler")
        };
        // While it runs: the mask for the time being; after it: the one before.
        assert_eq!(call.blocks, blocked);
        assert_eq!(call.restores, blocked);
        let ended = system.signals.end_handler(guest, call.restores);
        ended.expect("it is there");
    }
    let deadline = soon(std::time::Duration::from_millis(5));
    let Err(errno) = system
        .signals
        .suspend(guest, SignalSet::EMPTY, Block::at(deadline));
    assert_eq!(errno, Errno::TimedOut);
    assert_eq!(system.signals.mask(guest), Ok(blocked));
}

#[test]
fn an_ignored_signal_ends_no_wait() {
    let _watchdog = watchdog("an_ignored_signal_ends_no_wait");
    let system = System::new();
    let guest = system.child();
    let before = system.signals.set_action(guest, USR1, SignalAction::IGNORE);
    before.expect("it is there");
    let thread = system.waiting(guest, move |system| {
        system
            .signals
            .timed_wait(guest, set(&[USR2]), Block::FOREVER)
    });
    system.kill(guest, USR1);
    system.kill(guest, Signal::WINCH);
    assert_eq!(system.signals.waiters(guest), Ok(1));
    system.kill(guest, USR2);
    assert_eq!(result(thread).map(|info| info.signal), Ok(USR2));
}

/// A suspension that ends for nothing: what its mask has blocked, and the one before does not, is
/// delivered as if there had been none.
#[test]
fn what_a_mask_for_the_time_being_has_blocked_is_delivered_after_it() {
    let system = System::new();
    let guest = system.child();
    let before = system.signals.set_action(guest, USR1, SignalAction::IGNORE);
    before.expect("it is there");
    let before = system
        .signals
        .set_action(guest, USR2, SignalAction::call(2));
    before.expect("it is there");
    system.signals.set_mask(guest, set(&[USR1])).expect("there");
    // Blocked, and so not thrown away.
    system.kill(guest, USR1);
    let Err(errno) = system.signals.suspend(guest, set(&[USR2]), Block::FOREVER);
    assert_eq!(errno, Errno::Interrupted);
    system.kill(guest, USR2);
    let Ok(Some(Delivered::Handler(call))) = system.signals.deliver(guest) else {
        panic!("no handler")
    };
    assert_eq!((call.function, call.restores), (2, set(&[USR1])));
}

/// What the first process has no handler for does nothing to it, also if it was blocked when it
/// came.
#[test]
fn the_first_process_is_not_ended_by_signals() {
    let system = System::new();
    let init = system.init();
    let term = set(&[Signal::TERM]);
    system.signals.set_mask(init, term).expect("it is there");
    for signal in [Signal::TERM, Signal::KILL, Signal::STOP, Signal::SEGV] {
        system.kill(init, signal);
    }
    assert_eq!(system.signals.pending(init), Ok(term));
    let before = system.signals.set_mask(init, SignalSet::EMPTY);
    assert_eq!(before, Ok(term));
    assert_eq!(system.signals.deliver(init), Ok(None));
}
