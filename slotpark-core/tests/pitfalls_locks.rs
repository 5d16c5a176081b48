//! Stories of locks: who is overtaken, who is let in with whom, who is woken for nothing, and what
//! is touched after its end.

mod common;

use std::cell::UnsafeCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use common::spied::{Spied, on_wake};
use common::{FOREVER, Numbers, Waiting, leak, sleepy, soon, until, watchdog};
use slotpark_core::{
    At, Deadline, DefaultPlatform, Platform, RawCondvar, RawMutex, RawOnce, RawRwLock, Table,
};

const LOCKS: (u64, u64) = (5, 1);
const CONDVAR: (u64, u64) = (6, 2);

/// Locks and a table for their waiters, who sleep at once.
struct Site<P: Platform> {
    table: &'static Table<u64, P>,
    mutex: RawMutex,
    condvar: RawCondvar,
    rwlock: RawRwLock,
    once: RawOnce,
}

impl<P: Platform> Site<P> {
    fn new() -> &'static Self {
        leak(Self {
            table: sleepy(4),
            mutex: RawMutex::new(),
            condvar: RawCondvar::new(),
            rwlock: RawRwLock::new(),
            once: RawOnce::new(),
        })
    }

    fn place(&self, (hash, key): (u64, u64)) -> At<'static, u64, P> {
        At {
            table: self.table,
            hash,
            key,
        }
    }

    /// Where the locks wait: a test uses one of them.
    fn at(&self) -> At<'static, u64, P> {
        self.place(LOCKS)
    }

    fn waiters(&self, (hash, key): (u64, u64)) -> usize {
        self.table.waiters(hash, &key)
    }

    /// A thread that waits at `place`.
    fn queued<R: Send + 'static>(
        &'static self,
        place: (u64, u64),
        wait: impl FnOnce(&'static Self) -> R + Send + 'static,
    ) -> JoinHandle<R> {
        let others = self.waiters(place);
        let thread = std::thread::spawn(move || wait(self));
        until("a thread is queued", || self.waiters(place) > others);
        thread
    }

    fn lock(&self) {
        assert!(self.mutex.lock_at(self.at(), None));
    }

    fn unlock(&self) {
        self.mutex.unlock_at(self.at());
    }

    /// With the mutex locked.
    fn wait(&self, deadline: Option<Deadline>) -> bool {
        let place = self.place(CONDVAR);
        // SAFETY: the condition variable is used at this place alone.
        unsafe {
            self.condvar
                .wait_at(place, (&self.mutex, self.at()), deadline)
        }
    }

    fn notify(&self, count: usize) -> usize {
        let place = self.place(CONDVAR);
        // SAFETY: the condition variable is used at this place alone.
        unsafe { self.condvar.notify_at(place, count, |_| self.at()) }
    }
}

fn joined<R>(thread: JoinHandle<R>) -> R {
    until("a thread returns", || thread.is_finished());
    thread.join().expect("it does not panic")
}

/// P2616R3, as for a wake: whoever gets a lock may free it, while its last owner is still about to
/// return. Here the word is overwritten as soon as it is given back.
#[test]
fn unlock_of_a_gone_lock() {
    let _watch = watchdog("unlock_of_a_gone_lock");
    if !Spied::GROUP_SLEEP {
        return common::skip("unlock_of_a_gone_lock", "its hook is a wake of a group");
    }
    let site: &'static Site<Spied> = Site::new();
    // Somebody is queued who does not touch the mutex, and PARKED is set by one who has left.
    assert!(site.mutex.try_lock());
    let queued = Waiting::asleep(site.table, LOCKS, FOREVER);
    assert!(
        !site
            .mutex
            .lock_at(site.at(), soon(Duration::from_millis(1)))
    );
    let byte = (&raw const site.mutex).cast_mut().cast::<u8>();
    // SAFETY: it is an atomic byte, and lives for ever.
    let byte = unsafe { AtomicU8::from_ptr(byte) };
    on_wake(|| byte.store(0xAA, Ordering::Relaxed));
    site.unlock();
    assert_eq!(byte.load(Ordering::Relaxed), 0xAA);
    assert!(queued.outcome().is_woken());

    assert!(site.rwlock.try_write());
    let reader = site.queued(LOCKS, |site| site.rwlock.read_at(site.at(), None));
    until("it sleeps", || site.waiters(LOCKS) == 1);
    let word = (&raw const site.rwlock).cast_mut().cast::<u32>();
    // SAFETY: it is an atomic word, and lives for ever.
    let word = unsafe { AtomicU32::from_ptr(word) };
    on_wake(|| word.store(0x5555_5555, Ordering::Relaxed));
    site.rwlock.unlock_write_at(site.at());
    assert!(joined(reader));
    // A reader that has not slept yet makes no hook run: it reads, and nobody waits.
    let left = word.load(Ordering::Relaxed);
    assert!(matches!(left, 0x5555_5555 | 8), "{left:#x}");
}

