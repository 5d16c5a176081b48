//! Domains of guests.

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;

use slotpark::{DomainError, DomainOutcome, FutexWait, Interrupter, WaitDomain};

use super::ends::poll;
use super::{allocated, ignore};

type Operation = (&'static str, fn(&WaitDomain));

const AT: u64 = 0x1000;
const TIMED_OUT: Result<DomainOutcome, DomainError<Infallible>> = Ok(DomainOutcome::TimedOut);

fn load<T: Default>() -> Result<T, Infallible> {
    Ok(T::default())
}

const OPERATIONS: [Operation; 18] = [
    ("domain/mod::new", |_| ignore(WaitDomain::new())),
    ("domain/mod::on", |_| {
        ignore(WaitDomain::on(FutexWait::process()));
    }),
    ("domain/mod::fork", |domain| ignore(domain.fork())),
    ("domain/mod::space", |domain| ignore(domain.space())),
    ("domain/mod::key", |domain| ignore(domain.key(AT))),
    ("domain/mod::notify", |domain| {
        let mut wait = pin!(domain.wait32_async(AT, 0, load, pending()));
        assert!(poll(wait.as_mut()).is_pending());
        assert_eq!(domain.notify(AT, u32::MAX), 1);
        assert!(poll(wait).is_ready());
    }),
    ("domain/mod::waiters", |domain| ignore(domain.waiters(AT))),
    ("domain/mod::is_closed", |domain| {
        assert!(!domain.is_closed());
    }),
    ("domain/mod::drop_range", |domain| {
        let mut wait = pin!(domain.wait32_async(AT, 0, load, pending()));
        assert!(poll(wait.as_mut()).is_pending());
        assert_eq!(domain.drop_range(AT..), 1);
        assert!(poll(wait).is_ready());
    }),
    ("domain/waits::wait32", |domain| {
        assert_eq!(domain.wait32(AT, 0, 200_000, load), TIMED_OUT);
    }),
    ("domain/waits::wait64", |domain| {
        assert_eq!(domain.wait64(AT, 0, 200_000, load), TIMED_OUT);
    }),
    ("domain/waits::wait32_interruptible", |domain| {
        let thread = Interrupter::new();
        let wait = domain.wait32_interruptible(&thread, AT, 0, 200_000, load);
        assert_eq!(wait, TIMED_OUT);
    }),
    ("domain/waits::wait64_interruptible", |domain| {
        let thread = Interrupter::new();
        thread.interrupt();
        let wait = domain.wait64_interruptible(&thread, AT, 0, -1, load);
        assert_eq!(wait, Err(DomainError::Interrupted));
    }),
    ("domain/tasks::wait32_async", |domain| {
        assert!(poll(pin!(domain.wait32_async(AT, 0, load, async {}))).is_ready());
    }),
    ("domain/tasks::wait64_async", |domain| {
        assert!(poll(pin!(domain.wait64_async(AT, 0, load, pending()))).is_pending());
    }),
    ("domain/outcome::code", |_| {
        ignore(DomainOutcome::Woken.code());
    }),
    ("domain/mod::close", |domain| ignore(domain.close())),
    // Closed, it returns at once.
    ("domain/waits::wait32", |domain| {
        assert_eq!(domain.wait32(AT, 0, -1, load), Err(DomainError::Closed));
    }),
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.map(|(name, _)| name).into_iter()
}

/// A guest is made, waits and ends without an allocation.
#[test]
fn no_guest_allocates() {
    let domain = WaitDomain::new();
    // The first wait of a thread may make the thread's handle.
    assert_eq!(domain.wait32(AT, 0, 200_000, load), TIMED_OUT);
    for (name, operation) in OPERATIONS {
        assert_eq!(allocated(|| operation(&domain)), (0, 0), "{name}");
    }
}

/// wasmtime #13981: a guest that waits for no time at a million addresses leaves 49 MiB in its map.
#[test]
fn a_million_waits_of_a_guest_leave_nothing() {
    let domain = WaitDomain::new();
    let wait_in_vain = |index: u64| {
        assert_eq!(domain.wait32(4 * index, 0, 0, load), TIMED_OUT);
    };
    wait_in_vain(0);
    assert_eq!(allocated(|| (0..1_000_000).for_each(wait_in_vain)), (0, 0));
    let queued = |index: u64| {
        let mut wait = pin!(domain.wait64_async(8 * index, 0, load, pending()));
        assert!(poll(wait.as_mut()).is_pending());
    };
    assert_eq!(allocated(|| (0..100_000).for_each(queued)), (0, 0));
    let waiters = |index: u64| domain.waiters(4 * index);
    assert_eq!((0..200_000).map(waiters).sum::<usize>(), 0);
    assert_eq!(domain.close(), 0);
}
