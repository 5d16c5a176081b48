//! Names: waits on `String` keys while a word is unchanged, woken by `&str`.

use std::sync::atomic::{AtomicU32, Ordering};

use slotpark::ShardedWait;

use super::{Scene, Setting, book, named};
use crate::stress::actor::{Actor, Patience, THREADS_MAX, stamp_of};
use crate::stress::ledger::Ledger;
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};
use crate::stress::tally::Operation;

struct Name {
    name: String,
    /// Its waits are loops, which do not tell how often they were woken.
    loops: bool,
    /// Relaxed: the fences of the library are on trial.
    word: AtomicU32,
    ledger: Ledger,
}

struct Names {
    index: usize,
    waits: &'static ShardedWait<String>,
    names: Vec<Name>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let name = |number: usize| Name {
        name: format!("name {number}"),
        loops: number % 2 == 1,
        word: AtomicU32::new(0),
        ledger: Ledger::default(),
    };
    Box::new(Names {
        index,
        waits: &tables.names,
        names: (0..setting.keys).map(name).collect(),
    })
}

impl Names {
    fn wait(&self, actor: &mut Actor<'_>, key: usize) {
        let name = &self.names[key];
        let patience = actor.patience();
        let mut at = Place {
            scene: self.index,
            key,
            lanes: 1,
            ..Place::default()
        };
        at.expected[0] = name.word.load(Ordering::Relaxed);
        let unchanged = || name.word.load(Ordering::Relaxed) == at.expected[0];
        let operation = match (name.loops, patience) {
            (true, _) => Operation::WaitWhile,
            (false, Patience::Endless) => Operation::Wait,
            _ => Operation::WaitTimed,
        };
        let ended = actor.wait(operation, at, patience, || {
            match (name.loops, patience.timeout(), patience.instant()) {
                (true, Some(timeout), _) => {
                    let waits = &self.waits;
                    waits.wait_while_for(&name.name, unchanged, timeout).into()
                }
                (true, None, _) => self.waits.wait_while(&name.name, unchanged).into(),
                (false, _, Some(deadline)) => self
                    .waits
                    .wait_until(&name.name, unchanged, deadline)
                    .into(),
                (false, ..) => self.waits.wait(&name.name, unchanged).into(),
            }
        });
        book(actor, ended, key, &name.ledger);
    }

    fn wake(&self, actor: &mut Actor<'_>, key: usize) {
        let name = &self.names[key];
        let (stamp, token, with_token) = (actor.stamp(), actor.token(key), actor.one_in(2));
        let text = name.name.as_str();
        name.word.store(stamp, Ordering::Relaxed);
        let (operation, woken, token) = if with_token {
            let woken = self.waits.wake_with_token(text, usize::MAX, token);
            (Operation::WakeToken, woken, token)
        } else {
            (Operation::WakeAll, self.waits.wake_all(text), 0)
        };
        name.ledger.sent(woken, token);
        actor.woke(operation, woken);
    }
}

impl Scene for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let key = actor.target(self.index, self.names.len());
        if actor.one_in(2) {
            self.wait(actor, key);
        } else {
            self.wake(actor, key);
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let queue = |name: &Name| {
            let waiters = self.waits.waiters(name.name.as_str());
            (waiters > 0).then(|| Queue {
                table: Which::Names,
                key: format!(
                    "{:?}, its word {:#x}",
                    name.name,
                    name.word.load(Ordering::Relaxed)
                ),
                slot: self.waits.slot_of(name.name.as_str()),
                waiters,
            })
        };
        self.names.iter().filter_map(queue).collect()
    }

    fn check_quiet(&self, waits: &[Waiting]) -> Result<(), String> {
        for Waiting { at, .. } in waits {
            let name = &self.names[at.key];
            if name.word.load(Ordering::Relaxed) != at.expected[0] {
                return Err(format!(
                    "a wake was lost: the word of {:?} has changed, all is quiet, and a waiter of \
                     its old value {:#x} is still queued",
                    name.name, at.expected[0]
                ));
            }
        }
        Ok(())
    }

    fn release(&self) {
        for name in &self.names {
            name.word.store(stamp_of(THREADS_MAX), Ordering::Relaxed);
            name.ledger.sent(self.waits.wake_all(name.name.as_str()), 0);
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for name in self.names.iter().filter(|name| !name.loops) {
            named(&name.name, name.ledger.close())?;
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        let sent = self.names.iter().map(|name| name.ledger.total_sent());
        (Which::Names, sent.sum())
    }
}
