//! Stories of pipes: who is woken, who is told what, and what is never mixed or lost.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
mod guests;

use std::io::{IoSlice, IoSliceMut};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::{Numbers, until, watchdog};
use guests::ended;
use slotpark::Interrupter;
use slotpark_managers::{Block, Errno, PIPE_BUF, PipeEnd, PipeManager, Waits};

const ROOM: usize = 65_536;

fn pipes() -> PipeManager {
    PipeManager::new(Arc::new(Waits::new()))
}

/// A reader, a writer, and no room left.
fn full(pipes: &PipeManager) -> (PipeEnd, PipeEnd) {
    let (reader, writer) = pipes.pipe();
    assert_eq!(pipes.write(writer, &[0; ROOM], Block::NO), Ok(ROOM));
    (reader, writer)
}

/// Makes a call in a thread, and returns once one more waits on the pipe.
fn blocked<'s, T: Send + 's>(
    scope: &'s Scope<'s, '_>,
    (pipes, end): (&PipeManager, PipeEnd),
    call: impl FnOnce() -> T + Send + 's,
) -> ScopedJoinHandle<'s, T> {
    guests::blocked(scope, || pipes.waiters(end), call)
}

/// Closes all that is named, and sees that nothing stays.
fn close_all(pipes: &PipeManager, ends: &[PipeEnd]) {
    for end in ends {
        assert_eq!(pipes.close(*end), Ok(()));
    }
    assert!(pipes.is_empty());
}

#[test]
fn a_reader_waits_for_bytes_and_a_writer_for_room() {
    let _watchdog = watchdog("a_reader_waits_for_bytes_and_a_writer_for_room");
    let pipes = &pipes();
    let (reader, writer) = pipes.pipe();
    scope(|scope| {
        let mut bytes = [0; 8];
        let read = move || {
            pipes
                .read(reader, &mut bytes, Block::FOREVER)
                .map(|_| bytes)
        };
        let read = blocked(scope, (pipes, reader), read);
        assert_eq!(pipes.write(writer, b"eight by", Block::FOREVER), Ok(8));
        assert_eq!(ended(read), Ok(*b"eight by"));
        let all = vec![7; ROOM + 5000];
        let write = move || pipes.write(writer, &all, Block::FOREVER);
        let write = blocked(scope, (pipes, writer), write);
        // It has put in what there was room for.
        assert_eq!(pipes.unread(reader), Ok(ROOM));
        let mut bytes = vec![0; ROOM];
        assert_eq!(pipes.read(reader, &mut bytes, Block::FOREVER), Ok(ROOM));
        assert_eq!(ended(write), Ok(ROOM + 5000));
        assert_eq!(pipes.read(reader, &mut bytes, Block::FOREVER), Ok(5000));
    });
    close_all(pipes, &[reader, writer]);
}

/// What a wake of one brings may be enough for two: who was woken and leaves something wakes the
/// next, or that one sleeps on beside bytes that it could have.
#[test]
fn who_leaves_bytes_wakes_the_next_reader() {
    let _watchdog = watchdog("who_leaves_bytes_wakes_the_next_reader");
    let pipes = pipes();
    let (reader, writer) = pipes.pipe();
    let (mut one, mut two) = ([0], [0]);
    let (bell_one, bell_two) = (Bell::new(), Bell::new());
    let mut first = pin!(pipes.read_async(reader, &mut one));
    let mut second = pin!(pipes.read_async(reader, &mut two));
    assert!(poll(first.as_mut(), &bell_one).is_pending());
    assert!(poll(second.as_mut(), &bell_two).is_pending());
    assert_eq!(pipes.write(writer, b"a", Block::NO), Ok(1));
    assert_eq!(pipes.write(writer, b"b", Block::NO), Ok(1));
    assert_eq!((bell_one.rings(), bell_two.rings()), (1, 0));
    assert_eq!(ready(first.as_mut()), Ok(1));
    assert_eq!(bell_two.rings(), 1);
    assert_eq!(ready(second.as_mut()), Ok(1));
}

