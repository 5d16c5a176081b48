//! Stories of locks that are handed over: owners that come to their end, circles, and who is next.

mod common;

use std::cell::Cell;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use common::{leak, until, watchdog};
use slotpark_core::{
    FutexError, FutexKey, FutexMemory, FutexSpace, FutexTimeout, LinearMemory, PI_OWNER_DIED,
    PI_WAITERS, Requeued, Seeded, Table, WakeCount,
};

type Said = Result<(), FutexError>;
type Space = FutexSpace<'static, LinearMemory<'static>>;

const A: u64 = 0;
const B: u64 = 4;
const C: u64 = 8;
const SPACE: u64 = 1;
const EVER: FutexTimeout = FutexTimeout::Never;
const PAST: FutexTimeout = FutexTimeout::Monotonic(Duration::ZERO);
const W: u32 = PI_WAITERS;
const D: u32 = PI_OWNER_DIED;

/// Threads by their numbers: 1 to 9 are alive unless it is said otherwise.
#[derive(Clone, Copy)]
struct Guest {
    table: &'static Table<FutexKey>,
    space: Space,
    memory: LinearMemory<'static>,
}

impl Guest {
    /// With the word A, and other words that are 0.
    fn new(word: u32) -> Self {
        let table = leak(Table::with_slots(2));
        let bytes = leak([u64::from(word).to_le(), 0].map(AtomicU64::new));
        let memory = LinearMemory::new(bytes);
        Self {
            table,
            space: FutexSpace::over(table, leak(Seeded::with_seed(1)), SPACE, memory),
            memory,
        }
    }

    fn word(self, at: u64) -> u32 {
        let size = slotpark_core::FutexSize::U32;
        self.memory.load(at, size).expect("a word") as u32
    }

    fn set(self, at: u64, value: u32) {
        let old = self.word(at);
        assert_eq!(self.memory.compare_exchange(at, old, value), Ok(Ok(old)));
    }

    /// A thread that waits for a lock, queued.
    fn locker(self, at: u64, tid: u32) -> JoinHandle<Said> {
        self.queued(at, move || self.space.lock_pi(at, tid, EVER, |_| true))
    }

    /// A thread that waits at A to be moved, queued.
    fn mover(self, lock: u64, tid: u32) -> JoinHandle<Said> {
        self.queued(A, move || {
            self.space.wait_requeue_pi(A, self.word(A), lock, tid, EVER)
        })
    }

    fn queued(self, at: u64, wait: impl FnOnce() -> Said + Send + 'static) -> JoinHandle<Said> {
        let others = self.space.waiters_pi(at);
        let thread = std::thread::spawn(wait);
        until("a thread is queued", || self.space.waiters_pi(at) > others);
        thread
    }
}

fn joined(thread: JoinHandle<Said>) -> Said {
    until("a locker returns", || thread.is_finished());
    thread.join().expect("it does not panic")
}

/// The owner ends after it was asked for, and before the locker is queued: its exit finds nobody.
/// The locker asks again once it can be found.
#[test]
fn an_end_before_the_queue_is_seen() {
    let _watch = watchdog("an_end_before_the_queue_is_seen");
    let guest = Guest::new(7);
    let asked = Cell::new(0);
    let is_alive = |owner| {
        assert_eq!(owner, 7);
        asked.set(asked.get() + 1);
        if asked.get() == 1 {
            // Here it still lives. Then:
            assert_eq!(guest.space.thread_exited(7), 0, "nobody is queued");
        }
        asked.get() == 1
    };
    assert_eq!(guest.space.lock_pi(A, 1, EVER, is_alive), Ok(()));
    assert_eq!((guest.word(A), asked.get()), (1 | W | D, 2));
}

/// The same of one who was moved to the lock: it asks for nobody, so its mover does.
#[test]
fn an_end_before_the_move_is_seen() {
    let _watch = watchdog("an_end_before_the_move_is_seen");
    let guest = Guest::new(0);
    guest.set(B, 7);
    let waiter = guest.mover(B, 1);
    let asked = Cell::new(0);
    let is_alive = |_| {
        asked.set(asked.get() + 1);
        if asked.get() == 1 {
            assert_eq!(guest.space.thread_exited(7), 0, "nobody is queued");
        }
        asked.get() == 1
    };
    let moved = guest
        .space
        .cmp_requeue_pi(A, 0, B, WakeCount::All, is_alive);
    assert_eq!(moved, Ok(Requeued { woken: 0, moved: 1 }));
    assert_eq!(joined(waiter), Ok(()));
    assert_eq!(guest.word(B), 1 | W | D);
}

