//! The numeric futex ABI.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use slotpark_core::{
    FutexAbi, FutexChange, FutexError, FutexKey, FutexMemory, FutexShared, FutexSize, FutexSpace,
    FutexTest, FutexTimeout, FutexTimespec, FutexValue, FutexWaitv, Interrupter, LinearMemory,
    NativeMemory, Parked, Seeded, Slots, Table, WakeCount,
};

use super::common::{FOREVER, soon};
use super::{AT, Operation, TO, ignore};

static SLOTS: Slots<FutexKey, 4> = Slots::new();
static TABLE: Table<FutexKey> = Table::over(&SLOTS);
static HASHER: Seeded = Seeded::new();
const SHORT: FutexTimeout = FutexTimeout::Relative(Duration::from_micros(200));

fn guest(bytes: &[AtomicU64]) -> FutexSpace<'static, LinearMemory<'_>> {
    FutexSpace::over(&TABLE, &HASHER, 1, LinearMemory::new(bytes))
}

pub(crate) const FUTEXES: [Operation; 41] = [
    ("futex/abi::process", |_| ignore(FutexAbi::process())),
    ("futex/abi::over", |_| {
        ignore(FutexAbi::over(&TABLE, &HASHER));
    }),
    ("futex/abi::with_space", |_| {
        ignore(FutexAbi::process().with_space(1));
    }),
    ("futex/abi::with_shared", |_| {
        ignore(FutexAbi::process().with_shared(FutexShared::AsPrivate));
    }),
    ("futex/abi::answers", |_| {
        ignore(FutexAbi::process().answers(128));
    }),
    ("futex/space::words", |_| {
        // SAFETY: nothing is done with it.
        ignore(unsafe { FutexAbi::process().words() });
    }),
    ("futex/abi::with_thread", |_| {
        ignore(FutexAbi::process().with_thread(7, |_| true));
    }),
    ("futex/abi::thread_exited", |_| {
        ignore(FutexAbi::over(&TABLE, &HASHER).thread_exited(7));
    }),
    ("futex/abi::futex", |_| {
        let abi = FutexAbi::over(&TABLE, &HASHER);
        let mut words = [0_u32; 2];
        let [first, second] = words.each_mut().map(|word| &raw mut *word);
        // WAIT (stale), WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET (stale), WAKE_BITSET.
        for op in [0, 1, 3, 4, 5, 9, 10] {
            // SAFETY: the words live, and nobody waits without time.
            ignore(unsafe { abi.futex(first, op | 128, 1, 0, second, 1) });
        }
        // LOCK_PI, then again: EDEADLK, TRYLOCK_PI, UNLOCK_PI, WAIT_REQUEUE_PI (stale),
        // CMP_REQUEUE_PI.
        words = [0; 2];
        let [first, second] = words.each_mut().map(|word| &raw mut *word);
        for op in [6, 6, 8, 7, 11, 12] {
            // SAFETY: the words live, and nobody waits without time.
            ignore(unsafe { abi.futex(first, op | 128, 1, 0, second, 1) });
        }
        // SAFETY: NULL is refused before anything is read.
        ignore(unsafe { abi.futex(null_mut(), 128, 1, 0, second, 1) });
    }),
    ("futex/vector::new", |_| {
        ignore(FutexWaitv::new(null_mut(), 1));
    }),
    ("futex/vector::waitv", |_| {
        let abi = FutexAbi::over(&TABLE, &HASHER);
        let words = [const { AtomicU32::new(0) }; 6];
        let entries = words.each_ref().map(|it| FutexWaitv::new(it.as_ptr(), 0));
        for count in [2, 6] {
            for nanoseconds in [0, 200_000] {
                let time = soon(Duration::from_nanos(nanoseconds)).expect("not for ever");
                let time = FutexTimespec {
                    seconds: (time.at_ns() / 1_000_000_000) as i64,
                    nanoseconds: (time.at_ns() % 1_000_000_000) as i64,
                };
                // SAFETY: entries, words and timespec live.
                ignore(unsafe { abi.waitv(entries.as_ptr(), count, 0, &time, 1) });
            }
        }
    }),
    ("futex/vector::futex2_wake", |_| {
        ignore(FutexAbi::over(&TABLE, &HASHER).futex2_wake(null_mut(), 1, 1, 0x82));
    }),
    ("futex/vector::futex2_wait", |_| {
        let abi = FutexAbi::over(&TABLE, &HASHER);
        // SAFETY: NULL is refused before anything is read.
        ignore(unsafe { abi.futex2_wait(null_mut(), 1, 1, 0x82, null_mut(), 1) });
    }),
    ("futex/vector::futex2_requeue", |_| {
        let words = [const { AtomicU32::new(0) }; 2];
        let entries = words.each_ref().map(|it| FutexWaitv::new(it.as_ptr(), 0));
        let abi = FutexAbi::over(&TABLE, &HASHER);
        // SAFETY: entries and words live.
        ignore(unsafe { abi.futex2_requeue(entries.as_ptr(), 0, 1, 1) });
    }),
    ("futex/error::errno", |_| ignore(FutexError::Again.errno())),
    ("futex/linear::new", |_| {
        let bytes = [AtomicU64::new(0)];
        let memory = LinearMemory::new(&bytes);
        ignore(memory.load(4, FutexSize::U16));
        ignore(memory.compare_exchange(4, 0, 1));
    }),
    ("futex/lock::lock_pi", |_| {
        let bytes = [AtomicU64::new(0)];
        let guest = guest(&bytes);
        for tid in [1, 1, 2] {
            ignore(guest.lock_pi(0, tid, SHORT, |_| true));
        }
        ignore(guest.lock_pi(0, 2, SHORT, |_| false));
    }),
    ("futex/lock::try_lock_pi", |_| {
        let bytes = [AtomicU64::new(0)];
        for tid in [1, 2] {
            ignore(guest(&bytes).try_lock_pi(0, tid, |_| true));
        }
    }),
    ("futex/unlock::unlock_pi", |_| {
        let bytes = [AtomicU64::new(u64::from(7_u32).to_le())];
        for tid in [1, 7] {
            ignore(guest(&bytes).unlock_pi(0, tid));
        }
    }),
    ("futex/unlock::thread_exited", |_| {
        ignore(guest(&[AtomicU64::new(0)]).thread_exited(7));
    }),
    ("futex/unlock::waiters_pi", |_| {
        ignore(guest(&[]).waiters_pi(8));
    }),
    ("futex/move_to_lock::wait_requeue_pi", |_| {
        let bytes = [AtomicU64::new(0)];
        ignore(guest(&bytes).wait_requeue_pi(0, 0, 4, 7, SHORT));
    }),
    ("futex/move_to_lock::cmp_requeue_pi", |_| {
        let bytes = [AtomicU64::new(0)];
        ignore(guest(&bytes).cmp_requeue_pi(0, 0, 4, WakeCount::All, |_| true));
    }),
    ("futex/memory::new", |_| {
        // SAFETY: the one address that is read is 0, which faults.
        ignore(unsafe { NativeMemory::new() }.load(0, FutexSize::U32));
    }),
    ("futex/memory::bytes", |_| ignore(FutexSize::U8.bytes())),
    ("futex/memory::bits", |_| ignore(FutexValue::U8(1).bits())),
    ("futex/memory::size", |_| ignore(FutexValue::U8(1).size())),
    ("futex/space::process", |_| {
        ignore(FutexSpace::process(1, LinearMemory::new(&[])));
    }),
    ("futex/space::over", |_| ignore(guest(&[]))),
    ("futex/space::key", |_| ignore(guest(&[]).key(8))),
    ("futex/waits::wait", |_| {
        let bytes = [AtomicU64::new(0)];
        for expected in [0, 1] {
            let waited = guest(&bytes).wait(0, FutexValue::U32(expected), SHORT);
            ignore(waited);
        }
    }),
    ("futex/waits::wait_bitset", |_| {
        let bytes = [AtomicU64::new(0)];
        ignore(guest(&bytes).wait_bitset(1, 0_u8, 1, SHORT));
    }),
    ("futex/waits::wait_interruptible", |_| {
        let (bytes, interrupter) = ([AtomicU64::new(0)], Interrupter::new());
        let guest = guest(&bytes);
        ignore(guest.wait_interruptible(&interrupter, 0, 0_u64, 1, SHORT));
        interrupter.interrupt();
        ignore(guest.wait_interruptible(&interrupter, 0, 0_u64, 1, SHORT));
    }),
    ("futex/waits::wait_each", |_| {
        let bytes = [AtomicU64::new(0)];
        let words = [(0, FutexValue::U16(0)), (4, FutexValue::U32(0))];
        ignore(guest(&bytes).wait_each(&words, SHORT));
    }),
    ("futex/wakes::wake", |_| {
        ignore(guest(&[]).wake(0, WakeCount::One));
        ignore(guest(&[AtomicU64::new(0)]).wake(0, WakeCount::One));
    }),
    ("futex/wakes::wake_bitset", |_| {
        ignore(guest(&[AtomicU64::new(0)]).wake_bitset(0, WakeCount::One, 1));
    }),
    ("futex/wakes::requeue", |_| {
        let bytes = [AtomicU64::new(0)];
        ignore(guest(&bytes).requeue(0, 4, WakeCount::One, WakeCount::All));
    }),
    ("futex/wakes::cmp_requeue", |_| {
        let bytes = [AtomicU64::new(0)];
        for expected in [0, 1] {
            let counts = (WakeCount::One, WakeCount::All);
            ignore(guest(&bytes).cmp_requeue(0, FutexValue::U32(expected), 4, counts.0, counts.1));
        }
    }),
    ("futex/wakes::wake_op", |_| {
        let bytes = [AtomicU64::new(0)];
        let counts = (WakeCount::One, WakeCount::All);
        let (change, test) = (FutexChange::Add(1), FutexTest::Equal(0));
        ignore(guest(&bytes).wake_op(0, 4, counts, change, test));
    }),
    ("futex/wakes::waiters", |_| ignore(guest(&[]).waiters(8))),
    ("each::park_each", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let ended = table.park_each(&[AT, TO], options, |_| Ok::<_, ()>(true));
        assert_eq!(ended.map(|it| it.parked), Ok(Parked::TimedOut));
    }),
];
