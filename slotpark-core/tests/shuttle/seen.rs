//! What has happened in all runs of a test.

use std::collections::BTreeMap;

use crate::program::Mix;

/// All of these must happen: a race that never happens proves nothing.
const EXPECTED: [&str; 50] = [
    "woken",
    "woken after a move",
    "woken past the deadline",
    "woken after overtaking",
    "a task was woken",
    "a task was woken by its second key",
    "a thread was woken by its second key",
    "timed out",
    "timed out after a move",
    "a task timed out",
    "a wait on several keys timed out",
    "stale",
    "stale with a node in another queue",
    "closed in its queue",
    "refused as closed",
    "a task was closed",
    "a task was interrupted in its queue",
    "a thread was interrupted in its queue",
    "interrupted before it was queued",
    "an interrupt ended a wait",
    "an interrupt was cleared",
    "a wait was left in its queue",
    "a wait was left before it began",
    "a wake was passed on",
    "a wake had nobody to go on to",
    "a wake of everybody was not passed on",
    "a wait that ended itself was passed over",
    "the last one left",
    "a filter skipped a wait",
    "moved",
    "one of several nodes moved",
    "moved to a closed key",
    "a key was closed",
    "the table was closed",
    "many keys were closed",
    "many keys were woken",
    "a prepared thread was woken",
    "a prepared thread was closed",
    "a prepared thread timed out",
    "a prepared thread left",
    "a prepared thread passed a wake on",
    "a task passed a wake on",
    "a future waited again",
    "a future was queued before its first poll",
    "a future was polled with a new Waker",
    "a future was dropped when chosen",
    "a timer fired too late",
    "the last wake ended a wait",
    "the last was woken",
    "a wake of the last was passed on",
];

/// What must happen in programs of movers.
const EXPECTED_OF_MOVERS: [&str; 5] = [
    "a future was polled with a new Waker",
    "one of several nodes moved",
    "woken after a move",
    "a task was interrupted in its queue",
    "a wait that ended itself was passed over",
];

/// What must happen in programs of one semaphore.
const EXPECTED_OF_PERMITS: [&str; 8] = [
    "permits were acquired",
    "a task acquired",
    "an acquire timed out",
    "a try found too few",
    "an acquire was refused",
    "waits were closed",
    "a task was dropped",
    "all was quiet",
];

/// What must happen in programs of one event counter.
const EXPECTED_OF_EVENTS: [&str; 7] = [
    "events came",
    "a task saw its events",
    "events came too late",
    "a wait for events was closed",
    "an advance woke",
    "a task was dropped",
    "all was quiet",
];

/// What must happen in programs of one keyed lock.
const EXPECTED_OF_KEYS: [&str; 15] = [
    "a key was busy",
    "a task held a key",
    "a key was not free in time",
    "a pool was full",
    "a holder grew",
    "many keys were held",
    "one of many keys was busy",
    "a thread was notified",
    "a thread was not notified in time",
    "a task was notified",
    "a notification was counted",
    "a holder's notification was counted",
    "a task was dropped",
    "all was quiet",
    "a holder shrank",
];

/// What must happen in programs of one flight, of one latch, and of one barrier.
const EXPECTED_OF_FLIGHTS: [&str; 5] = [
    "somebody followed",
    "a leader failed",
    "a leader was dropped",
    "a flight was not awaited",
    "a task was dropped",
];
const EXPECTED_OF_LATCHES: [&str; 6] = [
    "a latch opened",
    "a latch was abandoned",
    "a latch opened too late",
    "a latch was armed already",
    "a latch was counted down",
    "a task was dropped",
];
const EXPECTED_OF_BARRIERS: [&str; 3] = [
    "a barrier was passed",
    "a barrier was passed too late",
    "a task was dropped",
];

/// How often each thing happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(BTreeMap<&'static str, usize>);

impl Seen {
    pub(crate) fn add(&mut self, what: &'static str, count: usize) {
        let lists: [&[_]; 7] = [
            &EXPECTED,
            &EXPECTED_OF_PERMITS,
            &EXPECTED_OF_EVENTS,
            &EXPECTED_OF_KEYS,
            &EXPECTED_OF_FLIGHTS,
            &EXPECTED_OF_LATCHES,
            &EXPECTED_OF_BARRIERS,
        ];
        let is_listed = lists.iter().any(|list| list.contains(&what));
        debug_assert!(is_listed, "`{what}` is not in the list");
        *self.0.entry(what).or_default() += count;
    }

    pub(crate) fn assert_everything_happened(&self, mix: Mix) {
        let expected: &[_] = match mix {
            Mix::Everything => &EXPECTED,
            Mix::Movers => &EXPECTED_OF_MOVERS,
            Mix::Permits => &EXPECTED_OF_PERMITS,
            Mix::Events => &EXPECTED_OF_EVENTS,
            Mix::Keys => &EXPECTED_OF_KEYS,
            Mix::Flights => &EXPECTED_OF_FLIGHTS,
            Mix::Latches => &EXPECTED_OF_LATCHES,
            Mix::Barriers => &EXPECTED_OF_BARRIERS,
        };
        for what in expected {
            let count = self.0.get(*what).copied().unwrap_or(0);
            assert!(count > 0, "it never happened: {what}, of {self:#?}");
        }
    }
}
