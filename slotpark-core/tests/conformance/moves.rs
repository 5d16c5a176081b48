//! Waits that are moved to locks, as the waiters of a condition variable are.

use std::sync::atomic::Ordering::SeqCst;

use slotpark_core::{PI_OWNER_DIED, PI_WAITERS};

use super::actors::{Actor, assert_word, end};
use super::calls::*;
use super::lock_queues::{here, soon, tell};
use super::sides::Side;

const W: u32 = PI_WAITERS;
const D: u32 = PI_OWNER_DIED;

const fn on(at: At, op: i32) -> Call {
    Call(at, op, 1, NONE, Null, 0)
}
const LOCK: Call = on(B, LOCK_PI);
const UNLOCK: Call = on(B, UNLOCK_PI);
/// Waits at A to be moved to B.
const WAIT_FOR_B: Call = Call(A, WAIT_REQUEUE_PI, 0, NONE, B, 0);

/// To a lock that nobody will move it to.
const WAIT_FOR_NONE: Call = Call(A, WAIT_REQUEUE_PI | REALTIME, 0, NONE, Null, 0);
const WAIT_FOR_B_SOON: Call = Call(A, WAIT_REQUEUE_PI | REALTIME, 0, NONE, B, 0);
const REQUEUE_TO_B: Call = Call(A, REQUEUE, 1, Count(1), B, 0);

const fn move_(moves: i32) -> Call {
    Call(A, CMP_REQUEUE_PI, 1, Count(moves), B, 0)
}

fn waiting<const N: usize>(side: Side, words: &'static Words) -> [Actor; N] {
    [(); N].map(|()| {
        let actor = Actor::new(side);
        actor.sleeps_in(WAIT_FOR_B, words);
        actor
    })
}

/// All of them get the lock, one after the other, and the last one frees it.
fn go_through(actors: &[Actor], words: &'static Words, bits: u32, name: &str) {
    for (at, actor) in actors.iter().enumerate() {
        assert_eq!(actor.result(), 0, "{name}");
        let bits = if at == 0 { bits } else { W };
        assert_word(words, 1, actor.tid | bits, name);
        for later in &actors[at + 1..] {
            later.assert_waits();
        }
        assert_eq!(actor.make(UNLOCK, words), 0, "{name}");
    }
    assert_word(words, 1, 0, name);
}

#[test]
fn a_free_lock_is_taken_for_the_first() {
    tell("a_free_lock_is_taken_for_the_first", |side, words, name| {
        let [first, second] = waiting::<2>(side, words);
        assert_eq!(here(side, move_(0), words), 1, "{name}");
        // No bit: nobody was to be moved.
        go_through(std::slice::from_ref(&first), words, 0, name);
        second.assert_waits();
        assert_eq!(here(side, move_(1), words), 1, "{name}");
        go_through(std::slice::from_ref(&second), words, W, name);
        assert_eq!(here(side, move_(1), words), 0, "{name}");
        first.end();
        second.end();
    });
}

#[test]
fn the_others_are_moved() {
    tell("the_others_are_moved", |side, words, name| {
        let actors = waiting::<4>(side, words);
        assert_eq!(here(side, move_(2), words), 3, "{name}");
        go_through(&actors[..3], words, W, name);
        assert_eq!(here(side, move_(ALL), words), 1, "{name}");
        go_through(&actors[3..], words, W, name);
        end(actors);
    });
}

#[test]
fn a_held_lock_gets_waiters() {
    tell("a_held_lock_gets_waiters", |side, words, name| {
        assert_eq!(here(side, LOCK, words), 0, "{name}");
        let locker = Actor::new(side);
        locker.sleeps_in(LOCK, words);
        let [first, second, third, fourth] = waiting::<4>(side, words);
        // One more than it says, since nobody is woken.
        assert_eq!(here(side, move_(1), words), 2, "{name}");
        assert_eq!(here(side, move_(0), words), 1, "{name}");
        assert_eq!(here(side, move_(ALL), words), 1, "{name}");
        assert_eq!(here(side, move_(ALL), words), 0, "{name}");
        assert_word(words, 1, thread_id() | W, name);
        let actors = [locker, first, second, third, fourth];
        actors.iter().for_each(Actor::assert_waits);
        assert_eq!(here(side, UNLOCK, words), 0, "{name}");
        go_through(&actors, words, W, name);
        end(actors);
    });
}

