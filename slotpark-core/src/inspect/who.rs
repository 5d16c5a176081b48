//! Who waits or holds: a thread's number, and the task that it polls.
//!
//! A task is known if its future was given a name by [`task_label`]; else nothing tells one poll of
//! it from another, and its waits have no number.

use core::num::NonZeroU32;

/// Who it was.
#[derive(Clone, Copy)]
pub(super) struct Who {
    thread: Option<NonZeroU32>,
    task: Option<Task>,
}

/// A task that has a name.
#[derive(Clone, Copy)]
struct Task {
    number: u64,
    label: &'static str,
}

impl Who {
    pub(super) const NOBODY: Self = Self {
        thread: None,
        task: None,
    };

    pub(super) fn thread(self) -> Option<u32> {
        self.thread.map(NonZeroU32::get)
    }

    /// The same, with the thread of another.
    #[cfg(all(feature = "inspect", not(any(slotpark_loom, slotpark_shuttle))))]
    pub(super) fn of_thread(self, other: Self) -> Self {
        Self {
            thread: other.thread,
            ..self
        }
    }

    pub(super) fn task(self) -> Option<u64> {
        self.task.map(|task| task.number)
    }

    pub(super) fn task_label(self) -> Option<&'static str> {
        self.task.map(|task| task.label)
    }
}

pub(crate) use known::forget;
#[cfg(all(feature = "std", not(any(slotpark_loom, slotpark_shuttle))))]
pub use known::{TaskLabel, task_label};

#[cfg(all(feature = "std", not(any(slotpark_loom, slotpark_shuttle))))]
mod known {
    use core::cell::Cell;
    use core::fmt;
    use core::future::Future;
    use core::num::NonZeroU32;
    use core::pin::Pin;
    use core::task::{Context, Poll};

    use super::{Task, Who};
    use crate::platform::thread_id;
    use crate::sync::next_number;

    std::thread_local! {
        // Const and without destructors: no allocation, usable in thread-local destructors.
        static THREAD: Cell<Option<NonZeroU32>> = const { Cell::new(None) };
        static TASK: Cell<Option<Task>> = const { Cell::new(None) };
    }

    impl Who {
        pub(in crate::inspect) fn now() -> Self {
            Self {
                thread: THREAD.with(|own| own.get().or_else(|| ask(own))),
                task: TASK.with(Cell::get),
            }
        }
    }

    #[cold]
    fn ask(own: &Cell<Option<NonZeroU32>>) -> Option<NonZeroU32> {
        // Where threads have no numbers, they are counted.
        let number = thread_id().unwrap_or_else(|| next_number() as u32);
        own.set(NonZeroU32::new(number));
        own.get()
    }

    /// In the child of a fork this thread has another number.
    pub(crate) fn forget() {
        THREAD.with(|own| own.set(None));
    }

    /// Gives a future a name: while it is polled, what it waits for and what it locks is known to
    /// be a task's, by this name and a number of its own. Its waits and what it holds have the
    /// same number.
    ///
    /// ```
    /// use slotpark_core::{Detail, HoldOptions, Inspect, KeyedLock, Seen, set_detail, task_label};
    /// # fn block_on<F: std::future::Future>(future: F) -> F::Output {
    /// #     let mut future = std::pin::pin!(future);
    /// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    /// #     match future.as_mut().poll(&mut context) {
    /// #         std::task::Poll::Ready(output) => output,
    /// #         std::task::Poll::Pending => unreachable!(),
    /// #     }
    /// # }
    /// set_detail(Detail::Timing);
    /// let lock = KeyedLock::<u64>::new(1);
    /// block_on(task_label("compaction", async {
    ///     let guard = lock.hold_async(1, 7, HoldOptions::new(1)).await;
    ///     let mut seen = [Seen::default()];
    ///     assert_eq!(lock.look(1, &mut seen), 1);
    ///     assert_eq!(seen[0].task_label, Some("compaction"));
    /// }));
    /// ```
    pub fn task_label<F: Future>(label: &'static str, future: F) -> TaskLabel<F> {
        TaskLabel {
            task: Task {
                number: next_number(),
                label,
            },
            future,
        }
    }

    /// A future that has a name: made by [`task_label`].
    ///
    /// ```
    /// let future = slotpark_core::task_label("compaction", async {});
    /// assert!(format!("{future:?}").contains("compaction"));
    /// ```
    #[must_use = "a future does nothing unless it is polled"]
    pub struct TaskLabel<F> {
        task: Task,
        /// Pinned with the whole.
        future: F,
    }

    impl<F: Future> Future for TaskLabel<F> {
        type Output = F::Output;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
            let _before = Polled(TASK.with(|own| own.replace(Some(self.task))));
            // SAFETY: the future is pinned with the whole, which is not moved.
            let future = unsafe { self.map_unchecked_mut(|whole| &mut whole.future) };
            future.poll(context)
        }
    }

    /// Restores what was polled before, also by a panic.
    struct Polled(Option<Task>);

    impl Drop for Polled {
        fn drop(&mut self) {
            TASK.with(|own| own.set(self.0));
        }
    }

    impl<F> fmt::Debug for TaskLabel<F> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("TaskLabel")
                .field("label", &self.task.label)
                .finish_non_exhaustive()
        }
    }
}

#[cfg(not(all(feature = "std", not(any(slotpark_loom, slotpark_shuttle)))))]
mod known {
    use super::Who;

    impl Who {
        pub(in crate::inspect) fn now() -> Self {
            #[cfg(any(slotpark_loom, slotpark_shuttle))]
            let thread = None;
            #[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
            let thread = crate::platform::thread_id().and_then(core::num::NonZeroU32::new);
            Self { thread, task: None }
        }
    }

    pub(crate) fn forget() {}
}
