//! Stories of guests that share a table: who meets whom, and what ends a wait.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::cell::Cell;
use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread::JoinHandle;

use common::bells::{Bell, poll, poll_with, ready, trap};
use common::{Rounds, leak, until, watchdog};
use slotpark::{DomainError, DomainOutcome, FutexKey, FutexWait, Interrupter, WaitDomain};

type Domain = WaitDomain<'static>;
type Told = Result<DomainOutcome, DomainError<Infallible>>;

const ALL: u32 = u32::MAX;
const AT: u64 = 0x1000;
/// Long enough that who is told `TimedOut` was not told what it should be.
const MILLISECOND_NS: i64 = 1_000_000;

fn zero() -> Result<u32, Infallible> {
    Ok(0)
}

fn zero64() -> Result<u64, Infallible> {
    Ok(0)
}

/// A domain on a table of one slot, where everybody meets.
fn crowded() -> &'static Domain {
    leak(WaitDomain::on(leak(FutexWait::with_slots(1))))
}

/// A thread that waits; returns once it is queued, or over.
fn queued(
    domain: &'static Domain,
    address: u64,
    wait: impl FnOnce() -> Told + Send + 'static,
) -> JoinHandle<Told> {
    let others = domain.waiters(address);
    let thread = std::thread::spawn(wait);
    let is_queued = || domain.waiters(address) > others || thread.is_finished();
    until("a guest's thread is queued", is_queued);
    thread
}

fn told(thread: JoinHandle<Told>) -> Told {
    thread.join().expect("a wait does not panic")
}

/// wasmer 7.4.2: a guest is terminated while one of its threads begins to wait, after its first
/// look. It sees that under the lock.
#[test]
fn a_domain_closed_between_look_and_queue_refuses() {
    let closing = |domain: &'static Domain| {
        move || {
            // Another thread, at the worst moment.
            assert_eq!(domain.close(), 0);
            Ok::<_, Infallible>(0)
        }
    };
    let first = |domain: &'static Domain| {
        let (close, mut looks) = (closing(domain), 0);
        move || {
            looks += 1;
            if looks == 1 { close() } else { Ok(0) }
        }
    };
    let closed = Err(DomainError::Closed);
    let domain = crowded();
    assert_eq!(domain.wait32(AT, 0, MILLISECOND_NS, first(domain)), closed);
    let domain = crowded();
    let (thread, load) = (Interrupter::new(), first(domain));
    let wait = domain.wait32_interruptible(&thread, AT, 0, MILLISECOND_NS, load);
    assert_eq!(wait, closed);
    let domain = crowded();
    let mut wait = pin!(domain.wait32_async(AT, 0, first(domain), pending()));
    assert_eq!(poll(wait.as_mut(), &Bell::new()), Poll::Ready(closed));
    assert_eq!(domain.wait32(AT, 0, MILLISECOND_NS, zero), closed, "later");
    assert_eq!(domain.wait32(AT, 1, -1, zero), closed, "equal or not");
}

/// Who is told that the guest is terminated finds it so: the task that a closing ends waits again
/// at once, from its Waker.
#[test]
fn a_domain_is_closed_before_it_ends_waits() {
    let domain = crowded();
    let (sender, receiver) = channel();
    let again = trap(move || {
        let _ = sender.send(domain.wait32(AT, 0, 0, zero));
    });
    let mut wait = pin!(domain.wait32_async(AT, 0, zero, pending()));
    assert_eq!(poll_with(wait.as_mut(), &again), Poll::Pending);
    assert_eq!(domain.close(), 1);
    assert_eq!(ready(wait), Err(DomainError::Closed));
    assert_eq!(receiver.recv(), Ok(Err(DomainError::Closed)));
}

/// The same by two threads, as they come: nobody sleeps on.
#[test]
fn a_closing_against_a_wait_leaves_nobody_asleep() {
    let _watch = watchdog("a_closing_against_a_wait_leaves_nobody_asleep");
    const ROUNDS: usize = 2_000;
    let table = FutexWait::with_slots(2);
    let domains: Vec<_> = (0..ROUNDS).map(|_| WaitDomain::on(&table)).collect();
    let rounds = Rounds::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for domain in &domains {
                rounds.begin(0);
                assert_eq!(domain.wait32(AT, 0, -1, zero), Err(DomainError::Closed));
                rounds.end(0);
            }
        });
        for domain in &domains {
            rounds.begin(1);
            assert!(domain.close() <= 1);
            rounds.end(1);
        }
    });
}

