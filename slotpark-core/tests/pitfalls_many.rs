//! Stories of waits on several keys, decided by one of them.

mod common;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use common::bells::{Bell, poll, ready};
use common::faults::panics;
use common::{FOREVER, leak, sleepy, watchdog};
use slotpark_core::{ANY_MAX, Candidate, DefaultPlatform, Filter, Parked, Table};

const AT: (u64, u64) = (5, 1);
const ALL: usize = usize::MAX;

fn table() -> &'static Table<u64> {
    sleepy::<DefaultPlatform>(4)
}

/// A wait on many keys, decided by one, leaves no node behind, and no other wake is spent on it.
#[test]
fn claimed_waiter_unlinks_itself() {
    let _watch = watchdog("claimed_waiter_unlinks_itself");
    let table = table();
    let keys: Vec<u64> = (0..ANY_MAX as u64).collect();
    for deciding in [0, 1, 77, 127] {
        let keys = keys.clone();
        let ended = leak(AtomicBool::new(false));
        let waiting = std::thread::spawn(move || {
            let entries: Vec<_> = keys.iter().map(|key| (*key, key)).collect();
            let parked = table.park_any(&entries, FOREVER, |_| true);
            ended.store(true, Ordering::Relaxed);
            parked
        });
        let last = ANY_MAX as u64 - 1;
        common::until("it is queued", || table.waiters(last, &last) == 1);
        assert_eq!(table.unpark(deciding, &deciding, ALL, 3), 1);
        for key in 0..ANY_MAX as u64 {
            assert_eq!(
                table.unpark(key, &key, ALL, 0),
                0,
                "key {key} is spent on nobody"
            );
        }
        let parked = waiting.join().expect("nothing panics");
        assert_eq!(parked.parked, Parked::Woken { token: 3 });
        assert_eq!(parked.entry, Some(deciding as usize));
    }
}

/// A wait that names a key twice is skipped at its first place and chosen at its second: nobody
/// remains.
#[test]
fn nobody_remains_of_a_key_named_twice() {
    let table = table();
    let mut twice = pin!(table.wait_any_async([AT, AT], FOREVER, None, |_| true));
    assert_eq!(twice.as_mut().enable(), None);
    let mut looks = 0;
    let second = |_: &Candidate| {
        looks += 1;
        if looks == 1 {
            Filter::Skip
        } else {
            Filter::Unpark
        }
    };
    let mut remain = None;
    let woken = table.unpark_with(AT.0, &AT.1, 1, second, |choice| {
        remain = Some(choice.remain);
        3
    });
    assert_eq!((woken, remain), (1, Some(false)));
    assert_eq!(ready(twice).parked, Parked::Woken { token: 3 });
}

/// A list of no keys, or of too many, is refused before anything is queued.
#[test]
fn absurd_lists_of_keys_are_refused() {
    let table = table();
    let key = 7;
    let many = vec![(1, &key); ANY_MAX + 1];
    for entries in [&many[..], &[]] {
        let refused = panics(|| table.park_any(entries, FOREVER, |_| true));
        assert!(refused.starts_with("slotpark: a wait on"), "{refused}");
    }
    let twice = [(1, &key), (1, &key)];
    let stale = table.park_any(&twice, FOREVER, |entry| entry == 0);
    assert_eq!((stale.parked, stale.entry), (Parked::Stale, Some(1)));
}

/// A `validate` of the third key panics while the thread is queued on the first two.
#[test]
fn panic_in_validate_of_one_of_several() {
    let table = table();
    let keys = [1, 2, 3];
    let entries = keys.each_ref().map(|key| (*key, key));
    let mut runs = 0;
    let panicked = panics(|| {
        table.park_any(&entries, FOREVER, |entry| {
            runs += 1;
            assert!(entry < 2 || runs < 6, "bad");
            true
        })
    });
    assert_eq!(panicked, "bad");
    for key in keys {
        assert_eq!(table.waiters(key, &key), 0);
    }
    let mut runs = 0;
    let validate = move |entry| {
        runs += 1;
        assert!(entry < 2 || runs != 6, "bad");
        true
    };
    let entries = [(1, 1), (2, 2), (3, 3)];
    let mut task = Box::pin(table.wait_any_async(entries, FOREVER, None, validate));
    assert_eq!(
        panics(|| poll(task.as_mut(), &Bell::new()).is_pending()),
        "bad"
    );
    for key in keys {
        assert_eq!(table.waiters(key, &key), 0);
    }
    assert!(poll(task.as_mut(), &Bell::new()).is_pending());
    assert_eq!(table.unpark(2, &2, 1, 9), 1);
    assert_eq!(ready(task.as_mut()).entry, Some(1));
}
