//! Barriers: arrivals, deadlines and members that go, all at once.

use std::mem::transmute;
use std::pin::pin;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};
use slotpark_core::{Barrier, BarrierOutcome, Deadline, KeyedOptions, Member, WhenFull};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, SOON, explore};

type Barriers = Barrier<u64, Host<OwnBit>>;
type Registered = Member<'static, u64, Host<OwnBit>>;

/// A `BarrierOutcome` in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    Leader,
    Follower,
    TimedOut,
}
use Ended::{Follower, Leader, TimedOut};

impl From<BarrierOutcome> for Ended {
    fn from(outcome: BarrierOutcome) -> Self {
        match outcome {
            BarrierOutcome::Leader => Leader,
            BarrierOutcome::Follower => Follower,
            BarrierOutcome::TimedOut => TimedOut,
            _ => unreachable!("no wait here ends otherwise"),
        }
    }
}

struct Site {
    barrier: Barriers,
    /// Each thread writes its own in odd phases, and reads the others' in even ones.
    cells: [UnsafeCell<u32>; 2],
}

// SAFETY: loom's cells check that nobody writes while another accesses.
unsafe impl Sync for Site {}
// SAFETY: no contract of a thread: a site is tied to none.
unsafe impl Send for Site {}

impl Site {
    fn new() -> Arc<Self> {
        let options = KeyedOptions::new().slots(1).pool(3, WhenFull::Fail);
        Arc::new(Self {
            barrier: Barrier::with_options(options).unwrap(),
            cells: [0, 0].map(UnsafeCell::new),
        })
    }

