//! Stories of pipes: who is woken, who is told what, and what is never mixed or lost.

#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
mod ends;
#[path = "../guests/mod.rs"]
mod guests;
mod tasks;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use common::{Numbers, watchdog};
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

/// Many of both sides with calls of all sizes, some interrupted, on a small pipe: every byte
/// arrives once, and nobody is left asleep.
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

/// Guests come and go with pipes of their own and of their parents, block on them, are interrupted,
/// and lose their ends while they are blocked: every call returns, and nothing stays.
#[test]
fn guests_come_and_go_and_leave_nothing() {
    let _watchdog = watchdog("guests_come_and_go_and_leave_nothing");
    let pipes = &pipes();
    scope(|scope| {
        for seed in 0..3 {
            scope.spawn(move || {
                let mut numbers = Numbers::new(seed);
                for _ in 0..300 {
                    life(pipes, &mut numbers);
                }
            });
        }
    });
    assert!(pipes.is_empty());
}

/// A parent, and a child that inherits both ends of a pipe and blocks on one of them.
fn life(pipes: &PipeManager, numbers: &mut Numbers) {
    let (reader, writer) = pipes.pipe();
    let inherited = [reader, writer].map(|end| pipes.dup(end).expect("it is open"));
    let thread = &Interrupter::new();
    let (is_reader, end) = (numbers.below(2) == 0, numbers.below(4));
    scope(|scope| {
        let child = scope.spawn(move || {
            let block = Block::FOREVER.interruptible(thread);
            let mut buffer = vec![0; 3 * ROOM];
            if is_reader {
                // Its own writing end would keep it from the end for ever.
                let _ = pipes.close(inherited[1]);
                pipes.read(inherited[0], &mut buffer, block)
            } else {
                pipes.write(inherited[1], &buffer, block)
            }
        });
        if numbers.below(2) == 0 {
            let is_blocked = || pipes.waiters(reader) > 0 || child.is_finished();
            common::until("the child is blocked", is_blocked);
        }
        // What a writer of that much wants is not there: it gives up in one of four ways.
        let expected: &[_] = match (end, is_reader) {
            (0, _) => {
                let _ = thread.interrupt();
                &[Err(Errno::Interrupted), Ok(ROOM)]
            }
            (1, _) => {
                assert_eq!(pipes.close(inherited[usize::from(!is_reader)]), Ok(()));
                &[Err(Errno::BadFd), Ok(ROOM)]
            }
            (_, true) => {
                assert_eq!(pipes.write(writer, b"a", Block::NO), Ok(1));
                &[Ok(1)]
            }
            (_, false) => {
                assert_eq!(pipes.close(inherited[0]), Ok(()));
                assert_eq!(pipes.close(reader), Ok(()));
                &[Err(Errno::Pipe), Ok(ROOM)]
            }
        };
        let outcome = ended(child);
        assert!(expected.contains(&outcome), "{end} {is_reader} {outcome:?}");
    });
    for end in [reader, writer, inherited[0], inherited[1]] {
        let _ = pipes.close(end);
    }
}
