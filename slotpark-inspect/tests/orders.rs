//! Orders of locks as the engine tells them: threads and tasks, what is held and what is not.

mod common;

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use common::watchdog::{until, watchdog};
use slotpark::{
    KeyedCondvar, KeyedMutex, KeyedRwLock, KeyedSemaphore, LockOptions, Preference,
    core::task_label,
};
use slotpark_core::{HoldOptions, KeyedLock, KeyedOptions};
use slotpark_inspect::{
    Detail, Inversion, LockOrder, LockOrderWatch, Registration, register, set_detail,
    watch_lock_order,
};

/// The level is the whole process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An order that listens, two tables that it knows by name, and what it has found.
struct Scene {
    order: Arc<LockOrder>,
    watch: Option<LockOrderWatch>,
    left: Arc<KeyedMutex<u64>>,
    right: Arc<KeyedMutex<u64>>,
    found: Arc<Mutex<Vec<Inversion>>>,
    _names: [Registration; 2],
    _alone: MutexGuard<'static, ()>,
}

impl Scene {
    fn new() -> Self {
        let _alone = alone();
        let found = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&found);
        let report = move |inversion: &Inversion| list.lock().unwrap().push(inversion.clone());
        let order = Arc::new(LockOrder::new(report));
        let watch = Some(watch_lock_order(&order).unwrap());
        let (left, right) = (Arc::new(KeyedMutex::new()), Arc::new(KeyedMutex::new()));
        let _names = [register("left", &left), register("right", &right)];
        Self {
            order,
            watch,
            left,
            right,
            found,
            _names,
            _alone,
        }
    }

    /// The pairs of labels that were reported: held and asked for.
    #[track_caller]
    fn found(&self, expected: &[(&str, &str)]) -> Vec<Inversion> {
        let found = self.found.lock().unwrap().clone();
        let pairs = found.iter().map(|found| (found.now.held, found.now.asked));
        assert_eq!(pairs.collect::<Vec<_>>(), expected, "{found:#?}");
        found
    }

    fn left_then_right(&self) {
        let _left = self.left.lock(1);
        let _right = self.right.lock(1);
    }

    fn right_then_left(&self) {
        let _right = self.right.lock(2);
        let _left = self.left.lock(2);
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        drop(self.watch.take());
        set_detail(Detail::Off);
    }
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn two_orders_of_threads_are_told_of_once_with_both_places() {
    let scene = Scene::new();
    scene.left_then_right();
    scene.found(&[]);
    for _ in 0..3 {
        thread::scope(|scope| scope.spawn(|| scene.right_then_left()).join().unwrap());
    }
    let found = scene.found(&[("right", "left")]);
    let (now, earlier) = (found[0].now, found[0].earlier[0]);
    assert_eq!((earlier.held, earlier.asked), ("left", "right"));
    // Two neighbouring lines of this file, each.
    for (held, asked) in [
        (now.held_at, now.asked_at),
        (earlier.held_at, earlier.asked_at),
    ] {
        assert_eq!((held.file(), asked.file()), (file!(), file!()));
        assert_eq!(held.line() + 1, asked.line());
    }
    assert_ne!(now.held_at.line(), earlier.held_at.line());
}

/// It is told where the lock is asked for: before anybody waits for ever.
#[test]
fn it_is_told_before_the_wait() {
    let _watchdog = watchdog("it_is_told_before_the_wait");
    let scene = &Scene::new();
    scene.left_then_right();
    let left = scene.left.lock(2);
    thread::scope(|scope| {
        scope.spawn(|| scene.right_then_left());
        until("it waits", || scene.left.waiters(&2) == 1);
        scene.found(&[("right", "left")]);
        drop(left);
    });
}

/// What is not held does not count: given up, refused, timed out, a future that was dropped, or
/// held by somebody else.
#[test]
fn only_what_is_held_counts() {
    let _watchdog = watchdog("only_what_is_held_counts");
    let scene = &Scene::new();
    scene.left_then_right();
    drop(scene.right.lock(2));
    scene.right.with_lock(&2, || ());
    drop(scene.left.lock(2));
    let (tell, told) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let _right = scene.right.lock(3);
            told.recv().unwrap_err();
        });
        until("it is held", || scene.right.is_locked(&3));
        assert!(scene.right.try_lock(3).is_err());
        assert!(scene.right.lock_for(3, Duration::from_millis(1)).is_err());
        let mut refused = Box::pin(scene.right.lock_async(3));
        assert!(poll(refused.as_mut()).is_pending());
        drop(refused);
        drop(scene.left.lock(2));
        drop(tell);
    });
    scene.found(&[]);
    // A guard that is unlocked by another thread is given up all the same.
    let right = scene.right.lock(2);
    thread::scope(|scope| drop(scope.spawn(move || drop(right)).join()));
    drop(scene.left.lock(2));
    scene.found(&[]);
}

