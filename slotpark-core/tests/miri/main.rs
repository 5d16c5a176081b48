//! Small programs of two to four threads for Miri, which runs them once for each of many seeds.
//!
//! A seed chooses where threads are preempted and which of the values that the memory model allows
//! a load returns; Miri reports a touch of a frame that has ended, a race, and threads that sleep
//! for ever. Every program asserts what it counts. Without a test harness, which would be the most
//! of the work; also without the clock of the machine, so that a seed repeats exactly.

mod host;
mod panics;
mod requeues;
mod scene;
mod wakes;

use host::{Alone, Group};

/// A program's name, and the program on each kind of sleep.
type Program = (&'static str, [fn(); 2]);

macro_rules! programs {
    ($($module:ident::$name:ident),* $(,)?) => {
        [$((stringify!($name), [$module::$name::<Group>, $module::$name::<Alone>])),*]
    };
}

fn main() {
    let programs: [Program; 15] = programs![
        wakes::wait_against_wake,
        wakes::timeout_against_wake,
        wakes::timeout_in_a_woken_group,
        wakes::group_of_sleepers,
        wakes::collision,
        wakes::count_against_all,
        wakes::wake_of_a_gone_object,
        requeues::requeue_against_timeout,
        requeues::requeue_against_wake,
        requeues::requeues_against_each_other,
        requeues::sleepers_of_three_homes,
        panics::panic_in_validate,
        panics::panic_before_sleep,
        panics::panic_on_leave,
        panics::panic_in_filter,
    ];
    let name = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let mut passed = 0;
    for (program, kinds) in programs {
        if name.as_ref().is_some_and(|name| !program.contains(name)) {
            continue;
        }
        for run in kinds {
            run();
            passed += 1;
        }
    }
    println!("{passed} passed; 0 failed");
}
