//! Calls that are overtaken between two of their steps: nothing that happens there is missed.

use std::io::{IoSlice, IoSliceMut};
use std::sync::Arc;

use slotpark::Deadline;

use super::fifo::Opening;
use super::read::Read;
use super::transfer::Step;
use super::write::Write;
use super::{PipeEnd, PipeManager, PipePoll, Readiness};
use crate::{Access, Block, Errno, Waits};

/// A wait that is stale returns even so; any other one ends with ETIMEDOUT.
const AT_ONCE: Block<'_> = Block::at(Some(Deadline::PAST));

type Change = fn(&PipeManager, PipeEnd, PipeEnd);

const WRITE: Change = |pipes, _, writer| assert!(pipes.write(writer, b"a", Block::NO).is_ok());
const READ: Change = |pipes, reader, _| {
    assert_eq!(pipes.read(reader, &mut [0; 4096], Block::NO), Ok(4096));
};
const GROW: Change = |pipes, reader, _| assert!(pipes.set_capacity(reader, 1 << 17).is_ok());
const CLOSE_READER: Change = |pipes, reader, _| assert_eq!(pipes.close(reader), Ok(()));
const CLOSE_WRITER: Change = |pipes, _, writer| assert_eq!(pipes.close(writer), Ok(()));

fn pipe() -> (PipeManager, PipeEnd, PipeEnd) {
    let pipes = PipeManager::new(Arc::new(Waits::with_slots(4)));
    let (reader, writer) = pipes.pipe();
    (pipes, reader, writer)
}

fn full_pipe() -> (PipeManager, PipeEnd, PipeEnd) {
    let (pipes, reader, writer) = pipe();
    assert_eq!(pipes.write(writer, &[0; 65_536], Block::NO), Ok(65_536));
    (pipes, reader, writer)
}

/// Makes the change, if there is one; what a wait then returns that began before.
fn made(
    change: Option<Change>,
    (pipes, reader, writer): (&PipeManager, PipeEnd, PipeEnd),
) -> Result<(), Errno> {
    let change = change.ok_or(Errno::TimedOut)?;
    change(pipes, reader, writer);
    Ok(())
}

#[test]
fn a_change_between_the_look_and_the_wait_of_a_read() {
    for change in [None, Some(WRITE), Some(CLOSE_WRITER), Some(CLOSE_READER)] {
        let (pipes, reader, writer) = pipe();
        let mut byte = [0];
        let mut slices = [IoSliceMut::new(&mut byte)];
        let mut read = Read::new(&pipes, reader, &mut slices).expect("it is open");
        let Ok(Step::Wait(seen)) = read.step() else {
            panic!("there is something to read");
        };
        let expected = made(change, (&pipes, reader, writer));
        let waited = read.pipe.readable.wait(&pipes.waits, seen, AT_ONCE);
        assert_eq!(waited, expected);
    }
}

#[test]
fn a_change_between_the_look_and_the_wait_of_a_write() {
    for change in [READ, GROW, CLOSE_WRITER, CLOSE_READER]
        .map(Some)
        .into_iter()
        .chain([None])
    {
        let (pipes, reader, writer) = full_pipe();
        let slices = [IoSlice::new(b"a")];
        let mut write = Write::new(&pipes, writer, &slices).expect("it is open");
        let Ok(Step::Wait(seen)) = write.step() else {
            panic!("there is room");
        };
        let expected = made(change, (&pipes, reader, writer));
        let waited = write.pipe.writable.wait(&pipes.waits, seen, AT_ONCE);
        assert_eq!(waited, expected);
    }
}

#[test]
fn a_change_between_the_look_and_the_wait_of_a_poll() {
    for (new, interest, change) in [
        (pipe as fn() -> _, Readiness::IN, None),
        (pipe, Readiness::IN, Some(WRITE)),
        (pipe, Readiness::IN, Some(CLOSE_WRITER)),
        (pipe, Readiness::IN, Some(CLOSE_READER)),
        (full_pipe, Readiness::OUT, Some(READ)),
        (full_pipe, Readiness::OUT, Some(GROW)),
    ] {
        let (pipes, reader, writer) = new();
        let end = if interest == Readiness::IN {
            reader
        } else {
            writer
        };
        let mut polls = [PipePoll::new(end, interest)];
        let watched = pipes.look_at_all(&mut polls);
        assert_eq!(polls[0].ready(), Readiness::NONE);
        let expected = made(change, (&pipes, reader, writer));
        assert_eq!(pipes.wait_for_any(&watched, AT_ONCE), expected);
    }
}

#[test]
fn a_change_between_the_look_and_the_wait_of_an_open() {
    for other in [None, Some(Access::Write), Some(Access::Both)] {
        let (pipes, _, _) = pipe();
        pipes.mkfifo("fifo").expect("the name is free");
        let opening = Opening::begin(&pipes, b"fifo", Access::Read, true).expect("it is there");
        let seen = opening.pending().expect("nobody has come");
        if let Some(other) = other {
            assert!(pipes.open_fifo("fifo", other, Block::NO).is_ok());
        }
        let waited = opening.pipe.changed.wait(&pipes.waits, seen, AT_ONCE);
        let expected = other.map(|_| ()).ok_or(Errno::TimedOut);
        assert_eq!(waited, expected);
        assert_eq!(opening.pending().is_some(), other.is_none());
    }
}

/// The call has looked up its end, which is then closed: it would wait for ever.
#[test]
fn an_end_that_is_closed_after_it_was_looked_up() {
    let (pipes, reader, _writer) = pipe();
    let mut byte = [0];
    let mut slices = [IoSliceMut::new(&mut byte)];
    let mut read = Read::new(&pipes, reader, &mut slices).expect("it is open");
    let mut poll = PipePoll::new(reader, Readiness::IN);
    let end = pipes.end(reader).expect("it is open");
    assert_eq!(pipes.close(reader), Ok(()));
    assert!(matches!(read.step(), Err(Errno::BadFd)));
    assert!(poll.look_at(end, &pipes).is_none());

    let (pipes, _reader, writer) = full_pipe();
    let slices = [IoSlice::new(b"a")];
    let mut write = Write::new(&pipes, writer, &slices).expect("it is open");
    assert_eq!(pipes.close(writer), Ok(()));
    assert!(matches!(write.step(), Err(Errno::BadFd)));
}