#[test]
fn who_leaves_room_wakes_the_next_writer() {
    let _watchdog = watchdog("who_leaves_room_wakes_the_next_writer");
    let pipes = pipes();
    let (reader, writer) = full(&pipes);
    let (bell_one, bell_two) = (Bell::new(), Bell::new());
    let mut first = pin!(pipes.write_async(writer, &[1; PIPE_BUF]));
    let mut second = pin!(pipes.write_async(writer, b"2"));
    assert!(poll(first.as_mut(), &bell_one).is_pending());
    assert!(poll(second.as_mut(), &bell_two).is_pending());
    // A part of a page makes no room.
    assert_eq!(pipes.read(reader, &mut [0; 4095], Block::NO), Ok(4095));
    assert_eq!((bell_one.rings(), bell_two.rings()), (0, 0));
    assert_eq!(pipes.read(reader, &mut [0; 4097], Block::NO), Ok(4097));
    assert_eq!((bell_one.rings(), bell_two.rings()), (1, 0));
    assert_eq!(ready(first.as_mut()), Ok(PIPE_BUF));
    assert_eq!(bell_two.rings(), 1);
    assert_eq!(ready(second.as_mut()), Ok(1));
    assert_eq!(pipes.unread(reader), Ok(14 * 4096 + 4096 + 1));
}

/// A future that was woken and is dropped has taken nothing; the next is woken for it.
#[test]
fn a_dropped_read_passes_its_wake_on() {
    let _watchdog = watchdog("a_dropped_read_passes_its_wake_on");
    let pipes = pipes();
    let (reader, writer) = pipes.pipe();
    let (mut one, mut two) = ([0], [0]);
    let bell = Bell::new();
    let mut first = Box::pin(pipes.read_async(reader, &mut one));
    let mut second = pin!(pipes.read_async(reader, &mut two));
    assert!(poll(first.as_mut(), &Bell::new()).is_pending());
    assert!(poll(second.as_mut(), &bell).is_pending());
    assert_eq!(pipes.write(writer, b"a", Block::NO), Ok(1));
    assert_eq!(bell.rings(), 0);
    drop(first);
    assert_eq!(bell.rings(), 1);
    assert_eq!(ready(second.as_mut()), Ok(1));
}

/// A large write that is dropped leaves what it has put in; a small one leaves nothing.
#[test]
fn a_dropped_write_leaves_whole_pages_or_nothing() {
    let _watchdog = watchdog("a_dropped_write_leaves_whole_pages_or_nothing");
    let pipes = pipes();
    let (reader, writer) = full(&pipes);
    for (bytes, left) in [(3 * PIPE_BUF, 2 * PIPE_BUF), (PIPE_BUF, 0)] {
        let bytes = vec![1; bytes];
        let mut write = Box::pin(pipes.write_async(writer, &bytes));
        assert!(poll(write.as_mut(), &Bell::new()).is_pending());
        if left > 0 {
            assert_eq!(pipes.read(reader, &mut vec![0; left], Block::NO), Ok(left));
            assert!(poll(write.as_mut(), &Bell::new()).is_pending());
        }
        drop(write);
        assert_eq!(pipes.unread(reader), Ok(ROOM));
    }
    let mut bytes = vec![0; ROOM];
    assert_eq!(pipes.read(reader, &mut bytes, Block::NO), Ok(ROOM));
    assert_eq!(
        bytes.iter().filter(|byte| **byte == 1).count(),
        2 * PIPE_BUF
    );
    assert_eq!(pipes.waiters(reader), 0);
}

/// Once a part is written, its number is the answer: to an interrupt, and to a deadline.
#[test]
fn an_interrupted_write_returns_what_it_has_written() {
    let _watchdog = watchdog("an_interrupted_write_returns_what_it_has_written");
    let pipes = &pipes();
    let (reader, writer) = pipes.pipe();
    let thread = &Interrupter::new();
    let bytes = &vec![1; ROOM + 1];
    let forever = Block::FOREVER.interruptible(thread);
    let interrupted = |call: &(dyn Fn() -> Result<usize, Errno> + Sync)| {
        scope(|scope| {
            let call = blocked(scope, (pipes, reader), call);
            assert!(thread.interrupt());
            ended(call)
        })
    };
    let read = || pipes.read(reader, &mut [0], forever);
    assert_eq!(interrupted(&read), Err(Errno::Interrupted));
    let write = || pipes.write(writer, bytes, forever);
    assert_eq!(interrupted(&write), Ok(ROOM));
    assert_eq!(interrupted(&write), Err(Errno::Interrupted));
    let soon = || Block::for_at_most(Duration::from_millis(1));
    assert_eq!(pipes.write(writer, bytes, soon()), Err(Errno::TimedOut));
    assert_eq!(
        pipes.read(reader, &mut [0; PIPE_BUF], Block::NO),
        Ok(PIPE_BUF)
    );
    assert_eq!(pipes.write(writer, bytes, soon()), Ok(PIPE_BUF));
    assert_eq!(pipes.read(reader, &mut vec![0; ROOM], Block::NO), Ok(ROOM));
    assert_eq!(pipes.read(reader, &mut [0], soon()), Err(Errno::TimedOut));
    close_all(pipes, &[reader, writer]);
}

