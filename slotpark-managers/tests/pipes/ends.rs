//! The ends of pipes: who is told that a side is gone, and who that its own end is.

use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::scope;

use slotpark_managers::{Block, Errno, PIPE_BUF};

use crate::common::{until, watchdog};
use crate::guests::ended;
use crate::{ROOM, blocked, close_all, pipes};

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
