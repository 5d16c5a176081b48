//! Stories of polls: several ends at once, levels and edges, and what ends a poll.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
mod guests;

use std::pin::pin;
use std::sync::Arc;
use std::thread::scope;
use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::{until, watchdog};
use guests::{blocked, ended};
use slotpark::{ANY_MAX, Interrupter};
use slotpark_managers::{
    Access, Block, Description, Errno, FdTable, PipeManager, PipePoll, Readiness, Waits,
};

fn pipes() -> PipeManager {
    PipeManager::new(Arc::new(Waits::new()))
}

fn found(polls: &[PipePoll]) -> Vec<Readiness> {
    polls.iter().map(PipePoll::ready).collect()
}

/// One of many, both kinds of ends among them, ends the poll; and the others are not touched.
#[test]
fn a_poll_of_many_ends_is_ended_by_any() {
    let _watchdog = watchdog("a_poll_of_many_ends_is_ended_by_any");
    let pipes = &pipes();
    let ends: Vec<_> = (0..ANY_MAX / 2).map(|_| pipes.pipe()).collect();
    for (_, writer) in &ends {
        assert_eq!(pipes.write(*writer, &[0; 65_536], Block::NO), Ok(65_536));
    }
    let (fulls, empties) = ends.split_at(ends.len() / 2);
    for (reader, _) in empties {
        assert_eq!(pipes.read(*reader, &mut [0; 65_536], Block::NO), Ok(65_536));
    }
    let entries: Vec<_> = fulls
        .iter()
        .map(|(_, writer)| PipePoll::new(*writer, Readiness::OUT))
        .chain(
            empties
                .iter()
                .map(|(reader, _)| PipePoll::new(*reader, Readiness::IN)),
        )
        .collect();
    let call = |mut polls: Vec<PipePoll>| {
        move || {
            let count = pipes.poll(&mut polls, Block::FOREVER);
            (count, found(&polls))
        }
    };
    for (at, entry) in entries.iter().enumerate().step_by(7) {
        scope(|scope| {
            let waiters = || pipes.waiters(entry.end());
            let poll = blocked(scope, waiters, call(entries.clone()));
            let expected = if at < fulls.len() {
                assert_eq!(pipes.read(fulls[at].0, &mut [0; 4096], Block::NO), Ok(4096));
                Readiness::OUT
            } else {
                let writer = empties[at - fulls.len()].1;
                assert_eq!(pipes.write(writer, b"a", Block::NO), Ok(1));
                Readiness::IN
            };
            let (count, found) = ended(poll);
            assert_eq!(count, Ok(1));
            assert_eq!(found[at], expected);
        });
        if at < fulls.len() {
            assert_eq!(pipes.write(fulls[at].1, &[0; 4096], Block::NO), Ok(4096));
        } else {
            let reader = empties[at - fulls.len()].0;
            assert_eq!(pipes.read(reader, &mut [0], Block::NO), Ok(1));
        }
    }
    let too_many = vec![entries[0].clone(); ANY_MAX + 1];
    assert_eq!(call(too_many)().0, Err(Errno::Invalid));
}

#[test]
fn a_poll_ends_in_time_or_is_interrupted() {
    let _watchdog = watchdog("a_poll_ends_in_time_or_is_interrupted");
    let pipes = &pipes();
    let (reader, _writer) = pipes.pipe();
    let thread = &Interrupter::new();
    // An end may be named twice.
    let one = PipePoll::new(reader, Readiness::IN);
    for polls in [vec![], vec![one.clone()], vec![one.clone(), one]] {
        let (mut polls, again) = (polls.clone(), polls);
        assert_eq!(pipes.poll(&mut polls, Block::NO), Ok(0));
        let soon = Block::for_at_most(Duration::from_millis(1));
        assert_eq!(pipes.poll(&mut polls, soon), Ok(0));
        scope(|scope| {
            let block = Block::FOREVER.interruptible(thread);
            let poll = scope.spawn(move || pipes.poll(&mut { again }, block));
            until("the poll is interrupted", || {
                thread.interrupt() || poll.is_finished()
            });
            assert_eq!(ended(poll), Err(Errno::Interrupted));
        });
    }
}

#[test]
fn a_poll_is_told_of_ends_that_go() {
    let _watchdog = watchdog("a_poll_is_told_of_ends_that_go");
    let pipes = &pipes();
    let (reader, writer) = pipes.pipe();
    let child = pipes.dup(reader).expect("it is open");
    scope(|scope| {
        let waiters = || pipes.waiters(writer);
        let poll = |end| {
            move || {
                let mut polls = [PipePoll::new(end, Readiness::IN)];
                assert_eq!(pipes.poll(&mut polls, Block::FOREVER), Ok(1));
                polls[0].ready()
            }
        };
        let gone = blocked(scope, waiters, poll(reader));
        let other = blocked(scope, waiters, poll(child));
        assert_eq!(pipes.close(reader), Ok(()));
        assert_eq!(ended(gone), Readiness::NVAL);
        until("the other waits again", || waiters() == 1);
        assert_eq!(pipes.close(writer), Ok(()));
        assert_eq!(ended(other), Readiness::HUP);
        assert_eq!(poll(reader)(), Readiness::NVAL);
    });
    let mut polls = [PipePoll::edge(reader, Readiness::IN)];
    assert_eq!(pipes.poll(&mut polls, Block::FOREVER), Ok(1));
    assert_eq!(polls[0].ready(), Readiness::NVAL);
    assert_eq!(pipes.close(child), Ok(()));
    assert!(pipes.is_empty());
}

