//! A Waker of the model, and the thread that waits for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::{Condvar, Mutex};

/// Rung by its Waker. Counts how often.
#[derive(Debug)]
pub(crate) struct Bell {
    rings: Mutex<usize>,
    changed: Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rings.lock().unwrap() += 1;
        self.changed.notify_all();
    }
}

impl Bell {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            rings: Mutex::new(0),
            changed: Condvar::new(),
        })
    }

    /// Sleeps until it has been rung. A lost wake is a deadlock, which the model checker reports.
    pub(crate) fn wait(&self) {
        let mut rings = self.rings.lock().unwrap();
        while *rings == 0 {
            rings = self.changed.wait(rings).unwrap();
        }
    }
}

/// Polls once, with a bell of its own if none is given.
pub(crate) fn poll<F: Future>(future: Pin<&mut F>, bell: &Arc<Bell>) -> Poll<F::Output> {
    let waker = Waker::from(Arc::clone(bell));
    future.poll(&mut Context::from_waker(&waker))
}

/// Polls until it is ready, asleep in between.
pub(crate) fn finish<F: Future>(mut future: Pin<&mut F>, bell: &Arc<Bell>) -> F::Output {
    if let Poll::Ready(output) = poll(future.as_mut(), bell) {
        return output;
    }
    bell.wait();
    match poll(future, bell) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("its Waker was called, and it is not ready"),
    }
}
