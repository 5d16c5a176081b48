//! Stories of values that are handed over: none is lost, doubled, or left with who gave up.

mod common;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::thread::JoinHandle;

use common::bells::{Bell, poll, poll_with, ready, trap};
use common::faults::panics;
use common::{FOREVER, Numbers, leak, until, watchdog};
use slotpark_core::{Deadline, DefaultPlatform, Mailbox, ParkOptions, Receive, ReceiveError};

const AT: (u64, u64) = (5, 1);

type Values = Mailbox<u64, Value>;
type Boxed = Pin<Box<Receive<'static, u64, Value, DefaultPlatform>>>;

/// A value that says when it ends.
#[derive(Debug)]
struct Value {
    number: u64,
    ended: &'static AtomicUsize,
}

impl Drop for Value {
    fn drop(&mut self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// A mailbox, and how many of its values have ended.
struct Scene {
    mailbox: &'static Values,
    ended: &'static AtomicUsize,
}

impl Scene {
    fn new() -> Self {
        Self {
            mailbox: leak(Mailbox::try_with_slots(4).expect("four slots")),
            ended: leak(AtomicUsize::new(0)),
        }
    }

    fn value(&self, number: u64) -> Value {
        let ended = self.ended;
        Value { number, ended }
    }

    /// The number that came back, if nobody was there.
    fn deliver(&self, number: u64) -> Result<(), u64> {
        let given_back = self.mailbox.deliver(AT.0, &AT.1, self.value(number));
        given_back.map_err(|value| value.number)
    }

    fn queued(&self) -> (Boxed, Arc<Bell>) {
        let receive = self.mailbox.receive_async(AT.0, AT.1, FOREVER);
        let (mut future, bell) = (Box::pin(receive), Bell::new());
        assert!(poll(future.as_mut(), &bell).is_pending());
        (future, bell)
    }

    /// A thread that receives once, queued.
    fn thread(&self) -> JoinHandle<Result<u64, ReceiveError>> {
        let (mailbox, others) = (self.mailbox, self.receivers());
        let thread = std::thread::spawn(move || {
            let received = mailbox.receive(AT.0, &AT.1, FOREVER);
            received.map(|value| value.number)
        });
        until("a thread is queued", || self.receivers() > others);
        thread
    }

    fn receivers(&self) -> usize {
        self.mailbox.receivers(AT.0, &AT.1)
    }

    fn ended(&self) -> usize {
        self.ended.load(Ordering::Relaxed)
    }
}

fn number(received: Result<Value, ReceiveError>) -> Result<u64, ReceiveError> {
    received.map(|value| value.number)
}

/// Nothing is stored: with nobody there the value comes back, as it was.
#[test]
fn a_value_for_nobody_is_given_back() {
    let scene = Scene::new();
    assert_eq!(scene.deliver(1), Err(1));
    let (waiting, _) = scene.queued();
    assert_eq!(
        scene
            .mailbox
            .deliver(AT.0, &2, scene.value(2))
            .map_err(|value| value.number),
        Err(2)
    );
    drop(waiting);
    assert_eq!(scene.deliver(3), Err(3));
    assert_eq!(scene.ended(), 3);
}

/// One queue for threads and tasks: each value goes to the oldest.
#[test]
fn values_go_to_the_oldest_first() {
    let _watchdog = watchdog("values_go_to_the_oldest_first");
    let scene = Scene::new();
    let (mut first, bell) = scene.queued();
    let second = scene.thread();
    let (mut third, _) = scene.queued();
    for number in 1..4 {
        assert_eq!(scene.deliver(number), Ok(()));
    }
    assert_eq!(scene.deliver(4), Err(4));
    assert_eq!((number(ready(first.as_mut())), bell.rings()), (Ok(1), 1));
    assert_eq!(second.join().expect("it receives"), Ok(2));
    assert_eq!(number(ready(third.as_mut())), Ok(3));
}

/// The answer comes before the asker sleeps: it was subscribed before it asked.
#[test]
fn an_answer_before_the_wait_is_not_missed() {
    let scene = Scene::new();
    let ask = |scene: &Scene| assert_eq!(scene.deliver(1), Ok(()));
    let answer = scene.mailbox.subscribe(AT.0, &AT.1, FOREVER, |subscribed| {
        ask(&scene);
        let answer = number(subscribed.receive());
        assert_eq!(
            number(subscribed.receive()),
            Err(ReceiveError::Closed),
            "one value, once"
        );
        answer
    });
    assert_eq!(answer, Ok(Ok(1)));
    let mut receive = pin!(scene.mailbox.receive_async(AT.0, AT.1, FOREVER));
    assert_eq!(receive.as_mut().enable(), None);
    ask(&scene);
    assert_eq!(number(ready(receive.as_mut())), Ok(1));
    assert_eq!((scene.receivers(), scene.ended()), (0, 2));
}

/// The head of the queue is dropped after a value has come to it. Here the value goes on.
#[test]
fn a_dropped_receive_passes_its_value_on() {
    let _watchdog = watchdog("a_dropped_receive_passes_its_value_on");
    let scene = Scene::new();
    let (first, _) = scene.queued();
    let (second, bell) = scene.queued();
    let third = scene.thread();
    assert_eq!(scene.deliver(7), Ok(()));
    drop(first);
    assert_eq!((bell.rings(), scene.ended()), (1, 0));
    drop(second);
    assert_eq!(third.join().expect("it receives"), Ok(7));
    // With nobody behind it the value ends with the future, once; or is taken back.
    let (only, _) = scene.queued();
    assert_eq!(scene.deliver(8), Ok(()));
    assert_eq!(scene.ended(), 1);
    drop(only);
    assert_eq!(scene.ended(), 2);
    let (mut only, _) = scene.queued();
    assert_eq!(scene.deliver(9), Ok(()));
    assert_eq!(only.as_mut().cancel().map(|value| value.number), Some(9));
    assert!(only.as_mut().cancel().is_none());
    assert_eq!((scene.ended(), scene.receivers()), (3, 0));
}

/// A thread that does not want its value any more, or panics, passes it on too.
#[test]
fn a_thread_that_gives_up_passes_its_value_on() {
    let scene = Scene::new();
    let (mut heir, bell) = {
        let given_up = scene.mailbox.subscribe(AT.0, &AT.1, FOREVER, |_| {
            let heir = scene.queued();
            assert_eq!(scene.deliver(1), Ok(()));
            heir
        });
        given_up.expect("nothing is closed")
    };
    assert_eq!((number(ready(heir.as_mut())), bell.rings()), (Ok(1), 1));
    let mut heir = None;
    let panic = panics(|| {
        let _never = scene.mailbox.subscribe(AT.0, &AT.1, FOREVER, |_| {
            heir = Some(scene.queued());
            assert_eq!(scene.deliver(2), Ok(()));
            panic!("it does not want it");
        });
    });
    assert_eq!(panic, "it does not want it");
    let (mut heir, _) = heir.expect("it was queued");
    assert_eq!(number(ready(heir.as_mut())), Ok(2));
    assert_eq!((scene.ended(), scene.receivers()), (2, 0));
}

/// A value that has come is received, whatever the clock says, and whatever was closed since.
#[test]
fn a_value_that_came_beats_deadline_and_closing() {
    let scene = Scene::new();
    let past = FOREVER.deadline(Some(Deadline::PAST));
    let late = scene.mailbox.subscribe(AT.0, &AT.1, past, |subscribed| {
        assert_eq!(scene.deliver(1), Ok(()));
        number(subscribed.receive())
    });
    assert_eq!(late, Ok(Ok(1)));
    let (mut timed, _) = scene.queued();
    let (mut closed, _) = scene.queued();
    let (mut empty, bell) = scene.queued();
    assert_eq!((scene.deliver(2), scene.deliver(3)), (Ok(()), Ok(())));
    assert_eq!(number(timed.as_mut().time_out()), Ok(2));
    assert_eq!(scene.mailbox.close(), 1);
    assert_eq!(number(ready(closed.as_mut())), Ok(3));
    assert_eq!(
        (number(ready(empty.as_mut())), bell.rings()),
        (Err(ReceiveError::Closed), 1)
    );
    // From now on nobody waits, and everything comes back.
    assert!(scene.mailbox.is_closed());
    assert_eq!(scene.deliver(4), Err(4));
    assert_eq!(
        number(scene.mailbox.receive(AT.0, &AT.1, FOREVER)),
        Err(ReceiveError::Closed)
    );
    let refused = scene.mailbox.subscribe(AT.0, &AT.1, FOREVER, |_| ());
    assert_eq!(refused, Err(ReceiveError::Closed));
    let mut late = pin!(scene.mailbox.receive_async(AT.0, AT.1, FOREVER));
    assert_eq!(late.as_mut().enable(), Some(ReceiveError::Closed));
}

/// A deadline that passes ends the receive, and nothing stays behind.
#[test]
fn a_receive_times_out() {
    let _watchdog = watchdog("a_receive_times_out");
    let scene = Scene::new();
    let past = FOREVER.deadline(Some(Deadline::PAST));
    assert_eq!(
        number(scene.mailbox.receive(AT.0, &AT.1, past)),
        Err(ReceiveError::TimedOut)
    );
    let slept = scene.mailbox.subscribe(AT.0, &AT.1, past, |subscribed| {
        let error = number(subscribed.receive());
        assert_eq!(number(subscribed.receive()), error, "the same at once");
        error
    });
    assert_eq!(slept, Ok(Err(ReceiveError::TimedOut)));
    let (mut task, _) = scene.queued();
    assert_eq!(
        number(task.as_mut().time_out()),
        Err(ReceiveError::TimedOut)
    );
    assert_eq!((scene.receivers(), scene.deliver(1)), (0, Err(1)));
    assert_eq!(
        [ReceiveError::TimedOut, ReceiveError::Closed].map(|error| error.to_string()),
        [
            "no value came before the deadline",
            "the key or the mailbox is closed"
        ]
    );
}

/// A Waker that panics has its value delivered all the same.
#[test]
fn a_panicking_waker_has_its_value() {
    let scene = Scene::new();
    let mut receive = Box::pin(scene.mailbox.receive_async(AT.0, AT.1, FOREVER));
    let waker = trap(|| panic!("a Waker"));
    assert!(poll_with(receive.as_mut(), &waker).is_pending());
    assert_eq!(panics(|| scene.deliver(1)), "a Waker");
    assert_eq!(number(ready(receive.as_mut())), Ok(1));
    assert_eq!(scene.ended(), 1);
}

/// Threads and tasks come and give up at random; every value taken is received, or ended with who
/// gave up last, and none twice.
#[test]
fn every_value_is_received_or_ends_once() {
    const VALUES: u64 = 20_000;
    let _watchdog = watchdog("every_value_is_received_or_ends_once");
    let scene = Scene::new();
    let (mailbox, ended) = (scene.mailbox, scene.ended);
    let received: &AtomicUsize = leak(AtomicUsize::new(0));
    let receivers: Vec<_> = (0..3)
        .map(|seed| std::thread::spawn(move || receive_at_random(mailbox, seed, received)))
        .collect();
    let (mut taken, mut given_back) = (0, 0);
    while taken < VALUES {
        match mailbox.deliver(
            AT.0,
            &AT.1,
            Value {
                number: taken,
                ended,
            },
        ) {
            Ok(()) => taken += 1,
            Err(value) => {
                drop(value);
                given_back += 1;
                std::thread::yield_now();
            }
        }
    }
    let _open = mailbox.close();
    for receiver in receivers {
        receiver.join().expect("a receiver");
    }
    assert_eq!(scene.ended() as u64, taken + given_back, "each ended once");
    let received = received.load(Ordering::Relaxed) as u64;
    assert!(received <= taken && received > 0, "{received} of {taken}");
    assert_eq!(mailbox.receivers(AT.0, &AT.1), 0);
}

fn receive_at_random(mailbox: &Values, seed: u64, received: &AtomicUsize) {
    let mut numbers = Numbers::new(seed);
    let count = |result: Result<Value, ReceiveError>| {
        received.fetch_add(usize::from(result.is_ok()), Ordering::Relaxed);
        result.err() != Some(ReceiveError::Closed)
    };
    let mut goes_on = true;
    while goes_on {
        goes_on = match numbers.below(4) {
            0 => count(mailbox.receive(AT.0, &AT.1, ParkOptions::new())),
            1 => mailbox
                .subscribe(AT.0, &AT.1, FOREVER, |_| std::thread::yield_now())
                .is_ok(),
            _ => {
                let mut receive = pin!(mailbox.receive_async(AT.0, AT.1, FOREVER));
                match poll(receive.as_mut(), &Bell::new()) {
                    Poll::Ready(result) => count(result),
                    Poll::Pending if numbers.below(2) == 0 => true,
                    Poll::Pending => {
                        std::thread::yield_now();
                        count(receive.as_mut().time_out())
                    }
                }
            }
        };
    }
}
