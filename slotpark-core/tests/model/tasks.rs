//! The tasks of a program, and the objects that keep keys closed: what borrows a table for as long
//! as the program likes.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use slotpark_core::{ClosedKey, Platform, Wait, WaitAny, slot_lock_held};

use crate::host::Key;
use crate::lookout;
use crate::outcomes::{Ended, Outcome, Progress};
use crate::program::{BELLS, Manner, Touch};
use crate::waits::{Ground, Who, catch};

/// Counts the calls of its Waker.
#[derive(Default)]
pub(crate) struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        assert!(!slot_lock_held(), "a Waker is called under a slot lock");
        self.0.fetch_add(1, Ordering::Relaxed);
        lookout::look();
    }
}

/// A future of a wait, on one key or several.
trait Waiting {
    fn enable(&mut self) -> Option<Outcome>;
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome>;
    fn time_out(&mut self) -> Outcome;
}

impl<F: FnMut() -> bool, P: Platform> Waiting for Pin<Box<Wait<'_, Key, F, P>>> {
    fn enable(&mut self) -> Option<Outcome> {
        let parked = self.as_mut().enable()?;
        Some(Ended::from(parked).into())
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome> {
        let polled = Future::poll(self.as_mut(), context);
        polled.map(|parked| Ended::from(parked).into())
    }

    fn time_out(&mut self) -> Outcome {
        Ended::from(self.as_mut().time_out()).into()
    }
}

impl<F, P, const N: usize> Waiting for Pin<Box<WaitAny<'_, Key, F, P, N>>>
where
    F: FnMut(usize) -> bool,
    P: Platform,
{
    fn enable(&mut self) -> Option<Outcome> {
        self.as_mut().enable().map(Outcome::from)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome> {
        Future::poll(self.as_mut(), context).map(Outcome::from)
    }

    fn time_out(&mut self) -> Outcome {
        self.as_mut().time_out().into()
    }
}

pub(crate) struct Task {
    future: Box<dyn Waiting>,
    pub(crate) who: Who,
    bells: [Arc<Bell>; BELLS],
}

impl Task {
    /// How often each of its Wakers was called.
    pub(crate) fn rings(&self) -> [usize; BELLS] {
        let calls = self.bells.each_ref();
        calls.map(|bell| bell.0.load(Ordering::Relaxed))
    }

    /// How many Wakers the table has of each.
    pub(crate) fn wakers(&self) -> [usize; BELLS] {
        self.bells
            .each_ref()
            .map(|bell| Arc::strong_count(bell) - 1)
    }

    fn touch(&mut self, touch: Touch) -> Progress {
        match touch {
            Touch::Enable => self
                .future
                .enable()
                .map_or(Progress::Waits, Progress::Ended),
            Touch::Poll(bell) => {
                let waker = Waker::from(Arc::clone(&self.bells[bell]));
                match self.future.poll(&mut Context::from_waker(&waker)) {
                    Poll::Pending => Progress::Waits,
                    Poll::Ready(outcome) => Progress::Ended(outcome),
                }
            }
            Touch::TimeOut => Progress::Ended(self.future.time_out()),
            Touch::Drop => unreachable!("whoever owns it drops it"),
        }
    }
}

/// See the file.
pub(crate) struct Guests<P: Platform> {
    ground: Rc<Ground<P>>,
    pub(crate) tasks: BTreeMap<u64, Task>,
    pub(crate) seals: Vec<Pin<Box<ClosedKey<'static, Key, P>>>>,
}

impl<P: Platform> Guests<P> {
    pub(crate) fn new(ground: &Rc<Ground<P>>) -> Self {
        Self {
            ground: Rc::clone(ground),
            tasks: BTreeMap::new(),
            seals: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.seals.is_empty()
    }

    fn ground(&self) -> &'static Ground<P> {
        // SAFETY: only the guests use it, and when they are dropped the ground is still there;
        // those that are left over keep it for ever.
        unsafe { &*Rc::as_ptr(&self.ground) }
    }

    /// Not closed yet.
    pub(crate) fn seal(&self, hash: u64, key: u64) -> Pin<Box<ClosedKey<'static, Key, P>>> {
        Box::pin(self.ground().table.closed_key(hash, Key(key)))
    }

    pub(crate) fn add(&mut self, who: Who, now: u64) {
        let future: Box<dyn Waiting> = match (who.plan.manner, who.plan.keys.len()) {
            (Manner::Task(_), _) => {
                let (options, asked) = (who.options(now), who.clone());
                let (hash, key) = (who.hashes[0], Key(who.plan.keys[0]));
                let validate = move || asked.says_yes(0);
                let table = &self.ground().table;
                Box::new(Box::pin(table.wait_async(hash, key, options, validate)))
            }
            (_, 1) => self.any::<1>(&who, now),
            (_, 2) => self.any::<2>(&who, now),
            (_, 3) => self.any::<3>(&who, now),
            (_, count) => unreachable!("no task waits for {count} keys"),
        };
        let task = Task {
            future,
            who,
            bells: Default::default(),
        };
        self.tasks.insert(task.who.wait, task);
    }

    fn any<const N: usize>(&self, who: &Who, now: u64) -> Box<dyn Waiting> {
        let ground = self.ground();
        let entries = std::array::from_fn::<_, N, _>(|at| (who.hashes[at], Key(who.plan.keys[at])));
        let interrupter = who.interrupter.map(|at| &ground.interrupters[at]);
        let (options, asked) = (who.options(now), who.clone());
        let validate = move |entry| asked.says_yes(entry);
        let table = &ground.table;
        Box::new(Box::pin(table.wait_any_async(
            entries,
            options,
            interrupter,
            validate,
        )))
    }

    pub(crate) fn touch(&mut self, task: u64, touch: Touch) -> Progress {
        let progress = if touch == Touch::Drop {
            let task = self.tasks.remove(&task);
            catch(|| drop(task)).map(|()| Progress::Dropped)
        } else {
            let task = self.tasks.get_mut(&task).expect("a task that is there");
            catch(|| task.touch(touch))
        };
        progress.unwrap_or(Progress::Ended(Ended::Panicked.into()))
    }
}

impl<P: Platform> Drop for Guests<P> {
    /// Not empty only when a program failed.
    fn drop(&mut self) {
        if !self.is_empty() {
            std::mem::forget(std::mem::take(&mut self.tasks));
            std::mem::forget(std::mem::take(&mut self.seals));
            std::mem::forget(Rc::clone(&self.ground));
        }
    }
}
