//! Every adapter does the same.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::{
    CrossbeamChannel, KernelPipe, KernelSignals, MapAndWait, SlotparkPipe, SlotparkSignals,
};
use crate::measure::managers::{PipeEngine, SignalEngine, TaskPipeEngine};
use crate::measure::threads::{sleep_until, start_seen};

/// A reader that sleeps gets what is written later; pipes made together are not the same.
fn hands_over_a_byte<E: PipeEngine>() {
    let pipes: &'static [E; 2] = Box::leak(Box::new(E::several(1)));
    let [there, back] = pipes;
    let readers = start_seen(1, move |_| {
        let mut byte = [0];
        for _ in 0..2 {
            // Looked at by the other thread, which would wait for one that has panicked.
            there.read(&mut byte);
            back.write(&byte);
        }
    });
    for byte in [7, 255] {
        sleep_until(|| readers[0].asleep());
        there.write(&[byte]);
        let mut found = [byte];
        assert_eq!(back.read(&mut found), 1, "{}", E::NAME);
        assert_eq!(found, [byte], "{}", E::NAME);
    }
}

/// Blocks that are more than the room for them come through as a whole.
fn carries_blocks<E: PipeEngine>(block_bytes: usize) {
    const BLOCKS: usize = 8;
    let [pipe] = E::several(block_bytes);
    let pipe: &'static E = Box::leak(Box::new(pipe));
    start_seen(1, move |_| {
        for _ in 0..BLOCKS {
            pipe.write(&vec![1; block_bytes]);
        }
    });
    let (mut block, mut read) = (vec![0; block_bytes], 0);
    while read < BLOCKS * block_bytes {
        let count = pipe.read(&mut block);
        assert!((1..=block_bytes).contains(&count), "{}", E::NAME);
        read += count;
    }
    assert_eq!(read, BLOCKS * block_bytes, "{}", E::NAME);
}

fn is_pending_until_there_is_something<E: TaskPipeEngine>() {
    let [pipe] = E::several(1);
    let mut context = Context::from_waker(Waker::noop());
    let mut byte = [0];
    {
        let mut read = pin!(pipe.read_async(&mut byte));
        assert!(read.as_mut().poll(&mut context).is_pending(), "{}", E::NAME);
        pipe.write(&[9]);
        assert_eq!(read.as_mut().poll(&mut context), Poll::Ready(1));
    }
    assert_eq!(byte, [9], "{}", E::NAME);
}

#[test]
fn pipes_hand_over_bytes() {
    hands_over_a_byte::<SlotparkPipe>();
    hands_over_a_byte::<KernelPipe>();
    hands_over_a_byte::<CrossbeamChannel>();
    hands_over_a_byte::<MapAndWait>();
    for block_bytes in [64, 4096, 65536] {
        carries_blocks::<SlotparkPipe>(block_bytes);
        carries_blocks::<KernelPipe>(block_bytes);
        carries_blocks::<CrossbeamChannel>(block_bytes);
    }
    is_pending_until_there_is_something::<SlotparkPipe>();
    is_pending_until_there_is_something::<MapAndWait>();
}

fn runs_its_handler_once_for_each<E: SignalEngine>() {
    let mut engine = E::new();
    let before = engine.signal();
    for count in 1..100 {
        assert_eq!(engine.signal(), before + count, "{}", E::NAME);
    }
}

#[test]
fn signals_run_their_handlers() {
    runs_its_handler_once_for_each::<SlotparkSignals>();
    runs_its_handler_once_for_each::<KernelSignals>();
}
