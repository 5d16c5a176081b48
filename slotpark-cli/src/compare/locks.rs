//! What is measured of keyed locks, semaphores and single flights, and who enters.
//!
//! The first entrant of a contest is the one that the others are compared with.

use super::engines::locks::{
    AsyncKeyedLock, AsyncLockSemaphore, AsyncLockable, DashMapAsyncLock, DashMapKept, DashMapOnce,
    DashMapRead, DashMapRemoved, DashMapSemaphore, DashMapTokio, KeyedLock, LockMap, Lockable,
    Moka, ParkingLot, ParkingLotFair, SlotparkBargingMutex, SlotparkBargingSemaphore,
    SlotparkMutex, SlotparkSemaphore, StdCondvar, StdMutex, Striped512, TokioSemaphore,
};
use super::workloads::locks::{AsyncFresh, AsyncPermits, Flights, Fresh, Hot, Kept, Permits, Zipf};
use crate::measure::locks::{
    AsyncLockEngine, AsyncPermitEngine, FlightEngine, FlightWorkload, LockEngine, LockWorkload,
    PermitEngine, PermitWorkload,
};
use crate::measure::{Contest, Entrant};

/// Everything, in the order of the report.
pub(super) fn contests() -> Vec<Contest> {
    let mut contests = vec![by_key(Fresh::Guard), by_key(Fresh::Closure)];
    contests.push(by_key(Kept));
    contests.push(Contest::of_locks(Zipf::Barging, zipf_barging()));
    contests.push(Contest::of_locks(AsyncFresh, by_key_for_tasks()));
    let readers = vec![lock::<_, DashMapRead>(Fresh::Read)];
    contests.push(Contest::of_locks(Fresh::Read, readers));
    let permits = vec![lock::<_, DashMapSemaphore>(Fresh::Permit)];
    contests.push(Contest::of_locks(Fresh::Permit, permits));
    contests.push(Contest::of_locks(Zipf::Fair, zipf_fair()));
    contests.extend(Hot::FAIR.map(|hot| Contest::of_locks(hot, hot_fair(hot))));
    contests.extend(Hot::BARGING.map(|hot| Contest::of_locks(hot, hot_barging(hot))));
    contests.extend(semaphores());
    contests.extend(
        [Flights::Alone, Flights::Two, Flights::Eight].map(|flights| {
            let entrants = vec![
                flight::<_, Moka>(flights),
                flight::<_, DashMapOnce>(flights),
            ];
            Contest::of_locks(flights, entrants)
        }),
    );
    contests
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
fn zipf_barging() -> Vec<Entrant> {
    vec![
        lock::<_, SlotparkBargingMutex>(Zipf::Barging),
        lock::<_, LockMap>(Zipf::Barging),
        lock::<_, KeyedLock>(Zipf::Barging),
        lock::<_, DashMapRemoved>(Zipf::Barging),
        lock::<_, DashMapKept>(Zipf::Barging),
        lock::<_, Striped512>(Zipf::Barging),
    ]
}

/// One key: those that serve in turn, and a lock without keys that does.
fn hot_fair(hot: Hot) -> Vec<Entrant> {
    vec![
        lock::<_, SlotparkMutex>(hot),
        lock::<_, Lockable>(hot),
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
