//! The turns of those who wait for one word: told under the slot lock, in the thread that holds it.
//! Whoever is woken where turns are kept stands first.

use std::cell::RefCell;

use shuttle::current::me;
use slotpark_core::{Event, Slept};

#[derive(Debug, Default)]
struct Turns {
    /// Nobody is woken before those who came before it.
    are_kept: bool,
    /// Who waits, with its tag. A thread has one wait at a time.
    waits: Vec<(usize, u64)>,
}

// All threads of a run take turns on one thread of the system, and no two tests share one.
std::thread_local! {
    static TURNS: RefCell<Turns> = RefCell::default();
}

/// A run begins.
pub(crate) fn begin(are_kept: bool) {
    TURNS.set(Turns {
        are_kept,
        waits: Vec::new(),
    });
}

pub(crate) fn looked() {}

pub(crate) fn slept(_: Slept) {}

pub(crate) fn observe(_: Event, _slot: usize) {}

pub(crate) fn observe_waiter(event: Event, _slot: usize, tag: u64) {
    if std::thread::panicking() {
        return; // The run has failed: frames are unwound.
    }
    let thread = usize::from(me());
    TURNS.with_borrow_mut(|turns| {
        let own = turns.waits.iter().position(|wait| wait.0 == thread);
        let first_of_tag = turns.waits.iter().position(|wait| wait.1 == tag);
        let leaves = match event {
            Event::Park => {
                assert_eq!(own, None, "a thread waits twice");
                return turns.waits.push((thread, tag));
            }
            Event::Timeout => own,
            // Its own, or that of a closing.
            Event::Cancel => own.or(first_of_tag),
            Event::Wake => first_of_tag,
            _ => return,
        };
        let at = leaves.expect("who leaves was there");
        let is_early = event == Event::Wake && turns.are_kept && at != 0;
        assert!(!is_early, "{tag} before its turn: {:?}", turns.waits);
        assert_eq!(turns.waits.remove(at).1, tag);
    });
}
