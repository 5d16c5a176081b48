//! Stories of memory: what unmapping ends, what is one region and what is not.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
mod guests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle, scope};

use common::{Numbers, watchdog};
use guests::ended;
use slotpark::{DomainError, DomainOutcome, WaitDomain};
use slotpark_managers::{Errno, Mapping, MemoryRegions, Place, Protection};

type Memory = MemoryRegions<'static, &'static str>;
type Waited = Result<DomainOutcome, DomainError<&'static str>>;

const BASE: u64 = 0x40_0000;

fn memory() -> Memory {
    MemoryRegions::new(WaitDomain::new())
}

fn read() -> Mapping<&'static str> {
    Mapping::anonymous(Protection::READ)
}

/// Waits on a word of this memory, all of which are 0.
fn wait(memory: &Memory, address: u64) -> Waited {
    let load = || match memory.find(address) {
        Some(region) if region.protection().contains(Protection::READ) => Ok(0),
        _ => Err("segmentation fault"),
    };
    memory.domain().wait32(address, 0, -1, load)
}

fn blocked<'s>(
    scope: &'s Scope<'s, '_>,
    memory: &'s Memory,
    address: u64,
) -> ScopedJoinHandle<'s, Waited> {
    let waiters = || memory.domain().waiters(address);
    guests::blocked(scope, waiters, move || wait(memory, address))
}

#[test]
fn unmapping_ends_waits_there_and_no_others() {
    let _watchdog = watchdog("unmapping_ends_waits_there_and_no_others");
    let memory = &memory();
    memory
        .map(Place::Fixed(BASE), 0x4000, read())
        .expect("there is room");
    let child = &memory.fork();
    scope(|scope| {
        let words = [
            BASE,
            BASE + 0xffc,
            BASE + 0x1000,
            BASE + 0x2ffc,
            BASE + 0x3000,
        ];
        let [first, last_before, within, last_within, after] =
            words.map(|word| blocked(scope, memory, word));
        let of_child = blocked(scope, child, BASE + 0x1000);
        let gone = memory.unmap(BASE + 0x1000, 0x2000).expect("it is valid");
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].range(), BASE + 0x1000..BASE + 0x3000);
        assert_eq!(ended(within), Err(DomainError::Unmapped));
        assert_eq!(ended(last_within), Err(DomainError::Unmapped));
        assert_eq!(
            wait(memory, BASE + 0x1000),
            Err(DomainError::Fault("segmentation fault"))
        );
        // In place of what is there.
        memory
            .map(Place::Fixed(BASE + 0x3000), 1, read())
            .expect("there is room");
        assert_eq!(ended(after), Err(DomainError::Unmapped));
        // What is not mapped has no waits to end, and protecting ends none.
        memory
            .map(Place::Fixed(BASE + 0x1000), 1, read())
            .expect("there is room");
        memory
            .protect(BASE, 1, Protection::empty())
            .expect("it is mapped");
        assert_eq!(memory.domain().waiters(BASE), 1);
        assert_eq!(memory.domain().notify(BASE, 1), 1);
        assert_eq!(ended(first), Ok(DomainOutcome::Woken));
        assert_eq!(memory.unmap_all().len(), 3);
        assert_eq!(ended(last_before), Err(DomainError::Unmapped));
        assert_eq!(child.domain().notify(BASE + 0x1000, 1), 1);
        assert_eq!(ended(of_child), Ok(DomainOutcome::Woken));
    });
    assert!(memory.is_empty());
}

