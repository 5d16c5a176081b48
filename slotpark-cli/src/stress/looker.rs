//! One thread more, in phases that are looked at: it looks at every slot of every table again and
//! again, with much room or little, and changes the level of detail meanwhile. What it sees is
//! checked by [`Sight`]; what the library tells of waits and holds that are over is checked here.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use slotpark::core::{Held, Inspect, Seen, Sink, Waited, set_sink};
use slotpark::{Detail, set_detail};

use super::sight::Sight;
use super::tally::{Operation, Tally};

/// Room for the nodes of a slot.
const ROOMS: [usize; 4] = [0, 1, 7, 4096];
/// The longest rest from one walk over all tables to the next.
const REST_US: u64 = 500;

/// Who is told of what is over.
struct Told {
    begin: OnceLock<Instant>,
    count: AtomicU64,
    wrong: OnceLock<String>,
}

static TOLD: Told = Told {
    begin: OnceLock::new(),
    count: AtomicU64::new(0),
    wrong: OnceLock::new(),
};

impl Told {
    /// Nothing takes longer than the run.
    fn hear(&self, what: &'static str, took_ns: Option<u64>) {
        // Relaxed: a count.
        self.count.fetch_add(1, Ordering::Relaxed);
        let run = self.begin.get().map_or(Duration::MAX, Instant::elapsed);
        let took = Duration::from_nanos(took_ns.unwrap_or(0));
        if took > run {
            let text = format!("{what} of {took:?} in a run of {run:?}");
            // The first one is enough.
            let _is_first = self.wrong.set(text);
        }
    }
}

impl Sink for Told {
    fn waited(&self, waited: &Waited) {
        self.hear("told of a wait", waited.waited_ns);
        self.hear("told of a way from wake to run", waited.wake_to_run_ns);
    }

    fn held(&self, held: &Held) {
        self.hear("told of a hold", Some(held.held_ns));
    }
}

/// Hears of what is over, from now on.
pub(super) fn listen() {
    // Somebody may have done it: another run of this process.
    let _begin = TOLD.begin.set(Instant::now());
    let _is_first = set_sink(&TOLD);
}

/// Looks until everybody has come home. What was done, or what must not be.
pub(super) fn look_on(sight: &Sight<'_>, random: &mut ChaCha8Rng) -> Result<Tally, String> {
    let mut tally = Tally::new();
    let mut room = vec![Seen::default(); ROOMS[ROOMS.len() - 1]];
    let tables = sight.tables();
    let before = TOLD.count.load(Ordering::Relaxed);
    while !sight.phase.stage.is_over() {
        for table in &tables {
            let level = random.random_range(0..4);
            set_detail([Detail::Off, Detail::Counters, Detail::Timing, Detail::Full][level]);
            tally.row(Operation::Look).calls += walk(sight, *table, &mut room, random)?;
        }
        if let Some(wrong) = TOLD.wrong.get() {
            return Err(wrong.clone());
        }
        std::thread::park_timeout(Duration::from_micros(random.random_range(0..REST_US)));
    }
    set_detail(Detail::Off);
    let after = TOLD.count.load(Ordering::Relaxed);
    tally.row(Operation::Told).calls += after.saturating_sub(before);
    Ok(tally)
}

/// Looks at all slots of a table. How many there are.
fn walk(
    sight: &Sight<'_>,
    table: (&dyn Inspect, bool),
    room: &mut [Seen],
    random: &mut ChaCha8Rng,
) -> Result<u64, String> {
    let room = &mut room[..ROOMS[random.random_range(0..ROOMS.len())]];
    let slots = table.0.slot_count();
    for slot in 0..slots {
        sight.look(table, slot, room)?;
    }
    Ok(slots as u64)
}
