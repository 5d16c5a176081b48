//! One thread polls waits by hand, on one key after the other, while tasks wait.

use std::future::Future as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use super::crew::Crew;
use super::keys::lengthened;
use super::{Answer, Request, shown, task_engine};
use crate::bench::shape::{Poll, Polled};
use crate::compare::workloads::tasks::crowd::queued;
use crate::compare::workloads::tasks::wait_and_wake;
use crate::measure::threads::start_seen;
use crate::measure::{Hung, Place, TaskEngine, Word};

/// Polls between two writes of their count.
const BATCH: usize = 64;

pub(super) fn sample<E: TaskEngine>(polled: &Polled, request: &Request) -> Result<Answer, Hung> {
    let crew = Crew::new(request, 1);
    let engine = task_engine::<E>();
    let key = {
        let stride = polled.stride;
        move |index: u64| (index + 1) * stride
    };
    let waits: &'static Word = Box::leak(Box::default());
    let mut context = Context::from_waker(Waker::noop());
    for other in 0..polled.others {
        let index = if polled.same_key {
            other % polled.keys
        } else {
            polled.keys + other
        };
        let at = Place {
            key: key(index),
            word: waits,
        };
        // It waits until the process ends.
        std::mem::forget(queued(engine, at, &mut context));
    }
    let slots = engine.queued_by_slot().filter(|_| polled.others > 0);
    let (keys, call) = (polled.keys, polled.call);
    start_seen(1, move |id| {
        let words: Vec<Word> = (0..keys).map(|_| Word::default()).collect();
        let places = (0..keys).map(key).zip(&words);
        let places: Vec<_> = places.map(|(key, word)| Place { key, word }).collect();
        let places = lengthened(&places);
        let mut context = Context::from_waker(Waker::noop());
        match call {
            Poll::WaitWake => crew.work_through(id, BATCH, &places, |at| {
                wait_and_wake(engine, at, &mut context);
            }),
            Poll::Drop => crew.work_through(id, BATCH, &places, |at| {
                let mut wait = pin!(engine.wait(at, 0));
                assert!(black_box(wait.as_mut().poll(&mut context)).is_pending());
            }),
        }
    });
    let mut answer = crew.measure(false)?;
    answer.slots = shown(slots);
    Ok(answer)
}