#[test]
fn a_moved_waiter_gives_up() {
    tell("a_moved_waiter_gives_up", |side, words, name| {
        assert_eq!(here(side, LOCK, words), 0, "{name}");
        let actors = [(); 2].map(|()| Actor::new(side));
        let [first, second] = &actors;
        first.sleeps_in(soon(WAIT_FOR_B_SOON), words);
        second.sleeps_in(WAIT_FOR_B, words);
        // On a slow machine the first may be gone by now.
        let moved = here(side, move_(ALL), words);
        assert!((1..=2).contains(&moved), "{name}: {moved}");
        assert_eq!(first.result(), ETIMEDOUT, "{name}");
        assert_word(words, 1, thread_id() | W, name);
        assert_eq!(here(side, UNLOCK, words), 0, "{name}");
        go_through(&actors[1..], words, W, name);
        // One that was never moved leaves the word alone.
        first.sleeps_in(soon(WAIT_FOR_B_SOON), words);
        assert_eq!(first.result(), ETIMEDOUT, "{name}");
        assert_eq!(values(words), [0, 0], "{name}");
        end(actors);
    });
}

#[test]
fn nobody_is_moved_to_the_lock_of_one_who_is_gone() {
    tell(
        "nobody_is_moved_to_the_lock_of_one_who_is_gone",
        |side, words, name| {
            let actors = waiting::<2>(side, words);
            let owner = Actor::new(side);
            assert_eq!(owner.make(LOCK, words), 0, "{name}");
            let owner = owner.end_and_tell();
            assert_eq!(here(side, move_(ALL), words), ESRCH, "{name}");
            assert_word(words, 1, owner | W, name);
            actors.iter().for_each(Actor::assert_waits);
            // Whoever repairs the lock lets them go on.
            words[1].store(0, SeqCst);
            assert_eq!(here(side, move_(ALL), words), 2, "{name}");
            go_through(&actors, words, W, name);
            end(actors);
        },
    );
}

#[test]
fn an_owner_ends_while_moved_waiters_wait() {
    tell(
        "an_owner_ends_while_moved_waiters_wait",
        |side, words, name| {
            let actors = waiting::<2>(side, words);
            let owner = Actor::new(side);
            assert_eq!(owner.make(LOCK, words), 0, "{name}");
            assert_eq!(here(side, move_(ALL), words), 2, "{name}");
            owner.end_and_tell();
            go_through(&actors, words, W | D, name);
            end(actors);
        },
    );
}

#[test]
fn the_first_owns_the_lock() {
    tell("the_first_owns_the_lock", |side, words, name| {
        let actor = Actor::new(side);
        assert_eq!(actor.make(LOCK, words), 0, "{name}");
        // Again where it has given up before anybody came.
        loop {
            actor.sleeps_in(soon(WAIT_FOR_B_SOON), words);
            let moved = here(side, move_(ALL), words);
            assert_eq!(actor.result(), ETIMEDOUT, "{name}");
            if moved == EDEADLK {
                break;
            }
            assert_eq!(moved, 0, "{name}");
        }
        assert_word(words, 1, actor.tid, name);
        actor.end();
    });
}

/// Waiters for another lock, and those that no lock was promised.
#[test]
fn waiters_that_must_not_be_moved() {
    tell("waiters_that_must_not_be_moved", |side, words, name| {
        let actors = [(); 3].map(|()| Actor::new(side));
        let [first, second, third] = &actors;
        let here = |call| here(side, call, words);
        // Again where it has given up before all was asked.
        loop {
            second.sleeps_in(soon(WAIT_FOR_NONE), words);
            let calls = [move_(ALL), on(A, WAKE), on(A, LOCK_PI), REQUEUE_TO_B];
            let told = calls.map(here);
            assert_eq!(second.result(), ETIMEDOUT, "{name}");
            if told == [EINVAL; 4] {
                break;
            }
            words[0].store(0, SeqCst);
        }
        assert_eq!(values(words), [0, 0], "{name}");
        // The first is served, then the second is met.
        loop {
            first.sleeps_in(WAIT_FOR_B, words);
            second.sleeps_in(soon(WAIT_FOR_NONE), words);
            third.sleeps_in(soon(WAIT_FOR_B_SOON), words);
            let told = here(move_(ALL));
            assert_eq!(first.result(), 0, "{name}");
            assert_word(words, 1, first.tid | W, name);
            assert_eq!(first.make(UNLOCK, words), 0, "{name}");
            assert_eq!(second.result(), ETIMEDOUT, "{name}");
            let third_got_it = third.result() == 0 && third.make(UNLOCK, words) == 0;
            if told == EINVAL {
                assert!(!third_got_it, "{name}");
                break;
            }
        }
        // So is it with a waiter that wants to be woken.
        first.sleeps_in(WAIT_FOR_B, words);
        second.sleeps_in(Call(A, WAIT, 0, NONE, Null, 0), words);
        assert_eq!(here(move_(1)), EINVAL, "{name}");
        go_through(std::slice::from_ref(first), words, W, name);
        assert_eq!(here(on(A, WAKE)), 1, "{name}");
        assert_eq!(second.result(), 0, "{name}");
        end(actors);
    });
}
