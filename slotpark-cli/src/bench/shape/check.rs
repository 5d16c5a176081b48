//! Whether the parameters of a program make sense.

use anyhow::ensure;

use super::{Poll, Shape};

impl Shape {
    /// Whether the numbers make sense.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        match self {
            Self::Calls(calls) => {
                within("threads", calls.threads as u64, 1, THREADS_MAX)?;
                within("sleepers", calls.sleepers as u64, 0, THREADS_MAX)?;
                within("keys", calls.keys, 1, 1 << 20)?;
                within("stride", calls.stride, 1, 1 << 20)?;
                let words = calls.keys.saturating_add(calls.sleepers as u64);
                within("keys * stride", words * calls.stride.max(64), 1, 1 << 30)?;
                positive("exponent", calls.exponent)
            }
            Self::RoundTrip(trips) => {
                within("pairs", trips.pairs as u64, 1, THREADS_MAX / 2)?;
                within("shared_keys", trips.shared_keys.into(), 0, 1 << 20)?;
                positive("exponent", trips.exponent)
            }
            Self::Storm(storm) => {
                let (keys, waiters) = (storm.keys as u64, storm.waiters as u64);
                within("keys", keys, 1, THREADS_MAX)?;
                within("waiters", waiters, 1, THREADS_MAX)?;
                within("notifiers", storm.notifiers as u64, 1, THREADS_MAX)?;
                let threads = keys * (waiters + storm.notifiers as u64);
                within("keys * (waiters + notifiers)", threads, 2, THREADS_MAX)
            }
            Self::WakeAll(wakes) => within("waiters", wakes.waiters as u64, 1, THREADS_MAX),
            Self::Regime(regime) => within("phase_ms", regime.phase_ms, 30, 60_000),
            Self::WaitMemory(memory) | Self::LockMemory(memory) => {
                within("keys", memory.keys, 1, 1 << 32)
            }
            Self::Polled(polled) => {
                within("keys", polled.keys, 1, 1 << 20)?;
                within("others", polled.others, 0, 1 << 20)?;
                within("stride", polled.stride, 1, 1 << 20)?;
                ensure!(
                    !polled.same_key || polled.call == Poll::Drop,
                    "`parameters.same_key`: only with the call `drop`: a wake would wake the others"
                );
                Ok(())
            }
            Self::WakeTasks(wakes) => within("waiters", wakes.waiters as u64, 1, 1 << 20),
            Self::Locks(locks) => {
                within("threads", locks.threads as u64, 1, THREADS_MAX)?;
                within("keys", locks.keys.into(), 1, 1 << 30)?;
                positive("exponent", locks.exponent)
            }
            Self::LocksPolled(_) => Ok(()),
            Self::Permits(permits) => {
                within("threads", permits.threads as u64, 1, THREADS_MAX)?;
                within("permits", permits.permits as u64, 1, THREADS_MAX)
            }
            Self::Flight(flight) => within("threads", flight.threads as u64, 1, THREADS_MAX),
        }
    }
}

/// More than that say nothing on any machine.
const THREADS_MAX: u64 = 4096;

fn within(name: &str, value: u64, min: u64, max: u64) -> anyhow::Result<()> {
    ensure!(
        (min..=max).contains(&value),
        "`parameters.{name}` is {value}; allowed is {min} to {max}"
    );
    Ok(())
}

fn positive(name: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value > 0.0 && value <= 10.0,
        "`parameters.{name}` is {value}; allowed is more than 0, up to 10"
    );
    Ok(())
}