/// A barging lock goes to who is on a CPU; but a waiter is overtaken a few times at most.
#[test]
fn a_waiter_is_overtaken_eight_times_at_most() {
    let _watch = watchdog("a_waiter_is_overtaken_eight_times_at_most");
    let site: &'static Site<DefaultPlatform> = Site::new();
    site.lock();
    let waiter = site.queued(LOCKS, |site| site.lock());
    let mut overtaken = 0;
    loop {
        site.unlock();
        if !site.mutex.try_lock() {
            break;
        }
        overtaken += 1;
        assert!(overtaken <= 8, "it was woken, and too late, for ever");
        until("the waiter is queued again", || site.waiters(LOCKS) == 1);
    }
    joined(waiter);
    site.unlock();
    assert!(site.mutex.try_lock());
}

/// Fair: nobody comes between who unlocks and who waits.
#[test]
fn a_fair_unlock_hands_over() {
    let _watch = watchdog("a_fair_unlock_hands_over");
    let site: &'static Site<DefaultPlatform> = Site::new();
    site.lock();
    let waiters = [(); 2].map(|()| {
        site.queued(LOCKS, |site| {
            site.lock();
            site.mutex.unlock_fair_at(site.at());
        })
    });
    site.mutex.unlock_fair_at(site.at());
    assert!(!site.mutex.try_lock() || site.waiters(LOCKS) == 0);
    for thread in waiters {
        joined(thread);
    }
}

/// Readers come and come, so that at no moment there is none: a writer who waits is before those
/// who come later.
#[test]
fn readers_do_not_starve_a_writer() {
    let _watch = watchdog("readers_do_not_starve_a_writer");
    let site: &'static Site<DefaultPlatform> = Site::new();
    assert!(site.rwlock.try_read());
    let writer = site.queued(LOCKS, |site| site.rwlock.write_at(site.at(), None));
    assert!(!site.rwlock.try_read(), "a writer waits");
    assert!(!site.rwlock.try_upgradable(), "a writer waits");
    let late = site.queued(LOCKS, |site| site.rwlock.read_at(site.at(), None));
    site.rwlock.unlock_read_at(site.at());
    assert!(joined(writer));
    assert_eq!(site.waiters(LOCKS), 1);
    // Nor do writers starve readers: those at the head are given the lock.
    site.rwlock.unlock_write_at(site.at());
    assert!(!site.rwlock.try_write(), "it was handed over");
    assert!(joined(late));
    site.rwlock.unlock_read_at(site.at());
    assert!(!site.rwlock.is_locked());
}

/// A writer leaves: all readers at the head go in at once, up to the next writer.
#[test]
fn readers_at_the_head_go_in_together() {
    let _watch = watchdog("readers_at_the_head_go_in_together");
    let site: &'static Site<DefaultPlatform> = Site::new();
    assert!(site.rwlock.try_write());
    let readers = [(); 3].map(|()| site.queued(LOCKS, |site| site.rwlock.read_at(site.at(), None)));
    let writer = site.queued(LOCKS, |site| site.rwlock.write_at(site.at(), None));
    let late = site.queued(LOCKS, |site| site.rwlock.read_at(site.at(), None));
    site.rwlock.unlock_write_at(site.at());
    assert_eq!(site.waiters(LOCKS), 2, "all three were let in");
    assert_eq!(readers.map(joined), [true; 3]);
    for _ in 0..3 {
        assert!(!writer.is_finished());
        site.rwlock.unlock_read_at(site.at());
    }
    assert!(joined(writer));
    site.rwlock.downgrade_at(site.at());
    assert!(
        joined(late),
        "a writer that goes on reading lets readers in"
    );
}

/// The head of the queue gives up: those behind it go in, without any release.
#[test]
fn a_writer_that_gives_up_lets_readers_through() {
    let _watch = watchdog("a_writer_that_gives_up_lets_readers_through");
    let site: &'static Site<DefaultPlatform> = Site::new();
    assert!(site.rwlock.try_read());
    let writer = site.queued(LOCKS, |site| {
        site.rwlock
            .write_at(site.at(), soon(Duration::from_millis(50)))
    });
    let reader = std::thread::spawn(|| site.rwlock.read_at(site.at(), None));
    assert!(!joined(writer));
    assert!(joined(reader));
    assert!(site.rwlock.try_read(), "nobody waits");
}