#[test]
fn the_last_writer_to_go_is_the_end_for_all_readers() {
    let _watchdog = watchdog("the_last_writer_to_go_is_the_end_for_all_readers");
    let pipes = &pipes();
    let (reader, writer) = pipes.pipe();
    let child = pipes.dup(writer).expect("it is open");
    scope(|scope| {
        let read = || pipes.read(reader, &mut [0], Block::FOREVER);
        let reads: Vec<_> = (0..3)
            .map(|_| blocked(scope, (pipes, reader), read))
            .collect();
        assert_eq!(pipes.close(writer), Ok(()));
        assert_eq!(pipes.waiters(reader), 3);
        assert_eq!(pipes.close(child), Ok(()));
        for read in reads {
            assert_eq!(ended(read), Ok(0));
        }
    });
    close_all(pipes, &[reader]);
}

/// EPIPE and the signal, for each writer; with a part written the signal and its number.
#[test]
fn the_last_reader_to_go_breaks_the_pipe_for_all_writers() {
    let _watchdog = watchdog("the_last_reader_to_go_breaks_the_pipe_for_all_writers");
    let signals = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&signals);
    let pipes = &pipes().on_broken_pipe(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
    let (reader, writer) = pipes.pipe();
    scope(|scope| {
        let write = || pipes.write(writer, &[1; ROOM + 1], Block::FOREVER);
        let partial = blocked(scope, (pipes, reader), write);
        let others = [1, PIPE_BUF].map(|size| {
            let write = move || pipes.write(writer, &vec![2; size], Block::FOREVER);
            blocked(scope, (pipes, reader), write)
        });
        assert_eq!(pipes.close(reader), Ok(()));
        assert_eq!(ended(partial), Ok(ROOM));
        for other in others {
            assert_eq!(ended(other), Err(Errno::Pipe));
        }
    });
    assert_eq!(signals.load(Ordering::Relaxed), 3);
    assert_eq!(pipes.write(writer, b"", Block::FOREVER), Ok(0));
    assert_eq!(pipes.write(writer, b"a", Block::NO), Err(Errno::Pipe));
    assert_eq!(signals.load(Ordering::Relaxed), 4);
    close_all(pipes, &[writer]);
}

/// Who is blocked through an end that is closed is told; who is blocked through another goes on.
#[test]
fn a_closed_end_ends_the_calls_through_it() {
    let _watchdog = watchdog("a_closed_end_ends_the_calls_through_it");
    let pipes = &pipes();
    let (reader, writer) = pipes.pipe();
    let child = pipes.dup(reader).expect("it is open");
    scope(|scope| {
        let read = |end| move || pipes.read(end, &mut [0], Block::FOREVER);
        let closed = blocked(scope, (pipes, writer), read(reader));
        let other = blocked(scope, (pipes, writer), read(child));
        assert_eq!(pipes.close(reader), Ok(()));
        assert_eq!(ended(closed), Err(Errno::BadFd));
        until("the other waits again", || pipes.waiters(writer) == 1);
        assert_eq!(pipes.write(writer, b"a", Block::NO), Ok(1));
        assert_eq!(ended(other), Ok(1));
        let bytes = vec![0; ROOM + 1];
        let write = move || pipes.write(writer, &bytes, Block::FOREVER);
        let write = blocked(scope, (pipes, child), write);
        assert_eq!(pipes.close(writer), Ok(()));
        assert_eq!(ended(write), Ok(ROOM));
    });
    close_all(pipes, &[child]);
}

#[test]
fn room_that_is_added_is_used_by_all_who_wait_for_it() {
    let _watchdog = watchdog("room_that_is_added_is_used_by_all_who_wait_for_it");
    let pipes = &pipes();
    let (reader, writer) = full(pipes);
    scope(|scope| {
        let write = || pipes.write(writer, &[1; PIPE_BUF], Block::FOREVER);
        let writes: Vec<_> = (0..4)
            .map(|_| blocked(scope, (pipes, reader), write))
            .collect();
        assert_eq!(pipes.set_capacity(reader, ROOM + 1), Ok(2 * ROOM));
        for write in writes {
            assert_eq!(ended(write), Ok(PIPE_BUF));
        }
    });
    close_all(pipes, &[reader, writer]);
}