/// Two guests at one address of one table: no notify, no closing and no unmapping of one reaches
/// the other, nor who chose the space of its key.
#[test]
fn guests_never_meet_at_one_address() {
    let table = leak(FutexWait::with_slots(1));
    let [one, other] = [(); 2].map(|()| leak(WaitDomain::on(table)));
    let mut wait = pin!(one.wait32_async(AT, 0, zero, pending()));
    assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
    assert_eq!((one.waiters(AT), other.waiters(AT)), (1, 0));
    assert_eq!(other.notify(AT, ALL), 0);
    assert_eq!(other.drop_range(..), 0);
    assert_eq!(other.close(), 0);
    assert_eq!(table.wake_key(FutexKey::new(1, AT), usize::MAX, ALL), 0);
    assert_eq!(one.notify(AT, ALL), 1);
    assert_eq!(ready(wait), Ok(DomainOutcome::Woken));
}

/// A child of a guest begins with nobody, and lives on when its parent ends.
#[test]
fn a_fork_has_nothing_of_its_parent() {
    let parent = crowded();
    let mut wait = pin!(parent.wait32_async(AT, 0, zero, pending()));
    assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
    let child = leak(parent.fork());
    assert_eq!(child.waiters(AT), 0);
    let mut childs = pin!(child.wait32_async(AT, 0, zero, pending()));
    assert!(poll(childs.as_mut(), &Bell::new()).is_pending());
    assert_eq!(parent.close(), 1);
    assert_eq!(ready(wait), Err(DomainError::Closed));
    assert!(!child.is_closed());
    assert_eq!(child.notify(AT, 1), 1);
    assert_eq!(ready(childs), Ok(DomainOutcome::Woken));
}

/// One queue per address: tasks and threads, words of 32 and of 64 bits, in the order in which they
/// came, and counts that are exact.
#[test]
fn guests_are_woken_in_one_order() {
    let _watch = watchdog("guests_are_woken_in_one_order");
    let domain = crowded();
    let order: &AtomicU32 = leak(AtomicU32::new(0));
    let mut first = Box::pin(domain.wait64_async(AT, 0, zero64, pending()));
    assert!(poll(first.as_mut(), &Bell::new()).is_pending());
    let second = queued(domain, AT, move || {
        let told = domain.wait32(AT, 0, -1, zero);
        assert_eq!(order.fetch_add(1, Ordering::Relaxed), 0);
        told
    });
    let third = queued(domain, AT, move || {
        let told = domain.wait64(AT, 0, -1, zero64);
        assert_eq!(order.fetch_add(1, Ordering::Relaxed), 1);
        told
    });
    let mut fourth = pin!(domain.wait32_async(AT, 0, zero, pending()));
    assert!(poll(fourth.as_mut(), &Bell::new()).is_pending());
    assert_eq!(domain.waiters(AT), 4);
    assert_eq!(domain.notify(AT, 0), 0);
    assert_eq!(domain.notify(AT, 1), 1);
    // Not polled since, it hands the notify on.
    drop(first);
    assert_eq!(told(second), Ok(DomainOutcome::Woken));
    assert_eq!(domain.waiters(AT), 2);
    assert_eq!(domain.notify(AT, 1), 1);
    assert_eq!(told(third), Ok(DomainOutcome::Woken));
    assert!(poll(fourth.as_mut(), &Bell::new()).is_pending());
    assert_eq!(domain.notify(AT, ALL), 1);
    assert_eq!(ready(fourth), Ok(DomainOutcome::Woken));
    assert_eq!(domain.notify(AT, ALL), 0);
}

/// Nanoseconds of `i64`: 0 compares only; negative, or beyond the clock, is for ever.
#[test]
fn timeouts_of_guests() {
    let _watch = watchdog("timeouts_of_guests");
    let domain = crowded();
    assert_eq!(domain.wait32(AT, 1, 0, zero), Ok(DomainOutcome::NotEqual));
    for timeout_ns in [0, 1, MILLISECOND_NS] {
        let timed_out = Ok(DomainOutcome::TimedOut);
        assert_eq!(domain.wait32(AT, 0, timeout_ns, zero), timed_out);
        assert_eq!(domain.wait64(AT, 0, timeout_ns, zero64), timed_out);
        assert_eq!(domain.waiters(AT), 0);
    }
    for timeout_ns in [-1, i64::MIN, i64::MAX] {
        let waits = queued(domain, AT, move || domain.wait32(AT, 0, timeout_ns, zero));
        assert_eq!(domain.notify(AT, 1), 1, "{timeout_ns} ns");
        assert_eq!(told(waits), Ok(DomainOutcome::Woken));
    }
    let codes = [
        DomainOutcome::Woken,
        DomainOutcome::NotEqual,
        DomainOutcome::TimedOut,
    ];
    assert_eq!(codes.map(DomainOutcome::code), [0, 1, 2]);
}

