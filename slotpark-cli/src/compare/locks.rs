//! What is measured of keyed locks, semaphores and single flights, and who enters.
//!
//! The first entrant of a contest is the one that the others are compared with.

use super::workloads::locks::{AsyncFresh, AsyncPermits, Flights, Fresh, Hot, Kept, Permits, Zipf};
use crate::engines::locks::{
    AsyncKeyedLock, AsyncLockSemaphore, AsyncLockable, DashMapAsyncLock, DashMapKept, DashMapOnce,
    DashMapRead, DashMapRemoved, DashMapSemaphore, DashMapTokio, KeyedLock, LockMap, Lockable,
    Moka, ParkingLot, ParkingLotFair, SlotparkBargingMutex, SlotparkBargingSemaphore,
    SlotparkFlight, SlotparkMutex, SlotparkPermit, SlotparkRead, SlotparkSemaphore, SlotparkWord,
    SlotparkWordFair, StdCondvar, StdMutex, Striped512, TokioSemaphore,
};
use crate::measure::locks::{
    AsyncLockEngine, AsyncPermitEngine, FlightEngine, FlightWorkload, LockEngine, LockWorkload,
    PermitEngine, PermitWorkload,
};
use crate::measure::{Contest, Entrant};

/// A fresh key: at most so many times what a stripe takes, which is found by the hash alone.
const TO_STRIPED_MAX: f64 = 1.5;
/// A fresh key: at most so many times what each of the crates of keyed locks takes.
const TO_KEYED_MAX: f64 = 0.35;
/// Keys as they come: ahead of each of the crates of keyed locks.
const ZIPF_TO_KEYED_MAX: f64 = 1.0;
/// One hot key: at most so many times what one lock without keys takes.
const TO_PARKING_LOT_MAX: f64 = 1.3;

/// Everything, in the order of the report.
pub(super) fn contests() -> Vec<Contest> {
    let mut contests = vec![fresh(Fresh::Guard), fresh(Fresh::Closure)];
    contests.push(by_key(Kept));
    contests.push(zipf_barging());
    contests.push(Contest::of_locks(AsyncFresh, by_key_for_tasks()));
    let readers = vec![
        lock::<_, SlotparkRead>(Fresh::Read),
        lock::<_, DashMapRead>(Fresh::Read),
    ];
    contests.push(Contest::of_locks(Fresh::Read, readers));
    let permits = vec![
        lock::<_, SlotparkPermit>(Fresh::Permit),
        lock::<_, DashMapSemaphore>(Fresh::Permit),
    ];
    contests.push(Contest::of_locks(Fresh::Permit, permits));
    contests.push(Contest::of_locks(Fresh::Alone, alone()));
    contests.push(Contest::of_locks(Zipf::Fair, zipf_fair()));
    contests.extend(Hot::FAIR.map(|hot| Contest::of_locks(hot, hot_fair(hot))));
    contests.extend(Hot::BARGING.map(|hot| {
        let contest = Contest::of_locks(hot, hot_barging(hot));
        contest.with_target(ParkingLot::NAME, TO_PARKING_LOT_MAX)
    }));
    contests.extend(semaphores());
    contests.extend(
        [Flights::Alone, Flights::Two, Flights::Eight].map(|flights| {
            let entrants = vec![
                flight::<_, SlotparkFlight>(flights),
                flight::<_, Moka>(flights),
                flight::<_, DashMapOnce>(flights),
            ];
            Contest::of_locks(flights, entrants)
        }),
    );
    contests
}

/// A key that was never used, with the targets for it.
fn fresh(workload: Fresh) -> Contest {
    by_key(workload)
        .with_target(LockMap::NAME, TO_KEYED_MAX)
        .with_target(Lockable::NAME, TO_KEYED_MAX)
        .with_target(KeyedLock::NAME, TO_KEYED_MAX)
        .with_target(Striped512::NAME, TO_STRIPED_MAX)
}

/// All that lock by key, for threads.
fn by_key<W: LockWorkload>(workload: W) -> Contest {
    let entrants = vec![
        lock::<_, SlotparkMutex>(workload),
        lock::<_, LockMap>(workload),
        lock::<_, Lockable>(workload),
        lock::<_, KeyedLock>(workload),
        lock::<_, DashMapRemoved>(workload),
        lock::<_, DashMapKept>(workload),
        lock::<_, Striped512>(workload),
    ];
    Contest::of_locks(workload, entrants)
}

/// All that lock by key, for tasks.
fn by_key_for_tasks() -> Vec<Entrant> {
    vec![
        lock_async::<SlotparkMutex>(),
        lock_async::<AsyncLockable>(),
        lock_async::<AsyncKeyedLock>(),
        lock_async::<DashMapTokio>(),
        lock_async::<DashMapAsyncLock>(),
    ]
}

