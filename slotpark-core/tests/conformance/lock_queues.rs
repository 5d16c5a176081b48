//! Locks that are handed over: who waits for them, in which order they go, and what becomes of them
//! when an owner comes to its end. Each story runs on the kernel and on the tables.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use slotpark_core::{PI_OWNER_DIED, PI_WAITERS};

use super::actors::{Actor, assert_word, end, words};
use super::calls::*;
use super::common::watchdog;
use super::sides::{Side, sides};

const W: u32 = PI_WAITERS;
const D: u32 = PI_OWNER_DIED;

const fn on(at: At, op: i32) -> Call {
    Call(at, op, 1, NONE, Null, 0)
}
const LOCK: Call = on(A, LOCK_PI);
const UNLOCK: Call = on(A, UNLOCK_PI);
const PAST: Call = Call(A, LOCK_PI, 0, NOW, Null, 0);

/// A call with its time a little ahead on the wall clock.
pub(crate) fn soon(Call(at, op, val, _, at2, val3): Call) -> Call {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let time = since.expect("it is past 1970") + Duration::from_millis(50);
    let time = Time(time.as_secs() as i64, time.subsec_nanos().into());
    Call(at, op, val, time, at2, val3)
}

/// Runs a story on each side, with the words A, which is free, and B, which is too.
pub(crate) fn tell(name: &'static str, story: impl Fn(Side, &'static Words, &str)) {
    let _watchdog = watchdog(name);
    for side in sides() {
        story(side, words([0, 0]), side.name());
    }
}

/// Makes a call in this thread.
pub(crate) fn here(side: Side, call: Call, words: &'static Words) -> isize {
    // SAFETY: the words are never freed; no story names others.
    unsafe { call.make(side, words) }
}

#[test]
fn a_lock_goes_from_hand_to_hand() {
    tell("a_lock_goes_from_hand_to_hand", |side, words, name| {
        assert_eq!(here(side, LOCK, words), 0, "{name}");
        let actors = [(); 4].map(|()| {
            let actor = Actor::new(side);
            actor.sleeps_in(LOCK, words);
            actor
        });
        assert_word(words, 0, thread_id() | W, name);
        assert_eq!(here(side, on(A, TRYLOCK_PI), words), EDEADLK, "{name}");
        assert_eq!(here(side, UNLOCK, words), 0, "{name}");
        for (at, actor) in actors.iter().enumerate() {
            assert_eq!(actor.result(), 0, "{name}");
            assert_word(words, 0, actor.tid | W, name);
            assert_eq!(here(side, on(A, TRYLOCK_PI), words), EAGAIN, "{name}");
            assert_eq!(here(side, PAST, words), ETIMEDOUT, "{name}");
            assert_eq!(here(side, UNLOCK, words), EPERM, "{name}");
            for later in &actors[at + 1..] {
                later.assert_waits();
            }
            assert_eq!(actor.make(UNLOCK, words), 0, "{name}");
        }
        assert_word(words, 0, 0, name);
        end(actors);
    });
}

#[test]
fn a_locker_that_gives_up_is_passed_over() {
    tell(
        "a_locker_that_gives_up_is_passed_over",
        |side, words, name| {
            let actors = [(); 3].map(|()| Actor::new(side));
            let [first, second, third] = &actors;
            assert_eq!(here(side, LOCK, words), 0, "{name}");
            first.sleeps_in(soon(LOCK), words);
            second.sleeps_in(LOCK, words);
            third.sleeps_in(soon(on(A, LOCK_PI2 | REALTIME)), words);
            assert_eq!(first.result(), ETIMEDOUT, "{name}");
            assert_eq!(third.result(), ETIMEDOUT, "{name}");
            assert_word(words, 0, thread_id() | W, name);
            assert_eq!(here(side, UNLOCK, words), 0, "{name}");
            assert_eq!(second.result(), 0, "{name}");
            // The bit stays, and the call finds out that nobody waits.
            first.sleeps_in(soon(LOCK), words);
            assert_eq!(first.result(), ETIMEDOUT, "{name}");
            assert_word(words, 0, second.tid | W, name);
            assert_eq!(second.make(UNLOCK, words), 0, "{name}");
            assert_word(words, 0, 0, name);
            end(actors);
        },
    );
}

