//! The waits of tasks: futures that a thread polls, sleeps for, times out or drops.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use shuttle::thread;
use slotpark_core::{Platform, Wait, WaitAny};

use crate::bell::Bell;
use crate::oracle::{self, Begun, Doing, Done, Told};
use crate::program::{Brings, Plan, PlanEnd};
use crate::world::World;

/// What both kinds of futures can do.
trait Task: Future<Output: Into<Told>> {
    fn enable_now(self: Pin<&mut Self>) -> Option<Told>;
    fn time_out_now(self: Pin<&mut Self>) -> Told;
}

impl<F: FnMut() -> bool, P: Platform> Task for Wait<'_, u64, F, P> {
    fn enable_now(self: Pin<&mut Self>) -> Option<Told> {
        self.enable().map(Told::from)
    }

    fn time_out_now(self: Pin<&mut Self>) -> Told {
        self.time_out().into()
    }
}

impl<F: FnMut(usize) -> bool, P: Platform, const N: usize> Task for WaitAny<'_, u64, F, P, N> {
    fn enable_now(self: Pin<&mut Self>) -> Option<Told> {
        self.enable().map(Told::from)
    }

    fn time_out_now(self: Pin<&mut Self>) -> Told {
        self.time_out().into()
    }
}

/// The wait that a future is in now, and the versions that it waits for the end of.
#[derive(Default)]
struct Now {
    wait: Cell<u64>,
    versions: RefCell<Vec<u32>>,
}

impl<P: Platform> World<P> {
    pub(crate) fn task(&self, key: u64, brings: Brings, plan: Plan) {
        let (number, now) = (self.number(), Now::default());
        let validate = || self.validate(now.wait.get(), 0, key, now.versions.borrow()[0]);
        let options = brings.options(number);
        let task = self.table.wait_async(self.at(key), key, options, validate);
        self.follow(
            Box::pin(task),
            (number, &now),
            &[key],
            brings.of_task(),
            plan,
        );
    }

    pub(crate) fn task_any(&self, thread: usize, keys: [u64; 2], brings: Brings, plan: Plan) {
        let (number, now) = (self.number(), Now::default());
        let validate = |entry: usize| {
            let version = now.versions.borrow()[entry];
            self.validate(now.wait.get(), entry, keys[entry], version)
        };
        let entries = keys.map(|key| (self.at(key), key));
        let options = brings.options(number);
        let interrupter = self.interrupter(thread, brings);
        let task = self
            .table
            .wait_any_async(entries, options, interrupter, validate);
        let begun = brings.of_claimed_task(thread);
        self.follow(Box::pin(task), (number, &now), &keys, begun, plan);
    }

    /// Lives through the plan, and through it again if it says so.
    fn follow<T: Task>(
        &self,
        mut task: Pin<Box<T>>,
        (number, now): (u64, &Now),
        keys: &[u64],
        begun: Begun,
        plan: Plan,
    ) {
        let mut wait = number;
        let mut rounds = 1 + u32::from(plan.again);
        loop {
            now.wait.set(wait);
            now.versions
                .replace(self.begin(number, wait, keys, begun.clone()));
            if !is_finished(&mut task, wait, plan) {
                break;
            }
            rounds -= 1;
            if rounds == 0 {
                return;
            }
            oracle::saw("a future waited again", 1);
            wait = self.number();
        }
        oracle::is_over(wait);
        let (done, ()) = oracle::during(Doing::Wait { wait }, || drop(task));
        oracle::saw("a task passed a wake on", done.woken);
        oracle::left(wait, done);
    }
}

/// One wait of a future; false if the future is to be dropped.
fn is_finished<T: Task>(task: &mut Pin<Box<T>>, wait: u64, plan: Plan) -> bool {
    if plan.enables {
        let (done, told) = oracle::during(Doing::Wait { wait }, || task.as_mut().enable_now());
        if let Some(told) = told {
            oracle::judge(wait, done, told);
            return true;
        }
        oracle::saw("a future was queued before its first poll", 1);
    }
    let mut bell = Bell::new();
    for poll in 0..plan.polls {
        if plan.renews && poll > 0 {
            bell = Bell::new();
            oracle::saw("a future was polled with a new Waker", 1);
        }
        if is_ready(task, wait, &bell) {
            return true;
        }
        for _ in 0..plan.pauses {
            thread::yield_now();
        }
    }
    match plan.end {
        PlanEnd::Finish => {
            if !is_ready(task, wait, &bell) {
                bell.wait();
                assert!(
                    is_ready(task, wait, &bell),
                    "wait {wait}: its Waker was called, and it is not ready"
                );
            }
            true
        }
        PlanEnd::TimeOut => {
            oracle::is_over(wait);
            oracle::may_time_out(wait);
            let told = || task.as_mut().time_out_now();
            let (done, told) = oracle::during(Doing::Wait { wait }, told);
            oracle::saw(
                "a timer fired too late",
                usize::from(told.parked.is_woken()),
            );
            oracle::judge(wait, done, told);
            true
        }
        PlanEnd::Drop => false,
    }
}

/// Polls once.
fn is_ready<T: Task>(task: &mut Pin<Box<T>>, wait: u64, bell: &std::sync::Arc<Bell>) -> bool {
    let waker = bell.waker();
    let poll = || task.as_mut().poll(&mut Context::from_waker(&waker));
    let (done, polled): (Done, Poll<T::Output>) = oracle::during(Doing::Wait { wait }, poll);
    match polled {
        Poll::Pending => false,
        Poll::Ready(output) => {
            oracle::judge(wait, done, output.into());
            true
        }
    }
}
