//! Deadlocks and what only looks like one, in snapshots made by hand.

mod common;

use common::scene::{Scene, task, thread};
use slotpark_inspect::{Kind, Table, deadlocks, dump};

/// The numbers of those in the circle of the only deadlock, sorted.
#[track_caller]
fn circle(scene: &Scene) -> Vec<u64> {
    let found = scene.found();
    assert_eq!(found.len(), 1, "{found:#?}");
    let numbers = found[0].links.iter().filter_map(|link| link.by.id);
    let mut numbers = numbers.collect::<Vec<_>>();
    numbers.sort_unstable();
    numbers
}

#[track_caller]
fn none(scene: &Scene) {
    let found = scene.found();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn two_threads_and_two_locks() {
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Lock)
        .holds(thread(2), "b", Kind::Lock)
        .waits(thread(1), "b", Kind::Lock)
        .waits(thread(2), "a", Kind::Lock);
    assert_eq!(circle(&scene), [1, 2]);
    let text = scene.found()[0].to_string();
    let lines = text.lines().collect::<Vec<_>>();
    assert_eq!(
        lines,
        [
            "deadlock: 2 parties wait for each other",
            "  thread 1",
            "    waits for the lock scene/b for 2.00 us",
            "      held by thread 2 for 2.00 us",
            "  thread 2",
            "    waits for the lock scene/a for 2.00 us",
            "      held by thread 1 for 2.00 us",
        ]
    );
    assert!(dump(&scene.snapshot()).contains("In one look"));
}

#[test]
fn threads_and_tasks_mixed() {
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Lock)
        .holds(task(1), "b", Kind::Lock)
        .holds(task(2), "c", Kind::Lock)
        .waits(thread(1), "b", Kind::Lock)
        .waits(task(1), "c", Kind::Lock)
        .waits(task(2), "a", Kind::Lock);
    assert_eq!(circle(&scene), [1, 1, 2]);
}

#[test]
fn one_waits_for_itself() {
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Lock)
        .waits(thread(1), "a", Kind::Lock);
    assert_eq!(circle(&scene), [1]);
    assert!(
        scene.found()[0]
            .to_string()
            .contains("1 party waits for itself")
    );
}

#[test]
fn who_waits_behind_a_circle_is_named_apart() {
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Lock)
        .holds(thread(2), "b", Kind::Lock)
        .holds(thread(3), "c", Kind::Lock)
        .waits(thread(1), "b", Kind::Lock)
        .waits(thread(2), "a", Kind::Lock)
        .waits(thread(3), "a", Kind::Lock)
        .waits(task(4), "c", Kind::Lock);
    assert_eq!(circle(&scene), [1, 2]);
    let found = scene.found();
    let behind = found[0].behind.iter().filter_map(|party| party.id);
    assert_eq!(behind.collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn a_chain_is_no_circle() {
    none(
        &Scene::new()
            .holds(thread(1), "a", Kind::Lock)
            .holds(thread(2), "b", Kind::Lock)
            .waits(thread(2), "a", Kind::Lock)
            .waits(thread(3), "b", Kind::Lock),
    );
}

#[test]
fn a_writer_waits_for_all_readers() {
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Read)
        .holds(thread(2), "a", Kind::Read)
        .holds(thread(3), "b", Kind::Lock)
        .waits(thread(3), "a", Kind::Lock)
        .waits(thread(2), "b", Kind::Lock);
    assert_eq!(
        circle(&scene),
        [2, 3],
        "thread 1 goes on, but thread 2 reads for ever"
    );
}

#[test]
fn a_reader_waits_for_no_reader() {
    none(
        &Scene::new()
            .holds(thread(1), "a", Kind::Read)
            .holds(thread(2), "b", Kind::Read)
            .waits(thread(1), "b", Kind::Read)
            .waits(thread(2), "a", Kind::Read),
    );
}

#[test]
fn a_reader_that_reads_again_behind_a_writer() {
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Read)
        .waits(thread(2), "a", Kind::Lock)
        .waits(thread(1), "a", Kind::Read);
    assert_eq!(circle(&scene), [1, 2]);
    assert!(
        scene.found()[0]
            .to_string()
            .contains("behind thread 2, who waits to write")
    );
    // The writer came later: the reader is about to be let in.
    none(
        &Scene::new()
            .holds(thread(1), "a", Kind::Read)
            .waits(thread(1), "a", Kind::Read)
            .waits(thread(2), "a", Kind::Lock),
    );
}

#[test]
fn an_upgrade_is_not_in_its_own_way() {
    none(
        &Scene::new()
            .holds(thread(1), "a", Kind::Upgradable)
            .holds(thread(2), "a", Kind::Read)
            .waits(thread(1), "a", Kind::Lock),
    );
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Upgradable)
        .holds(thread(2), "a", Kind::Read)
        .waits(thread(1), "a", Kind::Lock)
        .waits(thread(2), "a", Kind::Upgradable);
    assert_eq!(circle(&scene), [1, 2], "each keeps the other out");
}

#[test]
fn a_permit_may_come_from_any_holder() {
    let stuck = Scene::new()
        .holds(thread(1), "s", Kind::Permit)
        .holds(thread(2), "s", Kind::Permit)
        .holds(thread(3), "b", Kind::Lock)
        .waits(thread(3), "s", Kind::Permit)
        .waits(thread(1), "b", Kind::Lock);
    none(&stuck);
    assert_eq!(circle(&stuck.waits(thread(2), "b", Kind::Lock)), [1, 2, 3]);
}

