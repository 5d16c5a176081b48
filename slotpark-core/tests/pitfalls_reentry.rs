//! Stories of closures that call the table whose lock they run under.

mod common;

use std::process::Command;

use common::counting::{Counting, after};
use common::faults::{AT, TO, assert_sound, ignore, move_all, panics, woken, yes};
use common::{FOREVER, nest, skip, sleepy};
use slotpark_core::{Filter, ParkOptions, Parked, Table};

/// Calling the table from a closure under its lock waited for one's own lock for ever.
#[test]
fn reentry_is_detected() {
    if !cfg!(debug_assertions) {
        return skip(
            "reentry_is_detected",
            "release builds do not count held locks",
        );
    }
    let table = sleepy::<Counting>(4);
    let calls: [&dyn Fn(); 5] = [
        &|| ignore(table.park(TO.0, &TO.1, FOREVER, || true)),
        &|| ignore(table.unpark(AT.0, &AT.1, 1, 0)),
        &|| ignore(table.unpark_with(TO.0, &TO.1, 1, |_| Filter::Unpark, |_| 0)),
        &|| ignore(table.waiters(AT.0, &AT.1)),
        &|| ignore(table.requeue((AT.0, &AT.1), (TO.0, &TO.1), move_all(), yes)),
    ];
    for call in calls {
        for closure in 0..5 {
            let message = panics(|| call_from(table, closure, call));
            let expected = "a table was called while this thread holds a slot lock";
            assert!(message.contains(expected), "closure {closure}: {message}");
            assert_sound(table);
        }
    }
}

/// Makes `call` from the closure with this number.
fn call_from(table: &Table<u64, Counting>, closure: usize, call: &dyn Fn()) {
    let all = |_: &_| Filter::Unpark;
    let mut runs = 0;
    let under_the_lock = || {
        runs += 1;
        if runs == 2 {
            call();
        }
        true
    };
    match closure {
        0 => ignore(table.park(AT.0, &AT.1, FOREVER, under_the_lock)),
        1 => ignore(table.unpark_with(AT.0, &AT.1, 1, all, |_| {
            call();
            0
        })),
        2 => {
            let moving = || {
                call();
                yes()
            };
            ignore(table.requeue((AT.0, &AT.1), (TO.0, &TO.1), move_all(), moving));
        }
        3 => {
            let options = ParkOptions::new().deadline(after(1));
            ignore(table.park_with(AT.0, &AT.1, options, yes, || {}, |_| call()));
        }
        _ => {
            let mut message = None;
            let outcomes = nest(table, AT, 1, &mut || {
                let filter = |_: &_| {
                    call();
                    Filter::Skip
                };
                message = Some(panics(|| table.unpark_filter(AT.0, &AT.1, 1, filter, 0)));
                assert_eq!(table.unpark(AT.0, &AT.1, 1, 7), 1);
            });
            assert_eq!(outcomes, woken([7]));
            std::panic::panic_any(message.expect("it panicked"));
        }
    }
}

/// Closures that run outside the lock may call the table: the first `validate`, `before_sleep`.
#[test]
fn reentry_outside_the_lock_is_fine() {
    let table = sleepy::<Counting>(4);
    let mut runs = 0;
    let validate = || {
        runs += 1;
        if runs == 1 {
            assert_eq!(table.waiters(AT.0, &AT.1), 0);
        }
        Ok::<_, ()>(true)
    };
    let wake = || assert_eq!(table.unpark(AT.0, &AT.1, 1, 7), 1);
    let parked = table.park_with(AT.0, &AT.1, FOREVER, validate, wake, |_| {});
    assert_eq!(parked, Ok(Parked::Woken { token: 7 }));
}

/// `Debug` in a `validate` closure waited for the lock that its own thread held.
#[test]
fn debug_takes_no_lock() {
    let table = sleepy::<Counting>(4);
    let mut shown = Vec::new();
    let show = || {
        shown.push(format!("{table:?}"));
        shown.len() < 2
    };
    assert_eq!(table.park(AT.0, &AT.1, FOREVER, show), Parked::Stale);
    assert_eq!(shown.len(), 2, "once outside the lock, once under it");
    assert!(shown[1].contains("Table"), "{shown:?}");
}

/// A future was dropped by a closure under a slot lock: the panic that says so left its node in the
/// queue, in memory that was gone. A drop says it and aborts.
#[test]
fn a_drop_under_a_slot_lock_aborts() {
    const CHILD: &str = "SLOTPARK_DROPS_UNDER_A_LOCK";
    if !cfg!(debug_assertions) {
        return skip(
            "a_drop_under_a_slot_lock_aborts",
            "release builds do not count held locks",
        );
    }
    if std::env::var_os(CHILD).is_some() {
        let table = sleepy::<Counting>(4);
        let mut wait = Some(Box::pin(table.wait_async(AT.0, AT.1, FOREVER, || true)));
        let queued = wait.as_mut().expect("made above").as_mut().enable();
        assert_eq!(queued, None);
        ignore(table.unpark_with(
            TO.0,
            &TO.1,
            1,
            |_| Filter::Unpark,
            |_| {
                drop(wait.take());
                0
            },
        ));
        return;
    }
    let child = Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["a_drop_under_a_slot_lock_aborts", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("this test runs");
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(!child.status.success(), "{said}");
    assert!(said.contains("a drop cannot panic, and aborts"), "{said}");
}
