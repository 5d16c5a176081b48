//! The engine under shuttle: random programs of several threads, in random interleavings, followed
//! step by step by a naive model.
//!
//! Whatever changes a queue does so under a slot lock, where the engine tells its platform. The
//! platform of these tests passes that on to a map of FIFO queues, which says what each wait and
//! each wake has to return. No wake is repeated: who is missed sleeps for ever, and shuttle reports
//! a deadlock. shuttle is sequentially consistent: orderings are loom's.
#![cfg(slotpark_shuttle)]

mod advances;
mod bell;
mod crew;
mod explore;
mod host;
mod oracle;
mod permits;
mod program;
mod queues;
mod seen;
mod tasks;
mod turns;
mod waits;
mod wakes;
mod world;

use explore::{Scheduler, explore};
use host::{Alone, Grouped};
use program::{Mix, Shape};
use world::run;

/// Three keys that meet in one slot.
const ONE_SLOT: Shape = Shape {
    mix: Mix::Everything,
    slots: 1,
    hashes: [0, 1, 2],
};

/// Two keys in one slot, and a third in another.
const TWO_SLOTS: Shape = Shape {
    mix: Mix::Everything,
    slots: 2,
    hashes: [0, 1, 2],
};

/// Three keys that a hasher cannot tell apart.
const EQUAL_HASHES: Shape = Shape {
    mix: Mix::Everything,
    slots: 2,
    hashes: [1, 1, 1],
};

/// Two slots, between which futures are moved.
const MOVERS: Shape = Shape {
    mix: Mix::Movers,
    ..TWO_SLOTS
};

macro_rules! programs {
    ($($name:ident: $scheduler:ident, $host:ty, $shape:ident;)*) => {$(
        #[test]
        fn $name() {
            let scheduler = Scheduler::$scheduler;
            explore(stringify!($name), scheduler, $shape.mix, || run::<$host>($shape));
        }
    )*};
}

/// One semaphore, or one event counter.
macro_rules! words {
    ($($name:ident: $scheduler:ident, $mix:ident, $run:expr;)*) => {$(
        #[test]
        fn $name() {
            explore(stringify!($name), Scheduler::$scheduler, Mix::$mix, $run);
        }
    )*};
}

words! {
    random_fair_permits: Random, Permits, || permits::run(false);
    random_barging_permits: Random, Permits, || permits::run(true);
    random_events: Random, Events, advances::run;
    priorities_fair_permits: Priorities, Permits, || permits::run(false);
    priorities_barging_permits: Priorities, Permits, || permits::run(true);
    priorities_events: Priorities, Events, advances::run;
}

programs! {
    random_in_one_slot: Random, Grouped, ONE_SLOT;
    random_in_two_slots: Random, Grouped, TWO_SLOTS;
    random_with_equal_hashes: Random, Grouped, EQUAL_HASHES;
    random_without_group_sleep: Random, Alone, TWO_SLOTS;
    random_moves: Random, Grouped, MOVERS;
    priorities_in_one_slot: Priorities, Grouped, ONE_SLOT;
    priorities_in_two_slots: Priorities, Grouped, TWO_SLOTS;
    priorities_with_equal_hashes: Priorities, Grouped, EQUAL_HASHES;
    priorities_without_group_sleep: Priorities, Alone, TWO_SLOTS;
    priorities_moves: Priorities, Grouped, MOVERS;
}
