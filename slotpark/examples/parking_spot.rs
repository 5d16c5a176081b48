//! A WebAssembly engine's parking spot, with `WaitDomain` for the map of addresses: `wait32`,
//! `wait64` and `notify` by address, for a small guest of several threads.

use std::sync::atomic::{AtomicU64, Ordering};

use slotpark::{DomainError, DomainOutcome, Interrupter, WaitDomain};

/// Why a thread of a guest stops.
#[derive(Debug, PartialEq)]
enum Trap {
    OutOfBounds,
    Misaligned,
    Terminated,
    Interrupted,
}

/// Linear memory, little-endian, in words of 64 bits; 32 bits are half of one.
struct Memory(Box<[AtomicU64]>);

impl Memory {
    fn word(&self, address: u32) -> Result<&AtomicU64, Trap> {
        self.0.get(address as usize / 8).ok_or(Trap::OutOfBounds)
    }

    fn load64(&self, address: u32) -> Result<u64, Trap> {
        Ok(self.word(address)?.load(Ordering::SeqCst))
    }

    fn load32(&self, address: u32) -> Result<u32, Trap> {
        Ok((self.load64(address)? >> (address % 8 * 8)) as u32)
    }

    fn add64(&self, address: u32, value: u64) -> Result<u64, Trap> {
        Ok(self.word(address)?.fetch_add(value, Ordering::SeqCst))
    }

    /// Stores `new`; what was there before.
    fn swap32(&self, address: u32, new: u32) -> Result<u32, Trap> {
        let shift = address % 8 * 8;
        let other_half = !(u64::from(u32::MAX) << shift);
        let change = |word| Some(word & other_half | u64::from(new) << shift);
        let word = self.word(address)?;
        let swapped = word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change);
        let (Ok(old) | Err(old)) = swapped;
        Ok((old >> shift) as u32)
    }
}

/// A guest: its memory, and where its threads wait. No map of addresses, no lock, no `Drop`.
struct Guest {
    memory: Memory,
    spot: WaitDomain<'static>,
}

/// `memory.atomic.wait32`, `wait64` and `notify`, as the engine calls them for its guest.
impl Guest {
    fn wait32(
        &self,
        thread: &Interrupter,
        address: u32,
        expected: u32,
        timeout_ns: i64,
    ) -> Result<u32, Trap> {
        let load = || self.memory.load32(address);
        let at = u64::from(address);
        let told = self
            .spot
            .wait32_interruptible(thread, at, expected, timeout_ns, load);
        result(told)
    }

    fn wait64(&self, address: u32, expected: u64, timeout_ns: i64) -> Result<u32, Trap> {
        let load = || self.memory.load64(address);
        let at = u64::from(address);
        result(self.spot.wait64(at, expected, timeout_ns, load))
    }

    fn notify(&self, address: u32, count: u32) -> Result<u32, Trap> {
        if address % 4 != 0 {
            return Err(Trap::Misaligned);
        }
        self.memory.word(address)?;
        Ok(self.spot.notify(u64::from(address), count))
    }
}

fn result(told: Result<DomainOutcome, DomainError<Trap>>) -> Result<u32, Trap> {
    told.map(DomainOutcome::code).map_err(|error| match error {
        DomainError::Fault(trap) => trap,
        DomainError::Misaligned => Trap::Misaligned,
        DomainError::Unmapped => Trap::OutOfBounds,
        DomainError::Interrupted => Trap::Interrupted,
        _ => Trap::Terminated,
    })
}

// The guest's program: a mutex as the proposal for threads shows it, and a counter that it guards.
const MUTEX: u32 = 4;
const COUNTER: u32 = 8;
const ROUNDS: u64 = 1_000;
const WORKERS: u64 = 4;
const FOREVER: i64 = -1;

fn work(guest: &Guest) -> Result<(), Trap> {
    let thread = Interrupter::new();
    for _round in 0..ROUNDS {
        // 0 is free, 2 is held, and somebody may wait.
        while guest.memory.swap32(MUTEX, 2)? != 0 {
            guest.wait32(&thread, MUTEX, 2, FOREVER)?;
        }
        guest.memory.add64(COUNTER, 1)?;
        guest.memory.swap32(MUTEX, 0)?;
        guest.notify(MUTEX, 1)?;
        guest.notify(COUNTER, u32::MAX)?;
    }
    Ok(())
}

fn main() {
    let guest = Guest {
        memory: Memory((0..8).map(|_| AtomicU64::new(0)).collect()),
        spot: WaitDomain::new(),
    };
    std::thread::scope(|scope| {
        for _worker in 0..WORKERS {
            scope.spawn(|| work(&guest).expect("no worker traps"));
        }
        let mut count = 0;
        while count < WORKERS * ROUNDS {
            let told = guest.wait64(COUNTER, count, FOREVER).expect("no trap");
            assert!(told <= 1, "0 woken, 1 not equal");
            count = guest.memory.load64(COUNTER).expect("in bounds");
        }
        println!("{WORKERS} threads of a guest have counted to {count}");
    });
    assert_eq!(guest.wait64(COUNTER, WORKERS * ROUNDS, 1_000), Ok(2));
    assert_eq!(guest.wait64(COUNTER + 4, 0, 0), Err(Trap::Misaligned));
    assert_eq!(guest.notify(64, 1), Err(Trap::OutOfBounds));

    // One thread is interrupted, the others are terminated with the guest.
    let thread = Interrupter::new();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| guest.wait32(&thread, MUTEX, 0, FOREVER));
        let others = [(); 2].map(|()| scope.spawn(|| guest.wait64(0, 0, FOREVER)));
        while guest.spot.waiters(u64::from(MUTEX)) + guest.spot.waiters(0) < 3 {
            std::thread::yield_now();
        }
        thread.interrupt();
        assert_eq!(first.join().expect("no panic"), Err(Trap::Interrupted));
        assert_eq!(guest.spot.close(), 2);
        for other in others {
            assert_eq!(other.join().expect("no panic"), Err(Trap::Terminated));
        }
    });
    assert_eq!(guest.wait64(0, 0, FOREVER), Err(Trap::Terminated));
    println!("one was interrupted, two were terminated; nothing is left to free");
}
