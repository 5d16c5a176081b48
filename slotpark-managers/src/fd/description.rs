//! What descriptors lead to, and what a call holds of one.

use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use crate::event::{Event, Seen};
use crate::{Errno, Waits};

type Hook<T> = Box<dyn FnOnce(&T) + Send + Sync>;

/// An open file description: what `open` makes, and what all descriptors that `dup` and `fork` make
/// of one lead to. It ends with the last of them; also a clone of it keeps it open, as a message
/// does in which a descriptor is sent.
///
/// ```
/// use slotpark_managers::{Description, FdTable, Waits};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// let is_gone = Arc::new(AtomicBool::new(false));
/// let gone = Arc::clone(&is_gone);
/// let file = Description::new("file").on_last_close(move |_| gone.store(true, Ordering::Relaxed));
/// let files = FdTable::new(Arc::new(Waits::new()));
/// let first = files.install(file, false)?;
/// let second = files.dup(first)?;
/// files.close(first)?;
/// assert!(!is_gone.load(Ordering::Relaxed));
/// files.close(second)?;
/// assert!(is_gone.load(Ordering::Relaxed));
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
pub struct Description<T>(Arc<Opened<T>>);

struct Opened<T> {
    object: Arc<T>,
    hook: Option<Hook<T>>,
}

impl<T> Drop for Opened<T> {
    fn drop(&mut self) {
        if let Some(hook) = self.hook.take() {
            hook(&self.object);
        }
    }
}

impl<T> Description<T> {
    /// One of this object, which nothing happens to when it ends.
    ///
    /// ```
    /// assert_eq!(*slotpark_managers::Description::new(7), 7);
    /// ```
    #[must_use]
    pub fn new(object: T) -> Self {
        let object = Arc::new(object);
        Self(Arc::new(Opened { object, hook: None }))
    }

    /// What to do when it ends: to close a pipe's end. It runs with no lock held, once, where the
    /// last descriptor is closed: in `close`, `dup2`, `exec`, or where a table is dropped. Calls
    /// that are blocked then have been woken, and may still have the object.
    ///
    /// On a description that is shared already this does nothing but return it.
    ///
    /// ```
    /// use slotpark_managers::Description;
    /// let file = Description::new(7).on_last_close(|number| assert_eq!(*number, 7));
    /// drop(file);
    /// ```
    #[must_use]
    pub fn on_last_close(mut self, hook: impl FnOnce(&T) + Send + Sync + 'static) -> Self {
        if let Some(opened) = Arc::get_mut(&mut self.0) {
            opened.hook = Some(Box::new(hook));
        }
        self
    }

    /// Whether both are one description: `kcmp(2)`.
    ///
    /// ```
    /// use slotpark_managers::Description;
    /// let file = Description::new(7);
    /// assert!(file.is_same(&file.clone()) && !file.is_same(&Description::new(7)));
    /// ```
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn object(&self) -> &Arc<T> {
        &self.0.object
    }
}

impl<T> Clone for Description<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Description<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.object
    }
}

impl<T: fmt::Debug> fmt::Debug for Description<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Description").field(&self.0.object).finish()
    }
}

/// A descriptor as a call has it, from [`FdTable::get`](super::FdTable::get) on: the object, which
/// stays as long as this does, and whether the descriptor is still open.
///
/// ```
/// use slotpark_managers::{Description, FdTable, Waits};
/// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
/// let number = files.install(Description::new("file"), false)?;
/// let open = files.get(number)?;
/// files.close(number)?;
/// assert!(!open.is_open());
/// assert_eq!(*open, "file");
/// # Ok::<_, slotpark_managers::Errno>(())
/// ```
pub struct OpenFd<T> {
    pub(super) object: Arc<T>,
    pub(super) closed: Arc<Event>,
    pub(super) waits: Arc<Waits>,
}

impl<T> OpenFd<T> {
    /// Whether this descriptor is open: this one, not another that has its number now.
    ///
    /// ```
    /// # use slotpark_managers::{Description, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// let number = files.install(Description::new("file"), false)?;
    /// assert!(files.get(number)?.is_open());
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.closed.has_advanced()
    }

    /// The object by itself, to be kept.
    ///
    /// ```
    /// # use slotpark_managers::{Description, FdTable, Waits};
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// let number = files.install(Description::new("file"), false)?;
    /// assert_eq!(**files.get(number)?.object(), "file");
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn object(&self) -> &Arc<T> {
        &self.object
    }

    /// What a future returns, unless the descriptor is closed before: then the future is dropped.
    /// What that does to its call, its own page says. Threads have
    /// [`Block::through`](crate::Block::through).
    ///
    /// **Cancel safety.** Dropping this drops the future, and leaves nothing.
    ///
    /// # Errors
    /// EBADF: it was closed. ECANCELED: the table of waits was.
    ///
    /// ```
    /// # use slotpark_managers::{Description, Errno, FdTable, Waits};
    /// # futures_lite::future::block_on(async {
    /// let files = FdTable::new(std::sync::Arc::new(Waits::new()));
    /// let number = files.install(Description::new("file"), false)?;
    /// let open = files.get(number)?;
    /// assert_eq!(open.until_closed(async { 7 }).await, Ok(7));
    /// files.close(number)?;
    /// assert_eq!(open.until_closed(std::future::pending::<()>()).await, Err(Errno::BadFd));
    /// # Ok::<_, Errno>(())
    /// # });
    /// ```
    pub async fn until_closed<F: Future>(&self, future: F) -> Result<F::Output, Errno> {
        let mut future = pin!(future);
        let mut closed = pin!(self.closed.wait_async(&self.waits, Seen::FIRST));
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(Ok(output));
            }
            let closed = closed.as_mut().poll(context);
            closed.map(|ended| Err(ended.err().unwrap_or(Errno::BadFd)))
        })
        .await
    }

    /// What is moved on when it is closed, and where that is told.
    pub(crate) fn closed(&self) -> (&Event, &Waits) {
        (&self.closed, &self.waits)
    }
}

impl<T> Deref for OpenFd<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.object
    }
}

impl<T: fmt::Debug> fmt::Debug for OpenFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFd")
            .field("object", &self.object)
            .field("is_open", &self.is_open())
            .finish_non_exhaustive()
    }
}
