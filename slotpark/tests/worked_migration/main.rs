//! The worked migration of the chapter *migration*: its two programs, as they stand there.

#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
#[path = "../../../slotpark-core/tests/common/watched.rs"]
mod watched;

/// Words of a guest, with an entry of a map for each address ever waited at.
#[expect(unreachable_pub, reason = "as the chapter shows it")]
mod before {
    use dashmap::DashMap;
    use std::sync::{Arc, Condvar, Mutex};
    include!("before.txt");

    impl Futexes {
        pub(crate) fn entries(&self) -> usize {
            self.entries.len()
        }

        pub(crate) fn waiters(&self, address: u32) -> usize {
            let entry = self.entries.get(&address).map(|entry| Arc::clone(&entry));
            entry.map_or(0, |entry| {
                let state = entry.state.lock().unwrap();
                state.waiting - state.wakes
            })
        }
    }
}

/// The same, whose waiters are all there is.
#[expect(unreachable_pub, reason = "as the chapter shows it")]
mod after {
    use slotpark::ShardedWait;
    include!("after.txt");

    impl Futexes {
        pub(crate) fn waiters(&self, address: u32) -> usize {
            self.waits.waiters(&address)
        }
    }
}

use std::time::Instant;

use common::{leak, until, watchdog};
use watched::{Watched, allocated};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

const CHAPTER: &str = include_str!("../../docs/migration.md");

#[test]
fn the_chapter_shows_these_programs() {
    for program in [include_str!("before.txt"), include_str!("after.txt")] {
        assert!(
            CHAPTER.contains(program),
            "not in docs/migration.md:\n{program}"
        );
    }
}

/// What is asked of both: a stale wait, wakes of nobody, and exact counts.
macro_rules! does_what_a_futex_does {
    ($($name:ident: $futexes:ty;)*) => {$(
        #[test]
        fn $name() {
            let _watchdog = watchdog(stringify!($name));
            let futexes: &'static $futexes = leak(<$futexes>::default());
            assert!(!futexes.wait(8, || false));
            assert_eq!((futexes.wake(8, 1), futexes.wake(16, 1)), (0, 0));
            let threads: Vec<_> = (0..3)
                .map(|_| std::thread::spawn(|| futexes.wait(8, || true)))
                .collect();
            until("all three wait", || futexes.waiters(8) == 3);
            assert_eq!(futexes.wake(16, 9), 0);
            assert_eq!((futexes.wake(8, 2), futexes.wake(8, 9)), (2, 1));
            for thread in threads {
                assert!(thread.join().expect("a wait does not panic"));
            }
            assert_eq!(futexes.waiters(8), 0);
        }
    )*};
}
does_what_a_futex_does! {
    before_it_does: before::Futexes;
    after_it_does: after::Futexes;
}

/// One allocation and more for each address, and an entry that stays; then none, and nothing. The
/// times are printed: what they are depends on the machine.
#[test]
fn what_an_address_costs() {
    const ADDRESSES: u32 = 10_000;
    let (before, after) = (before::Futexes::default(), after::Futexes::default());
    // Both tables are made and seeded.
    assert!(!before.wait(0, || false));
    assert!(!after.wait(0, || false));
    let begun = Instant::now();
    let (count, bytes) = allocated(|| {
        for address in 1..ADDRESSES {
            assert!(!before.wait(address, || false));
        }
    });
    let (took, before_calls) = (begun.elapsed(), count);
    assert!(
        count >= ADDRESSES as usize - 1 && bytes > 0,
        "an entry for each: {count}"
    );
    assert_eq!(before.entries(), ADDRESSES as usize);
    let begun = Instant::now();
    let (count, bytes) = allocated(|| {
        for address in 1..ADDRESSES {
            assert!(!after.wait(address, || false));
        }
    });
    assert_eq!((count, bytes), (0, 0));
    println!(
        "{ADDRESSES} addresses: {took:?} and {before_calls} allocations before, {:?} after",
        begun.elapsed()
    );
}
