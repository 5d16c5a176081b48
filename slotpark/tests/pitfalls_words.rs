//! Stories of words of guests: of any width, in memory that may fault at any access.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use common::{leak, until, watchdog};
use slotpark::core::{FutexAbi, NativeMemory};
use slotpark::{
    FutexChange, FutexError, FutexFault, FutexMemory, FutexSize, FutexSpace, FutexTest,
    FutexTimeout, FutexValue, FutexWait, Interrupter, LinearMemory, Requeued, WaitDomain,
    WakeCount,
};

use FutexTimeout::Never;
use WakeCount::{All, N, One};

/// A guest's memory that faults on command.
struct Faulting {
    bytes: [AtomicU64; 8],
    /// How many accesses go well before the next one faults.
    good: AtomicU32,
}

impl Faulting {
    fn new() -> &'static Self {
        leak(Self {
            bytes: Default::default(),
            good: AtomicU32::new(u32::MAX),
        })
    }

    fn fault_after(&self, good: u32) {
        self.good.store(good, Ordering::Relaxed);
    }

    fn access(&self) -> Result<LinearMemory<'_>, FutexFault> {
        let spent = |good: u32| match good {
            0 | u32::MAX => None,
            good => Some(good - 1),
        };
        match self
            .good
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent)
        {
            Err(0) => Err(FutexFault),
            _ => Ok(LinearMemory::new(&self.bytes)),
        }
    }
}

impl FutexMemory for Faulting {
    fn load(&self, address: u64, size: FutexSize) -> Result<u64, FutexFault> {
        self.access()?.load(address, size)
    }

    fn compare_exchange(
        &self,
        address: u64,
        current: u32,
        new: u32,
    ) -> Result<Result<u32, u32>, FutexFault> {
        self.access()?.compare_exchange(address, current, new)
    }
}

type Space = FutexSpace<'static, &'static Faulting>;
type Told = Result<(), FutexError>;

/// A guest on a table of one slot, where everybody meets.
fn guest() -> (Space, &'static Faulting) {
    let memory = Faulting::new();
    (leak(FutexWait::with_slots(1)).space(1, memory), memory)
}

/// A thread that waits; returns once it is queued.
fn queued(
    waiters: impl Fn() -> usize,
    wait: impl FnOnce() -> Told + Send + 'static,
) -> JoinHandle<Told> {
    let others = waiters();
    let thread = std::thread::spawn(wait);
    until("a guest's thread is queued", || waiters() > others);
    thread
}

fn told(thread: JoinHandle<Told>) -> Told {
    thread.join().expect("a wait does not panic")
}

/// A page goes between a wait's first look and the one under the slot lock: the wait says so, and
/// leaves nothing behind that takes the next wake.
#[test]
fn a_fault_under_the_lock_leaves_nobody_queued() {
    let _watchdog = watchdog("a_fault_under_the_lock_leaves_nobody_queued");
    for good in [0, 1] {
        let (guest, memory) = guest();
        memory.fault_after(good);
        assert_eq!(guest.wait(8, 0_u32, Never), Err(FutexError::Fault));
        let thread = Interrupter::new();
        memory.fault_after(good);
        let waited = guest.wait_interruptible(&thread, 8, 0_u32, 1, Never);
        assert_eq!(waited, Err(FutexError::Fault));
        memory.fault_after(good);
        let words = [(0, FutexValue::U32(0)), (8, FutexValue::U32(0))];
        assert_eq!(guest.wait_each(&words, Never), Err(FutexError::Fault));
        assert_eq!((guest.waiters(0), guest.waiters(8)), (0, 0));
        assert_eq!(guest.wake(8, All), Ok(0));
    }
}

/// A requeue or a WAKE_OP whose word cannot be read has done nothing, and may be made again.
#[test]
fn a_faulting_requeue_moves_nobody() {
    let _watchdog = watchdog("a_faulting_requeue_moves_nobody");
    let (guest, memory) = guest();
    let waiter = queued(|| guest.waiters(0), move || guest.wait(0, 0_u32, Never));
    memory.fault_after(0);
    let moved = guest.cmp_requeue(0, 0_u32, 8, N(0), All);
    assert_eq!(moved, Err(FutexError::Fault));
    let (change, test) = (FutexChange::Add(1), FutexTest::Equal(0));
    for good in [0, 1] {
        memory.fault_after(good);
        let woken = guest.wake_op(0, 8, (One, One), change, test);
        assert_eq!(woken, Err(FutexError::Fault));
    }
    memory.fault_after(u32::MAX);
    assert_eq!((guest.waiters(0), guest.waiters(8)), (1, 0));
    let moved = guest.cmp_requeue(0, 0_u32, 8, N(0), All);
    assert_eq!(moved, Ok(Requeued { woken: 0, moved: 1 }));
    // The waiter now stands at the second address, whose old value passes the test.
    assert_eq!(guest.wake_op(0, 8, (One, One), change, test), Ok(1));
    assert_eq!(told(waiter), Ok(()));
    assert_eq!(memory.load(8, FutexSize::U32), Ok(1));
}

