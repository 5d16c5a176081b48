//! Random programs of one single flight: threads and tasks lead and follow, fail, come too late and
//! go away. One leads at a time, nobody has a value of a flight that had ended before, every clone
//! is dropped once, and whoever waits has a value or leads.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use slotpark_core::{Clock, Deadline, FlightError, Model, SingleFlight};

use crate::crew::{Crew, Plan};
use crate::oracle;

const KEYS: usize = 2;

/// What was made: when its flight had ended, if it has, and how many of it there are.
struct Value {
    ended: Arc<AtomicUsize>,
    alive: Arc<AtomicUsize>,
}

impl Clone for Value {
    fn clone(&self) -> Self {
        self.alive.fetch_add(1, Ordering::Relaxed);
        // Others come while clones are made.
        thread::yield_now();
        Self {
            ended: Arc::clone(&self.ended),
            alive: Arc::clone(&self.alive),
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Clone, Copy, Debug)]
struct Command {
    key: usize,
    deadline: Option<u64>,
    /// It flies as a task.
    plan: Option<Plan>,
    /// What the leader does: so often it lets others run, and then it fails or not.
    pauses: u32,
    fails: bool,
}

impl Command {
    fn random(rng: &mut impl Rng) -> Self {
        Self {
            key: rng.gen_range(0..KEYS).min(rng.gen_range(0..KEYS)),
            deadline: rng.gen_bool(0.3).then(|| rng.gen_range(0..6)),
            plan: rng.gen_bool(0.5).then(|| Plan::random(rng)),
            pauses: rng.gen_range(0..6),
            fails: rng.gen_bool(0.3),
        }
    }
}

struct World {
    flights: SingleFlight<usize, Value, Model>,
    hashes: [u64; KEYS],
    crew: Crew,
    leading: [AtomicUsize; KEYS],
    /// Counts wishes and ends of flights. 0 is never.
    clock: AtomicUsize,
    alive: Arc<AtomicUsize>,
}

/// A program of three or four threads.
pub(crate) fn run() {
    let mut rng = thread_rng();
    let threads = rng.gen_range(3..5);
    let program: Vec<Vec<Command>> = (0..threads)
        .map(|_| {
            let length = rng.gen_range(1..4);
            (0..length).map(|_| Command::random(&mut rng)).collect()
        })
        .collect();
    let hashes = [1, rng.gen_range(1..3)];
    oracle::begin(Vec::new(), 0, format!("{hashes:?}\n{program:#?}"));
    let world = Arc::new(World {
        flights: SingleFlight::try_with_slots(1).expect("one slot"),
        hashes,
        crew: Crew::new(threads),
        leading: Default::default(),
        clock: AtomicUsize::new(1),
        alive: Arc::default(),
    });
    let act = |commands: Vec<Command>| {
        let world = Arc::clone(&world);
        thread::spawn(move || {
            for command in commands {
                world.fly(command);
            }
            world.crew.comes_home();
        })
    };
    let threads: Vec<_> = program.into_iter().map(act).collect();
    for thread in threads {
        thread.join().expect("a thread of the program");
    }
    for (key, hash) in hashes.iter().enumerate() {
        assert!(!world.flights.is_flying(*hash, &key));
        assert_eq!(world.flights.waiters(*hash, &key), 0);
    }
    let alive = world.alive.load(Ordering::Relaxed);
    assert_eq!(alive, 0, "so many values were lost, or dropped twice");
}

/// Counted as one that leads its key.
struct Leads<'w>(&'w World, usize);

impl<'w> Leads<'w> {
    fn new(world: &'w World, key: usize) -> Self {
        let others = world.leading[key].fetch_add(1, Ordering::Relaxed);
        assert_eq!(others, 0, "two lead");
        Self(world, key)
    }

    fn made(&self, fails: bool) -> Result<Value, ()> {
        oracle::saw("a leader failed", usize::from(fails));
        if fails {
            return Err(());
        }
        let alive = Arc::clone(&self.0.alive);
        alive.fetch_add(1, Ordering::Relaxed);
        let ended = Arc::default();
        Ok(Value { ended, alive })
    }
}

impl Drop for Leads<'_> {
    fn drop(&mut self) {
        self.0.leading[self.1].fetch_sub(1, Ordering::Relaxed);
    }
}

/// A flight that is not counted as leading any more when it begins to be dropped.
struct Flight<'w, F>(Pin<Box<F>>, Rc<RefCell<Option<Leads<'w>>>>);

impl<F: Future> Future for Flight<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<F> Drop for Flight<'_, F> {
    fn drop(&mut self) {
        self.1.take();
    }
}

impl World {
    fn fly(&self, command: Command) {
        let Command {
            key,
            deadline,
            plan,
            pauses,
            fails,
        } = command;
        let (hash, before) = (self.hashes[key], self.clock.fetch_add(1, Ordering::Relaxed));
        let mut has_led = false;
        let flown = match plan {
            None => {
                let at = deadline.map(|at| Deadline::new(Clock::Monotonic, at));
                let flown = self.flights.fly(hash, &key, at, || {
                    has_led = true;
                    let leads = Leads::new(self, key);
                    for _ in 0..pauses {
                        thread::yield_now();
                    }
                    leads.made(fails)
                });
                if matches!(flown, Err(FlightError::TimedOut)) {
                    assert!(deadline.is_some() && !has_led, "nobody asked for that");
                    oracle::saw("a flight was not awaited", 1);
                    return;
                }
                flown.map_err(|_failed| ())
            }
            Some(plan) => {
                let leads = Rc::new(RefCell::new(None));
                let mut pauses = pauses;
                let led = &mut has_led;
                let make = poll_fn(|context| {
                    *led = true;
                    let mut leading = leads.borrow_mut();
                    let leading_now = leading.get_or_insert_with(|| Leads::new(self, key));
                    if pauses > 0 {
                        pauses -= 1;
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    let made = leading_now.made(fails);
                    *leading = None;
                    Poll::Ready(made)
                });
                let flying = Box::pin(self.flights.fly_async(hash, key, make));
                let flight = Box::pin(Flight(flying, Rc::clone(&leads)));
                let Some(flown) = self.crew.follow(flight, plan) else {
                    oracle::saw("a leader was dropped", usize::from(has_led));
                    return;
                };
                flown
            }
        };
        match flown {
            Ok(value) => {
                let ended = value.ended.load(Ordering::Relaxed);
                assert!(ended == 0 || ended > before, "it is older than the wish");
                if has_led {
                    let now = self.clock.fetch_add(1, Ordering::Relaxed);
                    value.ended.store(now, Ordering::Relaxed);
                }
                oracle::saw("somebody followed", usize::from(!has_led));
            }
            Err(()) => assert!(has_led && fails, "who fails has led"),
        }
    }
}
