//! What is measured of the numeric futex ABI, and how fast it should be beside the kernel's.

use super::workloads::{Calls, FutexCalls, RoundTrip, WakeAll};
use crate::engines::{Futex, FutexNumbers, NoSpin, On, Process};
use crate::measure::futex::FutexEngine;
use crate::measure::{Contest, Engine, Entrant, Workload};

/// The name of the kernel's futex on this side, where all are futexes.
const KERNEL: &str = "kernel";
/// A call that finds nothing to do: 50 times as fast.
const NOTHING_TO_DO_MAX: f64 = 1.0 / 50.0;
/// Sleeping and waking where waits sleep at once: the same system calls and a little more.
const SLEEP_MAX: f64 = 1.05;
/// Where they spin as learned: never behind.
const SPIN_MAX: f64 = 1.0;

/// Everything, in the order of the report.
pub(super) fn contests() -> Vec<Contest> {
    let fast =
        |calls, row| contest::<_, Process>(calls, &[row]).with_target(KERNEL, NOTHING_TO_DO_MAX);
    let mut contests = vec![
        fast(Calls::WakeNone, "futex_wake_none"),
        fast(Calls::WaitStale, "futex_wait_stale"),
        contest::<_, Process>(Calls::WaitPastDeadline, &["futex_wait_past_deadline"]),
    ];
    contests.extend(FutexCalls::ALL.map(|calls| {
        let entrants = vec![
            call::<FutexNumbers<Process>>(calls),
            call::<Futex>(calls).named(KERNEL),
        ];
        Contest::of_futex(calls, entrants)
    }));
    contests.extend(round_trips(
        RoundTrip::Idle,
        ["futex_round_trip_idle", "futex_round_trip_idle_no_spin"],
    ));
    contests.extend(round_trips(
        RoundTrip::Busy,
        ["futex_round_trip_busy", "futex_round_trip_busy_no_spin"],
    ));
    contests.push(contest::<_, Process>(
        WakeAll::Of8,
        &["futex_wake_all_8_call", "futex_wake_all_8_running"],
    ));
    contests
}

/// With the learned spin, and without any.
fn round_trips(trips: RoundTrip, [spinning, sleeping]: [&'static str; 2]) -> [Contest; 2] {
    [
        contest::<_, Process>(trips, &[spinning]).with_target(KERNEL, SPIN_MAX),
        contest::<_, NoSpin>(trips, &[sleeping]).with_target(KERNEL, SLEEP_MAX),
    ]
}

/// A workload of threads, whose rows have other names here.
fn contest<W: Workload, T: On>(workload: W, rows: &[&'static str]) -> Contest {
    let entrants = vec![
        Entrant::new::<W, FutexNumbers<T>>(workload),
        Entrant::new::<W, Futex>(workload).named(KERNEL),
    ];
    Contest::new(workload, entrants).for_futex(rows)
}

fn call<E: FutexEngine>(calls: FutexCalls) -> Entrant {
    Entrant::sampled(<E as Engine>::NAME, move |scale| {
        Ok(calls.sample::<E>(scale))
    })
}