/// Who comes after the owner's end is refused, unless others waited before it: they are served.
#[test]
fn what_was_left_goes_to_who_waited() {
    let _watch = watchdog("what_was_left_goes_to_who_waited");
    let guest = Guest::new(7);
    let first = guest.locker(A, 1);
    let is_alive = |owner| owner != 7;
    assert_eq!(
        guest.space.try_lock_pi(A, 2, is_alive),
        Err(FutexError::Again)
    );
    assert_eq!(joined(first), Ok(()));
    assert_eq!(guest.word(A), 1 | W | D);
    guest.set(A, 7);
    let late = guest.space.lock_pi(A, 2, EVER, is_alive);
    assert_eq!(late, Err(FutexError::NoSuchThread));
}

/// A robust list has left the lock to nobody. It is not for who happens to come, while somebody
/// waits; and the exit of the owner finds it.
#[test]
fn nobody_passes_at_a_lock_that_is_left() {
    let _watch = watchdog("nobody_passes_at_a_lock_that_is_left");
    let guest = Guest::new(7);
    let first = guest.locker(A, 1);
    guest.set(A, W | D);
    let tried = guest.space.try_lock_pi(A, 2, |_| true);
    assert_eq!(tried, Err(FutexError::Again));
    assert_eq!(guest.space.thread_exited(7), 1);
    assert_eq!(joined(first), Ok(()));
    assert_eq!(guest.word(A), 1 | W | D);
}

/// All locks of one who comes to its end are found, in whatever slots they are, and no others.
#[test]
fn an_end_is_told_of_every_lock() {
    let _watch = watchdog("an_end_is_told_of_every_lock");
    let guest = Guest::new(7);
    guest.set(B, 7);
    guest.set(C, 8);
    let lockers = [(A, 1), (B, 2), (C, 3), (A, 4)].map(|(at, tid)| guest.locker(at, tid));
    assert_eq!(guest.space.thread_exited(9), 0);
    assert_eq!(guest.space.thread_exited(7), 2);
    let [first, second, third, fourth] = lockers;
    assert_eq!([joined(first), joined(second)], [Ok(()); 2]);
    assert_eq!([guest.word(A), guest.word(B)], [1 | W | D, 2 | W | D]);
    assert_eq!(guest.space.unlock_pi(A, 1), Ok(()));
    assert_eq!(guest.space.unlock_pi(C, 8), Ok(()));
    assert_eq!([joined(third), joined(fourth)], [Ok(()); 2]);
    assert_eq!([guest.word(A), guest.word(C)], [4 | W, 3 | W]);
}

/// The new owner must not think that nobody waits: it would free the lock without a call, and the
/// next waiter would sleep for ever.
#[test]
fn a_new_owner_knows_of_waiters() {
    let _watch = watchdog("a_new_owner_knows_of_waiters");
    let guest = Guest::new(7);
    let [first, second] = [1, 2].map(|tid| guest.locker(A, tid));
    assert_eq!(guest.space.unlock_pi(A, 7), Ok(()));
    assert_eq!(joined(first), Ok(()));
    let freed = guest.memory.compare_exchange(A, 1, 0).expect("a word");
    assert_eq!(freed, Err(1 | W), "it needs a call");
    assert_eq!(guest.space.unlock_pi(A, 1), Ok(()));
    assert_eq!(joined(second), Ok(()));
    assert_eq!(guest.space.unlock_pi(A, 2), Ok(()));
    assert_eq!(guest.word(A), 0);
}

/// Who is handed the lock owns it, though its time is over, or though it has just found a circle:
/// else nobody would ever unlock.
#[test]
fn who_was_handed_the_lock_owns_it() {
    let _watch = watchdog("who_was_handed_the_lock_owns_it");
    let guest = Guest::new(7);
    let asked = Cell::new(0);
    let is_alive = |owner| {
        asked.set(asked.get() + 1);
        if asked.get() == 2 {
            assert_eq!(guest.space.unlock_pi(A, owner), Ok(()));
        }
        true
    };
    assert_eq!(guest.space.lock_pi(A, 1, PAST, is_alive), Ok(()));
    assert_eq!(guest.word(A), 1 | W);
    // 7 waits for a lock of 1, and gives back the one that 1 wants.
    guest.set(A, 7);
    guest.set(B, 1);
    let other = guest.locker(B, 7);
    asked.set(0);
    assert_eq!(guest.space.lock_pi(A, 1, EVER, is_alive), Ok(()));
    assert_eq!(guest.word(A), 1 | W);
    assert_eq!(guest.space.unlock_pi(B, 1), Ok(()));
    assert_eq!(joined(other), Ok(()));
}