/// A poll does not take the wake that a blocked reader needs.
#[test]
fn a_poll_takes_no_wake_from_a_reader() {
    let _watchdog = watchdog("a_poll_takes_no_wake_from_a_reader");
    let pipes = &pipes();
    let (reader, writer) = pipes.pipe();
    scope(|scope| {
        let waiters = || pipes.waiters(writer);
        let mut polls = [PipePoll::new(reader, Readiness::IN)];
        let poll = move || pipes.poll(&mut polls, Block::FOREVER);
        let poll = blocked(scope, waiters, poll);
        let read = || pipes.read(reader, &mut [0; 2], Block::FOREVER);
        let read = blocked(scope, waiters, read);
        assert_eq!(pipes.write(writer, b"abc", Block::NO), Ok(3));
        assert_eq!(ended(read), Ok(2));
        assert_eq!(ended(poll), Ok(1));
    });
}

/// Bytes that are there already are not new; the poll waits for more.
#[test]
fn a_poll_by_edges_waits_for_what_is_new() {
    let _watchdog = watchdog("a_poll_by_edges_waits_for_what_is_new");
    let pipes = &pipes();
    let (reader, writer) = pipes.pipe();
    assert_eq!(pipes.write(writer, b"a", Block::NO), Ok(1));
    let mut polls = [PipePoll::edge(reader, Readiness::IN)];
    assert_eq!(pipes.poll(&mut polls, Block::FOREVER), Ok(1));
    scope(|scope| {
        let poll = || {
            let count = pipes.poll(&mut polls, Block::FOREVER);
            (count, polls[0].ready())
        };
        let poll = blocked(scope, || pipes.waiters(reader), poll);
        assert_eq!(pipes.write(writer, b"b", Block::NO), Ok(1));
        assert_eq!(ended(poll), (Ok(1), Readiness::IN));
    });
    // Room where there was room is not new either; room in a full pipe is.
    let mut polls = [PipePoll::edge(writer, Readiness::OUT)];
    assert_eq!(pipes.poll(&mut polls, Block::NO), Ok(1));
    assert_eq!(pipes.read(reader, &mut [0; 2], Block::NO), Ok(2));
    assert_eq!(pipes.poll(&mut polls, Block::NO), Ok(0));
    assert_eq!(pipes.write(writer, &[0; 65_536], Block::NO), Ok(65_536));
    assert_eq!(pipes.read(reader, &mut [0; 4095], Block::NO), Ok(4095));
    assert_eq!(pipes.poll(&mut polls, Block::NO), Ok(0));
    assert_eq!(pipes.read(reader, &mut [0], Block::NO), Ok(1));
    assert_eq!(pipes.poll(&mut polls, Block::NO), Ok(1));
}

#[test]
fn a_task_polls_several_ends() {
    let _watchdog = watchdog("a_task_polls_several_ends");
    let pipes = pipes();
    pipes.mkfifo("fifo").expect("the name is free");
    let both = pipes
        .open_fifo("fifo", Access::Both, Block::NO)
        .expect("it is there");
    let (reader, writer) = pipes.pipe();
    let mut polls = [reader, both].map(|end| PipePoll::new(end, Readiness::IN));
    let bell = Bell::new();
    {
        let mut first = pin!(pipes.poll_async(&mut polls));
        assert!(poll(first.as_mut(), &bell).is_pending());
        assert_eq!(pipes.write(both, b"a", Block::NO), Ok(1));
        assert_eq!(bell.rings(), 1);
        assert_eq!(ready(first.as_mut()), Ok(1));
    }
    assert_eq!(found(&polls), [Readiness::NONE, Readiness::IN]);
    assert_eq!(pipes.read(both, &mut [0], Block::NO), Ok(1));
    {
        let mut dropped = Box::pin(pipes.poll_async(&mut polls));
        assert!(poll(dropped.as_mut(), &bell).is_pending());
        assert_eq!(pipes.waiters(reader), 1);
    }
    assert_eq!(pipes.waiters(reader), 0);
    assert_eq!(pipes.write(writer, b"b", Block::NO), Ok(1));
    assert_eq!(ready(pin!(pipes.poll_async(&mut polls))), Ok(1));
}

/// A poll that was made through a descriptor, of an event poll or the like, ends when that is
/// closed: with ends, and with none. The ends are not touched.
#[test]
fn a_poll_through_a_descriptor_ends_with_it() {
    let _watchdog = watchdog("a_poll_through_a_descriptor_ends_with_it");
    let waits = Arc::new(Waits::new());
    let pipes = &PipeManager::new(Arc::clone(&waits));
    let files = &FdTable::new(waits);
    let (reader, writer) = pipes.pipe();
    let many = &[reader; ANY_MAX].map(|end| PipePoll::new(end, Readiness::IN));
    for count in [1, 0, ANY_MAX - 1] {
        let number = files.install(Description::new("a poll"), false).unwrap();
        scope(|scope| {
            let poller = scope.spawn(move || {
                let open = files.get(number).unwrap();
                pipes.poll(&mut many.clone()[..count], Block::FOREVER.through(&open))
            });
            until("the poll waits", || files.waiters(number) == 1);
            files.close(number).unwrap();
            assert_eq!(poller.join().unwrap(), Err(Errno::BadFd), "{count} ends");
        });
        assert_eq!(pipes.waiters(reader), 0);
    }
    let number = files.install(Description::new("a poll"), false).unwrap();
    let open = files.get(number).unwrap();
    let too_many = pipes.poll(&mut many.clone(), Block::FOREVER.through(&open));
    assert_eq!(too_many, Err(Errno::Invalid));
    // What is ready is said, whatever the descriptor's end.
    assert_eq!(pipes.write(writer, b"!", Block::NO), Ok(1));
    files.close(number).unwrap();
    let block = Block::FOREVER.through(&open);
    assert_eq!(pipes.poll(&mut many.clone()[..1], block), Ok(1));
}