/// Who only tries cannot wait for ever; what it got, it holds.
#[test]
fn a_try_holds_and_does_not_ask() {
    let scene = Scene::new();
    scene.left_then_right();
    let right = scene.right.lock(2);
    drop(scene.left.try_lock(2).unwrap());
    drop(right);
    scene.found(&[]);
    let _right = scene.right.try_lock(2).unwrap();
    let _left = scene.left.lock(2);
    scene.found(&[("right", "left")]);
}

#[test]
fn closures_and_barging_locks_are_told_of() {
    let scene = Scene::new();
    let options = KeyedOptions::new().preference(Preference::Barging);
    let lock = Arc::new(KeyedLock::<u64>::with_options(1, options).unwrap());
    let _named = register("barging", &lock);
    let one = HoldOptions::new(1);
    scene
        .left
        .with_lock(&1, || drop(lock.hold(1, 7, one).unwrap()));
    lock.with(1, &7, one, || scene.left.with_lock(&1, || ()))
        .unwrap();
    scene.found(&[("barging", "left")]);
}

/// Labels come before names of tables, and a table with neither is left out.
#[test]
fn a_label_is_what_a_lock_is_called() {
    let scene = Scene::new();
    let unnamed = KeyedMutex::<u64>::new();
    let called = |label| LockOptions::new().label(label);
    {
        let _unnamed = unnamed.lock(1);
        let _a = scene.left.lock_with(1, called("a"));
        let _unnamed = unnamed.lock(2);
        let _b = scene.left.lock_with(2, called("b"));
    }
    let _b = scene.left.lock_with(2, called("b"));
    let _unnamed = unnamed.lock(1);
    scene.found(&[]);
    let _a = unnamed.lock_with(2, called("a"));
    scene.found(&[("b", "a")]);
}

#[test]
fn readers_permits_and_many_keys_count() {
    let scene = Scene::new();
    let pages = Arc::new(KeyedRwLock::<u64>::new());
    let permits = Arc::new(KeyedSemaphore::<u64>::new(2));
    let _names = (register("pages", &pages), register("permits", &permits));
    {
        let _page = pages.read(1);
        let _both = scene.left.lock_many([1, 2]);
        let _permit = permits.acquire(1);
    }
    let permit = permits.acquire(1);
    drop(scene.left.lock_many([2, 1]));
    drop(permit);
    let _both = scene.left.lock_many([1, 2]);
    let _page = pages.write(1);
    scene.found(&[("permits", "left"), ("left", "pages")]);
}

/// What a named task holds is its own, wherever it goes on; the thread that polls it, and other
/// tasks, hold nothing of it.
#[test]
fn what_a_task_holds_goes_with_it() {
    let scene = &Scene::new();
    let mut first = Box::pin(task_label("first", async {
        let _left = scene.left.lock_async(1).await;
        std::future::poll_fn(|context| {
            context.waker().wake_by_ref();
            match scene.right.is_locked(&9) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
        let _right = scene.right.lock_async(1).await;
        pending::<()>().await;
    }));
    assert!(poll(first.as_mut()).is_pending());
    // The thread itself holds the right one only, and another task nothing.
    let go = scene.right.lock(9);
    drop(go);
    let mut second = pin!(task_label("second", async {
        drop(scene.right.lock_async(2).await);
        drop(scene.left.lock_async(2).await);
    }));
    assert!(poll(second.as_mut()).is_ready());
    let go = scene.right.lock(9);
    thread::scope(|scope| {
        let on = || assert!(poll(first.as_mut()).is_pending());
        scope.spawn(on).join().unwrap();
    });
    drop(go);
    scene.found(&[]);
    // A task without a name: nothing is known, and nothing wrong is told.
    let mut nobody = Box::pin(async {
        let _right = scene.right.lock_async(5).await;
        pending::<()>().await;
    });
    assert!(poll(nobody.as_mut()).is_pending());
    drop(scene.left.lock(6));
    scene.found(&[]);
    let mut third = pin!(task_label("third", async {
        let _right = scene.right.lock_async(2).await;
        let _left = scene.left.lock_async(2).await;
    }));
    assert!(poll(third.as_mut()).is_ready());
    let found = scene.found(&[("right", "left")]);
    assert_eq!(found[0].earlier[0].held, "left");
}

/// A key that was waited for and granted is held, by threads and by tasks.
#[test]
fn what_was_waited_for_is_held() {
    let _watchdog = watchdog("what_was_waited_for_is_held");
    let scene = &Scene::new();
    scene.left_then_right();
    let held = scene.right.lock(7);
    let mut task = pin!(task_label("waits", async {
        let _right = scene.right.lock_async(7).await;
        let _left = scene.left.lock_async(7).await;
    }));
    assert!(poll(task.as_mut()).is_pending());
    scene.found(&[]);
    drop(held);
    assert!(poll(task.as_mut()).is_ready());
    scene.found(&[("right", "left")]);

    let called = |label| LockOptions::new().label(label);
    {
        let _a = scene.left.lock_with(1, called("a"));
        let _b = scene.left.lock_with(2, called("b"));
    }
    let held = scene.left.lock_with(2, called("held"));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _b = scene.left.lock_with(2, called("b"));
            let _a = scene.left.lock_with(1, called("a"));
        });
        until("it waits", || scene.left.waiters(&2) == 1);
        drop(held);
    });
    scene.found(&[("right", "left"), ("b", "a")]);
}

