//! A Waker that drops another future of the same wake. The model takes one Waker in each hold of
//! the lock, so the other future is chosen and still linked by then.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use slotpark_core::{AtomicU32, ParkOptions, Table, Wait};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, ALL, Ended, Scene, TOKEN, explore};

type Boxed = Pin<Box<Wait<'static, u64, fn() -> bool, Host<OwnBit>>>>;

/// Drops the future that it was given when it is called, then rings.
struct Dropper {
    victim: Mutex<Option<Boxed>>,
    bell: Arc<Bell>,
}

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        let victim = self.victim.lock().unwrap().take();
        drop(victim);
        Arc::clone(&self.bell).wake();
    }
}

fn scene() -> &'static Scene {
    Box::leak(Box::new(Scene {
        table: Table::with_slots(1),
        value: AtomicU32::new(0),
    }))
}

fn wait(scene: &'static Scene) -> Boxed {
    let yes: fn() -> bool = || true;
    Box::pin(scene.table.wait_async(A, A, ParkOptions::new(), yes))
}

/// `count` tasks are woken at most; the first one's Waker drops the second. How many were counted,
/// how the first ended, and whether the third was woken.
fn drop_the_second(count: usize) -> (usize, Ended, bool) {
    let (scene, bell) = (scene(), Bell::new());
    let dropper = Arc::new(Dropper {
        victim: Mutex::new(None),
        bell: Arc::clone(&bell),
    });
    let waker = Waker::from(Arc::clone(&dropper));
    let mut first = pin!(wait(scene));
    let polled = first.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    let [mut second, mut third] = [wait(scene), wait(scene)];
    for future in [&mut second, &mut third] {
        assert!(poll(future.as_mut(), &Bell::new()).is_pending());
    }
    *dropper.victim.lock().unwrap() = Some(second);
    let woken = loom::thread::spawn(move || scene.wake(A, count));
    // The same Waker while the wake is under way: ready, or it will be called.
    let ended = match first.as_mut().poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(parked) => parked,
        Poll::Pending => {
            bell.wait();
            finish(first.as_mut(), &bell)
        }
    };
    let woken = woken.join().unwrap();
    let is_woken = poll(third.as_mut(), &Bell::new()).is_ready();
    assert_eq!(scene.table.waiters(A, &A), usize::from(!is_woken));
    (woken, ended.into(), is_woken)
}

/// Of a wake of everybody the third is woken by it, and nothing is passed on.
#[test]
fn a_waker_drops_another_of_the_wake() {
    explore([(3, Ended::Woken(TOKEN), true)], || drop_the_second(ALL));
}

/// Of a wake of two the dropped one was counted, and the third has its wake.
#[test]
fn a_waker_drops_another_whose_wake_goes_on() {
    explore([(2, Ended::Woken(TOKEN), true)], || drop_the_second(2));
}
