//! A Waker of the scheduler's, and the thread that waits for it.

use std::sync::Arc;
use std::task::{Wake, Waker};

use shuttle::sync::{Condvar, Mutex};

/// Rung by its Waker.
#[derive(Debug)]
pub(crate) struct Bell {
    is_rung: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.is_rung.lock().expect("no holder panics") = true;
        self.changed.notify_all();
    }
}

impl Bell {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            is_rung: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// Sleeps until it is rung. A lost wake is a deadlock, which the scheduler reports.
    pub(crate) fn wait(&self) {
        let mut is_rung = self.is_rung.lock().expect("no holder panics");
        while !*is_rung {
            is_rung = self.changed.wait(is_rung).expect("no holder panics");
        }
    }
}