/// A wait of 64 bits compares all of them; one of 8 or 16 bits looks at no neighbour. (Engines
/// have compared 32 of 64.)
#[test]
fn a_wait_compares_its_whole_word_and_no_more() {
    let bytes = [AtomicU64::new(0x0000_0001_0002_0304_u64.to_le())];
    let guest = FutexWait::process().space(1, LinearMemory::new(&bytes));
    let past = FutexTimeout::Relative(Duration::ZERO);
    let cases: [(u64, FutexValue, FutexError); 11] = [
        (0, 0x0000_0001_0002_0304_u64.into(), FutexError::TimedOut),
        (0, 0x0002_0304_u64.into(), FutexError::Again),
        (0, 0x0002_0304_u32.into(), FutexError::TimedOut),
        (4, 0x0000_0001_u32.into(), FutexError::TimedOut),
        (4, 0x0002_0304_u32.into(), FutexError::Again),
        (2, 0x0002_u16.into(), FutexError::TimedOut),
        (2, 0x0304_u16.into(), FutexError::Again),
        (1, 0x03_u8.into(), FutexError::TimedOut),
        (1, 0x04_u8.into(), FutexError::Again),
        (1, 0x0203_u16.into(), FutexError::Invalid),
        (8, 0_u8.into(), FutexError::Fault),
    ];
    for (address, value, error) in cases {
        let waited = guest.wait(address, value, past);
        assert_eq!(waited, Err(error), "{value:?} at {address}");
        // Under the slot lock too.
        let waited = guest.wait_each(&[(address, value)], past);
        assert_eq!(waited, Err(error), "{value:?} at {address}");
    }
}

/// An exchange of a half of a word of 64 bits succeeds whatever happens to the other half.
#[test]
fn a_neighbour_fails_no_exchange() {
    const ROUNDS: u32 = 300_000;
    let both = std::sync::Barrier::new(2);
    let bytes = [AtomicU64::new(0)];
    let memory = LinearMemory::new(&bytes);
    std::thread::scope(|scope| {
        for address in [0, 4] {
            let both = &both;
            scope.spawn(move || {
                both.wait();
                for count in 0..ROUNDS {
                    let exchanged = memory.compare_exchange(address, count, count + 1);
                    assert_eq!(
                        exchanged,
                        Ok(Ok(count)),
                        "only this thread changes {address}"
                    );
                }
            });
        }
    });
    for address in [0, 4] {
        assert_eq!(memory.load(address, FutexSize::U32), Ok(ROUNDS.into()));
        assert_eq!(memory.compare_exchange(address, 0, 1), Ok(Err(ROUNDS)));
    }
}

/// One word of this process waits in one place, whoever names it: as a reference, by its address,
/// or by a system call's number.
#[test]
fn a_word_is_one_place_by_type_and_by_number() {
    let _watchdog = watchdog("a_word_is_one_place_by_type_and_by_number");
    let word: &'static AtomicU32 = leak(AtomicU32::new(0));
    let (futex, abi) = (FutexWait::process(), FutexAbi::process());
    let waiters = || futex.waiters(word);
    let by_type = queued(waiters, move || {
        assert!(futex.wait(word, 0).is_woken());
        Ok(())
    });
    let by_number = queued(waiters, move || {
        // SAFETY: the word is leaked, and there is no timeout.
        let waited = unsafe { abi.futex(word.as_ptr(), 128, 0, 0, std::ptr::null_mut(), 0) };
        assert_eq!(waited, 0);
        Ok(())
    });
    // SAFETY: a wake reads nothing.
    let woken = unsafe { abi.futex(word.as_ptr(), 129, 1, 0, std::ptr::null_mut(), 0) };
    assert_eq!((woken, told(by_type)), (1, Ok(())));
    assert_eq!((futex.wake(word, 9), told(by_number)), (1, Ok(())));
    // A space of the caller's at the same address is another place.
    // SAFETY: the one address that is read is the word's.
    let native = unsafe { NativeMemory::new() };
    let address = word.as_ptr().expose_provenance() as u64;
    let other = futex.space(1, native);
    let elsewhere = queued(
        move || other.waiters(address),
        move || other.wait(address, 0_u32, Never),
    );
    assert_eq!((waiters(), futex.wake(word, 9)), (0, 0));
    assert_eq!((other.wake(address, All), told(elsewhere)), (Ok(1), Ok(())));
}

/// The waits of a domain and the futex operations on its memory are one queue, and its end is
/// theirs.
#[test]
fn a_domain_and_its_futexes_are_one_queue() {
    let _watchdog = watchdog("a_domain_and_its_futexes_are_one_queue");
    let table: &'static FutexWait = leak(FutexWait::with_slots(1));
    let domain: &'static WaitDomain<'static> = leak(WaitDomain::on(table));
    let guest = table.space(domain.space(), Faulting::new());
    let first = queued(|| domain.waiters(8), move || guest.wait(8, 0_u32, Never));
    assert_eq!((domain.notify(8, 1), told(first)), (1, Ok(())));
    let second = queued(|| guest.waiters(16), move || guest.wait(16, 0_u64, Never));
    assert_eq!(domain.drop_range(16..24), 1);
    assert_eq!(told(second), Err(FutexError::Closed));
}
