//! Random calls of one process about its own signals: what each returns, which handlers run in
//! which order and find what blocked, how it stops and how it ends.

mod guest;
mod host;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use slotpark_managers::{Handler, MaskChange, Signal, SignalAction, SignalFlags, SignalSet};

use super::record::{Kind, Record};

/// A call of the process.
#[derive(Clone, Copy, Debug)]
enum Call {
    Action(Signal, SignalAction),
    Mask(MaskChange),
    /// kill(2), to itself.
    Kill(Signal),
    /// tgkill(2), to its only thread.
    KillThread(Signal),
    /// sigqueue(3), to itself.
    Queue(Signal, u64),
    /// pthread_sigqueue(3), to its only thread.
    QueueThread(Signal, u64),
    Pending,
    /// sigtimedwait(2) that does not wait.
    TimedWait(SignalSet),
    /// sigsuspend(2), where it would not wait.
    Suspend(SignalSet),
    /// RLIMIT_SIGPENDING.
    Limit(u64),
}

/// What its calls, its handlers and its parent tell.
type Story = Vec<Record>;

pub(super) fn random_calls() {
    let config = Config {
        failure_persistence: None,
        // Of one that hangs, each try takes its time.
        max_shrink_time: 120_000,
        max_shrink_iters: 4_000,
        ..Config::with_cases(600)
    };
    // The limit of the host is by user; a user of its own is only root's to have.
    // SAFETY: geteuid(2) is always callable.
    let has_limit = unsafe { libc::geteuid() } == 0;
    if !has_limit {
        eprintln!("skipped: processes_host: RLIMIT_SIGPENDING: not root");
    }
    let script = (
        first_actions(),
        prop::collection::vec(call(has_limit), 1..50),
    );
    let script = script.prop_map(|(mut script, calls)| {
        script.extend(calls);
        script
    });
    let handlers = Cell::new(0);
    let result = TestRunner::new(config).run(&script, |script| {
        let (calls, expected) = guest::run(&script);
        let handled = expected.iter().filter(|record| record.is(Kind::Handled));
        handlers.set(handlers.get() + handled.count());
        let story = host::run(&calls, has_limit);
        prop_assert_eq!(&expected, &story, "managers, then host, of {:#?}", calls);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let handlers = handlers.get();
    eprintln!("processes_host: signals: 600 scripts are the same, {handlers} handlers run");
    assert!(handlers > 600, "scripts in which next to nothing happens");
}

fn signal() -> impl Strategy<Value = Signal> {
    let often = vec![1, 2, 10, 12, 17, 18, 34, 35, 40, 64];
    let stops = vec![20, 21, 22];
    let synchronous = vec![4, 7, 8, 11];
    let ends = vec![3, 9, 13, 14, 15, 19];
    let number = prop_oneof![
        60 => prop::sample::select(often),
        3 => prop::sample::select(stops),
        3 => prop::sample::select(synchronous),
        1 => prop::sample::select(ends),
    ];
    number.prop_map(|number| Signal::new(number).expect("one of Linux's"))
}

/// An action for most signals, so that the first that comes is not the end.
fn first_actions() -> impl Strategy<Value = Vec<Call>> {
    let numbers = [
        1, 2, 10, 12, 17, 18, 34, 35, 40, 64, 4, 7, 8, 11, 20, 21, 22,
    ];
    let signals = numbers.map(|number| Signal::new(number).expect("one of Linux's"));
    let actions = prop::collection::vec(prop::option::weighted(0.98, action()), signals.len());
    actions.prop_map(move |actions| {
        let calls = signals.iter().zip(actions);
        let calls = calls.filter_map(|(signal, action)| Some(Call::Action(*signal, action?)));
        calls.collect()
    })
}

fn set() -> impl Strategy<Value = SignalSet> {
    // The C library keeps 32 and 33 for itself.
    let all = (!SignalSet::EMPTY).bits() & !(0b11 << 31);
    let some = prop::collection::vec(signal(), 0..6).prop_map(SignalSet::from_iter);
    let most = some.prop_map(move |set| SignalSet::from_bits(!set.bits() & all));
    let some = prop::collection::vec(signal(), 0..6).prop_map(SignalSet::from_iter);
    prop_oneof![2 => some, 1 => most]
}

fn action() -> impl Strategy<Value = SignalAction> {
    let handler = prop_oneof![
        1 => Just(Handler::Default),
        3 => Just(Handler::Ignore),
        25 => (1..=2_u64).prop_map(Handler::Call),
    ];
    let flags = prop::sample::subsequence(
        vec![
            SignalFlags::RESTART,
            SignalFlags::NODEFER,
            SignalFlags::NOCLDSTOP,
            SignalFlags::NOCLDWAIT,
        ],
        0..=2,
    );
    let once = prop::bool::weighted(0.1);
    let flags = (flags, once).prop_map(|(mut flags, once)| {
        flags.extend(once.then_some(SignalFlags::RESETHAND));
        flags
    });
    (handler, flags, set()).prop_map(|(handler, flags, mask)| SignalAction {
        handler,
        // Both sides' handlers are told all.
        flags: flags
            .into_iter()
            .fold(SignalFlags::SIGINFO, |all, flag| all | flag),
        mask,
    })
}

fn mask_change() -> impl Strategy<Value = MaskChange> {
    prop_oneof![
        3 => set().prop_map(MaskChange::Block),
        2 => set().prop_map(MaskChange::Unblock),
        1 => set().prop_map(MaskChange::Set),
    ]
}

fn call(has_limit: bool) -> impl Strategy<Value = Call> {
    prop_oneof![
        6 => (signal(), action()).prop_map(|(signal, action)| Call::Action(signal, action)),
        5 => mask_change().prop_map(Call::Mask),
        4 => signal().prop_map(Call::Kill),
        4 => signal().prop_map(Call::KillThread),
        4 => (signal(), any::<u64>()).prop_map(|(signal, value)| Call::Queue(signal, value)),
        3 => (signal(), any::<u64>()).prop_map(|(signal, value)| Call::QueueThread(signal, value)),
        2 => Just(Call::Pending),
        4 => set().prop_map(Call::TimedWait),
        2 => set().prop_map(Call::Suspend),
        u32::from(has_limit) => (0..6_u64).prop_map(Call::Limit),
    ]
}
