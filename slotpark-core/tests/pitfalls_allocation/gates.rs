//! Latches and barriers.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark_core::{
    ArmError, Barrier, BarrierOutcome, Deadline, KeyedOptions, Latch, LatchOutcome, WhenFull,
};

use super::{AT, allocated, ignore};

const PAST: Option<Deadline> = Some(Deadline::PAST);
const OPTIONS: KeyedOptions = KeyedOptions::new().pool(4, WhenFull::Fail);

type Gates = (Latch<u64>, Barrier<u64>);
type Operation = (&'static str, fn(&Gates));

/// What makes gates: an allocation of their slots, and one of their places.
const MADE: [&str; 5] = [
    "gate/latch/mod::new",
    "gate/latch/mod::with_options",
    "gate/barrier/mod::new",
    "gate/barrier/mod::with_options",
    "inspect/by::with_key_text",
];

const OPERATIONS: [Operation; 19] = [
    ("gate/latch/mod::pool_stats", |(latch, _)| {
        ignore(latch.pool_stats());
    }),
    ("gate/latch/mod::count_down", |(latch, _)| {
        assert_eq!(latch.count_down(AT.0, AT.1, 1), None);
    }),
    ("gate/latch/mod::remaining", |(latch, _)| {
        assert_eq!(latch.remaining(AT.0, AT.1), 0);
    }),
    ("gate/latch/mod::is_open", |(latch, _)| {
        assert!(latch.is_open(AT.0, AT.1));
    }),
    ("gate/latch/mod::waiters", |(latch, _)| {
        assert_eq!(latch.waiters(AT.0, AT.1), 0);
    }),
    ("gate/latch/guard::arm", |(latch, _)| {
        let armed = latch.arm(AT.0, *AT.1, 1);
        let again = latch.arm(AT.0, *AT.1, 1).map(|_| ());
        assert_eq!(again, Err(ArmError::AlreadyArmed(*AT.1)));
        drop(armed);
    }),
    ("gate/latch/guard::key", |(latch, _)| {
        ignore(latch.arm(AT.0, *AT.1, 1).map(|armed| *armed.key()));
    }),
    ("gate/latch/guard::count_down", |(latch, _)| {
        let left = latch.arm(AT.0, *AT.1, 1).map(|armed| armed.count_down(2));
        assert_eq!(left, Ok(0));
    }),
    ("gate/latch/guard::remaining", |(latch, _)| {
        let left = latch.arm(AT.0, *AT.1, 1).map(|armed| armed.remaining());
        assert_eq!(left, Ok(1));
    }),
    ("gate/latch/wait::wait", |(latch, _)| {
        let armed = latch.arm(AT.0, *AT.1, 1);
        assert_eq!(latch.wait(AT.0, AT.1, PAST), LatchOutcome::TimedOut);
        drop(armed);
        assert_eq!(latch.wait(AT.0, AT.1, None), LatchOutcome::Opened);
    }),
    ("gate/latch/wait::wait_async", |(latch, _)| {
        let armed = latch.arm(AT.0, *AT.1, 1);
        assert!(poll(pin!(latch.wait_async(AT.0, *AT.1))).is_pending());
        let mut wait = pin!(latch.wait_async(AT.0, *AT.1));
        assert!(poll(wait.as_mut()).is_pending());
        drop(armed);
        assert_eq!(poll(wait), Poll::Ready(LatchOutcome::Abandoned));
    }),
    ("gate/barrier/mod::pool_stats", |(_, barrier)| {
        ignore(barrier.pool_stats());
    }),
    ("gate/barrier/mod::register", |(_, barrier)| {
        assert!(barrier.register(AT.0, *AT.1).is_ok());
    }),
    ("gate/barrier/mod::members", |(_, barrier)| {
        assert_eq!(barrier.members(AT.0, AT.1), 0);
    }),
    ("gate/barrier/mod::arrived", |(_, barrier)| {
        assert_eq!(barrier.arrived(AT.0, AT.1), 0);
    }),
    ("gate/barrier/member::key", |(_, barrier)| {
        ignore(barrier.register(AT.0, *AT.1).map(|member| *member.key()));
    }),
    ("gate/barrier/wait::is_leader", |_| {
        assert!(BarrierOutcome::Leader.is_leader());
    }),
    ("gate/barrier/wait::wait", |(_, barrier)| {
        let [mut first, second] = [(); 2].map(|()| barrier.register(AT.0, *AT.1).expect("places"));
        assert_eq!(first.wait(PAST), BarrierOutcome::TimedOut);
        drop(second);
        assert_eq!(first.wait(None), BarrierOutcome::Leader);
    }),
    ("gate/barrier/wait::wait_async", |(_, barrier)| {
        let [mut first, mut second] =
            [(); 2].map(|()| barrier.register(AT.0, *AT.1).expect("places"));
        assert!(poll(pin!(first.wait_async())).is_pending());
        let mut wait = pin!(first.wait_async());
        assert!(poll(wait.as_mut()).is_pending());
        assert_eq!(second.wait(None), BarrierOutcome::Leader);
        assert_eq!(poll(wait), Poll::Ready(BarrierOutcome::Follower));
    }),
];

const RESET: [&str; 2] = [
    "gate/latch/mod::reset_after_fork",
    "gate/barrier/mod::reset_after_fork",
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let operations = OPERATIONS.iter().map(|(name, _)| *name);
    operations.chain(MADE).chain(RESET)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Two allocations, which are given back.
fn assert_made<T>(name: &str, make: impl FnOnce() -> T) {
    let mut made = None;
    let (count, bytes) = allocated(|| made = Some(make()));
    assert_eq!(count, 2, "{name}");
    assert_eq!(allocated(|| drop(made.take())), (2, -bytes), "{name}");
}

/// The slots and the places, and nothing else.
#[test]
fn no_gate_allocates() {
    assert_made(MADE[0], Latch::<u64>::new);
    assert_made(MADE[1], || Latch::<u64>::with_options(OPTIONS));
    assert_made(MADE[2], Barrier::<u64>::new);
    assert_made(MADE[3], || Barrier::<u64>::with_options(OPTIONS));
    assert_made(MADE[4], || Latch::<u64>::new().with_key_text());
    assert_made(MADE[4], || Barrier::<u64>::new().with_key_text());
    let latch = Latch::with_options(OPTIONS).expect("not absurd");
    let gates = (latch, Barrier::with_options(OPTIONS).expect("not absurd"));
    for (name, operation) in OPERATIONS {
        // The first wait of a thread may make the thread's handle.
        operation(&gates);
        assert_eq!(allocated(|| operation(&gates)), (0, 0), "{name}");
    }
    // SAFETY: nobody uses these latches.
    let reset = allocated(|| unsafe { gates.0.reset_after_fork() });
    assert_eq!(reset, (0, 0), "{}", RESET[0]);
    // SAFETY: nobody uses these barriers.
    let reset = allocated(|| unsafe { gates.1.reset_after_fork() });
    assert_eq!(reset, (0, 0), "{}", RESET[1]);
}
