//! Words of locks that are handed over: lockers race with unlocks, time-outs, deaths and moves.

use std::sync::Arc;
use std::time::Duration;

use loom::sync::atomic::Ordering;
use loom::thread;
use slotpark_core::{
    AtomicU32, FutexError, FutexFault, FutexKey, FutexMemory, FutexSize, FutexSpace, FutexTimeout,
    PI_OWNER, PI_OWNER_DIED, PI_WAITERS, Requeued, Seeded, Table, WakeCount, word,
};

use crate::host::{Host, OwnBit};
use crate::plain::Plain;
use crate::scene::{explore, explore_with};

/// Two words, a word apart.
struct Words([AtomicU32; 2]);

impl FutexMemory for Words {
    fn load(&self, address: u64, _: FutexSize) -> Result<u64, FutexFault> {
        Ok(word::load(&self.0[address as usize / 4]).into())
    }

    fn compare_exchange(
        &self,
        address: u64,
        current: u32,
        new: u32,
    ) -> Result<Result<u32, u32>, FutexFault> {
        let word = &self.0[address as usize / 4];
        Ok(word::compare_exchange(word, current, new))
    }
}

const A: u64 = 0;
const B: u64 = 4;
const ONE: u32 = 1;
const TWO: u32 = 2;
const EVER: FutexTimeout = FutexTimeout::Never;
/// Not past when a wait begins, past when it would sleep.
const SOON: FutexTimeout = FutexTimeout::Monotonic(Duration::from_nanos(1));

type Said = Result<(), FutexError>;

struct Scene {
    table: Table<FutexKey, Host<OwnBit>>,
    hasher: Seeded,
    words: Words,
    /// What somebody is told by, and the lives of threads.
    flag: AtomicU32,
    inside: Plain,
}

impl Scene {
    fn new(words: [u32; 2]) -> Arc<Self> {
        Arc::new(Self {
            table: Table::with_slots(1),
            hasher: Seeded::with_seed(1),
            words: Words(words.map(AtomicU32::new)),
            flag: AtomicU32::new(0),
            inside: Plain::new(),
        })
    }

    fn space(&self) -> FutexSpace<'_, &Words, Host<OwnBit>> {
        FutexSpace::over(&self.table, &self.hasher, 1, &self.words)
    }

    fn spawn<R: 'static>(
        self: &Arc<Self>,
        action: impl FnOnce(&Self) -> R + 'static,
    ) -> thread::JoinHandle<R> {
        let scene = Arc::clone(self);
        thread::spawn(move || action(&scene))
    }

    fn value(&self, at: u64) -> u32 {
        word::load(&self.words.0[at as usize / 4])
    }

    /// Locks as a program does: first without a call.
    fn lock(&self, at: u64, me: u32, timeout: FutexTimeout) -> Said {
        let word = &self.words.0[at as usize / 4];
        let free = word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed);
        if free.is_ok() {
            return Ok(());
        }
        self.space().lock_pi(at, me, timeout, |_| true)
    }

    fn unlock(&self, at: u64, me: u32) {
        let word = &self.words.0[at as usize / 4];
        let mine = word.compare_exchange(me, 0, Ordering::Release, Ordering::Relaxed);
        if mine.is_err() {
            assert_eq!(self.space().unlock_pi(at, me), Ok(()));
        }
    }

    /// A turn with A; true if it was had.
    fn turn(&self, me: u32, timeout: FutexTimeout) -> bool {
        let locked = self.lock(A, me, timeout);
        if locked.is_ok() {
            assert_eq!(self.value(A) & PI_OWNER, me);
            self.inside.set(self.inside.get() + 1);
            self.unlock(A, me);
        } else {
            assert_eq!(locked, Err(FutexError::TimedOut));
        }
        locked.is_ok()
    }

    fn assert_quiet(&self) {
        for at in [A, B] {
            assert_eq!(self.space().waiters_pi(at), 0);
        }
    }
}

#[test]
fn a_lock_is_handed_over() {
    explore([2], || {
        let scene = Scene::new([0, 0]);
        let other = scene.spawn(|scene| scene.turn(TWO, EVER));
        assert!(scene.turn(ONE, EVER));
        assert!(other.join().unwrap());
        assert_eq!(scene.value(A), 0);
        scene.assert_quiet();
        scene.inside.get()
    });
}

/// Who gives up while it is handed the lock owns it: else nobody does.
#[test]
fn a_lock_is_handed_over_or_given_up() {
    explore([1, 2], || {
        let scene = Scene::new([0, 0]);
        let other = scene.spawn(|scene| scene.turn(TWO, SOON));
        assert!(scene.turn(ONE, EVER));
        other.join().unwrap();
        assert_eq!(scene.value(A), 0);
        scene.assert_quiet();
        scene.inside.get()
    });
}

