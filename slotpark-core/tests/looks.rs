//! What a look finds: who waits and who holds, in their order, and nothing that is over.

mod common;

use std::pin::{Pin, pin};
use std::sync::Arc;

use common::bells::{Bell, poll};
use common::queued::queued;
use common::{FOREVER, Waiting, leak, nest, until, watchdog};
use slotpark_core::{
    Barrier, Condition, FutexKey, HoldOptions, Inspect, Interrupter, KeyedLock, KeyedOptions, Kind,
    Latch, Mailbox, ParkOptions, Parked, Preference, RequeueOptions, Seen, SingleFlight, Table,
    process_table,
};

const ONE: HoldOptions = HoldOptions::new(1);
const KEY: (u64, u64) = (1, 7);

/// All that is in a slot.
fn look(table: &impl Inspect, index: usize) -> Vec<Seen> {
    let mut room = vec![Seen::default(); 64];
    let count = table.look(index, &mut room);
    assert!(count <= room.len(), "{count} nodes");
    room.truncate(count);
    room
}

fn tags(seen: &[Seen]) -> Vec<u64> {
    seen.iter().map(|seen| seen.tag).collect()
}

#[test]
fn threads_and_tasks_stand_in_their_order() {
    let _watchdog = watchdog("threads_and_tasks_stand_in_their_order");
    let table = leak(Table::<u64>::with_slots(4));
    let first = Waiting::queued(table, KEY, FOREVER.tag(1));
    let mut second = Box::pin(table.wait_async(KEY.0, KEY.1, FOREVER.tag(2), || true));
    let bell = Bell::new();
    assert!(poll(second.as_mut(), &bell).is_pending());
    let third = Waiting::queued(table, KEY, FOREVER.tag(3));
    // In the same slot, with the same hash.
    let other = Waiting::queued(table, (KEY.0, 8), FOREVER.tag(4));

    let seen = look(table, 1);
    assert_eq!(
        tags(&seen),
        [4, 1, 2, 3],
        "the newest key first, and in it the oldest"
    );
    assert_eq!(
        seen.iter().map(|seen| seen.queue).collect::<Vec<_>>(),
        [0, 1, 1, 1]
    );
    let tasks: Vec<_> = seen.iter().map(|seen| seen.is_task).collect();
    assert_eq!(tasks, [false, false, true, false]);
    assert!(seen.iter().all(|seen| seen.hash == KEY.0 && !seen.holds));
    assert!(
        seen.iter()
            .all(|seen| seen.kind == Kind::Wait && seen.key.is_none())
    );
    assert!(look(table, 0).is_empty());

    assert_eq!(table.unpark(KEY.0, &KEY.1, 2, 0), 2);
    assert_eq!(tags(&look(table, 1)), [4, 3]);
    assert!(poll(second.as_mut(), &bell).is_ready());
    assert_eq!(table.unpark(KEY.0, &KEY.1, 1, 0), 1);
    assert_eq!(table.unpark(KEY.0, &8, 1, 0), 1);
    assert!(look(table, 1).is_empty());
    for waiting in [first, third, other] {
        assert!(waiting.outcome().is_woken());
    }
}

/// What there is no room for is counted all the same.
#[test]
fn a_short_room_says_how_many() {
    let table = Table::<u64>::with_slots(1);
    nest(&table, KEY, 5, &mut || {
        let mut room = [Seen::default(); 3];
        assert_eq!(table.look(0, &mut room), 5);
        assert!(room.iter().all(|seen| seen.hash == KEY.0));
        assert_eq!(table.look(0, &mut []), 5);
        assert_eq!(table.unpark(KEY.0, &KEY.1, usize::MAX, 0), 5);
    });
}

#[test]
fn one_wait_on_several_keys_has_one_number() {
    let _watchdog = watchdog("one_wait_on_several_keys_has_one_number");
    let table = leak(Table::<u64>::with_slots(4));
    let interrupter = leak(Interrupter::new());
    let waiting = Waiting::started(|| {
        let keys = [(1, &7), (2, &8), (2, &9)];
        let parked = table.park_any_interruptible(&keys, FOREVER, interrupter, |_| true);
        parked.parked
    });
    until("three nodes are queued", || table.waiters(2, &9) == 1);
    let seen = [look(table, 1), look(table, 2)].concat();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|other| other.wait == seen[0].wait));
    let (other, _bell) = queued(table, (2, 8));
    let seen = look(table, 2);
    assert_eq!(seen.len(), 3);
    let waits: std::collections::BTreeSet<_> = seen.iter().map(|seen| seen.wait).collect();
    assert_eq!(waits.len(), 2);
    interrupter.interrupt();
    assert_eq!(waiting.outcome(), Parked::Interrupted);
    drop(other);
}