/// While a condition is waited for its key is not held; afterwards it is again.
#[test]
fn a_condition_gives_the_key_up_and_takes_it_again() {
    let _watchdog = watchdog("a_condition_gives_the_key_up");
    let scene = &Scene::new();
    scene.left_then_right();
    let changed = &KeyedCondvar::new();
    let mut task = Box::pin(task_label("waits", async {
        let right = scene.right.lock_async(7).await;
        let mut wait = pin!(changed.wait_async(right));
        assert!(poll(wait.as_mut()).is_pending());
        drop(scene.left.lock_async(7).await);
        let _right = wait.await;
        drop(scene.left.lock_async(7).await);
    }));
    assert!(poll(task.as_mut()).is_pending());
    scene.found(&[]);
    assert_eq!(changed.notify_one(&scene.right, &7), 1);
    assert!(poll(task.as_mut()).is_ready());
    scene.found(&[("right", "left")]);

    let called = |label| LockOptions::new().label(label);
    {
        let _a = scene.left.lock_with(1, called("a"));
        let _b = scene.left.lock_with(2, called("b"));
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            let b = scene.left.lock_with(2, called("b")).unwrap();
            let _b = changed.wait(b);
            let _a = scene.left.lock_with(1, called("a"));
        });
        until("it waits", || changed.notify_one(&scene.left, &2) == 1);
    });
    scene.found(&[("right", "left"), ("b", "a")]);
}

/// Locks told by hand and locks by key are one order.
#[test]
fn other_locks_stand_in_the_same_order() {
    let scene = Scene::new();
    {
        let _file = scene.order.ask("file");
        let _left = scene.left.lock(1);
    }
    let _left = scene.left.lock(1);
    let _file = scene.order.ask("file");
    scene.found(&[("left", "file")]);
}

/// Below `Timing`, and once nobody listens, nothing is told; and what is unlocked meanwhile is not
/// taken for held later.
#[test]
fn nothing_is_told_when_nobody_listens() {
    let mut scene = Scene::new();
    scene.left_then_right();
    let right = scene.right.lock(2);
    set_detail(Detail::Counters);
    drop(scene.left.lock(2));
    drop(right);
    set_detail(Detail::Timing);
    drop(scene.left.lock(2));
    scene.found(&[]);
    let right = scene.right.lock(2);
    drop(scene.watch.take());
    drop(right);
    scene.right_then_left();
    scene.found(&[]);
    let again = watch_lock_order(&scene.order).unwrap();
    drop(scene.left.lock(2));
    scene.found(&[]);
    scene.right_then_left();
    scene.found(&[("right", "left")]);
    drop(again);
}

/// A report may lock, and may panic: then nothing was asked for.
#[test]
fn a_report_may_lock_and_panic() {
    let scene = Scene::new();
    scene.left_then_right();
    let (left, right) = (Arc::clone(&scene.left), Arc::clone(&scene.right));
    let order = Arc::new(LockOrder::new(move |inversion| {
        drop((left.lock(20), right.lock(20)));
        drop((right.lock(21), left.lock(21)));
        panic!("{inversion}");
    }));
    let _watch = watch_lock_order(&order).unwrap();
    scene.left_then_right();
    let ask = || {
        let _right = scene.right.lock(2);
        let _left = scene.left.lock(2);
    };
    let panicked = thread::scope(|scope| scope.spawn(ask).join().unwrap_err());
    let said = panicked.downcast_ref::<String>().unwrap();
    assert!(
        said.starts_with("possible deadlock: \"right\" (at "),
        "{said}"
    );
    assert!(!scene.left.is_locked(&2) && !scene.right.is_locked(&2));
    // It was told once, and whoever asks goes on.
    ask();
    scene.found(&[("right", "left")]);
}