/// A word that no instruction could name is not read.
#[test]
fn a_misaligned_word_is_not_read() {
    let domain = crowded();
    let read = Cell::new(false);
    let load32 = || {
        read.set(true);
        zero()
    };
    let load64 = || {
        read.set(true);
        zero64()
    };
    let misaligned = Err(DomainError::Misaligned);
    for offset in 1..4 {
        assert_eq!(domain.wait32(AT + offset, 0, 0, load32), misaligned);
        let wait = domain.wait32_async(AT + offset, 0, load32, async {});
        assert_eq!(ready(pin!(wait)), misaligned);
    }
    for offset in 1..8 {
        assert_eq!(domain.wait64(AT + offset, 0, 0, load64), misaligned);
        let wait = domain.wait64_async(AT + offset, 0, load64, async {});
        assert_eq!(ready(pin!(wait)), misaligned);
    }
    assert!(!read.get());
    assert_eq!(
        domain.wait32(AT + 4, 1, 0, zero),
        Ok(DomainOutcome::NotEqual)
    );
}

/// Memory goes while a thread begins to wait there, after its first look: it is told of the fault.
/// Who is queued already is ended; others are not.
#[test]
fn memory_that_goes_ends_its_waits() {
    let domain = crowded();
    let is_gone = Cell::new(false);
    let unmapping = || {
        if is_gone.get() {
            return Err("unmapped");
        }
        is_gone.set(true);
        assert_eq!(domain.drop_range(AT..), 0);
        Ok(0)
    };
    let wait = domain.wait32(AT, 0, MILLISECOND_NS, unmapping);
    assert_eq!(wait, Err(DomainError::Fault("unmapped")));
    let other = leak(domain.fork());
    let below = AT - 8;
    let mut waits = [(domain, AT), (domain, below), (other, AT)]
        .map(|(domain, address)| Box::pin(domain.wait64_async(address, 0, zero64, pending())));
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
    }
    let [gone, stays, others] = &mut waits;
    assert_eq!(domain.drop_range(AT..AT + 8), 1);
    assert_eq!(ready(gone.as_mut()), Err(DomainError::Unmapped));
    assert!(poll(stays.as_mut(), &Bell::new()).is_pending());
    assert!(poll(others.as_mut(), &Bell::new()).is_pending());
    assert_eq!(domain.drop_range(..), 1);
    assert_eq!(ready(stays.as_mut()), Err(DomainError::Unmapped));
    assert_eq!(other.notify(AT, ALL), 1);
    // The memory may come back.
    assert_eq!(domain.wait32(AT, 0, 0, zero), Ok(DomainOutcome::TimedOut));
}

/// wasmtime #12809: one thread of a guest is interrupted, before it waits or while it does, and
/// its neighbour waits on.
#[test]
fn one_thread_of_a_guest_is_interrupted() {
    let _watch = watchdog("one_thread_of_a_guest_is_interrupted");
    let domain = crowded();
    let [thread, neighbour] = [(); 2].map(|()| leak(Interrupter::new()));
    let [waits, stays] = [thread, neighbour].map(|thread| {
        queued(domain, AT, move || {
            domain.wait32_interruptible(thread, AT, 0, -1, zero)
        })
    });
    assert!(thread.interrupt(), "it waits");
    assert_eq!(told(waits), Err(DomainError::Interrupted));
    assert_eq!(domain.waiters(AT), 1);
    assert!(!thread.interrupt(), "it does not wait");
    let wait = domain.wait64_interruptible(thread, AT, 0, MILLISECOND_NS, zero64);
    assert_eq!(wait, Err(DomainError::Interrupted));
    let wait = domain.wait64_interruptible(thread, AT, 0, MILLISECOND_NS, zero64);
    assert_eq!(wait, Ok(DomainOutcome::TimedOut), "an interrupt is used up");
    assert_eq!(domain.notify(AT, ALL), 1);
    assert_eq!(told(stays), Ok(DomainOutcome::Woken));
}

/// `Debug` tells which guest it is, without a lock; and a guest is small.
#[test]
fn a_guest_is_a_number_and_a_flag() {
    let domain = crowded();
    let shown = format!("{domain:?}");
    assert!(shown.contains(&domain.space().to_string()) && shown.contains("false"));
    assert!(size_of::<Domain>() <= 24);
    // Whoever closes the whole table closes every domain on it.
    let table = leak(FutexWait::with_slots(1));
    let domain = WaitDomain::on(table);
    assert_eq!(table.waits().close(), 0);
    assert_eq!(domain.wait32(AT, 0, -1, zero), Err(DomainError::Closed));
}
