//! What programs of words wait over, and their tasks.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use slotpark_core::{
    At, Clock, Deadline, Platform, RawEventCounter, RawSemaphore, Table, slot_lock_held,
};

use crate::program::BELLS;
use crate::words::What;
use crate::words_expected::Out;

/// What waits are over. The semaphore's key is 0, the counter's is 1.
pub(crate) struct Ground<P: Platform> {
    pub(crate) table: Table<u64, P>,
    pub(crate) semaphore: RawSemaphore,
    pub(crate) events: RawEventCounter,
    pub(crate) hashes: [u64; 2],
}

impl<P: Platform> Ground<P> {
    pub(crate) fn at(&self, key: u64) -> At<'_, u64, P> {
        At {
            table: &self.table,
            hash: self.hashes[key as usize],
            key,
        }
    }

    pub(crate) fn wait(&self, what: What, deadline: Option<u64>) -> Out {
        let deadline = deadline.map(|at| Deadline::new(Clock::Monotonic, at));
        match what {
            What::Permits(count) => {
                Out::Permits(self.semaphore.acquire(self.at(0), count, deadline))
            }
            What::Events(count) => {
                Out::Events(self.events.wait_for_at_least(self.at(1), count, deadline))
            }
        }
    }

    pub(crate) async fn wait_async(&self, what: What) -> Out {
        match what {
            What::Permits(count) => {
                Out::Permits(self.semaphore.acquire_async(self.at(0), count).await)
            }
            What::Events(count) => {
                Out::Events(self.events.wait_for_at_least_async(self.at(1), count).await)
            }
        }
    }
}

/// Counts the calls of its Waker.
#[derive(Default)]
pub(crate) struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        assert!(!slot_lock_held(), "a Waker is called under a slot lock");
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

pub(crate) struct Task {
    future: Pin<Box<dyn Future<Output = Out>>>,
    bells: [Arc<Bell>; BELLS],
}

impl Task {
    pub(crate) fn new(future: impl Future<Output = Out> + 'static) -> Self {
        Self {
            future: Box::pin(future),
            bells: Default::default(),
        }
    }

    /// How often each of its Wakers was called.
    pub(crate) fn rings(&self) -> [usize; BELLS] {
        let bells = self.bells.each_ref();
        bells.map(|bell| bell.0.load(Ordering::Relaxed))
    }

    pub(crate) fn poll(&mut self, bell: usize) -> Option<Out> {
        let waker = Waker::from(Arc::clone(&self.bells[bell]));
        let context = &mut Context::from_waker(&waker);
        match self.future.as_mut().poll(context) {
            Poll::Ready(out) => Some(out),
            Poll::Pending => None,
        }
    }
}