#[test]
fn what_an_owner_leaves_goes_to_the_first() {
    tell(
        "what_an_owner_leaves_goes_to_the_first",
        |side, words, name| {
            let actors = [(); 3].map(|()| Actor::new(side));
            let owner = Actor::new(side);
            assert_eq!(owner.make(LOCK, words), 0, "{name}");
            assert_eq!(owner.make(on(B, LOCK_PI), words), 0, "{name}");
            let [first, second, third] = &actors;
            first.sleeps_in(LOCK, words);
            second.sleeps_in(LOCK, words);
            third.sleeps_in(on(B, LOCK_PI), words);
            owner.end_and_tell();
            assert_eq!(first.result(), 0, "{name}");
            assert_word(words, 0, first.tid | W | D, name);
            assert_eq!(third.result(), 0, "{name}");
            assert_word(words, 1, third.tid | W | D, name);
            assert_eq!(here(side, PAST, words), ETIMEDOUT, "{name}");
            second.assert_waits();
            // Whoever unlocks takes the mark away.
            assert_eq!(first.make(UNLOCK, words), 0, "{name}");
            assert_eq!(second.result(), 0, "{name}");
            assert_word(words, 0, second.tid | W, name);
            let (second_id, third_id) = (second.tid, third.tid);
            actors.into_iter().for_each(|actor| {
                actor.end_and_tell();
            });
            // Nobody waited: what they owned is theirs for ever, as far as a word can say.
            assert_eq!(here(side, LOCK, words), ESRCH, "{name}");
            assert_word(words, 0, second_id | W, name);
            assert_eq!(here(side, on(B, TRYLOCK_PI), words), ESRCH, "{name}");
            assert_word(words, 1, third_id | W | D, name);
        },
    );
}

/// Without being told: the next one that comes hands over, before it waits itself. The kernel does
/// it by itself, a moment after the end, and until then says EINVAL.
#[test]
fn who_finds_a_dead_owner_serves_those_before() {
    tell(
        "who_finds_a_dead_owner_serves_those_before",
        |side, words, name| {
            if matches!(side, Side::Kernel) {
                return;
            }
            let waiter = Actor::new(side);
            let owner = Actor::new(side);
            assert_eq!(owner.make(LOCK, words), 0, "{name}");
            waiter.sleeps_in(LOCK, words);
            owner.end();
            assert_eq!(here(side, PAST, words), ETIMEDOUT, "{name}");
            assert_eq!(waiter.result(), 0, "{name}");
            assert_word(words, 0, waiter.tid | W | D, name);
            waiter.end();
        },
    );
}

#[test]
fn circles_are_refused() {
    tell("circles_are_refused", |side, words, name| {
        let [first, second] = [(); 2].map(|()| Actor::new(side));
        assert_eq!(first.make(LOCK, words), 0, "{name}");
        assert_eq!(second.make(on(B, LOCK_PI), words), 0, "{name}");
        first.sleeps_in(on(B, LOCK_PI), words);
        assert_eq!(second.make(LOCK, words), EDEADLK, "{name}");
        assert_word(words, 0, first.tid | W, name);
        first.assert_waits();
        // Who only looks closes no circle.
        assert_eq!(second.make(on(A, TRYLOCK_PI), words), EAGAIN, "{name}");
        assert_eq!(here(side, PAST, words), ETIMEDOUT, "{name}");
        assert_eq!(second.make(on(B, UNLOCK_PI), words), 0, "{name}");
        assert_eq!(first.result(), 0, "{name}");
        assert_eq!(first.make(on(B, UNLOCK_PI), words), 0, "{name}");
        assert_eq!(first.make(UNLOCK, words), 0, "{name}");
        assert_eq!([0, 0], values(words), "{name}");
        first.end();
        second.end();
    });
}