/// An owner comes to its end while another one comes: that is told so, or is handed the lock, be it
/// by the end or by itself.
#[test]
fn a_death_is_seen_by_whoever_queues() {
    let expected = [(Err(FutexError::NoSuchThread), 0), (Ok(()), 0), (Ok(()), 1)];
    explore(expected.map(|(said, count)| (said.is_ok(), count)), || {
        let scene = Scene::new([ONE, 0]);
        let locker = scene.spawn(|scene| {
            let is_alive = |_| word::load(&scene.flag) == 0;
            scene.space().lock_pi(A, TWO, EVER, is_alive)
        });
        scene.flag.store(1, Ordering::Relaxed);
        let handed_over = scene.space().thread_exited(ONE);
        let said = locker.join().unwrap();
        let left = match said {
            Ok(()) => TWO | PI_WAITERS | PI_OWNER_DIED,
            Err(error) => {
                assert_eq!(error, FutexError::NoSuchThread);
                ONE | PI_WAITERS
            }
        };
        assert_eq!(scene.value(A), left);
        scene.assert_quiet();
        (said.is_ok(), handed_over)
    });
}

/// The same of one who is moved to the lock: its mover sees to it.
#[test]
fn a_death_is_seen_by_whoever_moves() {
    explore([(0, 0), (1, 0), (1, 1)], || {
        let scene = Scene::new([0, ONE]);
        let waiter = scene.spawn(|scene| scene.space().wait_requeue_pi(A, 0, B, TWO, EVER));
        let mover = scene.spawn(|scene| {
            let is_alive = |_| word::load(&scene.flag) == 0;
            let moves = || {
                let all = WakeCount::All;
                scene.space().cmp_requeue_pi(A, 0, B, all, is_alive)
            };
            let moved = loop {
                match moves() {
                    Ok(Requeued { woken: 0, moved: 0 }) => thread::yield_now(),
                    other => break other,
                }
            };
            if moved == Err(FutexError::NoSuchThread) {
                // Nobody was moved: the lock is repaired, and the waiter gets it.
                scene.words.0[1].store(0, Ordering::Relaxed);
                assert_eq!(moves().map(|it| it.woken), Ok(1));
            }
            usize::from(moved.is_ok())
        });
        scene.flag.store(1, Ordering::Relaxed);
        let handed_over = scene.space().thread_exited(ONE);
        assert_eq!(waiter.join().unwrap(), Ok(()));
        let moved = mover.join().unwrap();
        assert_eq!(scene.value(B) & PI_OWNER, TWO);
        scene.assert_quiet();
        (moved, handed_over)
    });
}

/// A waiter of a condition, whose lock the notifier holds: it is moved and handed the lock, or it
/// sees the new word.
#[test]
fn a_moved_waiter_is_handed_the_lock() {
    explore([(false, 0), (true, 1)], || {
        let scene = Scene::new([0, ONE]);
        let waiter = scene.spawn(|scene| {
            let said = scene.space().wait_requeue_pi(A, 0, B, TWO, EVER);
            if said.is_ok() {
                assert_eq!(scene.value(B) & PI_OWNER, TWO);
                scene.unlock(B, TWO);
            }
            said
        });
        scene.words.0[0].store(1, Ordering::Relaxed);
        let moved = scene
            .space()
            .cmp_requeue_pi(A, 1, B, WakeCount::All, |_| true);
        scene.unlock(B, ONE);
        let said = waiter.join().unwrap();
        assert!(said.is_ok() || said == Err(FutexError::Again));
        assert_eq!(scene.value(B), 0);
        scene.assert_quiet();
        (said.is_ok(), moved.unwrap().moved)
    });
}

/// Of two that wait for each other at least one is told.
#[test]
fn a_circle_is_seen_by_one_at_least() {
    explore_with(3, [(false, false), (false, true), (true, false)], || {
        let scene = Scene::new([ONE, TWO]);
        let goes = |scene: &Scene, me: u32, mine: u64, wanted: u64| {
            let locked = scene.space().lock_pi(wanted, me, EVER, |_| true);
            if locked.is_ok() {
                scene.unlock(wanted, me);
            } else {
                assert_eq!(locked, Err(FutexError::Deadlock));
            }
            scene.unlock(mine, me);
            locked.is_ok()
        };
        let other = scene.spawn(move |scene| goes(scene, TWO, B, A));
        let one = goes(&scene, ONE, A, B);
        let two = other.join().unwrap();
        assert_eq!([A, B].map(|at| scene.value(at)), [0, 0]);
        scene.assert_quiet();
        (one, two)
    });
}