#[test]
fn a_wait_on_several_keys_ends_by_any() {
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Lock)
        .holds(thread(2), "b", Kind::Lock)
        .waits(thread(2), "a", Kind::Lock)
        .waits(thread(1), "b", Kind::Lock);
    let live = scene.clone().waits(thread(1), "free", Kind::Wait).joined();
    none(&live);
    let all = scene.waits(thread(1), "b", Kind::Lock).joined();
    assert_eq!(circle(&all), [1, 2]);
}

#[test]
fn a_task_with_a_live_branch_goes_on() {
    let scene = Scene::new()
        .holds(task(1), "a", Kind::Lock)
        .holds(task(2), "b", Kind::Lock)
        .waits(task(1), "b", Kind::Lock)
        .waits(task(2), "a", Kind::Lock);
    assert_eq!(circle(&scene), [1, 2]);
    none(&scene.waits(task(1), "tick", Kind::Wait));
}

#[test]
fn a_task_keeps_no_thread_unless_that_waits_in_its_poll() {
    // Thread 9 polled task 1 last; now it waits for what task 1 holds, in another's poll.
    let scene = Scene::new()
        .holds(task(1), "a", Kind::Lock)
        .waits(thread(9), "a", Kind::Lock);
    none(&scene.clone().inside(2));
    // In the poll of task 1 itself: nobody can poll it any more.
    assert_eq!(circle(&scene.inside(1)), [1, 9]);
}

#[test]
fn a_wait_for_a_wake_has_no_owner() {
    none(
        &Scene::new()
            .holds(thread(1), "a", Kind::Lock)
            .waits(thread(1), "a", Kind::Wait),
    );
}

#[test]
fn who_is_not_known_goes_on() {
    let mut scene =
        Scene::new()
            .holds(thread(1), "a", Kind::Lock)
            .waits(thread(1), "a", Kind::Lock);
    scene.table.holders[0].by.id = None;
    none(&scene);
}

#[test]
fn what_changed_between_two_looks_is_no_deadlock() {
    let scene = Scene::new()
        .holds(thread(1), "a", Kind::Lock)
        .holds(thread(2), "b", Kind::Lock)
        .waits(thread(1), "b", Kind::Lock)
        .waits(thread(2), "a", Kind::Lock);
    let first = scene.snapshot();
    let later = |change: fn(&mut Table)| {
        let mut second = first.clone();
        second.at_ns += 1_000;
        change(&mut second.tables[0]);
        second
    };
    type Change = (fn(&mut Table), usize);
    let changes: [Change; 6] = [
        (|_| {}, 1),
        (|table| table.waits[0].since_ns = Some(900), 0),
        (|table| table.holders[0].since_ns = Some(900), 0),
        (|table| table.waits[1].wait = 77, 0),
        (|table| table.holders[1].hold = 77, 0),
        // Somebody else, who is not in it.
        (|table| table.left_out = 1, 1),
    ];
    for (number, (change, count)) in changes.into_iter().enumerate() {
        let found = deadlocks(&first, &later(change));
        assert_eq!(found.len(), count, "change {number}: {found:#?}");
        assert_eq!(later(change).suspects().len(), 1);
    }
    assert!(deadlocks(&first, &first).is_empty(), "that is one look");
    let mut long = first.clone();
    long.took_ns = 5_000;
    assert!(deadlocks(&long, &later(|_| {})).is_empty(), "they overlap");
    let mut other = later(|_| {});
    other.process = 1;
    assert!(deadlocks(&first, &other).is_empty(), "another process");
}

#[test]
fn two_circles_are_two_deadlocks() {
    let mut scene = Scene::new();
    for base in [10, 20] {
        let (left, right) = (format!("l{base}"), format!("r{base}"));
        scene = scene
            .holds(thread(base), &left, Kind::Lock)
            .holds(thread(base + 1), &right, Kind::Lock)
            .waits(thread(base), &right, Kind::Lock)
            .waits(thread(base + 1), &left, Kind::Lock);
    }
    let found = scene.found();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].links[0].by.id, Some(10), "the oldest first");
}

#[test]
fn many_readers_behind_a_writer_take_no_square() {
    let _watchdog = common::watchdog::watchdog("many readers");
    let mut scene = Scene::new();
    for reader in 0..5_000 {
        scene = scene.holds(thread(reader), "a", Kind::Read);
    }
    let mut snapshot = scene.waits(thread(99_999), "a", Kind::Lock).snapshot();
    let last = snapshot.tables[0].waits[0].clone();
    for reader in 0..50_000 {
        let mut wait = last.clone();
        (wait.kind, wait.place) = (Kind::Read, reader + 1);
        wait.by.id = Some(100_000 + reader as u64);
        (wait.wait, wait.since_ns) = (200_000 + reader as u64, Some(7));
        snapshot.tables[0].waits.push(wait);
    }
    assert!(snapshot.suspects().is_empty());
}

#[test]
fn a_long_circle_takes_no_long_stack() {
    let _watchdog = common::watchdog::watchdog("a long circle");
    const COUNT: u64 = 20_000;
    let mut scene =
        Scene::new()
            .holds(thread(0), "a", Kind::Lock)
            .waits(thread(0), "a", Kind::Lock);
    let (holder, wait) = (scene.table.holders.remove(0), scene.table.waits.remove(0));
    for number in 0..COUNT {
        let (mut holder, mut wait) = (holder.clone(), wait.clone());
        (holder.by.id, wait.by.id) = (Some(number), Some(number));
        (holder.hold, wait.wait) = (number, COUNT + number);
        (holder.key.hash, wait.key.hash) = (number, (number + 1) % COUNT);
        scene.table.holders.push(holder);
        scene.table.waits.push(wait);
    }
    let suspects = scene.snapshot().suspects();
    assert_eq!(suspects.len(), 1);
    assert_eq!(suspects[0].links.len(), 20_000);
}
