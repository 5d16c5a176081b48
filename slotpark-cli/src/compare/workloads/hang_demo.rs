//! The seed's hanging test as an example: waiters and wakers on keys that collide.
//!
//! Each key is a semaphore of the classic kind, a word that counts permits: a waiter takes a permit
//! or waits while there is none, a waker adds one and wakes one waiter. The keys are chosen to fall
//! into one slot of the seed's table; slotpark runs with a single slot, so that they collide there
//! too. One wake that is lost, or that reaches the wrong waiter, and the demo never ends.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::one_slot_engine;
use crate::engines::SeedSlot;
use crate::measure::threads::start;
use crate::measure::{Engine, Hung, Place, Row, Sample, Scale, Unit, Word, Workload};

const KEYS: usize = 8;
const WAITERS_PER_KEY: u32 = 4;
/// The permits that each waiter takes before it leaves.
const PERMITS: u32 = 100;
/// The cut-off time is counted in steps, so that a machine that stands still as a whole for longer
/// is not taken for a demo that hangs.
const STEP: Duration = Duration::from_millis(10);

/// The demo.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangDemo;

impl Workload for HangDemo {
    fn rows(&self) -> Vec<Row> {
        vec![Row {
            name: "hang_demo_ms",
            unit: Unit::Ms,
        }]
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(1, 3)
    }

    fn sample<E: Engine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine = one_slot_engine::<E>();
        let words: &'static [Word] = Vec::leak((0..KEYS).map(|_| Word::default()).collect());
        let begin = Instant::now();
        let (done, ends) = mpsc::channel();
        for (key, word) in colliding_keys().zip(words) {
            let at = Place { key, word };
            for _ in 0..WAITERS_PER_KEY {
                let done = done.clone();
                start(move || {
                    take_permits(engine, at);
                    // Nobody listens any more where the demo was cut off.
                    let _ = done.send(());
                });
            }
            start(move || give_permits(engine, at));
        }
        let mut running = KEYS * WAITERS_PER_KEY as usize;
        let mut steps = scale.cut_off.as_millis() / STEP.as_millis();
        while running > 0 {
            match ends.recv_timeout(STEP) {
                Ok(()) => running -= 1,
                Err(_) if steps > 0 => steps -= 1,
                Err(_) => return Err(Hung),
            }
        }
        Ok(Sample::new([begin.elapsed().as_secs_f64() * 1e3]))
    }
}

/// Keys of one slot of the seed's table.
fn colliding_keys() -> impl Iterator<Item = u64> {
    let slot = SeedSlot::index(1);
    (1..).filter(move |&key| SeedSlot::index(key) == slot)
}

fn take_permits<E: Engine>(engine: &E, at: Place<'_>) {
    for _ in 0..PERMITS {
        while !at.word.take_one() {
            engine.wait(at, 0, None);
        }
    }
}

fn give_permits<E: Engine>(engine: &E, at: Place<'_>) {
    for _ in 0..PERMITS * WAITERS_PER_KEY {
        at.word.add_one();
        engine.wake_one(at);
        // One permit at a time, so that waiters do wait.
        while at.word.value() > 0 {
            std::thread::yield_now();
        }
    }
}