/// A circle over three words, of which two lie elsewhere.
#[test]
fn longer_circles_are_refused() {
    tell("longer_circles_are_refused", |side, first_words, name| {
        let all = [first_words, words([0, 0]), words([0, 0])];
        let actors = [(); 3].map(|()| Actor::new(side));
        for (actor, words) in actors.iter().zip(all) {
            assert_eq!(actor.make(LOCK, words), 0, "{name}");
        }
        actors[0].sleeps_in(LOCK, all[1]);
        actors[1].sleeps_in(LOCK, all[2]);
        assert_eq!(actors[2].make(LOCK, all[0]), EDEADLK, "{name}");
        for at in [2, 1] {
            assert_eq!(actors[at].make(UNLOCK, all[at]), 0, "{name}");
            assert_eq!(actors[at - 1].result(), 0, "{name}");
        }
        end(actors);
    });
}

/// Waiters for a lock, and waiters to be woken, at one word: each call is refused the others.
#[test]
fn calls_of_the_wrong_kind_are_refused() {
    tell(
        "calls_of_the_wrong_kind_are_refused",
        |side, words, name| {
            let here = |call| here(side, call, words);
            let actor = Actor::new(side);
            assert_eq!(here(LOCK), 0, "{name}");
            actor.sleeps_in(LOCK, words);
            assert_eq!(here(on(A, WAKE)), EINVAL, "{name}");
            assert_eq!(
                here(Call(A, WAKE_BITSET, 1, NONE, Null, 1)),
                EINVAL,
                "{name}"
            );
            assert_eq!(here(Call(A, REQUEUE, 1, Count(1), B, 0)), EINVAL, "{name}");
            assert_eq!(here(Call(A, REQUEUE, 0, Count(1), B, 0)), EINVAL, "{name}");
            assert_eq!(here(Call(A, REQUEUE, 0, Count(0), B, 0)), 0, "{name}");
            let add_nothing = word_op(1, 0, 0, 0);
            assert_eq!(
                here(Call(A, WAKE_OP, 1, Count(1), B, add_nothing)),
                EINVAL,
                "{name}"
            );
            assert_eq!(
                here(Call(B, WAKE_OP, 1, Count(1), A, add_nothing)),
                0,
                "{name}"
            );
            let is_less = word_op(1, 0, 2, 0);
            assert_eq!(
                here(Call(B, WAKE_OP, 1, Count(1), A, is_less)),
                EINVAL,
                "{name}"
            );
            let moving = Call(A, CMP_REQUEUE_PI, 1, Count(1), B, thread_id() | W);
            assert_eq!(here(moving), EINVAL, "{name}");
            actor.assert_waits();
            assert_eq!(here(UNLOCK), 0, "{name}");
            assert_eq!(actor.result(), 0, "{name}");
            assert_eq!(actor.make(UNLOCK, words), 0, "{name}");

            actor.sleeps_in(Call(A, WAIT, 0, NONE, Null, 0), words);
            assert_eq!(here(LOCK), EINVAL, "{name}");
            assert_eq!(here(on(A, TRYLOCK_PI)), EINVAL, "{name}");
            assert_eq!(
                here(Call(A, CMP_REQUEUE_PI, 1, Count(1), B, 0)),
                EINVAL,
                "{name}"
            );
            words[0].store(thread_id(), std::sync::atomic::Ordering::SeqCst);
            assert_eq!(here(UNLOCK), EINVAL, "{name}");
            assert_word(words, 0, thread_id(), name);
            assert_eq!(here(on(A, WAKE)), 1, "{name}");
            assert_eq!(actor.result(), 0, "{name}");
            assert_eq!(here(UNLOCK), 0, "{name}");
            actor.end();
        },
    );
}
