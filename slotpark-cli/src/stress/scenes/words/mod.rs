//! Words: futexes by word of 32 and 64 bits and by explicit key. Those that stay are changed and
//! woken as a whole; those that move are also woken in part and requeued in both directions.

mod site;

use std::sync::atomic::Ordering;

use slotpark::{Clock, FutexWait, FutexWord, Requeued};

use super::{Scene, Setting, book, named};
use crate::stress::actor::{Actor, Patience, THREADS_MAX, stamp_of};
use crate::stress::ledger::Ledger;
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};
use crate::stress::tally::Operation;
use site::{Pair, Site, wide_or_zero};

const ALL: usize = usize::MAX;

struct Words {
    index: usize,
    futex: &'static FutexWait,
    sites: Vec<Site>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    Box::new(Words {
        index,
        futex: &tables.futex,
        sites: (0..setting.keys).map(Site::new).collect(),
    })
}

impl Words {
    fn wait(&self, actor: &mut Actor<'_>, number: usize) {
        let (site, which) = (&self.sites[number], actor.below(0..2));
        let mut at = Place {
            scene: self.index,
            key: number,
            lanes: 1 << which,
            ..Place::default()
        };
        let expected = site.stamp(which);
        at.expected[which] = expected;
        let (patience, clock) = (
            actor.patience(),
            *actor.pick(&[Clock::Monotonic, Clock::Realtime]),
        );
        let bits = if site.moves && actor.one_in(2) {
            actor.bits() as u32 | 1
        } else {
            u32::MAX
        };
        let operation = match site.words {
            Pair::Guest(..) => Operation::FutexKey,
            _ => Operation::FutexWord,
        };
        let by_bits = actor.one_in(2) || bits != u32::MAX;
        let ended = actor.wait(operation, at, patience, || {
            let futex = self.futex;
            match &site.words {
                Pair::Guest(keys, words) => {
                    let same = || words[which].load(Ordering::Relaxed) == expected;
                    futex.wait_key(keys[which], bits, patience.deadline(clock), same)
                }
                Pair::Narrow(words) if by_bits => {
                    futex.wait_bitset(&words[which], expected, bits, patience.deadline(clock))
                }
                Pair::Wide(words) if by_bits => {
                    let deadline = patience.deadline(clock);
                    futex.wait_bitset(&words[which], wide_or_zero(expected), bits, deadline)
                }
                Pair::Narrow(words) => wait_word(futex, &words[which], expected, patience),
                Pair::Wide(words) => {
                    wait_word(futex, &words[which], wide_or_zero(expected), patience)
                }
            }
            .into()
        });
        book(actor, ended, number, site.ledger(which));
    }

    fn wake(&self, actor: &mut Actor<'_>, number: usize) {
        let (site, which) = (&self.sites[number], actor.below(0..2));
        let (mut count, mut bits) = (ALL, u32::MAX);
        if site.moves {
            count = *actor.pick(&[0, 1, 2, ALL]);
            if actor.one_in(2) {
                bits = actor.bits() as u32 | 1;
            }
        }
        let stamp = actor.stamp();
        site.store(which, stamp);
        let woken = site.wake(self.futex, which, count, bits);
        site.ledger(which).sent(woken, 0);
        actor.woke(Operation::FutexWake, woken);
        if woken > count {
            actor.found(&format!(
                "a futex wake of {count} says that it woke {woken}"
            ));
        }
    }

    fn requeue(&self, actor: &mut Actor<'_>, number: usize) {
        let (site, from) = (&self.sites[number], actor.below(0..2));
        let to = actor.below(0..2);
        let (wake_max, move_max) = (*actor.pick(&[0, 1, ALL]), *actor.pick(&[0, 1, ALL]));
        let expected = site.stamp(from);
        let requeued = match (&site.words, actor.below(0..3)) {
            (Pair::Narrow(words), 0) => {
                Some(
                    self.futex
                        .requeue(&words[from], &words[to], wake_max, move_max),
                )
            }
            (Pair::Wide(words), 0) => {
                Some(
                    self.futex
                        .requeue(&words[from], &words[to], wake_max, move_max),
                )
            }
            (Pair::Narrow(words), 1) => {
                let (from, to) = (&words[from], &words[to]);
                self.futex
                    .cmp_requeue(from, expected, to, wake_max, move_max)
            }
            (Pair::Wide(words), 1) => {
                let (from, to) = (&words[from], &words[to]);
                self.futex
                    .cmp_requeue(from, wide_or_zero(expected), to, wake_max, move_max)
            }
            _ => {
                let (from, to) = (site.key(from), site.key(to));
                self.futex
                    .requeue_key(from, to, wake_max, move_max, || true)
            }
        };
        let row = actor.tally.row(Operation::FutexRequeue);
        row.calls += 1;
        if let Some(Requeued { woken, moved }) = requeued {
            row.woken += woken as u64;
            row.moved += moved as u64;
            site.ledger(from).sent(woken, 0);
        } else {
            row.stale += 1;
        }
    }
}

fn wait_word<W: FutexWord>(
    futex: &FutexWait,
    word: &W,
    expected: W::Value,
    patience: Patience,
) -> slotpark::WaitOutcome {
    match patience {
        Patience::Endless => futex.wait(word, expected),
        Patience::Hour => match patience.instant() {
            Some(deadline) => futex.wait_until(word, expected, deadline),
            None => futex.wait(word, expected),
        },
        Patience::For(timeout) => futex.wait_for(word, expected, timeout),
    }
}

impl Scene for Words {
    fn name(&self) -> &'static str {
        "words"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let number = actor.target(self.index, self.sites.len());
        match actor.below(0..6) {
            0..=2 => self.wait(actor, number),
            3 if self.sites[number].moves => self.requeue(actor, number),
            _ => self.wake(actor, number),
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let waits = self.futex.waits();
        let mut queues = Vec::new();
        for (number, site) in self.sites.iter().enumerate() {
            for which in 0..2 {
                let (key, stamp) = (site.key(which), site.stamp(which));
                let waiters = waits.waiters(&key);
                if waiters > 0 {
                    queues.push(Queue {
                        table: Which::Futex,
                        key: format!("word {which} of site {number}, it holds {stamp:#x}"),
                        slot: waits.slot_of(&key),
                        waiters,
                    });
                }
            }
        }
        queues
    }

    fn check_quiet(&self, waits: &[Waiting]) -> Result<(), String> {
        for Waiting { at, .. } in waits {
            let (site, which) = (&self.sites[at.key], at.lanes.trailing_zeros() as usize);
            if !site.moves && site.stamp(which) != at.expected[which] {
                return Err(format!(
                    "a wake was lost: word {which} of site {} has changed, all is quiet, and a \
                     waiter of its old value {:#x} is still queued",
                    at.key, at.expected[which]
                ));
            }
        }
        Ok(())
    }

    fn release(&self) {
        for site in &self.sites {
            for which in 0..2 {
                site.store(which, stamp_of(THREADS_MAX));
                let woken = site.wake(self.futex, which, ALL, u32::MAX);
                site.ledger(which).sent(woken, 0);
            }
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            for (which, ledger) in site.ledgers.iter().enumerate() {
                named(
                    format_args!("word {which} of site {number}"),
                    ledger.close(),
                )?;
            }
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        let ledgers = self.sites.iter().flat_map(|site| &site.ledgers);
        (Which::Futex, ledgers.map(Ledger::total_sent).sum())
    }
}
