//! Stories of what a child of a fork inherits: the memory, and none of the threads. A fork inside a
//! wait or a flight looks to the child as a reset does that comes from there.

mod common;

use common::bells::{Bell, poll, ready};
use common::flights::{AT, Scene, nothing, number};
use common::{leak, watchdog};
use slotpark_core::{Barrier, BarrierOutcome, KeyedOptions, Latch, LatchOutcome};

/// Another key of the same slot.
const OTHER: (u64, u64) = (5, 2);

/// The leader forked: its flight serves nobody in the child, and touches no flight of the child.
#[test]
fn a_child_flies_anew() {
    let _watchdog = watchdog("a_child_flies_anew");
    let scene = Scene::new(nothing);
    let mut inherited = None;
    let led = scene.fly(|| {
        inherited = Some(scene.task(7));
        // SAFETY: no other thread uses these flights.
        unsafe { scene.flights.reset_after_fork() };
        assert!(!scene.flights.is_flying(AT.0, &AT.1));
        let pending = std::future::pending::<Result<_, &str>>();
        let mut other = Box::pin(scene.flights.fly_async(OTHER.0, OTHER.1, pending));
        assert!(poll(other.as_mut(), &Bell::new()).is_pending());
        leak(other);
        Ok(scene.value(42))
    });
    assert_eq!((led, scene.clones()), (Ok(42), 0));
    assert!(scene.flights.is_flying(OTHER.0, &OTHER.1));
    let (mut inherited, bell) = inherited.expect("it led");
    assert_eq!(bell.rings(), 0);
    assert_eq!(number(ready(inherited.as_mut())), Ok(7));
    assert!(!scene.flights.is_flying(AT.0, &AT.1));
}

/// Guards and waits of the parent's gates: all is open in the child, and they touch no gate of it.
#[test]
fn a_child_passes_its_parents_gates() {
    let _watchdog = watchdog("a_child_passes_its_parents_gates");
    let options = KeyedOptions::new().slots(1);
    let latch = Latch::<u64>::with_options(options).expect("one slot");
    let barrier = Barrier::<u64>::with_options(options).expect("one slot");
    let armed = latch.arm(AT.0, AT.1, 2).expect("it is not armed");
    let mut waits = Box::pin(latch.wait_async(AT.0, AT.1));
    assert!(poll(waits.as_mut(), &Bell::new()).is_pending());
    let mut members = [(); 3].map(|()| barrier.register(AT.0, AT.1).expect("places"));
    let [first, second, _third] = &mut members;
    let mut meets = Box::pin(first.wait_async());
    assert!(poll(meets.as_mut(), &Bell::new()).is_pending());
    // SAFETY: no other thread uses these latches.
    unsafe { latch.reset_after_fork() };
    // SAFETY: no other thread uses these barriers.
    unsafe { barrier.reset_after_fork() };
    let armed_here = latch.arm(OTHER.0, OTHER.1, 1).expect("it is not armed");
    let member_here = barrier.register(OTHER.0, OTHER.1).expect("places");
    assert_eq!((armed.count_down(1), latch.remaining(AT.0, &AT.1)), (0, 0));
    assert_eq!(ready(waits.as_mut()), LatchOutcome::Opened);
    assert_eq!(ready(meets.as_mut()), BarrierOutcome::Follower);
    assert_eq!(second.wait(None), BarrierOutcome::Follower);
    drop((armed, meets));
    drop(members);
    assert!(!latch.is_open(OTHER.0, &OTHER.1));
    assert_eq!(barrier.members(OTHER.0, &OTHER.1), 1);
    drop((armed_here, member_here));
}
