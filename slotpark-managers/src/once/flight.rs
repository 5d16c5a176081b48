//! What a key leads to, and one's part in it.
//!
//! **Invariants** M1: at most one leads a flight, and nobody one that has its value. M2: whoever
//! has left the lead, with a value or without, has moved the event on. M3: `users` of a flight in
//! the map is the number of members it has, or it has its value.

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::OnceMap;
use crate::event::{Event, Seen};

pub(super) struct Flight<V> {
    pub(super) event: Event,
    value: OnceLock<V>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    has_leader: bool,
    users: usize,
}

impl<V> Flight<V> {
    fn new(value: OnceLock<V>) -> Self {
        Self {
            event: Event::new("value being made"),
            value,
            state: Mutex::default(),
        }
    }

    pub(super) fn landed(value: V) -> Self {
        Self::new(OnceLock::from(value))
    }

    pub(super) fn value(&self) -> Option<&V> {
        self.value.get()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under it, so nothing is left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who wants the value of a key, and has not given up.
pub(super) struct Member<'m, K: Eq + Hash, V> {
    pub(super) map: &'m OnceMap<K, V>,
    pub(super) flight: Arc<Flight<V>>,
    /// Until it has left.
    key: Option<K>,
}

pub(super) enum Role<'f, V> {
    /// The value is there.
    Has(&'f V),
    /// It is to make the value.
    Leads,
    /// It is to wait while the version is this.
    Follows(Seen),
}

impl<'m, K: Eq + Hash + Clone, V> Member<'m, K, V> {
    /// One more member of the flight that `key` leads to.
    pub(super) fn enter(map: &'m OnceMap<K, V>, key: K) -> Self {
        let flight = {
            let entry = map.flights.entry(key.clone());
            let flight = entry.or_insert_with(|| Arc::new(Flight::new(OnceLock::new())));
            flight.lock().users += 1;
            Arc::clone(&flight)
        };
        let key = Some(key);
        Self { map, flight, key }
    }
}

impl<K: Eq + Hash, V> Member<'_, K, V> {
    /// What to do now. Who leads then is to end that by a `Lead`.
    pub(super) fn role(&self) -> Role<'_, V> {
        let mut state = self.flight.lock();
        if let Some(value) = self.flight.value() {
            return Role::Has(value);
        }
        if !state.has_leader {
            state.has_leader = true;
            return Role::Leads;
        }
        Role::Follows(self.flight.event.seen())
    }

    fn leave(&self, key: &K) {
        let is_last = |flight: &Arc<Flight<V>>| {
            if !Arc::ptr_eq(flight, &self.flight) {
                // It was taken out, and there nobody counts.
                return false;
            }
            let mut state = flight.lock();
            state.users -= 1;
            state.users == 0 && flight.value().is_none()
        };
        let last = self.map.flights.remove_if(key, |_, flight| is_last(flight));
        // The key's own drop runs here, with the shard unlocked.
        drop(last);
    }
}

impl<K: Eq + Hash, V> Drop for Member<'_, K, V> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.leave(&key);
        }
    }
}

/// Leads a flight. Without a value, because it failed, panicked or was dropped, the next one leads.
pub(super) struct Lead<'f, 'm, K: Eq + Hash, V> {
    pub(super) member: &'f Member<'m, K, V>,
}

impl<'f, K: Eq + Hash, V> Lead<'f, '_, K, V> {
    pub(super) fn land(self, value: V) -> &'f V {
        self.member.flight.value.get_or_init(|| value)
    }
}

impl<K: Eq + Hash, V> Drop for Lead<'_, '_, K, V> {
    fn drop(&mut self) {
        let flight = &self.member.flight;
        {
            let mut state = flight.lock();
            state.has_leader = false;
            flight.event.advance();
        }
        // Without a value one of them is enough: it leads. If it gives up instead, a thread has
        // not been woken for that, and a task passes the wake on; and who is not queued yet sees
        // that the version has moved on.
        let count = match flight.value() {
            Some(_) => usize::MAX,
            None => 1,
        };
        flight.event.wake(&self.member.map.waits, count);
    }
}