/// Whoever waits while the memory under it goes is ended, or finds that it has gone.
#[test]
fn no_wait_outlives_its_memory() {
    let _watchdog = watchdog("no_wait_outlives_its_memory");
    let memory = &memory();
    let is_over = &AtomicBool::new(false);
    scope(|scope| {
        for _ in 0..2 {
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let waited = wait(memory, BASE);
                    let is_gone =
                        matches!(waited, Err(DomainError::Unmapped | DomainError::Fault(_)));
                    assert!(is_gone, "{waited:?}");
                }
            });
        }
        for _ in 0..5_000 {
            memory
                .map(Place::Fixed(BASE), 1, read())
                .expect("there is room");
            assert_eq!(memory.unmap(BASE, 1).expect("it is valid").len(), 1);
            // Not only ended by the next one.
            assert_eq!(memory.domain().waiters(BASE), 0);
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn the_lowest_room_that_fits_is_taken() {
    let memory = memory().bounds(0x1000..0x8001);
    let at = |place, length| {
        memory
            .map(place, length, read())
            .map(|mapped| mapped.address)
    };
    assert_eq!(at(Place::Fixed(0x2000), 0x1000), Ok(0x2000));
    assert_eq!(at(Place::Anywhere, 0x1000), Ok(0x1000));
    assert_eq!(at(Place::Fixed(0x5000), 0x1000), Ok(0x5000));
    assert_eq!(at(Place::Anywhere, 0x2001), Err(Errno::NoMemory));
    assert_eq!(at(Place::Anywhere, 0x2000), Ok(0x3000));
    assert_eq!(at(Place::Hint(0x6001), 0x1000), Ok(0x7000));
    assert_eq!(at(Place::Hint(0x7000), 0x1000), Ok(0x6000));
    assert_eq!(memory.len(), 1);
    assert_eq!(at(Place::Anywhere, 1), Err(Errno::NoMemory));
    // Beyond all addresses, and below.
    assert_eq!(at(Place::Fixed(0x8000), 1), Err(Errno::NoMemory));
    assert_eq!(at(Place::Fixed(0), 1), Err(Errno::NotPermitted));
    assert_eq!(at(Place::Anywhere, u64::MAX), Err(Errno::NoMemory));
}

/// Where room is found does not depend on what was looked for before.
#[test]
fn the_lowest_room_is_found_again() {
    const PAGES: u64 = 12;
    let mut numbers = Numbers::new(2);
    let memory = memory().bounds(0x1000..0x1000 + PAGES * 0x1000);
    let mut is_mapped = [false; PAGES as usize];
    for _ in 0..3_000 {
        let count = 1 + numbers.below(3) as usize;
        if numbers.below(2) == 0 {
            let first = numbers.below(PAGES) as usize;
            let end = is_mapped.len().min(first + count);
            let (start, length) = (0x1000 * (1 + first as u64), 0x1000 * (end - first) as u64);
            assert!(memory.unmap(start, length).is_ok());
            is_mapped[first..end].fill(false);
            continue;
        }
        let first = is_mapped
            .windows(count)
            .position(|room| !room.contains(&true));
        let expected = first.map(|first| 0x1000 * (1 + first as u64));
        let mapped = memory.map(Place::Anywhere, 0x1000 * count as u64, read());
        assert_eq!(mapped.ok().map(|mapped| mapped.address), expected);
        if let Some(first) = first {
            is_mapped[first..first + count].fill(true);
        }
    }
}

#[test]
fn a_region_prints_as_the_kernel_does() {
    let memory = memory();
    let code = Mapping::of("/bin/true", 0x1000, Protection::READ | Protection::EXEC);
    memory
        .map(Place::Fixed(0x55_d0c0_0000), 0x2000, code)
        .expect("there is room");
    memory
        .map(Place::Fixed(BASE), 1, read().shared())
        .expect("there is room");
    let lines: Vec<String> = memory.regions().iter().map(ToString::to_string).collect();
    let path = "55d0c00000-55d0c02000 r-xp 00001000 00:00 0                              /bin/true";
    assert_eq!(lines, ["00400000-00401000 r--s 00000000 00:00 0 ", path]);
}

#[test]
fn too_many_regions_change_nothing() {
    let memory = memory().regions_max(3);
    memory
        .map(Place::Fixed(BASE), 0x5000, read())
        .expect("there is room");
    let protect = |page: u64| memory.protect(BASE + page * 0x1000, 1, Protection::empty());
    assert_eq!((protect(2), memory.len()), (Ok(()), 3));
    assert_eq!((protect(0), memory.len()), (Err(Errno::NoMemory), 3));
    let map = memory.map(Place::Anywhere, 1, read().shared());
    assert_eq!(map.err(), Some(Errno::NoMemory));
    // Cutting an end off makes no more of them.
    assert_eq!(memory.unmap(BASE, 1).map(|gone| gone.len()), Ok(1));
    assert_eq!(
        memory.unmap(BASE + 0x1000, 0x4000).map(|gone| gone.len()),
        Ok(3)
    );
    assert!(memory.is_empty());
}

/// Against pages one by one: each has the mapping that was made last.
#[test]
fn regions_are_what_their_pages_are() {
    const PAGES: u64 = 24;
    let mut numbers = Numbers::new(1);
    for _ in 0..200 {
        let memory = memory();
        let mut pages = [None; PAGES as usize];
        for _ in 0..40 {
            let first = numbers.below(PAGES);
            let count = 1 + numbers.below(PAGES - first);
            let (start, length) = (BASE + first * 0x1000, count * 0x1000);
            let within = first as usize..(first + count) as usize;
            let protection = Protection::from_bits_truncate(numbers.below(8) as u32);
            match numbers.below(3) {
                0 => {
                    let mapping = Mapping::of("file", first * 0x1000, protection);
                    let mapped = memory.map(Place::Fixed(start), length, mapping);
                    assert_eq!(mapped.expect("there is room").address, start);
                    pages[within].fill(Some(protection));
                }
                1 => {
                    let gone = memory.unmap(start, length).expect("it is valid");
                    let gone: u64 = gone
                        .iter()
                        .map(|region| region.range().end - region.range().start)
                        .sum();
                    let there = pages[within.clone()].iter().flatten().count();
                    assert_eq!(gone, there as u64 * 0x1000);
                    pages[within].fill(None);
                }
                _ => {
                    let protected = memory.protect(start, length, protection);
                    let hole = pages[within.clone()].iter().position(Option::is_none);
                    assert_eq!(protected.is_err(), hole.is_some());
                    let end = hole.map_or(within.end, |hole| within.start + hole);
                    pages[within.start..end].fill(Some(protection));
                }
            }
            for (page, expected) in (0..).zip(&pages) {
                let region = memory.find(BASE + page * 0x1000);
                assert_eq!(region.map(|region| region.protection()), *expected);
            }
            let changes = pages
                .windows(2)
                .filter(|two| two[0] != two[1] && two[1].is_some());
            let begins = changes.count() + usize::from(pages[0].is_some());
            assert_eq!(memory.len(), begins);
        }
    }
}
