//! Stories of barriers: nobody passes alone, nobody is left behind, one leads.

mod common;

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use common::bells::{Bell, poll};
use common::faults::panics;
use common::{Numbers, leak, until, watchdog};
use slotpark_core::{
    Barrier, BarrierOutcome, Deadline, KeyedOptions, Member, MemberWait, WhenFull,
};

const AT: (u64, u64) = (5, 1);
const PAST: Option<Deadline> = Some(Deadline::PAST);

type Registered = Member<'static, u64>;
type Wait = Pin<Box<MemberWait<'static, 'static, u64>>>;

/// Keys that meet in one slot.
fn barriers<K>(places: usize) -> Barrier<K> {
    let options = KeyedOptions::new().slots(1).pool(places, WhenFull::Fail);
    Barrier::with_options(options).expect("one slot")
}

fn register(barrier: &'static Barrier<u64>) -> Registered {
    barrier.register(AT.0, AT.1).expect("there are places")
}

/// What came of the wait of a task that nobody wakes any more.
fn outcome(wait: &mut Pin<Box<MemberWait<'_, '_, u64>>>) -> Option<BarrierOutcome> {
    match poll(wait.as_mut(), &Bell::new()) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

/// Threads meet again and again: in each phase one leads, and nobody is a phase ahead.
#[test]
fn phases_do_not_mix() {
    const THREADS: usize = 4;
    const PHASES: usize = 2_000;
    let _watchdog = watchdog("phases_do_not_mix");
    let barrier = leak(barriers(THREADS));
    let begun: &[AtomicUsize; THREADS] = leak(Default::default());
    let leaders = leak(AtomicUsize::new(0));
    let threads: Vec<_> = (0..THREADS).map(|own| (own, register(barrier))).collect();
    let threads: Vec<_> = threads
        .into_iter()
        .map(|(own, mut member)| {
            std::thread::spawn(move || {
                for phase in 1..=PHASES {
                    begun[own].store(phase, Ordering::Relaxed);
                    let leads = member.wait(None).is_leader();
                    for other in begun {
                        let other = other.load(Ordering::Relaxed);
                        assert!(other == phase || other == phase + 1, "{other} in {phase}");
                    }
                    if leads {
                        leaders.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("phases do not mix");
    }
    assert_eq!(leaders.load(Ordering::Relaxed), PHASES);
    assert_eq!(barrier.members(AT.0, &AT.1), 0);
}

/// The last one awaited is dropped: the others pass, and the first of them leads.
#[test]
fn a_member_that_goes_is_not_awaited() {
    let _watchdog = watchdog("a_member_that_goes_is_not_awaited");
    let barrier = leak(barriers(64));
    let mut members = [(); 40].map(|()| register(barrier));
    let (goes, bell) = (register(barrier), Bell::new());
    let mut waits: Vec<_> = members
        .iter_mut()
        .map(|member| Box::pin(member.wait_async()))
        .collect();
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &bell).is_pending());
    }
    let mut last = register(barrier);
    let thread = std::thread::spawn(move || (last.wait(None), last));
    until("a thread waits", || barrier.arrived(AT.0, &AT.1) == 41);
    assert_eq!((barrier.members(AT.0, &AT.1), bell.rings()), (42, 0));
    drop(goes);
    assert_eq!(bell.rings(), 40);
    let (ended, last) = thread.join().expect("it waits");
    assert_eq!(ended, BarrierOutcome::Follower);
    for (index, wait) in waits.iter_mut().enumerate() {
        let leads = outcome(wait).map(BarrierOutcome::is_leader);
        assert_eq!(leads, Some(index == 0));
    }
    drop((waits, last));
    assert_eq!(
        (barrier.members(AT.0, &AT.1), barrier.arrived(AT.0, &AT.1)),
        (40, 0)
    );
}

/// Who is past its deadline has not arrived: nobody passes without it.
#[test]
fn a_late_member_takes_its_arrival_back() {
    let _watchdog = watchdog("a_late_member_takes_its_arrival_back");
    let barrier = leak(barriers(2));
    let (mut first, mut second) = (register(barrier), register(barrier));
    let soon = common::soon(std::time::Duration::from_millis(1));
    assert_eq!(first.wait(PAST), BarrierOutcome::TimedOut);
    assert_eq!(first.wait(soon), BarrierOutcome::TimedOut);
    let mut wait = Box::pin(first.wait_async());
    assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
    assert_eq!(barrier.arrived(AT.0, &AT.1), 1);
    drop(wait);
    assert_eq!(barrier.arrived(AT.0, &AT.1), 0);
    assert_eq!(second.wait(PAST), BarrierOutcome::TimedOut);
    drop(first);
    assert_eq!(second.wait(PAST), BarrierOutcome::Leader);
}

/// A future is leaked while it waits, then its member goes: the key that the queue knows lives on.
#[test]
fn a_leaked_wait_is_safe() {
    let key = Arc::new(7_u64);
    let barrier = barriers::<Arc<u64>>(4);
    let mut leaks = barrier
        .register(AT.0, Arc::clone(&key))
        .expect("four places");
    let mut other = barrier
        .register(AT.0, Arc::clone(&key))
        .expect("four places");
    let mut wait = Box::pin(leaks.wait_async());
    assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
    std::mem::forget(wait);
    assert_eq!(leaks.wait(PAST), BarrierOutcome::TimedOut);
    drop(leaks);
    // Compares with the key of the leaked wait, which heads the queue.
    assert_eq!(
        (barrier.members(AT.0, &key), Arc::strong_count(&key)),
        (1, 3)
    );
    assert_eq!(other.wait(PAST), BarrierOutcome::Leader);
    std::mem::forget(other);
    drop(barrier);
    assert_eq!(Arc::strong_count(&key), 1);
}

/// All places are taken: the key comes back.
#[test]
fn a_full_barrier_gives_the_key_back() {
    let barrier = leak(barriers(1));
    let first = register(barrier);
    assert_eq!(barrier.register(AT.0, 9).map(|_| ()), Err(9));
    drop(first);
    assert_eq!(barrier.register(AT.0, 9).map(|_| ()), Ok(()));
}

thread_local! {
    /// How many comparisons of `Moody` keys are left until one panics.
    static PATIENCE: Cell<u32> = const { Cell::new(u32::MAX) };
}

#[derive(Debug)]
struct Moody(u64);

impl PartialEq for Moody {
    fn eq(&self, other: &Self) -> bool {
        let left = PATIENCE.get();
        assert!(left > 0, "a comparison");
        PATIENCE.set(left - 1);
        self.0 == other.0
    }
}
impl Eq for Moody {}

/// A comparison of keys panics anywhere in an arrival: the member has not arrived.
#[test]
fn a_panic_in_an_arrival_takes_it_back() {
    let _watchdog = watchdog("a_panic_in_an_arrival_takes_it_back");
    let barrier = barriers::<Moody>(4);
    let register = |key| barrier.register(AT.0, Moody(key)).expect("four places");
    let (first, mut second, third, mut other) =
        (register(1), register(1), register(1), register(2));
    // Each of three searches meets the keys 2 and 1.
    for patience in 0..6 {
        PATIENCE.set(patience);
        let panic = panics(|| second.wait(common::in_an_hour()));
        PATIENCE.set(u32::MAX);
        assert_eq!(panic, "a comparison");
        assert_eq!(barrier.arrived(AT.0, &Moody(1)), 0, "after {patience}");
    }
    drop((first, third));
    assert_eq!(second.wait(PAST), BarrierOutcome::Leader);
    assert_eq!(other.wait(PAST), BarrierOutcome::Leader);
}

/// What a member is in the model.
struct Known {
    /// Borrowed by `wait` as long as that lives.
    member: *mut Registered,
    wait: Option<Wait>,
}

impl Known {
    fn new(barrier: &'static Barrier<u64>) -> Self {
        let member = Box::into_raw(Box::new(register(barrier)));
        Self { member, wait: None }
    }

    fn arrive(&mut self) -> Option<BarrierOutcome> {
        // SAFETY: it lives until `end`, and no wait borrows it now.
        let member: &'static mut Registered = unsafe { &mut *self.member };
        let mut wait = Box::pin(member.wait_async());
        let ended = outcome(&mut wait);
        if ended.is_none() {
            self.wait = Some(wait);
        }
        ended
    }

    fn end(self) {
        drop(self.wait);
        // SAFETY: it was made by `new`, and no wait borrows it any more.
        drop(unsafe { Box::from_raw(self.member) });
    }
}

/// Members come, arrive, take it back and go at random; a list of them says what must happen.
#[test]
fn barriers_do_as_a_model_does() {
    let barrier = leak(barriers(8));
    let mut numbers = Numbers::new(1);
    let mut members: Vec<Known> = Vec::new();
    for _ in 0..20_000 {
        let draw = numbers.below(1 << 20) as usize;
        let (awaited, waiting): (Vec<_>, Vec<_>) =
            (0..members.len()).partition(|index| members[*index].wait.is_none());
        let mut leaders = 0;
        match numbers.below(4) {
            0 if members.len() < 8 => members.push(Known::new(barrier)),
            1 if !members.is_empty() => members.swap_remove(draw % members.len()).end(),
            2 if !waiting.is_empty() => members[waiting[draw % waiting.len()]].wait = None,
            _ if !awaited.is_empty() => {
                let ended = members[awaited[draw % awaited.len()]].arrive();
                let leads = ended.map(BarrierOutcome::is_leader);
                assert_eq!(leads, (awaited.len() == 1).then_some(true));
                leaders += u32::from(ended.is_some());
            }
            _ => {}
        }
        let had_waits = members.iter().any(|member| member.wait.is_some());
        let mut passed = 0;
        for member in &mut members {
            if let Some(ended) = member.wait.as_mut().and_then(|wait| outcome(wait)) {
                member.wait = None;
                passed += 1;
                leaders += u32::from(ended.is_leader());
            }
        }
        let all_arrived = leaders > 0 || passed > 0;
        assert_eq!(leaders, u32::from(all_arrived), "one leads");
        let arrived = members
            .iter()
            .filter(|member| member.wait.is_some())
            .count();
        assert!(!all_arrived || arrived == 0, "all pass");
        assert!(!had_waits || all_arrived || arrived < members.len());
        assert_eq!(barrier.arrived(AT.0, &AT.1), arrived);
        assert_eq!(barrier.members(AT.0, &AT.1), members.len());
    }
    members.into_iter().for_each(Known::end);
    assert_eq!(barrier.pool_stats().taken, 0);
}