    /// Members that outlive a thread's closure: the tests join their threads.
    fn members<const N: usize>(&self) -> [Registered; N] {
        std::array::from_fn(|_| {
            let member = self.barrier.register(A, A).unwrap();
            // SAFETY: every test joins the threads that it gives members to, and drops them before
            // the barrier.
            unsafe { transmute::<Member<'_, u64, Host<OwnBit>>, Registered>(member) }
        })
    }

    #[track_caller]
    fn assert_over(&self) {
        assert_eq!(self.barrier.members(A, &A), 0);
        assert_eq!(self.barrier.pool_stats().taken, 0);
    }
}

/// Waits on a thread of its own; the member comes back.
fn wait(mut member: Registered, deadline: Option<Deadline>) -> JoinHandle<(Ended, Registered)> {
    thread::spawn(move || (member.wait(deadline).into(), member))
}

/// Two meet, each writes before and reads the other's afterwards: one leads.
#[test]
fn two_meet() {
    explore([(Leader, Follower), (Follower, Leader)], || {
        let site = Site::new();
        let [mut first, mut second] = site.members();
        let meet = |site: &Site, member: &mut Registered, own: usize| {
            // SAFETY: nobody looks before both have met; loom checks it.
            site.cells[own].with_mut(|cell| unsafe { *cell = 1 });
            let ended = Ended::from(member.wait(None));
            // SAFETY: both have met; loom checks it.
            site.cells[1 - own].with(|cell| assert_eq!(unsafe { *cell }, 1));
            ended
        };
        let there = Arc::clone(&site);
        let other = thread::spawn(move || meet(&there, &mut second, 1));
        let here = meet(&site, &mut first, 0);
        let there = other.join().unwrap();
        drop(first);
        site.assert_over();
        (here, there)
    });
}

/// Two phases, one right after the other: each has its own leader, and nobody is left in the first.
#[test]
fn two_phases() {
    explore([(1, 1)], || {
        let site = Site::new();
        let [mut first, mut second] = site.members();
        let other = thread::spawn(move || [(); 2].map(|()| second.wait(None).is_leader()));
        let here = [(); 2].map(|()| first.wait(None).is_leader());
        let there = other.join().unwrap();
        drop(first);
        site.assert_over();
        let leaders = |phase: usize| u8::from(here[phase]) + u8::from(there[phase]);
        (leaders(0), leaders(1))
    });
}

/// Three meet; the last to arrive releases two.
#[test]
fn three_meet() {
    let lead = [
        (Leader, Follower, Follower),
        (Follower, Leader, Follower),
        (Follower, Follower, Leader),
    ];
    explore(lead, || {
        let site = Site::new();
        let [mut first, second, third] = site.members();
        let others = [wait(second, None), wait(third, None)];
        let here = first.wait(None).into();
        let [(second, a), (third, b)] = others.map(|other| other.join().unwrap());
        drop((first, a, b));
        site.assert_over();
        (here, second, third)
    });
}

/// The last one awaited goes: who waits leads, as who comes later does.
#[test]
fn a_wait_against_a_member_that_goes() {
    explore([Leader], || {
        let site = Site::new();
        let [first, second] = site.members();
        let other = wait(first, None);
        drop(second);
        let (ended, first) = other.join().unwrap();
        drop(first);
        site.assert_over();
        ended
    });
}

/// Of two who wait one leads, whenever the third goes.
#[test]
fn two_waits_against_a_member_that_goes() {
    explore([(Leader, Follower), (Follower, Leader)], || {
        let site = Site::new();
        let [first, second, third] = site.members();
        let others = [wait(first, None), wait(second, None)];
        drop(third);
        let [(first, a), (second, b)] = others.map(|other| other.join().unwrap());
        drop((a, b));
        site.assert_over();
        (first, second)
    });
}

/// Both have a deadline: both pass, or none does.
#[test]
fn a_deadline_against_an_arrival() {
    let all = [(Leader, Follower), (Follower, Leader), (TimedOut, TimedOut)];
    explore(all, || {
        let site = Site::new();
        let [mut first, second] = site.members();
        let other = wait(second, SOON);
        let here = first.wait(SOON).into();
        let (there, second) = other.join().unwrap();
        assert_eq!(site.barrier.arrived(A, &A), 0);
        drop((first, second));
        site.assert_over();
        (here, there)
    });
}

/// A deadline against the last one awaited that goes: it leads, or has left, and leads next time.
#[test]
fn a_deadline_against_a_member_that_goes() {
    explore([Leader, TimedOut], || {
        let site = Site::new();
        let [first, second] = site.members();
        let other = wait(first, SOON);
        drop(second);
        let (ended, mut first) = other.join().unwrap();
        assert_eq!(Ended::from(first.wait(None)), Leader);
        drop(first);
        site.assert_over();
        ended
    });
}

/// A future is dropped while the last one arrives: it had arrived, or has not any more.
#[test]
fn a_dropped_wait_against_an_arrival() {
    explore([Leader, TimedOut], || {
        let site = Site::new();
        let [mut first, second] = site.members();
        let mut task = Box::pin(first.wait_async());
        assert!(poll(task.as_mut(), &Bell::new()).is_pending());
        let other = wait(second, SOON);
        drop(task);
        let (there, second) = other.join().unwrap();
        assert_eq!(site.barrier.arrived(A, &A), 0);
        drop((first, second));
        site.assert_over();
        there
    });
}

/// A task meets a thread, and reads who leads without the lock.
#[test]
fn a_task_meets_a_thread() {
    explore([(Leader, Follower), (Follower, Leader)], || {
        let site = Site::new();
        let [mut first, second] = site.members();
        let other = wait(second, None);
        let here = finish(pin!(first.wait_async()), &Bell::new()).into();
        let (there, second) = other.join().unwrap();
        drop((first, second));
        site.assert_over();
        (here, there)
    });
}

/// A task waits for one that goes, and leads.
#[test]
fn a_task_against_a_member_that_goes() {
    explore([Leader], || {
        let site = Site::new();
        let [mut first, second] = site.members();
        let other = thread::spawn(move || drop(second));
        let ended = finish(pin!(first.wait_async()), &Bell::new()).into();
        other.join().unwrap();
        drop(first);
        site.assert_over();
        ended
    });
}

/// One joins while the last of two arrives: it is awaited in that phase, or not before the next.
#[test]
fn a_registration_against_an_arrival() {
    explore([(Leader, 0), (TimedOut, 1)], || {
        let site = Site::new();
        let [mut first, second] = site.members();
        let mut task = Box::pin(first.wait_async());
        assert!(poll(task.as_mut(), &Bell::new()).is_pending());
        let other = wait(second, SOON);
        let [third] = site.members();
        let (there, second) = other.join().unwrap();
        let arrived = site.barrier.arrived(A, &A);
        drop((task, third, second));
        drop(first);
        site.assert_over();
        (there, arrived)
    });
}
