//! Panics in closures, raced with a wake: the frame ends by unwinding, and nobody may know it then.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::scope;

use slotpark_core::{Filter, ParkOptions, Platform, Spin};

use crate::scene::{ALL, AT, Scene, woken};

/// Says that this is a panic of ours. No message is printed for it.
struct Planned;

fn give_up() -> ! {
    resume_unwind(Box::new(Planned))
}

fn unwinds<R>(run: impl FnOnce() -> R) {
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else {
        panic!("a planned panic did not come out");
    };
    if !panic.is::<Planned>() {
        resume_unwind(panic);
    }
}

fn yes() -> Result<bool, ()> {
    Ok(true)
}

/// `validate` panics under the lock beside a waiter, who stays.
pub(crate) fn panic_in_validate<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let waiter = threads.spawn(|| scene.wait_at(AT));
        let faulty = threads.spawn(|| {
            let validated = ParkOptions::new().validated();
            unwinds(|| scene.table.park(AT.0, &AT.1, validated, || give_up()));
        });
        scene.wake_next(AT, 1);
        assert_eq!(waiter.join().unwrap(), woken(1));
        faulty.join().unwrap();
    });
    scene.assert_empty();
}

/// `before_sleep` panics: the waiter leaves, or waits for the release by who chose it meanwhile.
pub(crate) fn panic_before_sleep<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let faulty = threads.spawn(|| {
            let options = ParkOptions::new();
            let park = || (scene.table).park_with(AT.0, &AT.1, options, yes, || give_up(), |_| {});
            unwinds(park);
        });
        let spent = scene.wake(AT, 1, 0);
        faulty.join().unwrap();
        let stats = scene.table.slot_stats(1);
        assert_eq!(
            (stats.wakes as usize, stats.cancels as usize),
            (spent, 1 - spent)
        );
    });
    scene.assert_empty();
}

/// `on_leave` panics: the waiter has left by then, unless it was chosen before.
pub(crate) fn panic_on_leave<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let faulty = threads.spawn(|| {
            let options = ParkOptions::new().deadline(scene.in_an_hour());
            let park = || {
                let parked =
                    (scene.table).park_with(AT.0, &AT.1, options, yes, || {}, |_| give_up());
                assert_eq!(parked, Ok(woken(4)));
                give_up()
            };
            unwinds(park);
        });
        let counted = scene.wake(AT, 1, 4);
        faulty.join().unwrap();
        assert_eq!(scene.table.slot_stats(1).wakes as usize, counted);
    });
    scene.assert_empty();
}

/// A filter panics at the second waiter: the first is woken all the same, the second stays.
pub(crate) fn panic_in_filter<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let waiters = [(); 2].map(|()| threads.spawn(|| scene.wait_at(AT)));
        scene.until_queued(AT, 2);
        let mut seen = 0;
        let filter = |_: &_| {
            seen += 1;
            if seen == 2 {
                give_up();
            }
            Filter::Unpark
        };
        unwinds(|| scene.table.unpark_filter(AT.0, &AT.1, ALL, filter, 9));
        assert_eq!(scene.wake(AT, ALL, 7), 1);
        let mut outcomes = waiters.map(|waiter| waiter.join().unwrap());
        outcomes.sort_by_key(|outcome| *outcome == woken(7));
        assert_eq!(outcomes, [woken(9), woken(7)]);
    });
    scene.assert_empty();
}
