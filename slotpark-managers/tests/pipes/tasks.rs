//! Tasks on pipes: wakes that go on to the next, and what a dropped future leaves.

use std::pin::pin;

use slotpark_managers::{Block, PIPE_BUF};

use crate::common::bells::{Bell, poll, ready};
use crate::common::watchdog;
use crate::{ROOM, full, pipes};

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

/// As in the kernel: only at its beginning is a write added to the last page.
#[test]
fn a_write_that_has_waited_wants_a_page_of_its_own() {
    let _watchdog = watchdog("a_write_that_has_waited_wants_a_page_of_its_own");
    let pipes = pipes();
    let (reader, writer) = full(&pipes);
    let mut write = pin!(pipes.write_async(writer, b"late"));
    assert!(poll(write.as_mut(), &Bell::new()).is_pending());
    assert_eq!(
        pipes.read(reader, &mut [0; PIPE_BUF], Block::NO),
        Ok(PIPE_BUF)
    );
    assert_eq!(pipes.write(writer, b"early", Block::NO), Ok(5));
    assert!(poll(write.as_mut(), &Bell::new()).is_pending());
    assert_eq!(pipes.write(writer, b"added", Block::NO), Ok(5));
    assert_eq!(
        pipes.read(reader, &mut [0; PIPE_BUF], Block::NO),
        Ok(PIPE_BUF)
    );
    assert_eq!(ready(write.as_mut()), Ok(4));
}
