//! The child of a fork has one thread: what that one holds it holds, what others held nobody does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use slotpark_core::{Detail, RawMutex, process_table};

use crate::common::{leak, until, watchdog};
use crate::forked::in_child;
use crate::{Alone, assert_nobody, holders, threads};

fn reset() {
    // SAFETY: a child of a fork has one thread, which forked outside all closures.
    unsafe { process_table().reset_after_fork() };
}

fn number() -> Option<u32> {
    // SAFETY: gettid(2) is always callable.
    u32::try_from(unsafe { libc::gettid() }).ok()
}

#[test]
fn the_child_has_its_own_holds_only() {
    let _watchdog = watchdog("the_child_has_its_own_holds_only");
    let _alone = Alone::at(Detail::Timing);
    let (own, other) = leak((RawMutex::new(), RawMutex::new()));
    assert!(own.try_lock());
    let (locked, is_locked) = channel();
    let (go, gone) = channel::<()>();
    let thread = thread::spawn(move || {
        assert!(other.try_lock());
        locked.send(()).expect("somebody wants to know");
        gone.recv().expect("it is told to go on");
        other.unlock_at(other.place());
    });
    is_locked.recv().expect("it locks");
    assert_eq!(threads(own.place()), [number()]);
    in_child(|| {
        reset();
        assert_eq!(threads(own.place()), [number()]);
        assert!(other.is_locked() && holders(other.place()).is_empty());
        // Once more, as for another table.
        reset();
        assert_eq!(threads(own.place()), [number()]);
        own.unlock_at(own.place());
        assert_nobody();
        assert!(own.try_lock());
        assert_eq!(threads(own.place()), [number()]);
    });
    assert_eq!(threads(own.place()), [number()]);
    go.send(()).expect("it waits for this");
    thread.join().expect("it had the lock");
    own.unlock_at(own.place());
    assert_nobody();
}

/// Another thread may be in the middle of any of it.
#[test]
fn a_child_does_not_hang_in_the_list() {
    let _watchdog = watchdog("a_child_does_not_hang_in_the_list");
    let _alone = Alone::at(Detail::Timing);
    static BUSY: RawMutex = RawMutex::new();
    static ENDS: AtomicBool = AtomicBool::new(false);
    static BEGAN: AtomicBool = AtomicBool::new(false);
    let thread = thread::spawn(|| {
        while !ENDS.load(Ordering::Relaxed) {
            assert!(BUSY.try_lock());
            BUSY.unlock_at(BUSY.place());
            BEGAN.store(true, Ordering::Relaxed);
        }
    });
    until("it runs", || BEGAN.load(Ordering::Relaxed));
    for _ in 0..64 {
        in_child(|| {
            reset();
            assert_nobody();
            // In the same part.
            let mutex = RawMutex::new();
            let _may_fail = BUSY.try_lock();
            BUSY.unlock_at(BUSY.place());
            assert!(mutex.try_lock());
            mutex.unlock_at(mutex.place());
            assert_nobody();
        });
    }
    ENDS.store(true, Ordering::Relaxed);
    thread.join().expect("it ran");
    assert_nobody();
}