/// A wait that was chosen and has not looked is over, though it still stands in its other queues.
#[test]
fn what_is_chosen_is_gone() {
    let table = leak(Table::<u64>::with_slots(4));
    let all: Vec<_> = (0..40).map(|_| queued(table, KEY)).collect();
    assert_eq!(look(table, 1).len(), 40);
    assert_eq!(table.unpark(KEY.0, &KEY.1, 39, 0), 39);
    assert_eq!(look(table, 1).len(), 1);
    drop(all);
    assert!(look(table, 1).is_empty());

    let bell = Bell::new();
    let mut any = pin!(table.wait_any_async([(1, 7), (2, 8)], FOREVER, None, |_| true));
    assert!(poll(any.as_mut(), &bell).is_pending());
    assert_eq!((look(table, 1).len(), look(table, 2).len()), (1, 1));
    assert_eq!(table.unpark(1, &7, 1, 0), 1);
    assert_eq!((look(table, 1).len(), look(table, 2).len()), (0, 0));
    assert_eq!(table.waiters(2, &8), 0);
    assert!(poll(any.as_mut(), &bell).is_ready());
}

#[test]
fn moved_waiters_are_where_they_were_moved_to() {
    let _watchdog = watchdog("moved_waiters_are_where_they_were_moved_to");
    let table = leak(Table::<u64>::with_slots(4));
    let waiting = Waiting::queued(table, (1, 7), FOREVER);
    let options = RequeueOptions {
        move_max: 1,
        ..RequeueOptions::default()
    };
    let moved = table.requeue((1, &7), (2, &8), options, || Ok::<_, ()>(true));
    assert_eq!(
        moved.map(|moved| moved.map(|moved| moved.moved)),
        Ok(Some(1))
    );
    assert!(look(table, 1).is_empty());
    assert_eq!(look(table, 2)[0].hash, 2);
    assert_eq!(table.unpark(2, &8, 1, 0), 1);
    assert!(waiting.outcome().is_woken());
}

/// A holder that stands in the holder word alone is seen, and unlocks as it would have.
#[test]
fn a_holder_that_nobody_waits_for_is_seen() {
    for preference in [Preference::Fifo, Preference::Barging] {
        let options = KeyedOptions::new().slots(1).preference(preference);
        let lock = KeyedLock::<u64>::with_options(1, options).expect("a slot");
        for _ in 0..3 {
            let guard = lock.hold(3, 7, ONE.label("compaction")).expect("free");
            let seen = look(&lock, 0);
            assert_eq!(seen.len(), 1);
            let holder = seen[0];
            assert!(holder.holds && !holder.is_task);
            assert_eq!(
                (holder.kind, holder.hash, holder.weight),
                (Kind::Lock, 3, 1)
            );
            assert_eq!(holder.label, Some("compaction"));
            drop(guard);
            assert!(look(&lock, 0).is_empty());
            lock.with(4, &8, ONE, || assert_eq!(look(&lock, 0)[0].hash, 4))
                .expect("free");
        }
        assert!(look(&lock, 0).is_empty());
    }
}

/// Who waits says for how much, and what that makes of it.
#[test]
fn what_is_waited_for_has_a_kind() {
    let mode = |amount| match amount {
        1 => Kind::Read,
        10 => Kind::Lock,
        _ => Kind::Upgradable,
    };
    let lock = leak(KeyedLock::<u64>::new(10).with_kinds(mode));
    let mut upgradable = lock.hold(1, 7, HoldOptions::new(6)).expect("free");
    let reader = lock.hold(1, 7, ONE).expect("free");
    let bell = Bell::new();
    let mut writer = pin!(lock.hold_async(1, 7, HoldOptions::new(10)));
    assert!(poll(writer.as_mut(), &bell).is_pending());
    let mut upgrade = Box::pin(upgradable.grow_async(4));
    assert!(poll(upgrade.as_mut(), &bell).is_pending());

    let seen = look(lock, 1);
    let kinds: Vec<_> = seen.iter().map(|s| (s.holds, s.kind, s.weight)).collect();
    let expected = [
        (false, Kind::Lock, 4),
        (false, Kind::Lock, 10),
        (true, Kind::Upgradable, 6),
        (true, Kind::Read, 1),
    ];
    assert_eq!(kinds, expected);
    drop(upgrade);
    drop(upgradable);
    drop(reader);
    assert!(poll(writer.as_mut(), &bell).is_ready());

    let permits = KeyedLock::<u64>::new(10);
    let guard = permits.hold(1, 7, HoldOptions::new(10)).expect("free");
    assert_eq!(look(&permits, 1)[0].kind, Kind::Permit);
    drop(guard);
}

/// Who waits for a condition of a key has no owner to wait for, until it is moved to the key.
#[test]
fn a_condition_is_a_plain_wait() {
    let (lock, ready) = (leak(KeyedLock::<u64>::new(1)), leak(Condition::new()));
    let guard = lock.hold(1, 7, ONE).expect("free");
    let bell = Bell::new();
    let mut wait = pin!(guard.wait_async(ready));
    assert!(poll(wait.as_mut(), &bell).is_pending());
    let seen = look(lock, 1);
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].kind, seen[0].hash, seen[0].weight),
        (Kind::Wait, 1, 0)
    );

    let guard = lock.hold(1, 7, ONE).expect("free");
    assert_eq!(lock.notify(1, &7, ready, 1), 1);
    let seen = look(lock, 1);
    let kinds: Vec<_> = seen.iter().map(|s| (s.holds, s.kind, s.weight)).collect();
    assert_eq!(kinds, [(false, Kind::Lock, 1), (true, Kind::Lock, 1)]);
    drop(guard);
    assert!(poll(wait.as_mut(), &bell).is_ready());
}

