//! What the tables of cases have no line for: time that goes on, and what a table does not answer.

use std::ptr::null_mut;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use slotpark_core::{FutexAbi, FutexShared, FutexWaitv};

use super::calls::*;
use super::common::{asleep, task, until, watchdog};
use super::sides::sides;

/// The timeout of a waiter goes on while it is moved, and the target's value is not compared.
#[test]
fn a_moved_waiter_times_out() {
    let _watchdog = watchdog("a_moved_waiter_times_out");
    const TIMEOUT_NS: i64 = 200_000_000;
    for side in sides() {
        let words: Words = VALUES.map(Into::into);
        let words = &words;
        let (sender, receiver) = channel();
        let begun = Instant::now();
        thread::scope(|scope| {
            let waiter = scope.spawn(move || {
                sender.send(task()).expect("somebody listens");
                // SAFETY: word and timespec live.
                unsafe { Call(A, WAIT, 7, Time(0, TIMEOUT_NS), Null, 0).make(side, words) }
            });
            let place = receiver.recv().expect("a name");
            until("the waiter to sleep", || asleep(&place));
            let requeue = Call(A, REQUEUE, 0, Count(1), B, 0);
            // It may have slept for something else.
            until("the waiter to be moved", || {
                let is_late = begun.elapsed() >= Duration::from_nanos(TIMEOUT_NS as u64);
                // SAFETY: nothing is compared.
                is_late || unsafe { requeue.make(side, words) } == 1
            });
            assert_eq!(waiter.join().ok(), Some(ETIMEDOUT), "{}", side.name());
        });
        let wake = Call(B, WAKE, ALL, NONE, Null, 0);
        // SAFETY: a wake reads no word.
        assert_eq!(unsafe { wake.make(side, words) }, 0, "{}", side.name());
    }
}

/// A call that is not private is answered only if it is told to be.
#[test]
fn what_is_not_answered() {
    let abi = FutexAbi::process().with_thread(1, |_| true);
    let as_private = abi.with_shared(FutexShared::AsPrivate);
    let word = std::sync::atomic::AtomicU32::new(7);
    let call = |abi: FutexAbi<'_>, op, val| {
        // SAFETY: the word lives, and no timeout is given.
        unsafe { abi.futex(word.as_ptr(), op, val, 0, null_mut(), 1) }
    };
    for op in [2, 14, 512] {
        assert!(!abi.answers(op | 128) && !as_private.answers(op), "{op}");
        assert_eq!(call(abi, op | 128, 0), ENOSYS, "{op}");
        assert_eq!(call(as_private, op, 0), ENOSYS, "{op}");
    }
    let unlock = libc::FUTEX_UNLOCK_PI;
    let answered = [(0, EAGAIN), (1, 0), (9, EAGAIN), (10, 0), (unlock, EPERM)];
    for (op, result) in answered {
        assert!(
            !abi.answers(op) && as_private.answers(op) && abi.answers(op | 128),
            "{op}"
        );
        assert_eq!(call(abi, op, 6), ENOSYS, "{op}");
        assert_eq!(call(as_private, op, 6), result, "{op}");
        assert_eq!(call(abi, op | 128, 6), result, "{op}");
    }
    assert_eq!(abi.futex2_wake(word.as_ptr(), 1, 1, 2), ENOSYS);
    assert_eq!(as_private.futex2_wake(word.as_ptr(), 1, 1, 2), 0);
    let entry = FutexWaitv {
        flags: 2,
        ..FutexWaitv::new(word.as_ptr(), 6)
    };
    // SAFETY: entry and word live, and no timeout is given.
    let waited = [abi, as_private].map(|it| unsafe { it.waitv(&entry, 1, 0, null_mut(), 1) });
    assert_eq!(waited, [ENOSYS, EAGAIN]);
}
