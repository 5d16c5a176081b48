//! Words, each with threads that wait for it to change and threads that change it and wake them,
//! without a pause: the shape of libc++'s `atomic_wait` benchmark.

use super::crew::Crew;
use super::{Answer, Request, engine};
use crate::bench::shape::Storm;
use crate::measure::threads::{start, start_seen};
use crate::measure::{Engine, Hung, Place, Word};

pub(super) fn sample<E: Engine>(storm: &Storm, request: &Request) -> Result<Answer, Hung> {
    let waiters = storm.waiters;
    let crew = Crew::new(request, storm.keys * waiters);
    let engine = engine::<E>();
    let words: &'static [Word] = Vec::leak((0..storm.keys).map(|_| Word::default()).collect());
    let place = |key: usize| Place {
        key: key as u64 + 1,
        word: &words[key],
    };
    start_seen(storm.keys * waiters, move |id| {
        let at = place(id / waiters);
        crew.work(id, 1, || engine.wait_while(at, at.word.value()));
    });
    for key in 0..storm.keys {
        for _ in 0..storm.notifiers {
            start(move || {
                let at = place(key);
                loop {
                    at.word.add_one();
                    if waiters == 1 {
                        engine.wake_one(at);
                    } else {
                        engine.wake_all(at);
                    }
                }
            });
        }
    }
    crew.measure(false)
}
