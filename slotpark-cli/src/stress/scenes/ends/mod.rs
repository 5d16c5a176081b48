//! Ends: waits on several keys at a time, for permits of each, that wakes, closings and interrupts
//! compete to end. Each of these counts exactly those that it has ended.
//!
//! The first key of every wait is the primary one of its site: there each wait is counted once.

mod closes;
mod duel;
mod site;
mod wait;
mod waits;
mod wakes;

use std::sync::atomic::{AtomicU64, Ordering};

use slotpark::Interrupter;

use super::relay::Track;
use super::{Ground, Scene, Setting, named};
use crate::stress::actor::Actor;
use crate::stress::ledger::Ledger;
use crate::stress::planned::Key;
use crate::stress::stage::{LANES, Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};
use duel::Ring;
use site::Site;

/// Keys of no other scene are looked at by what asks for all keys.
const FAMILY: u64 = 6;

struct Ends {
    index: usize,
    ground: Ground,
    sites: Vec<Site>,
    /// Two keys for each thread, which no other uses.
    private: Vec<Key>,
    /// One for each thread.
    interrupters: Vec<Interrupter>,
    ring: Ring,
    /// What ended waits, and what was counted of it. Some calls look at the keys of all sites.
    woken: Ledger,
    closed: Ledger,
    interrupted: Ledger,
    /// Interrupts that found no wait, or may have been left by one that was given up; and waits
    /// that were interrupted before they were queued.
    early_interrupts: AtomicU64,
    interrupted_early: AtomicU64,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let ground = setting.tasks(tables);
    let count = LANES * setting.keys;
    let keys = ground.numbers.keys(FAMILY, count, setting.crowded);
    Box::new(Ends {
        index,
        ground,
        sites: keys.chunks_exact(LANES).map(Site::new).collect(),
        private: ground.numbers.keys(9, 2 * setting.threads, setting.crowded),
        interrupters: (0..setting.threads).map(|_| Interrupter::new()).collect(),
        ring: Ring::default(),
        woken: Ledger::default(),
        closed: Ledger::default(),
        interrupted: Ledger::default(),
        early_interrupts: AtomicU64::new(0),
        interrupted_early: AtomicU64::new(0),
    })
}

fn is_ours(key: &Key) -> bool {
    key.0 >> 40 == FAMILY
}

impl Scene for Ends {
    fn name(&self) -> &'static str {
        "ends"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        self.answer(actor);
        let number = actor.target(self.index, self.sites.len());
        match actor.below(0..17) {
            // Most keep what they take.
            0..=7 => {
                let taken = self.acquire(actor, number);
                if let Some(lane) = taken.filter(|_| actor.one_in(4)) {
                    self.bring(actor, (number, lane), 1);
                }
            }
            8..=10 => self.bring_some(actor, number),
            11 | 12 => self.interrupt(actor),
            13 => self.close_key(actor, number),
            14 if actor.one_in(2) => self.relay(actor),
            14 => self.keep_closed(actor, number),
            15 => self.end_where(actor, number),
            _ => self.duel(actor),
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let sites = self.sites.iter().enumerate();
        let queue = |(number, site): (usize, &Site)| {
            self.ground.queue(site.keys[0], || {
                format!("site {number}, permits left {:?}", site.counts)
            })
        };
        sites.filter_map(queue).collect()
    }

    fn check_quiet(&self, waits: &[Waiting]) -> Result<(), String> {
        for Waiting { at, .. } in waits {
            let site = &self.sites[at.key];
            let watched = |lane: &usize| at.lanes & (1 << lane) != 0;
            if let Some(lane) = (0..LANES)
                .filter(watched)
                .find(|&lane| site.count(lane) > 0)
            {
                return Err(format!(
                    "a wake was lost: {} permits are left at key {lane} of site {}, all is quiet, \
                     and a waiter is still queued for them",
                    site.count(lane),
                    at.key
                ));
            }
            if at.interruptible && self.interrupters[at.thread].is_pending() {
                return Err(format!(
                    "an interrupt was lost: thread {} was interrupted, all is quiet, and it is \
                     still queued",
                    at.thread
                ));
            }
        }
        Ok(())
    }

    fn release(&self) {
        for site in &self.sites {
            let woken = self.ground.numbers.waits.wake_all(&site.keys[0]);
            self.woken.sent(woken, 0);
        }
    }

    fn check_books(&self) -> Result<(), String> {
        named("sites", self.woken.close())?;
        named("closings as wakes", self.closed.close())?;
        named("interrupts as wakes", self.interrupted.close())?;
        let [interrupts, waits] = [&self.early_interrupts, &self.interrupted_early]
            .map(|count| count.load(Ordering::Relaxed));
        if waits > interrupts {
            return Err(format!(
                "{waits} waits were interrupted before they were queued, by {interrupts} interrupts"
            ));
        }
        for site in &self.sites {
            for key in &site.keys {
                let left = self.ground.numbers.waits.waiters(key);
                if left > 0 {
                    return Err(format!("{left} waiters are left at {key:?}"));
                }
            }
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        (self.ground.which, self.woken.total_sent())
    }

    fn passed_max(&self) -> u64 {
        self.woken.total_spent()
    }
}

impl Ends {
    fn relay(&self, actor: &mut Actor<'_>) {
        let (waits, own) = (&self.ground.numbers.waits, 2 * actor.number());
        let keys = [self.private[own], self.private[own + 1]];
        let track = Track {
            waits,
            keys: &keys,
            woken: &self.woken,
            closed: &self.closed,
        };
        track.run(actor, |_| waits.wait_any_async(keys, None, |_| true));
    }

    fn place(&self, number: usize, lanes: &[usize]) -> Place {
        Place {
            scene: self.index,
            key: number,
            lanes: lanes.iter().fold(0, |bits, lane| bits | 1 << lane),
            ..Place::default()
        }
    }
}
