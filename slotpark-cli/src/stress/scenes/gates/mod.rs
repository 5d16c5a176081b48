//! Gates: waits while words are unchanged; a wake changes one word and wakes all who watch it.
//!
//! Each wake is audited at once: after it nobody may stand in the queue who expects the value that
//! it replaced. That is the wake that a missing fence loses, and no later wake can hide it.

mod waits;
mod wakes;

use std::sync::atomic::{AtomicU32, Ordering};

use super::{Ground, Scene, Setting, named};
use crate::stress::actor::{Actor, THREADS_MAX, stamp_of};
use crate::stress::ledger::Ledger;
use crate::stress::planned::Key;
use crate::stress::stage::{LANES, Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};

/// A key and the words that its waiters watch.
struct Gate {
    key: Key,
    /// 1: every wake is for every waiter. Else each word has a bit of its own in wakes and waits.
    lanes: usize,
    /// Its waits are loops, which do not tell how often they were woken.
    loops: bool,
    words: [AtomicU32; LANES],
    ledger: Ledger,
}

struct Gates {
    index: usize,
    ground: Ground,
    gates: Vec<Gate>,
    /// Written before each wake: cache lines that other threads have written fill the store buffer,
    /// and give a load time to overtake the change of the word.
    lines: [Line; 24],
}

#[derive(Default)]
#[repr(align(128))]
struct Line(AtomicU32);

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let ground = setting.numbers(tables);
    let keys = ground.numbers.keys(1, setting.keys, setting.crowded);
    let gate = |(number, key)| Gate {
        key,
        lanes: if number % 3 == 1 { LANES } else { 1 },
        loops: number % 5 == 4,
        words: Default::default(),
        ledger: Ledger::default(),
    };
    Box::new(Gates {
        index,
        ground,
        gates: keys.into_iter().enumerate().map(gate).collect(),
        lines: Default::default(),
    })
}

// All words are written and read relaxed: the fences of the library are on trial.
impl Gate {
    /// What a wait expects at each of the words that it watches.
    fn look(&self, lanes: u32) -> [u32; LANES] {
        let mut expected = [0; LANES];
        for lane in (0..LANES).filter(|lane| lanes & (1 << lane) != 0) {
            expected[lane] = self.words[lane].load(Ordering::Relaxed);
        }
        expected
    }

    fn is_closed(&self, at: &Place) -> bool {
        let mut watched = (0..LANES).filter(|lane| at.lanes & (1 << lane) != 0);
        watched.all(|lane| self.words[lane].load(Ordering::Relaxed) == at.expected[lane])
    }

    /// The bits that wakes compare.
    fn bits(&self, lanes: u32) -> u32 {
        if self.lanes == 1 { u32::MAX } else { lanes }
    }

    /// The tag of a wait: its bits, and what it expects if it watches one word.
    fn tag(&self, at: &Place) -> u64 {
        let lane = at.lanes.trailing_zeros() as usize;
        let expected = if at.lanes.is_power_of_two() {
            at.expected[lane]
        } else {
            0
        };
        u64::from(expected) << 32 | u64::from(self.bits(at.lanes))
    }
}

impl Scene for Gates {
    fn name(&self) -> &'static str {
        "gates"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        if actor.one_in(2) {
            self.wait(actor);
        } else {
            self.wake(actor);
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let gates = self.gates.iter().enumerate();
        let queue = |(key, gate): (usize, &Gate)| {
            self.ground.queue(gate.key, || {
                format!("gate {key}, its words {:x?}", gate.look(u32::MAX))
            })
        };
        gates.filter_map(queue).collect()
    }

    fn check_quiet(&self, waits: &[Waiting]) -> Result<(), String> {
        for Waiting { at, .. } in waits {
            if !self.gates[at.key].is_closed(at) {
                return Err(format!(
                    "a wake was lost: gate {} has changed from {:x?} to {:x?} (words {:#b}), all \
                     is quiet, and its waiter is still queued",
                    at.key,
                    at.expected,
                    self.gates[at.key].look(at.lanes),
                    at.lanes
                ));
            }
        }
        Ok(())
    }

    fn release(&self) {
        for gate in &self.gates {
            for word in &gate.words {
                word.store(stamp_of(THREADS_MAX), Ordering::Relaxed);
            }
            gate.ledger
                .sent(self.ground.numbers.waits.wake_all(&gate.key), 0);
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (key, gate) in self
            .gates
            .iter()
            .enumerate()
            .filter(|(_, gate)| !gate.loops)
        {
            named(format_args!("gate {key}"), gate.ledger.close())?;
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        let sent = self.gates.iter().map(|gate| gate.ledger.total_sent());
        (self.ground.which, sent.sum())
    }
}
