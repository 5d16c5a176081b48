//! The threads of a program as far as its end is concerned: who acts, who waits for ever, and
//! whether anybody is left who could act.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use shuttle::rand::Rng;
use shuttle::thread;

use crate::bell::Bell;
use crate::oracle;

/// Looks at somebody who should go on and does not, before that is a finding: each lets others run.
const LOOKS: usize = 5_000;

/// What a future lives through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// So many polls, and so often it lets others run after each.
    polls: u32,
    pauses: u32,
    /// Then it is dropped, else polled whenever its Waker is called.
    is_dropped: bool,
}

impl Plan {
    pub(crate) fn random(rng: &mut impl Rng) -> Self {
        Self {
            polls: rng.gen_range(0..4),
            pauses: rng.gen_range(0..6),
            is_dropped: rng.gen_bool(0.4),
        }
    }

    /// The same, of a future that is not dropped.
    pub(crate) fn kept(self) -> Self {
        Self {
            is_dropped: false,
            ..self
        }
    }
}

/// See the file. Its numbers are no steps of the program: the scheduler does not see them.
#[derive(Debug)]
pub(crate) struct Crew {
    /// Neither at home nor in a wait that others have to end.
    acting: AtomicUsize,
    waiting: AtomicUsize,
    /// How often anybody has begun or ended such a wait.
    moves: AtomicUsize,
}

impl Crew {
    pub(crate) fn new(threads: usize) -> Self {
        Self {
            acting: AtomicUsize::new(threads),
            waiting: AtomicUsize::new(0),
            moves: AtomicUsize::new(0),
        }
    }

    /// The calling thread is in `wait`, which others have to end.
    pub(crate) fn waits<R>(&self, wait: impl FnOnce() -> R) -> R {
        self.stands_still();
        let result = wait();
        self.goes_on();
        result
    }

    /// The calling thread begins a wait that others have to end.
    pub(crate) fn stands_still(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.acting.fetch_sub(1, Ordering::Relaxed);
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// It has ended.
    pub(crate) fn goes_on(&self) {
        self.acting.fetch_add(1, Ordering::Relaxed);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn comes_home(&self) {
        self.acting.fetch_sub(1, Ordering::Relaxed);
    }

    /// Polls a future as the plan says; `None` if it was dropped.
    pub(crate) fn follow<F: Future>(
        &self,
        mut future: Pin<Box<F>>,
        plan: Plan,
    ) -> Option<F::Output> {
        let mut bell = Bell::new();
        for _ in 0..plan.polls {
            if let Poll::Ready(output) = poll(future.as_mut(), &bell) {
                return Some(output);
            }
            for _ in 0..plan.pauses {
                thread::yield_now();
            }
            bell = Bell::new();
        }
        if plan.is_dropped {
            oracle::saw("a task was dropped", 1);
            return None;
        }
        loop {
            if let Poll::Ready(output) = poll(future.as_mut(), &bell) {
                return Some(output);
            }
            self.waits(|| bell.wait());
            bell = Bell::new();
        }
    }

    fn stands(&self) -> [usize; 3] {
        [&self.acting, &self.waiting, &self.moves].map(|count| count.load(Ordering::Relaxed))
    }

    /// Nobody acts, and who waits is queued: so many are.
    fn is_quiet(&self, queued: impl Fn() -> usize) -> bool {
        let before = self.stands();
        before[0] == 0 && before[1] > 0 && queued() == before[1] && self.stands() == before
    }

    /// Lets the others run until all have come home. Whenever nobody acts, `is_right` must say that
    /// nobody who is queued ought to have been woken; then `help` ends waits.
    pub(crate) fn bring_home(
        &self,
        queued: impl Fn() -> usize,
        is_right: impl Fn() -> bool,
        help: impl Fn(),
    ) {
        while self.stands()[..2] != [0, 0] {
            thread::yield_now();
            if !self.is_quiet(&queued) {
                continue;
            }
            // Who has queued again may be about to look after the others.
            let mut looks = 0;
            while !is_right() && self.is_quiet(&queued) {
                assert!(looks < LOOKS, "all is quiet, and somebody waits in vain");
                looks += 1;
                thread::yield_now();
            }
            if self.is_quiet(&queued) {
                oracle::saw("all was quiet", 1);
                help();
            }
        }
    }
}

fn poll<F: Future>(future: Pin<&mut F>, bell: &Arc<Bell>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&bell.waker()))
}
