//! Wakes, requeues, counts and closings, each with what it has to return.

use slotpark_core::{Candidate, Choice, Filter, Platform, RequeueOptions, Requeued};

use std::sync::atomic::Ordering;

use crate::oracle::{self, Doing};
use crate::program::ALL;
use crate::world::World;

impl<P: Platform> World<P> {
    pub(crate) fn wake(&self, key: u64, count: usize) -> usize {
        self.wake_by(
            key,
            count,
            (u32::MAX, oracle::passed_on(count, u32::MAX)),
            |token| self.table.unpark(self.at(key), &key, count, token),
        )
    }

    pub(crate) fn wake_bits(&self, key: u64, count: usize, bits: u32) {
        self.wake_by(
            key,
            count,
            (bits, oracle::passed_on(count, bits)),
            |token| {
                self.table
                    .unpark_bitset(self.at(key), &key, count, bits, token)
            },
        );
    }

    pub(crate) fn wake_filtered(&self, key: u64, count: usize, bits: u32) {
        self.wake_by(key, count, (u32::MAX, 0), |token| {
            let filter = |waiter: &Candidate| {
                let is_taken = waiter.tag as u32 & bits != 0;
                oracle::look_at(waiter.tag, is_taken);
                match is_taken {
                    true => Filter::Unpark,
                    false => Filter::Skip,
                }
            };
            let policy = |choice: Choice| {
                oracle::chosen(choice.count, choice.remain);
                token
            };
            self.table
                .unpark_with(self.at(key), &key, count, filter, policy)
        });
    }

    fn wake_by(
        &self,
        key: u64,
        count_max: usize,
        (bits, passes_on): (u32, u32),
        call: impl FnOnce(u64) -> usize,
    ) -> usize {
        let token = self.number();
        let doing = Doing::Wake {
            key,
            token,
            count_max,
            bits,
            passes_on,
            to_last: false,
        };
        let (done, woken) = oracle::during(doing, || call(token));
        assert_eq!(woken, done.woken, "a wake's count");
        woken
    }

    pub(crate) fn wake_last(&self, key: u64) {
        let token = self.number();
        let doing = Doing::Wake {
            key,
            token,
            count_max: 1,
            bits: u32::MAX,
            passes_on: u32::MAX,
            to_last: true,
        };
        let call = || self.table.unpark_last(self.at(key), &key, token);
        let (done, woken) = oracle::during(doing, call);
        assert_eq!(woken, done.woken, "a wake's count");
    }

    /// Everybody who waits for the old value is woken, whoever looks later sees the new one.
    pub(crate) fn change(&self, key: u64) {
        let version = self.values[key as usize].fetch_add(1, Ordering::SeqCst) + 1;
        self.wake(key, ALL);
        oracle::announce(key, version);
    }

    pub(crate) fn wake_where(&self, keys: u64) {
        let token = self.number();
        let doing = Doing::Where {
            keys,
            token: Some(token),
        };
        let (done, woken) = oracle::during(doing, || {
            self.table.unpark_where(|key| oracle::asked(*key), token)
        });
        assert_eq!(woken, done.woken, "a wake's count");
    }

    pub(crate) fn requeue(&self, (from, to): (u64, u64), wake_max: usize, move_max: usize) {
        let token = self.number();
        let options = RequeueOptions {
            wake_max,
            move_max,
            token,
        };
        let doing = Doing::Requeue {
            from,
            to,
            token,
            wake_max,
            move_max,
        };
        let validate = || {
            let is_allowed = !self.is_over();
            oracle::may_move(is_allowed);
            Ok::<_, ()>(is_allowed)
        };
        let (done, requeued) = oracle::during(doing, || {
            let (from, to) = ((self.at(from), &from), (self.at(to), &to));
            self.table.requeue(from, to, options, validate)
        });
        let requeued = requeued.expect("this validate has no errors");
        let expected = Requeued {
            woken: done.woken,
            moved: done.moved + done.closed,
        };
        assert_eq!(
            requeued.unwrap_or_default(),
            expected,
            "what was seen of it"
        );
        assert!(
            done.woken <= wake_max && expected.moved <= move_max,
            "{expected:?}"
        );
    }

    /// How many waiters it says there are, and how many locks it took.
    pub(crate) fn count(&self, key: u64) -> (usize, usize) {
        let (done, count) = oracle::during(Doing::Count { key }, || {
            self.table.waiters(self.at(key), &key)
        });
        let (least, most) = done.waiting;
        assert!(
            least <= count && count <= most,
            "{count} waiters, not {least} to {most}"
        );
        (count, done.looks)
    }

    pub(crate) fn close_key(&self, key: u64) {
        let (done, closed) = oracle::during(Doing::CloseKey { key }, || {
            self.table.close_key(self.at(key), &key)
        });
        assert_eq!(closed, done.closed, "a closing's count");
    }

    pub(crate) fn close_where(&self, keys: u64) {
        let doing = Doing::Where { keys, token: None };
        let (done, closed) =
            oracle::during(doing, || self.table.close_where(|key| oracle::asked(*key)));
        assert_eq!(closed, done.closed, "a closing's count");
    }

    /// Keeps a key closed while `then` runs.
    pub(crate) fn keep_closed(&self, key: u64, then: impl FnOnce()) {
        let mut closed = Box::pin(self.table.closed_key(self.at(key), key));
        oracle::closing(Some(key));
        let (done, count) = oracle::during(Doing::CloseKey { key }, || closed.as_mut().close());
        oracle::closed(Some(key));
        assert_eq!(count, done.closed, "a closing's count");
        then();
        oracle::opening(key);
        oracle::during(Doing::Other, || drop(closed));
        oracle::opened(key);
    }
}
