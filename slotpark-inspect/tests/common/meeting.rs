//! What tasks meet at, without a runtime.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
pub(crate) struct Place {
    is_open: AtomicBool,
    tasks: Mutex<Vec<Task>>,
}

impl Place {
    pub(crate) async fn pass(&self) {
        poll_fn(|_| match self.is_open.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
    }

    pub(crate) fn keep(&self, task: Task) {
        self.tasks.lock().unwrap().push(task);
    }

    /// Opens it, and polls all once more; they wait for ever.
    pub(crate) fn go(&self) {
        self.is_open.store(true, Ordering::Relaxed);
        let mut context = Context::from_waker(Waker::noop());
        for mut task in self.tasks.lock().unwrap().drain(..) {
            assert_eq!(task.as_mut().poll(&mut context), Poll::Pending);
            Box::leak(Box::new(task));
        }
    }
}
