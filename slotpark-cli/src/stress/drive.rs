//! Futures, driven by the thread that owns them: polled with one Waker and then another, timed out,
//! or dropped, before the first poll, while they are queued, or once their Waker was called.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Instant;

use slotpark::{AnyOutcome, Receive, ReceiveError, WaitAnyFuture, WaitFuture, WaitOutcome};

use super::actor::{Actor, Patience};
use super::planned::Key;

/// What the library's futures have in common.
pub(super) trait Wait: Future {
    /// Queues now; how it ended if it does not wait.
    fn begin(self: Pin<&mut Self>) -> Option<Self::Output>;

    /// The deadline has passed.
    fn give_in(self: Pin<&mut Self>) -> Self::Output;
}

impl<F: FnMut() -> bool> Wait for WaitFuture<'_, Key, F, slotpark::DefaultPlatform> {
    fn begin(self: Pin<&mut Self>) -> Option<WaitOutcome> {
        self.enable()
    }

    fn give_in(self: Pin<&mut Self>) -> WaitOutcome {
        self.time_out()
    }
}

impl<F, const N: usize> Wait for WaitAnyFuture<'_, Key, F, slotpark::DefaultPlatform, N>
where
    F: FnMut(usize) -> bool,
{
    fn begin(self: Pin<&mut Self>) -> Option<AnyOutcome> {
        self.enable()
    }

    fn give_in(self: Pin<&mut Self>) -> AnyOutcome {
        self.time_out()
    }
}

impl<V> Wait for Receive<'_, Key, V, slotpark::DefaultPlatform> {
    fn begin(self: Pin<&mut Self>) -> Option<Result<V, ReceiveError>> {
        self.enable().map(Err)
    }

    fn give_in(self: Pin<&mut Self>) -> Result<V, ReceiveError> {
        self.time_out()
    }
}

/// A future that neither queues before its first poll nor times out: at its deadline it is dropped.
pub(super) struct Plain<F>(pub(super) Pin<Box<F>>);

impl<F: Future> Future for Plain<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<F: Future> Wait for Plain<F> {
    fn begin(self: Pin<&mut Self>) -> Option<F::Output> {
        unreachable!("its course says so")
    }

    fn give_in(self: Pin<&mut Self>) -> F::Output {
        unreachable!("its course says so")
    }
}

/// What a thread does with a future.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// Queued before the first poll.
    begins: bool,
    /// Polled at all.
    polls: bool,
    /// How often it is polled for nothing, each time with another Waker if the bit says so.
    polls_again: u32,
    wakers: u64,
    /// Dropped when its Waker is called: then it was chosen.
    drops_chosen: bool,
    /// Dropped at its deadline, not timed out.
    drops_late: bool,
    deadline: Option<Instant>,
}

/// What has become of it.
#[derive(Debug)]
pub(super) enum Driven<T> {
    /// It never waited.
    AtStart(T),
    Ended(T),
    /// It is to be dropped, and may have been chosen if it was queued.
    GivenUp {
        queued: bool,
    },
}

impl Course {
    pub(super) fn draw(actor: &mut Actor<'_>, patience: Patience) -> Self {
        Self {
            begins: actor.one_in(2),
            // Who waits without a deadline is taken for one that only a wake can end.
            polls: patience.is_endless() || !actor.one_in(8),
            polls_again: actor.below(0..3),
            wakers: actor.bits(),
            drops_chosen: actor.one_in(4),
            drops_late: actor.one_in(2),
            deadline: patience.instant(),
        }
    }

    /// The same with a future that can be polled and dropped, and nothing else.
    pub(super) fn of_plain(self) -> Self {
        Self {
            begins: false,
            drops_late: true,
            ..self
        }
    }

    /// Until it has ended, or is to be dropped.
    pub(super) fn drive<W: Wait>(self, mut wait: Pin<&mut W>) -> Driven<W::Output> {
        if self.begins
            && let Some(ended) = wait.as_mut().begin()
        {
            return Driven::AtStart(ended);
        }
        let mut queued = self.begins;
        if !self.polls {
            return Driven::GivenUp { queued };
        }
        let mut bell = Bell::new();
        let mut polls_again = (0..self.polls_again).map(|poll| self.wakers >> poll & 1 == 1);
        loop {
            let waker = Waker::from(Arc::clone(&bell));
            match wait.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(ended) if queued => return Driven::Ended(ended),
                Poll::Ready(ended) => return Driven::AtStart(ended),
                Poll::Pending => queued = true,
            }
            match polls_again.next() {
                Some(true) => bell = Bell::new(),
                Some(false) => {}
                None if bell.is_rung_by(self.deadline) => {
                    if self.drops_chosen {
                        return Driven::GivenUp { queued };
                    }
                }
                None if self.drops_late => return Driven::GivenUp { queued },
                None => return Driven::Ended(wait.give_in()),
            }
        }
    }
}

/// A Waker of its own: only the last one that a future was given has to be called.
struct Bell {
    thread: Thread,
    rung: AtomicBool,
}

impl Bell {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            thread: std::thread::current(),
            rung: AtomicBool::new(false),
        })
    }

    /// Waits for it; false if the deadline has passed.
    fn is_rung_by(&self, deadline: Option<Instant>) -> bool {
        // Relaxed: what the waker did is published by the library, if at all.
        while !self.rung.swap(false, Ordering::Relaxed) {
            let Some(deadline) = deadline else {
                std::thread::park();
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::park_timeout(left);
        }
        true
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

/// Says whether its Waker was called.
pub(super) struct Rung(AtomicBool);

impl Rung {
    pub(super) fn new() -> (Arc<Self>, Waker) {
        let rung = Arc::new(Self(AtomicBool::new(false)));
        (Arc::clone(&rung), Waker::from(rung))
    }

    pub(super) fn is_rung(&self) -> bool {
        // Relaxed: asked by a thread that has done itself what calls the Waker.
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Rung {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
