//! Wakers that count, and futures that are polled by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often its Waker was called.
#[derive(Debug, Default)]
pub(crate) struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn rings(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

type Action = Box<dyn FnOnce() + Send>;

/// Does something when its Waker is called, once.
pub(crate) struct Trap(Mutex<Option<Action>>);

impl Wake for Trap {
    fn wake(self: Arc<Self>) {
        let action = self
            .0
            .lock()
            .expect("no trap panics while it is set")
            .take();
        if let Some(action) = action {
            action();
        }
    }
}

/// A Waker that runs `action`.
pub(crate) fn trap(action: impl FnOnce() + Send + 'static) -> Waker {
    Waker::from(Arc::new(Trap(Mutex::new(Some(Box::new(action))))))
}

/// Polls once.
pub(crate) fn poll_with<F: Future + ?Sized>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>, bell: &Arc<Bell>) -> Poll<F::Output> {
    poll_with(future, &Waker::from(Arc::clone(bell)))
}

/// Polls what must be ready.
pub(crate) fn ready<F: Future + ?Sized>(future: Pin<&mut F>) -> F::Output {
    match poll_with(future, Waker::noop()) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it is not ready"),
    }
}