#[test]
fn misuse_is_told_with_the_kernels_numbers() {
    let _watchdog = watchdog("misuse_is_told_with_the_kernels_numbers");
    let pipes = pipes();
    let (reader, writer) = pipes.pipe();
    assert_eq!(pipes.read(writer, &mut [0], Block::NO), Err(Errno::BadFd));
    assert_eq!(pipes.write(reader, b"", Block::NO), Err(Errno::BadFd));
    let slices = vec![IoSlice::new(b""); 1025];
    let many = pipes.write_vectored(writer, &slices, Block::NO);
    assert_eq!(many, Err(Errno::Invalid));
    let mut slices: Vec<_> = (0..1025).map(|_| IoSliceMut::new(&mut [])).collect();
    let many = pipes.read_vectored(reader, &mut slices, Block::NO);
    assert_eq!(many, Err(Errno::Invalid));
    close_all(&pipes, &[reader, writer]);
    assert_eq!(pipes.dup(reader), Err(Errno::BadFd));
    assert_eq!(pipes.unread(reader), Err(Errno::BadFd));
    assert_eq!(pipes.set_capacity(reader, 1), Err(Errno::BadFd));
}

/// Writers of records of one byte, repeated: no record is torn or mixed up to PIPE_BUF, whoever
/// reads and however full the pipe; and not a byte is lost.
#[test]
fn records_are_not_torn() {
    let _watchdog = watchdog("records_are_not_torn");
    let pipes = &pipes();
    for record in [PIPE_BUF, 1000, 2049] {
        let (reader, writer) = pipes.pipe();
        const RECORDS: usize = 300;
        scope(|scope| {
            for name in 1..=4_u8 {
                let writer = pipes.dup(writer).expect("it is open");
                scope.spawn(move || {
                    for _ in 0..RECORDS {
                        let written = pipes.write(writer, &vec![name; record], Block::FOREVER);
                        assert_eq!(written, Ok(record));
                    }
                    assert_eq!(pipes.close(writer), Ok(()));
                });
            }
            assert_eq!(pipes.close(writer), Ok(()));
            let mut bytes = Vec::new();
            let mut part = vec![0; 3 * record];
            while let Ok(count @ 1..) = pipes.read(reader, &mut part, Block::FOREVER) {
                bytes.extend_from_slice(&part[..count]);
            }
            assert_eq!(bytes.len(), 4 * RECORDS * record);
            let is_whole = |record: &[u8]| record.iter().all(|byte| *byte == record[0]);
            assert!(bytes.chunks(record).all(is_whole));
        });
        close_all(pipes, &[reader]);
    }
}

/// Many of both sides with calls of all sizes, some interrupted, on a small pipe: every byte arrives
/// once, and nobody is left asleep.
#[test]
fn every_byte_arrives_once() {
    let _watchdog = watchdog("every_byte_arrives_once");
    let pipes = &pipes();
    let (reader, writer) = pipes.pipe();
    assert_eq!(pipes.set_capacity(reader, 8192), Ok(8192));
    let (sent, received) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    scope(|scope| {
        for seed in 0..3 {
            let writer = pipes.dup(writer).expect("it is open");
            scope.spawn(move || {
                let mut numbers = Numbers::new(seed);
                for _ in 0..300 {
                    let size = numbers.below(20_000) as usize;
                    let block = match numbers.below(3) {
                        0 => Block::NO,
                        1 => Block::for_at_most(Duration::from_micros(50)),
                        _ => Block::FOREVER,
                    };
                    let written = pipes.write(writer, &vec![1; size], block);
                    sent.fetch_add(written.unwrap_or(0), Ordering::Relaxed);
                }
                assert_eq!(pipes.close(writer), Ok(()));
            });
            let reader = pipes.dup(reader).expect("it is open");
            scope.spawn(move || {
                let mut numbers = Numbers::new(seed + 9);
                loop {
                    let size = 1 + numbers.below(9_000) as usize;
                    let read = pipes.read(reader, &mut vec![0; size], Block::FOREVER);
                    match read.expect("it is open") {
                        0 => break,
                        count => received.fetch_add(count, Ordering::Relaxed),
                    };
                }
                assert_eq!(pipes.close(reader), Ok(()));
            });
        }
        assert_eq!(pipes.close(writer), Ok(()));
    });
    assert_eq!(
        sent.load(Ordering::Relaxed),
        received.load(Ordering::Relaxed)
    );
    close_all(pipes, &[reader]);
}
