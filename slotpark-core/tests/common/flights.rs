//! Single flights whose values count themselves.

use std::future::{Pending, Ready, pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use slotpark_core::{DefaultPlatform, FlightError, Flying, SingleFlight};

use super::bells::{Bell, poll};
use super::{leak, until};

pub(crate) const AT: (u64, u64) = (5, 1);

pub(crate) type Error = &'static str;
pub(crate) type Made = Result<Value, Error>;
pub(crate) type Boxed<F> = Pin<Box<Flying<'static, u64, Value, F, DefaultPlatform>>>;

/// What is done when a value is cloned: it is told which clone this is.
pub(crate) type OnClone = &'static (dyn Fn(usize) + Send + Sync);

/// A value that counts itself.
pub(crate) struct Value {
    pub(crate) number: u64,
    scene: Scene,
}

impl Clone for Value {
    fn clone(&self) -> Self {
        let count = self.scene.clones.fetch_add(1, Ordering::Relaxed);
        (self.scene.on_clone)(count);
        self.scene.value(self.number)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.scene.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.number.fmt(f)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) flights: &'static SingleFlight<u64, Value>,
    alive: &'static AtomicUsize,
    clones: &'static AtomicUsize,
    on_clone: OnClone,
}

impl Scene {
    pub(crate) fn new(on_clone: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Self::on(
            leak(SingleFlight::try_with_slots(1).expect("one slot")),
            on_clone,
        )
    }

    pub(crate) fn on(
        flights: &'static SingleFlight<u64, Value>,
        on_clone: impl Fn(usize) + Send + Sync + 'static,
    ) -> Self {
        Self {
            flights,
            alive: leak(AtomicUsize::new(0)),
            clones: leak(AtomicUsize::new(0)),
            on_clone: leak(on_clone),
        }
    }

    pub(crate) fn value(self, number: u64) -> Value {
        self.alive.fetch_add(1, Ordering::Relaxed);
        Value {
            number,
            scene: self,
        }
    }

    pub(crate) fn fly(self, f: impl FnOnce() -> Made) -> Result<u64, FlightError<Error>> {
        let made = self.flights.fly(AT.0, &AT.1, None, f);
        made.map(|value| value.number)
    }

    /// A task that makes `number`, if it leads; queued.
    pub(crate) fn task(self, number: u64) -> (Boxed<Ready<Made>>, Arc<Bell>) {
        let made = ready(Ok(self.value(number)));
        let mut flying = Box::pin(self.flights.fly_async(AT.0, AT.1, made));
        let bell = Bell::new();
        assert!(poll(flying.as_mut(), &bell).is_pending());
        (flying, bell)
    }

    /// A thread that makes `number`, if it leads; queued.
    pub(crate) fn thread(self, number: u64) -> JoinHandle<Result<u64, FlightError<Error>>> {
        let others = self.waiters();
        let thread = std::thread::spawn(move || self.fly(|| Ok(self.value(number))));
        until("a thread follows", || self.waiters() > others);
        thread
    }

    /// A task that leads and never makes anything.
    pub(crate) fn leader(self) -> Boxed<Pending<Made>> {
        let mut leader = Box::pin(self.flights.fly_async(AT.0, AT.1, pending()));
        assert!(poll(leader.as_mut(), &Bell::new()).is_pending());
        assert!(self.flights.is_flying(AT.0, &AT.1));
        leader
    }

    pub(crate) fn waiters(self) -> usize {
        self.flights.waiters(AT.0, &AT.1)
    }

    pub(crate) fn clones(self) -> usize {
        self.clones.load(Ordering::Relaxed)
    }

    /// Nobody leads or follows, and no value is left.
    #[track_caller]
    pub(crate) fn assert_over(self) {
        assert!(!self.flights.is_flying(AT.0, &AT.1), "somebody leads");
        assert_eq!(self.waiters(), 0);
        assert_eq!(self.alive.load(Ordering::Relaxed), 0, "values are left");
    }
}

pub(crate) fn number(made: Made) -> Result<u64, Error> {
    made.map(|value| value.number)
}

pub(crate) fn nothing(_: usize) {}