/// A circle over three locks is closed by the last one, who is told; the others go on when it has
/// given its lock back.
#[test]
fn a_circle_is_not_waited_in() {
    let _watch = watchdog("a_circle_is_not_waited_in");
    let guest = Guest::new(1);
    guest.set(B, 2);
    guest.set(C, 3);
    let [first, second] = [(B, 1), (C, 2)].map(|(at, tid)| guest.locker(at, tid));
    let third = guest.space.lock_pi(A, 3, EVER, |_| true);
    assert_eq!(third, Err(FutexError::Deadlock));
    assert_eq!(guest.space.waiters_pi(A), 0);
    assert_eq!(guest.space.unlock_pi(C, 3), Ok(()));
    assert_eq!(joined(second), Ok(()));
    assert_eq!(guest.space.unlock_pi(B, 2), Ok(()));
    assert_eq!(joined(first), Ok(()));
}

/// Nobody gets another lock than the one that it will unlock.
#[test]
fn nobody_is_moved_to_a_lock_it_does_not_know() {
    let _watch = watchdog("nobody_is_moved_to_a_lock_it_does_not_know");
    let guest = Guest::new(0);
    let [first, second] = [(B, 1), (C, 2)].map(|(lock, tid)| guest.mover(lock, tid));
    let move_to = |lock| {
        let all = WakeCount::All;
        guest.space.cmp_requeue_pi(A, 0, lock, all, |_| true)
    };
    assert_eq!(move_to(C), Err(FutexError::Invalid));
    assert_eq!([B, C].map(|at| guest.word(at)), [0, 0]);
    // The first is served, and the second stays.
    assert_eq!(move_to(B), Err(FutexError::Invalid));
    assert_eq!(joined(first), Ok(()));
    assert_eq!([B, C].map(|at| guest.word(at)), [1 | W, 0]);
    assert_eq!(move_to(C), Ok(Requeued { woken: 1, moved: 0 }));
    assert_eq!(joined(second), Ok(()));
}

/// A wake, a requeue or an unlock that meets waiters of another kind says so, and not that nobody
/// is there.
#[test]
fn waiters_of_another_kind_are_not_nobody() {
    let _watch = watchdog("waiters_of_another_kind_are_not_nobody");
    let guest = Guest::new(7);
    let locker = guest.locker(A, 1);
    let space = guest.space;
    let refused = Err(FutexError::Invalid);
    assert_eq!(space.wake(A, WakeCount::All), refused);
    assert_eq!(space.wake_bitset(A, WakeCount::All, 1), refused);
    let one = WakeCount::One;
    assert_eq!(space.requeue(A, B, one, one), Err(FutexError::Invalid));
    assert_eq!((space.waiters(A), space.waiters_pi(A)), (0, 1));
    assert_eq!(space.unlock_pi(A, 7), Ok(()));
    assert_eq!(joined(locker), Ok(()));
    guest.set(A, 7);
    let waiter = std::thread::spawn(move || space.wait(A, 7_u32, EVER));
    until("a thread is queued", || space.waiters(A) > 0);
    assert_eq!(space.unlock_pi(A, 7), Err(FutexError::Invalid));
    assert_eq!(space.try_lock_pi(A, 1, |_| true), refused.map(|_| ()));
    assert_eq!(space.wake(A, WakeCount::All), Ok(1));
    assert_eq!(joined(waiter), Ok(()));
}

/// The memory of a guest goes: who waits there for a lock is told, as others are.
#[test]
fn lockers_of_memory_that_goes_are_ended() {
    let _watch = watchdog("lockers_of_memory_that_goes_are_ended");
    let guest = Guest::new(7);
    let locker = guest.locker(A, 1);
    guest.set(C, 0);
    let mover = guest.queued(C, move || guest.space.wait_requeue_pi(C, 0, B, 2, EVER));
    let is_gone = |key: &FutexKey| key.guest().is_some_and(|(space, _)| space == SPACE);
    assert_eq!(guest.table.close_where(is_gone), 2);
    let closed = Err(FutexError::Closed);
    assert_eq!([joined(locker), joined(mover)], [closed; 2]);
}

/// Somebody wakes all who wait on a table, whatever for. Nobody owns a lock by that.
#[test]
fn a_wake_of_everybody_hands_nothing_over() {
    let _watch = watchdog("a_wake_of_everybody_hands_nothing_over");
    let guest = Guest::new(7);
    let locker = guest.locker(A, 1);
    let mover = {
        guest.set(C, 0);
        guest.queued(C, move || guest.space.wait_requeue_pi(C, 0, B, 2, EVER))
    };
    assert_eq!(guest.table.unpark_where(|_| true, 0), 2);
    assert_eq!(joined(mover), Err(FutexError::Again));
    until("it is queued again", || guest.space.waiters_pi(A) == 1);
    assert_eq!(guest.space.unlock_pi(A, 7), Ok(()));
    assert_eq!(joined(locker), Ok(()));
    assert_eq!([A, B].map(|at| guest.word(at)), [1 | W, 0]);
}
