//! The engine under shuttle: random programs of several threads, in random interleavings, followed
//! step by step by a naive model.
//!
//! Whatever changes a queue does so under a slot lock, where the engine tells its platform. The
//! platform of these tests passes that on to a map of FIFO queues, which says what each wait and
//! each wake has to return. No wake is repeated: who is missed sleeps for ever, and shuttle reports
//! a deadlock. shuttle is sequentially consistent: orderings are loom's.
#![cfg(slotpark_shuttle)]

mod advances;
mod barriers;
mod bell;
mod crew;
mod explore;
mod flights;
mod host;
mod keyed;
mod latches;
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
use slotpark_core::Preference::{Barging, Fifo, PhaseFair};
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

/// One semaphore, event counter, keyed lock, flight, latch or barrier.
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
    random_keyed_mutex: Random, Keys, || keyed::run(1, Fifo);
    random_barging_keyed_mutex: Random, Keys, || keyed::run(1, Barging);
    random_keyed_semaphore: Random, Keys, || keyed::run(3, Fifo);
    random_keyed_rwlock: Random, Keys, || keyed::run(3, PhaseFair);
    random_barging_keyed_semaphore: Random, Keys, || keyed::run(3, Barging);
    priorities_keyed_mutex: Priorities, Keys, || keyed::run(1, Fifo);
    priorities_barging_keyed_mutex: Priorities, Keys, || keyed::run(1, Barging);
    priorities_keyed_semaphore: Priorities, Keys, || keyed::run(3, Fifo);
    priorities_keyed_rwlock: Priorities, Keys, || keyed::run(3, PhaseFair);
    priorities_barging_keyed_semaphore: Priorities, Keys, || keyed::run(3, Barging);
    random_flights: Random, Flights, flights::run;
    random_latches: Random, Latches, latches::run;
    random_barriers: Random, Barriers, barriers::run;
    priorities_flights: Priorities, Flights, flights::run;
    priorities_latches: Priorities, Latches, latches::run;
    priorities_barriers: Priorities, Barriers, barriers::run;
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