/// An upgrade is before everybody who waits, and nobody writes in between.
#[test]
fn an_upgrade_comes_first() {
    let _watch = watchdog("an_upgrade_comes_first");
    let site: &'static Site<DefaultPlatform> = Site::new();
    assert!(site.rwlock.try_upgradable() && site.rwlock.try_read());
    let writer = site.queued(LOCKS, |site| site.rwlock.write_at(site.at(), None));
    let (asked, upgraded) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            asked.store(1, Ordering::Release);
            assert!(site.rwlock.upgrade_at(site.at(), None));
            upgraded.store(1, Ordering::Release);
        });
        until("it waits", || site.waiters(LOCKS) == 2);
        site.rwlock.unlock_read_at(site.at());
        until("it is upgraded", || upgraded.load(Ordering::Acquire) == 1);
        assert!(!writer.is_finished());
        site.rwlock.downgrade_to_upgradable_at(site.at());
        assert!(site.rwlock.try_upgrade_at(site.at()), "there is no reader");
        site.rwlock.unlock_write_at(site.at());
    });
    assert!(joined(writer));
}

/// Ten wait, and the mutex is locked: nobody wakes in order to wait again.
#[test]
fn a_notification_is_no_thundering_herd() {
    let _watch = watchdog("a_notification_is_no_thundering_herd");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let waiters = [(); 10].map(|()| {
        site.queued(CONDVAR, |site| {
            site.lock();
            assert!(site.wait(None));
            site.unlock();
        })
    });
    let wakes = || site.table.slot_stats(1).wakes + site.table.slot_stats(2).wakes;
    site.lock();
    let before = wakes();
    assert_eq!(site.notify(1), 1);
    assert_eq!((site.waiters(CONDVAR), site.waiters(LOCKS)), (9, 1));
    assert_eq!(site.notify(usize::MAX), 9);
    assert_eq!((site.waiters(CONDVAR), site.waiters(LOCKS)), (0, 10));
    assert_eq!(wakes(), before, "the mutex is locked: nobody could go on");
    assert_eq!(site.notify(usize::MAX), 0, "nobody is notified twice");
    site.unlock();
    for thread in waiters {
        joined(thread);
    }
    assert!(site.mutex.try_lock());
}

/// std #139989 and others: a notification is counted for a wait whose deadline passes while it waits
/// for the mutex: if that wait says that it timed out, nobody does what was notified.
#[test]
fn a_notified_wait_does_not_time_out() {
    let _watch = watchdog("a_notified_wait_does_not_time_out");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let waiter = site.queued(CONDVAR, |site| {
        site.lock();
        let is_notified = site.wait(soon(Duration::from_millis(200)));
        site.unlock();
        is_notified
    });
    site.lock();
    if site.notify(1) == 0 {
        // A very slow machine: the deadline came first.
        site.unlock();
        assert!(!joined(waiter));
        return;
    }
    until("its deadline is past", || {
        site.table.slot_stats(1).timeouts == 1
    });
    site.unlock();
    assert!(joined(waiter), "its notification was counted");
}

/// Waits with two mutexes at one time would move threads to the wrong one. The mutex stays locked.
#[test]
fn two_mutexes_of_one_condvar() {
    let _watch = watchdog("two_mutexes_of_one_condvar");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let waiter = site.queued(CONDVAR, |site| {
        site.lock();
        assert!(site.wait(None));
        site.unlock();
    });
    let other = RawMutex::new();
    assert!(other.try_lock());
    let place = (&other, site.place((7, 3)));
    // SAFETY: the condition variable is used at this place alone.
    let wait = || unsafe { site.condvar.wait_at(site.place(CONDVAR), place, None) };
    assert!(catch_unwind(AssertUnwindSafe(wait)).is_err());
    assert!(other.is_locked());
    assert_eq!(site.notify(1), 1);
    joined(waiter);
    // Now it may be used with the other.
    let past = Some(Deadline::PAST);
    // SAFETY: as above.
    assert!(!unsafe { site.condvar.wait_at(site.place(CONDVAR), place, past) });
}

/// Whoever does it panics: those who wait for it are told, and one may do it again.
#[test]
fn a_panic_in_a_once_is_told_to_those_who_wait() {
    let _watch = watchdog("a_panic_in_a_once_is_told_to_those_who_wait");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let (mut plain, mut forced) = (None, None);
    let run = || {
        site.once.call_at(site.at(), false, |_| {
            plain = Some(site.queued(LOCKS, |site| {
                let call = || site.once.call_at(site.at(), false, |_| {});
                catch_unwind(AssertUnwindSafe(call)).is_err()
            }));
            forced = Some(site.queued(LOCKS, |site| {
                site.once.wait_at(site.at(), true);
            }));
            panic!("on purpose");
        });
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert!(!site.once.is_completed());
    assert!(joined(plain.expect("it was begun")), "it is poisoned");
    site.once
        .call_at(site.at(), true, |state| assert!(state.is_poisoned()));
    joined(forced.expect("it was begun"));
    site.once
        .call_at(site.at(), false, |_| panic!("it is done"));
}

/// A number, guarded by a lock.
struct Guarded(UnsafeCell<[u64; 2]>);

// SAFETY: the tests access it under a lock.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new() -> &'static Self {
        leak(Self(UnsafeCell::new([0; 2])))
    }

    /// In two halves: who comes in between sees it.
    fn add(&self) {
        self.check();
        // SAFETY: the lock is held for writing.
        unsafe { (*self.0.get())[0] += 1 };
        // SAFETY: as above.
        unsafe { (*self.0.get())[1] += 1 };
    }

    fn check(&self) -> u64 {
        // SAFETY: the lock is held.
        let [first, second] = unsafe { *self.0.get() };
        assert_eq!(first, second, "somebody writes beside this");
        first
    }
}