#[test]
fn what_others_make_of_a_table_can_be_looked_at() {
    let bell = Bell::new();
    let latch = Latch::<u64>::new();
    let armed = latch.arm(1, 7, 3).expect("free");
    let mut wait = Box::pin(latch.wait_async(1, 7));
    assert!(poll(wait.as_mut(), &bell).is_pending());
    let seen = look(&latch, 1);
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[1].holds, seen[1].weight), (true, 3));
    assert!(seen.iter().all(|seen| seen.kind == Kind::Wait));
    drop(wait);
    drop(armed);

    let barrier = Barrier::<u64>::new();
    let member = barrier.register(1, 7).expect("a place");
    assert_eq!(look(&barrier, 1).len(), 1);
    drop(member);

    let mailbox = Mailbox::<u64, u64>::new();
    let _error = mailbox.subscribe(1, &7, ParkOptions::new(), |_| {
        assert_eq!(look(&mailbox, 1).len(), 1);
    });

    let flights = SingleFlight::<u64, u64>::new();
    let made = flights.fly(1, &7, None, || {
        let seen = look(&flights, 1);
        assert_eq!(
            (seen.len(), seen[0].holds, seen[0].kind),
            (1, true, Kind::Lock)
        );
        Ok::<_, ()>(1)
    });
    assert_eq!(made, Ok(1));

    let table = Table::<u64>::new();
    let mut closed = pin!(table.closed_key(1, 7));
    assert_eq!(closed.as_mut().close(), 0);
    let seen = look(&table, 1);
    assert_eq!((seen[0].holds, seen[0].kind), (true, Kind::Closed));
}

#[test]
fn keys_of_the_process_say_what_they_are() {
    use slotpark_core::{PROCESS_HASHER, finalize};
    use std::hash::BuildHasher;
    let key = FutexKey::new(3, 0x1000);
    let hash = finalize(PROCESS_HASHER.hash_one(key));
    let table = process_table();
    let mut wait = pin!(table.wait_async(hash, key, FOREVER, || true));
    assert_eq!(wait.as_mut().enable(), None);
    let seen = look(table, table.slot_index(hash));
    let mine = seen
        .iter()
        .find(|seen| seen.hash == hash)
        .expect("it waits");
    let text = mine.key.expect("a text");
    assert_eq!(
        (text.as_str(), text.is_cut()),
        ("guest 0x3 at 0x1000", false)
    );
}

/// A key whose text is long, panics, or calls the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Odd {
    Long,
    Panics,
    Calls,
}

impl std::fmt::Debug for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("odd ")?;
        match self {
            Self::Long => f.write_str(&"é".repeat(64)),
            Self::Panics => panic!("a Debug that panics"),
            Self::Calls => {
                let key = FutexKey::new(1, 0x1000);
                write!(f, "{}", process_table().waiters(1, &key))
            }
        }
    }
}

fn odd(key: Odd) -> std::thread::Result<Seen> {
    let table = Table::<Odd>::with_slots(1).with_key_text();
    let mut wait: Pin<Box<_>> = Box::pin(table.wait_async(1, key, FOREVER, || true));
    assert_eq!(wait.as_mut().enable(), None);
    let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| look(&table, 0)[0]));
    // The slot is free, and the queue sound.
    assert_eq!(table.unpark(1, &key, 1, 0), 1);
    looked
}

#[test]
fn a_text_is_cut_where_it_must_be() {
    let text = odd(Odd::Long).expect("no panic").key.expect("a text");
    assert_eq!(text.as_str(), format!("odd {}", "é".repeat(30)));
    assert!(text.is_cut());
    let text = odd(Odd::Panics).expect("it is caught").key.expect("a text");
    assert_eq!((text.as_str(), text.is_cut()), ("odd ", true));
    let called = odd(Odd::Calls);
    assert_eq!(
        called.is_err(),
        cfg!(debug_assertions),
        "debug builds say so"
    );
}

#[test]
#[should_panic(expected = "slot 4 of 4")]
fn a_slot_that_is_not_there() {
    Table::<u64>::with_slots(4).look(4, &mut []);
}

#[test]
fn a_forks_child_sees_nobody() {
    let table = Table::<u64>::with_slots(1);
    let bell: Arc<Bell> = Bell::new();
    let mut wait = Box::pin(table.wait_async(1, 7, FOREVER, || true));
    assert!(poll(wait.as_mut(), &bell).is_pending());
    // SAFETY: nobody else uses this table.
    unsafe { table.reset_after_fork() };
    assert!(look(&table, 0).is_empty());
}
