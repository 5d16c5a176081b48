//! What is entered when, and what a look shows of it.
//!
//! **Invariants**
//! - O2 A hold is entered by who has taken the lock, and taken out by who has it still and is about
//!   to give it back. So who is entered has the lock; who has only just taken it, or is about to
//!   give it back, need not be entered.
//! - O3 A hold that was entered is taken out whatever the level is then; who gives back what was
//!   not entered takes out nobody who may have the lock still.
//!
//! O2 does not hold of a guard that was forgotten. If its lock is dropped, what was entered of it
//! goes with it. If the lock was moved, or its memory was freed without a drop, that is found by
//! the next hold at the same address that excludes it.

use crate::inspect::level::is_timed;
use crate::inspect::owners::Lock;
use crate::inspect::owners::list::{COUNT, Held, Open, UNLISTED};
use crate::inspect::trace::Trace;
use crate::inspect::who::{Who, forget};
use crate::inspect::{Caller, Kind, Seen};
use crate::platform::DefaultPlatform;
use crate::process::{self, Place, process_table};
use crate::raw::{RawMutex, RawRwLock};

impl Lock {
    fn place(self, object: *const ()) -> Place {
        let kind = match self {
            Self::Mutex => process::Kind::Mutex,
            Self::RwLock => process::Kind::RwLock,
        };
        process::place(kind, object)
    }
}

/// The part of the list that an address is in. What lies there does not matter.
fn open(object: *const ()) -> Open {
    let hash = Lock::Mutex.place(object).hash;
    Open::of(process_table().slot_index(hash))
}

/// A lock was taken, by who calls.
#[inline(always)]
pub(crate) fn took<T>(lock: Lock, object: *const T, kind: Kind, caller: Caller) {
    if is_timed() {
        enter(lock, object.cast(), kind, caller);
    }
}

#[cold]
fn enter(lock: Lock, object: *const (), kind: Kind, caller: Caller) {
    let held = Held {
        lock,
        kind,
        hash: lock.place(object).hash,
        trace: Trace::of_lock::<DefaultPlatform>(caller),
    };
    let open = open(object);
    for place in open.places(object.addr()) {
        let old = open.get(place);
        // O2: nobody holds it beside this one, so this was forgotten.
        if old.lock != lock || excludes(old.kind, kind) {
            open.take_out(place);
        }
    }
    open.enter(object.addr(), held);
}

fn excludes(one: Kind, other: Kind) -> bool {
    let are_upgradable = one == Kind::Upgradable && other == Kind::Upgradable;
    one.is_exclusive() || other.is_exclusive() || are_upgradable
}

/// A lock is about to be given back, by who holds it. `count` says how many hold it so.
#[inline(always)]
pub(crate) fn gave<T>(object: *const T, kind: Kind, count: impl FnOnce() -> u32) {
    if COUNT.get() > 0 {
        with(object.cast(), kind, count, Open::take_out);
    }
}

/// Who holds a lock, as one alone can, holds it in another way; whether that was entered.
#[inline(always)]
pub(crate) fn changed<T>(object: *const T, from: Kind, to: Kind) -> bool {
    if COUNT.get() == 0 {
        return false;
    }
    let change = |open: &Open, place| {
        let held = open.get(place);
        open.change(place, Held { kind: to, ..held });
    };
    with(object.cast(), from, || 1, change)
}

/// Acts on the hold of the calling thread; whether there was one.
///
/// A lock may be given back by another thread than has taken it: if there are as many such holds as
/// are entered, one of those is it, and any will do.
#[cold]
fn with(
    object: *const (),
    kind: Kind,
    count: impl FnOnce() -> u32,
    act: impl FnOnce(&Open, usize),
) -> bool {
    let own = Who::now().thread();
    let open = open(object);
    let (mut entered, mut found, mut other) = (0, None, None);
    for place in open.places(object.addr()) {
        let held = open.get(place);
        if held.kind == kind {
            entered += 1;
            other = Some(place);
            if held.trace.thread() == own {
                found = other;
            }
        }
    }
    let found = found.or_else(|| other.filter(|_| entered >= count()));
    if let Some(place) = found {
        act(&open, place);
    }
    found.is_some()
}

/// A lock that is dropped is held by nobody, whatever guards were forgotten.
#[inline(always)]
fn dropped<T>(object: *const T) {
    if COUNT.get() > 0 {
        clear(object.cast());
    }
}

#[cold]
fn clear(object: *const ()) {
    let open = open(object);
    for place in open.places(object.addr()) {
        open.take_out(place);
    }
}

impl Drop for RawMutex {
    #[inline]
    fn drop(&mut self) {
        dropped(self);
    }
}

impl Drop for RawRwLock {
    #[inline]
    fn drop(&mut self) {
        dropped(self);
    }
}

fn is_process(table: u64) -> bool {
    table == process_table().id()
}

/// Adds those who hold the locks of a slot to what was found there, each behind who waits for it.
pub(crate) fn add(table: u64, index: usize, room: &mut [Seen], mut found: usize) -> usize {
    if COUNT.get() == 0 || !is_process(table) {
        return found;
    }
    let open = Open::of(index);
    for (place, address) in open.all() {
        let held = open.get(place);
        if process_table().slot_index(held.hash) == index {
            if let Some(room) = room.get_mut(..=found) {
                put(room, address, open.number(place), &held);
            }
            found += 1;
        }
    }
    found
}

/// Puts a holder in the last place, and moves it to its queue.
fn put(room: &mut [Seen], address: usize, number: u64, held: &Held) {
    let Some((last, before)) = room.split_last_mut() else {
        return;
    };
    let key = held.lock.place(core::ptr::without_provenance(address)).key;
    *last = Seen {
        hash: held.hash,
        key: Some(key.text()),
        kind: held.kind,
        holds: true,
        wait: number,
        weight: 1,
        queue: before.iter().map(|seen| seen.queue + 1).max().unwrap_or(0),
        ..Seen::default()
    };
    held.trace.show(last);
    let is_beside = |seen: &Seen| seen.hash == last.hash && text(seen) == text(last);
    if let Some(behind) = before.iter().rposition(is_beside) {
        last.queue = before[behind].queue;
        room[behind + 1..].rotate_right(1);
    }
}

fn text(seen: &Seen) -> Option<&str> {
    seen.key.as_ref().map(|text| text.as_str())
}

/// How many holds found no room in the list, since the process began.
pub(crate) fn unlisted(table: u64) -> usize {
    if is_process(table) {
        UNLISTED.get() as usize
    } else {
        0
    }
}

/// In the child of a fork, before its thread forgets its number: what that thread holds it goes on
/// to hold, with a number of the child's; who else held a lock is not there.
pub(crate) fn reset() {
    let before = Who::now().thread();
    forget();
    let thread = Who::now();
    Open::reset_all(|held| {
        let is_own = held.trace.thread() == before;
        is_own.then(|| Held {
            trace: held.trace.of_thread(thread),
            ..held
        })
    });
}