/// A table that is closed queues nobody: its locks go on all the same, slowly.
#[test]
fn locks_of_a_closed_table_go_on() {
    let _watch = watchdog("locks_of_a_closed_table_go_on");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let number = Guarded::new();
    site.lock();
    assert!(site.rwlock.try_write());
    let waiters = [
        site.queued(LOCKS, |site| site.lock()),
        site.queued(LOCKS, |site| {
            assert!(site.rwlock.read_at(site.at(), None));
        }),
    ];
    site.table.close();
    site.unlock();
    site.rwlock.unlock_write_at(site.at());
    for thread in waiters {
        joined(thread);
    }
    site.unlock();
    site.rwlock.unlock_read_at(site.at());
    let threads = [(); 3].map(|()| {
        std::thread::spawn(|| {
            for _ in 0..20 {
                site.lock();
                number.add();
                std::thread::yield_now();
                site.unlock();
                assert!(site.rwlock.write_at(site.at(), None));
                site.rwlock.unlock_write_at(site.at());
            }
        })
    });
    for thread in threads {
        joined(thread);
    }
    site.lock();
    assert_eq!(number.check(), 60);
    assert!(!site.wait(Some(Deadline::PAST)));
    assert_eq!(site.notify(1), 0);
}

/// Random locks of four threads, with deadlines, upgrades and downgrades: whoever writes is alone,
/// nobody who waits is forgotten, and every write is there in the end.
#[test]
fn random_locks_exclude() {
    let _watch = watchdog("random_locks_exclude");
    let rounds = if cfg!(miri) { 30 } else { 20_000 };
    let site: &'static Site<DefaultPlatform> = Site::new();
    let number = Guarded::new();
    let threads = [1, 2, 3, 4].map(|seed| {
        std::thread::spawn(move || {
            let mut numbers = Numbers::new(seed);
            let mut writes = 0;
            for _ in 0..rounds {
                writes += random_lock(site, number, &mut numbers);
            }
            writes
        })
    });
    let writes: u64 = threads.map(joined).iter().sum();
    assert!(site.rwlock.try_write(), "nothing was left behind");
    assert_eq!((number.check(), site.waiters(LOCKS)), (writes, 0));
}

/// One of the ways to hold the lock; how often it wrote.
fn random_lock(site: &Site<DefaultPlatform>, number: &Guarded, numbers: &mut Numbers) -> u64 {
    let (lock, at) = (&site.rwlock, site.at());
    let deadline = match numbers.below(4) {
        0 => soon(Duration::from_micros(numbers.below(20))),
        _ => None,
    };
    let dawdle = |numbers: &mut Numbers| {
        if numbers.below(8) == 0 {
            std::thread::yield_now();
        }
    };
    match numbers.below(4) {
        0 if lock.write_at(at, deadline) => {
            number.add();
            dawdle(numbers);
            match numbers.below(3) {
                0 => lock.unlock_write_at(at),
                1 => lock.unlock_write_fair_at(at),
                _ => {
                    lock.downgrade_at(at);
                    number.check();
                    lock.unlock_read_at(at);
                }
            }
            1
        }
        1 if lock.upgradable_at(at, deadline) => {
            let before = number.check();
            dawdle(numbers);
            if !lock.upgrade_at(at, deadline) {
                lock.downgrade_upgradable_at(at);
                assert_eq!(number.check(), before, "this has held it all the time");
                lock.unlock_read_at(at);
                return 0;
            }
            assert_eq!(number.check(), before, "nobody wrote in between");
            number.add();
            lock.downgrade_to_upgradable_at(at);
            lock.unlock_upgradable_at(at);
            1
        }
        2 if lock.try_write() => {
            number.add();
            lock.unlock_write_at(at);
            1
        }
        3 if lock.read_at(at, deadline) => {
            let before = number.check();
            dawdle(numbers);
            assert_eq!(number.check(), before);
            lock.unlock_read_at(at);
            0
        }
        _ => 0,
    }
}
