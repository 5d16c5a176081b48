//! Tasks wait for many keys.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `task`.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::inspect::Caller;
use crate::keyed::lock::KeyedLock;
use crate::keyed::many::{HoldingMany, KeyList, Merge, Wanted};
use crate::keyed::options::{HoldError, HoldOptions};
use crate::keyed::task::Hold;
use crate::platform::Platform;

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// Waits until all keys can be held as [`hold_many`](Self::hold_many) does, as a future. The
    /// places in the pool are taken now.
    ///
    /// # Errors
    /// [`HoldError::PoolFull`].
    ///
    /// # Panics
    /// As [`hold_many`](Self::hold_many).
    ///
    /// ```
    /// use slotpark_core::{KeyedLock, Merge, Wanted};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let lock = KeyedLock::<u64>::new(1);
    /// let wanted = [(1, 7), (2, 8)].map(|(hash, key)| Wanted::new(hash, key, 1));
    /// let mut hold = pin!(lock.hold_many_async(wanted, Merge::Max).unwrap());
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(matches!(hold.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    /// ```
    #[track_caller]
    pub fn hold_many_async<L: KeyList<Wanted<K>>>(
        &self,
        wanted: L,
        merge: Merge,
    ) -> Result<HoldMany<'_, K, P, L>, HoldError> {
        Ok(HoldMany {
            lock: self,
            caller: Caller::here(),
            hold: None,
            many: Some(self.many(wanted, merge)?),
        })
    }
}

/// An attempt to hold many keys, as a future made by [`KeyedLock::hold_many_async`].
///
/// **Cancel safety.** Dropping it is safe at any moment and never waits: afterwards it holds
/// nothing.
///
/// # Panics
/// If polled after it is done.
///
/// ```
/// use slotpark_core::{KeyedLock, Merge, Wanted};
/// let lock = KeyedLock::<u64>::new(1);
/// let hold = lock.hold_many_async([Wanted::new(1, 7, 1)], Merge::Max).unwrap();
/// assert!(format!("{hold:?}").starts_with("HoldMany"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct HoldMany<'l, K: Eq + 'l, P: Platform, L: KeyList<Wanted<K>>> {
    lock: &'l KeyedLock<K, P>,
    caller: Caller,
    /// The wait for one key; pinned with the whole.
    hold: Option<Hold<'l, K, P>>,
    many: Option<HoldingMany<'l, K, P, L>>,
}

impl<'l, K: Eq, P: Platform, L: KeyList<Wanted<K>>> Future for HoldMany<'l, K, P, L> {
    type Output = Result<HoldingMany<'l, K, P, L>, HoldError>;

    /// Any Waker will do, also another one at each poll: the last one is called.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: only `hold` is pinned, and it is dropped where it lies.
        let this = unsafe { self.get_unchecked_mut() };
        let many = this.many.as_mut();
        let many = many.expect("slotpark: polled after it was done");
        loop {
            if let Some(hold) = &mut this.hold {
                // SAFETY: it is pinned with the whole: it is not moved until it is dropped.
                let hold = unsafe { Pin::new_unchecked(hold) };
                let Poll::Ready(held) = hold.poll(context) else {
                    return Poll::Pending;
                };
                this.hold = None;
                match held {
                    Ok(holding) => many.got(holding),
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            let Some((place, amount)) = many.next() else {
                let Some(many) = this.many.take() else {
                    return Poll::Pending;
                };
                return Poll::Ready(Ok(many));
            };
            let options = HoldOptions::new(amount).called(this.caller);
            this.hold = Some(Hold::by(this.lock, place, options));
        }
    }
}

impl<K: Eq, P: Platform, L: KeyList<Wanted<K>>> fmt::Debug for HoldMany<'_, K, P, L> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoldMany")
            .field("waits", &self.hold.is_some())
            .finish_non_exhaustive()
    }
}
