//! Stories of looks: what is shown and told of waits and holds is theirs, whatever level of detail
//! they began at, and whatever else stands in their slot.

mod common;

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use common::bells::{Bell, poll};
use common::queued::{queued, queued_with};
use common::{FOREVER, leak, soon, watchdog};
use slotpark_core::{
    Detail, Held, HoldOptions, Inspect, KeyedLock, Seen, Sink, Table, Waited, set_detail, set_sink,
};

const KEY: (u64, u64) = (1, 7);
const ONE: HoldOptions = HoldOptions::new(1);
const LEVELS: [Detail; 4] = [Detail::Off, Detail::Counters, Detail::Timing, Detail::Full];

/// What was told since it was last asked.
#[derive(Default)]
struct Told {
    waits: Mutex<Vec<Waited>>,
    holds: Mutex<Vec<Held>>,
}

static TOLD: Told = Told {
    waits: Mutex::new(Vec::new()),
    holds: Mutex::new(Vec::new()),
};

impl Sink for Told {
    fn waited(&self, waited: &Waited) {
        locked(&self.waits).push(*waited);
    }

    fn held(&self, held: &Held) {
        locked(&self.holds).push(*held);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Level and sink are the process's: one story at a time. All is told to `TOLD`.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let guard = locked(&ONE);
    let _is_first = set_sink(&TOLD);
    guard
}

fn is_timed(level: Detail) -> bool {
    level >= Detail::Timing
}

fn look(table: &impl Inspect) -> Vec<Seen> {
    let mut room = [Seen::default(); 8];
    let mut all = Vec::new();
    for slot in 0..table.slot_count() {
        let count = table.look(slot, &mut room);
        all.extend_from_slice(&room[..count]);
    }
    all
}

/// A key's text is written once for all of its queue: it stayed there for the next one.
#[test]
fn keys_of_a_slot_have_texts_of_their_own() {
    // Who is dropped is told of.
    let _alone = alone();
    let table = leak(Table::<u64>::with_slots(1).with_key_text());
    let waits: Vec<_> = (10..14).map(|key| queued(table, (key % 2, key))).collect();
    let more = queued(table, (1, 11));
    let seen = look(table);
    let mut texts: Vec<_> = seen
        .iter()
        .map(|seen| (seen.key.map(|text| text.as_str().to_owned()), seen.hash))
        .collect();
    texts.sort_unstable();
    let expected = [10, 11, 11, 12, 13].map(|key: u64| (Some(key.to_string()), key % 2));
    assert_eq!(texts, expected);
    drop((waits, more));
}

/// Who looks copies nodes that their owners take away meanwhile: only the slot lock keeps them.
#[test]
fn looks_while_waiters_come_and_go() {
    const KEYS: u64 = 3;
    let _watchdog = watchdog("looks_while_waiters_come_and_go");
    let _alone = alone();
    let table = leak(Table::<u64>::with_slots(1).with_key_text());
    let is_over = AtomicBool::new(false);
    let come_and_go = &|key: u64| {
        while !is_over.load(Ordering::Relaxed) {
            let (wait, _bell) = queued_with(table, (1, key), FOREVER.tag(key));
            // Another's, if it is there; its own leaves by itself.
            let _woken = table.unpark(1, &((key + 1) % KEYS), 1, 0);
            drop(wait);
        }
    };
    std::thread::scope(|scope| {
        for key in 0..KEYS {
            scope.spawn(move || come_and_go(key));
        }
        let _ends = Ends(&is_over);
        let mut met = 0;
        while met < 20_000 {
            let seen = look(table);
            assert!(seen.len() <= KEYS as usize, "{seen:?}");
            for seen in &seen {
                let text = seen.key.map(|text| text.as_str().to_owned());
                assert_eq!((seen.hash, text), (1, Some(seen.tag.to_string())));
            }
            met += seen.len();
        }
    });
}

/// Ends what others do, also by a panic: a scope waits for them.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A wait says what was recorded when it began. What was not must not be made of what stood there.
#[test]
fn the_level_changes_while_they_wait() {
    let _alone = alone();
    let begin = Instant::now();
    let table = leak(Table::<u64>::with_slots(4));
    let all = |at: usize| [at / 16, at / 4 % 4, at % 4].map(|level| LEVELS[level]);
    for [queued_at, woken_at, run_at] in (0..64).map(all) {
        locked(&TOLD.waits).clear();
        set_detail(queued_at);
        let (mut wait, bell) = queued(table, KEY);
        set_detail(woken_at);
        let seen = look(table)[0];
        assert_eq!(seen.since_ns.is_some(), is_timed(queued_at));
        assert_eq!(seen.thread.is_some(), is_timed(queued_at));
        assert_eq!(seen.location.is_some(), queued_at == Detail::Full);
        assert_eq!(table.unpark(KEY.0, &KEY.1, 1, 0), 1);
        set_detail(run_at);
        assert!(poll(wait.as_mut(), &bell).is_ready());
        let told = locked(&TOLD.waits).clone();
        let told: Vec<_> = told.iter().filter(|one| one.hash == KEY.0).collect();
        // The node says whether there is anything to tell; whether anybody asks, the level of then.
        let is_told = queued_at.min(run_at) >= Detail::Counters;
        assert_eq!(told.len(), usize::from(is_told));
        let Some(told) = told.first() else { continue };
        let both = is_timed(queued_at) && is_timed(woken_at);
        assert_eq!(told.waited_ns.is_some(), is_timed(queued_at));
        assert_eq!(told.wake_to_run_ns.is_some(), both);
        let all_ns = begin.elapsed().as_nanos() as u64;
        let times = [told.waited_ns, told.wake_to_run_ns];
        assert!(
            times.into_iter().flatten().all(|ns| ns <= all_ns),
            "{told:?}"
        );
    }
    set_detail(Detail::Off);
}

/// A wait that nobody has woken was told with a way from wake to run.
#[test]
fn who_was_not_woken_has_no_way_from_wake_to_run() {
    let _alone = alone();
    set_detail(Detail::Timing);
    let table = leak(Table::<u64>::with_slots(4));
    let deadline = soon(std::time::Duration::from_millis(1));
    locked(&TOLD.waits).clear();
    let _ended = table.park(2, &7, FOREVER.deadline(deadline), || true);
    set_detail(Detail::Off);
    let told = locked(&TOLD.waits).clone();
    assert_eq!(told.len(), 1);
    assert!(told[0].waited_ns.is_some(), "{told:?}");
    assert_eq!(told[0].wake_to_run_ns, None);
}

/// A hold is told of if it was recorded; a lock that never came to be held is none.
#[test]
fn the_level_changes_while_they_hold() {
    let _alone = alone();
    let begin = Instant::now();
    for preference in [
        slotpark_core::Preference::Fifo,
        slotpark_core::Preference::Barging,
    ] {
        let options = slotpark_core::KeyedOptions::new().slots(1);
        let options = options.preference(preference);
        let lock = KeyedLock::<u64>::with_options(1, options).expect("a slot");
        let all = |at: usize| (LEVELS[at / 4 % 4], LEVELS[at % 4], at < 16);
        for (taken_at, left_at, is_seen) in (0..32).map(all) {
            locked(&TOLD.holds).clear();
            set_detail(taken_at);
            // Who takes a key by the slot's word alone is not recorded; a look ends that.
            if is_seen {
                assert!(look(&lock).is_empty());
            }
            let guard = lock.hold(KEY.0, KEY.1, ONE).expect("free");
            let bell = Bell::new();
            {
                let mut late = pin!(lock.hold_async(KEY.0, KEY.1, ONE));
                assert!(poll(late.as_mut(), &bell).is_pending());
                set_detail(left_at);
            }
            assert!(
                locked(&TOLD.holds).is_empty(),
                "who gave up has held nothing"
            );
            drop(guard);
            let told = locked(&TOLD.holds).clone();
            // Whatever the level is then: a sink that was told of holders waits for their ends.
            let is_recorded = is_timed(taken_at);
            let wanted = usize::from(is_recorded && is_seen)..=usize::from(is_recorded);
            assert!(
                wanted.contains(&told.len()),
                "{taken_at:?}, {left_at:?}: {told:?}"
            );
            let all_ns = begin.elapsed().as_nanos() as u64;
            assert!(told.iter().all(|held| held.held_ns <= all_ns), "{told:?}");
        }
    }
    set_detail(Detail::Off);
}