/// Those that serve in turn.
fn zipf_fair() -> Vec<Entrant> {
    vec![
        lock::<_, SlotparkMutex>(Zipf::Fair),
        lock::<_, Lockable>(Zipf::Fair),
    ]
}

/// Those in which whoever comes may take a free lock.
fn zipf_barging() -> Contest {
    let entrants = vec![
        lock::<_, SlotparkBargingMutex>(Zipf::Barging),
        lock::<_, LockMap>(Zipf::Barging),
        lock::<_, KeyedLock>(Zipf::Barging),
        lock::<_, DashMapRemoved>(Zipf::Barging),
        lock::<_, DashMapKept>(Zipf::Barging),
        lock::<_, Striped512>(Zipf::Barging),
    ];
    Contest::of_locks(Zipf::Barging, entrants)
        .with_target(LockMap::NAME, ZIPF_TO_KEYED_MAX)
        .with_target(KeyedLock::NAME, ZIPF_TO_KEYED_MAX)
}

/// One lock without keys, and nobody else.
fn alone() -> Vec<Entrant> {
    vec![
        lock::<_, SlotparkWord>(Fresh::Alone),
        lock::<_, ParkingLot>(Fresh::Alone),
        lock::<_, StdMutex>(Fresh::Alone),
    ]
}

/// One key: those that serve in turn, and a lock without keys that does.
fn hot_fair(hot: Hot) -> Vec<Entrant> {
    vec![
        lock::<_, SlotparkMutex>(hot),
        lock::<_, Lockable>(hot),
        lock::<_, SlotparkWordFair>(hot),
        lock::<_, ParkingLotFair>(hot),
    ]
}

/// One key: those in which whoever comes may take it, and locks without keys that do so.
fn hot_barging(hot: Hot) -> Vec<Entrant> {
    vec![
        lock::<_, SlotparkBargingMutex>(hot),
        lock::<_, LockMap>(hot),
        lock::<_, KeyedLock>(hot),
        lock::<_, DashMapRemoved>(hot),
        lock::<_, SlotparkWord>(hot),
        lock::<_, ParkingLot>(hot),
        lock::<_, StdMutex>(hot),
    ]
}

fn semaphores() -> Vec<Contest> {
    let alone = vec![
        permit::<_, SlotparkSemaphore>(Permits::Alone),
        permit::<_, SlotparkBargingSemaphore>(Permits::Alone),
        permit::<_, TokioSemaphore>(Permits::Alone),
        permit::<_, AsyncLockSemaphore>(Permits::Alone),
        permit::<_, StdCondvar>(Permits::Alone),
    ];
    let tasks = vec![
        permit_async::<SlotparkSemaphore>(),
        permit_async::<TokioSemaphore>(),
        permit_async::<AsyncLockSemaphore>(),
    ];
    let mut contests = vec![
        Contest::of_locks(Permits::Alone, alone),
        Contest::of_locks(AsyncPermits, tasks),
    ];
    contests.extend(Permits::FAIR.map(|permits| {
        let entrants = vec![
            permit::<_, SlotparkSemaphore>(permits),
            permit::<_, TokioSemaphore>(permits),
        ];
        Contest::of_locks(permits, entrants)
    }));
    contests.extend(Permits::BARGING.map(|permits| {
        let entrants = vec![
            permit::<_, SlotparkBargingSemaphore>(permits),
            permit::<_, AsyncLockSemaphore>(permits),
            permit::<_, StdCondvar>(permits),
        ];
        Contest::of_locks(permits, entrants)
    }));
    contests
}

fn lock<W: LockWorkload, E: LockEngine>(workload: W) -> Entrant {
    Entrant::sampled(E::NAME, move |scale| workload.sample::<E>(scale))
}

fn lock_async<E: AsyncLockEngine>() -> Entrant {
    Entrant::sampled(E::NAME, |scale| Ok(AsyncFresh::sample::<E>(scale)))
}

fn permit<W: PermitWorkload, E: PermitEngine>(workload: W) -> Entrant {
    Entrant::sampled(E::NAME, move |scale| workload.sample::<E>(scale))
}

fn permit_async<E: AsyncPermitEngine>() -> Entrant {
    Entrant::sampled(E::NAME, |scale| Ok(AsyncPermits::sample::<E>(scale)))
}

fn flight<W: FlightWorkload, E: FlightEngine>(workload: W) -> Entrant {
    Entrant::sampled(E::NAME, move |scale| workload.sample::<E>(scale))
}
