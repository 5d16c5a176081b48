//! Stories of FIFOs: two sides that wait for each other, and names that come and go.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
mod guests;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::scope;
use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::watchdog;
use guests::{blocked, ended};
use slotpark::Interrupter;
use slotpark_managers::{Access, Block, Errno, PipeEnd, PipeManager, Waits};

/// With a FIFO of the name `fifo`.
fn pipes() -> PipeManager {
    let pipes = PipeManager::new(Arc::new(Waits::new()));
    pipes.mkfifo("fifo").expect("the name is free");
    pipes
}

fn open(pipes: &PipeManager, access: Access) -> Result<PipeEnd, Errno> {
    pipes.open_fifo("fifo", access, Block::FOREVER)
}

fn end_all(pipes: &PipeManager, ends: &[PipeEnd]) {
    for end in ends {
        assert_eq!(pipes.close(*end), Ok(()));
    }
    assert_eq!(pipes.unlink_fifo("fifo"), Ok(()));
    assert!(pipes.is_empty());
}

#[test]
fn each_side_waits_for_the_other() {
    let _watchdog = watchdog("each_side_waits_for_the_other");
    let pipes = &pipes();
    let waiters = || pipes.fifo_waiters("fifo");
    for (first, second) in [(Access::Read, Access::Write), (Access::Write, Access::Read)] {
        let mut ends = Vec::new();
        scope(|scope| {
            let early = [(); 2].map(|()| blocked(scope, waiters, move || open(pipes, first)));
            ends.push(open(pipes, second).expect("the other side is there"));
            ends.extend(early.map(|early| ended(early).expect("the other side has come")));
        });
        for end in ends {
            assert_eq!(pipes.close(end), Ok(()));
        }
    }
    end_all(pipes, &[]);
}

/// A writer that has come and gone before the reader runs: the reader is let in, and finds the end.
#[test]
fn who_came_and_went_has_been_there() {
    let _watchdog = watchdog("who_came_and_went_has_been_there");
    let pipes = &pipes();
    let mut first = pin!(pipes.open_fifo_async("fifo", Access::Read));
    let bell = Bell::new();
    assert!(poll(first.as_mut(), &bell).is_pending());
    let writer = open(pipes, Access::Write).expect("a reader waits");
    assert_eq!(pipes.write(writer, b"hello", Block::NO), Ok(5));
    assert_eq!(pipes.close(writer), Ok(()));
    assert!(bell.rings() > 0);
    let reader = ready(first.as_mut()).expect("a writer has come");
    let mut bytes = [0; 8];
    assert_eq!(pipes.read(reader, &mut bytes, Block::FOREVER), Ok(5));
    assert_eq!(pipes.read(reader, &mut bytes, Block::FOREVER), Ok(0));
    end_all(pipes, &[reader]);
}

/// An open that fails, or whose future is dropped, has been none.
#[test]
fn an_open_that_is_given_up_leaves_nothing() {
    let _watchdog = watchdog("an_open_that_is_given_up_leaves_nothing");
    let pipes = &pipes();
    let nobody_reads = || {
        let opened = pipes.open_fifo("fifo", Access::Write, Block::NO);
        assert_eq!(opened, Err(Errno::NoDevice));
        assert_eq!(pipes.len(), 0);
    };
    nobody_reads();
    let thread = &Interrupter::new();
    scope(|scope| {
        let block = Block::FOREVER.interruptible(thread);
        let open = move || pipes.open_fifo("fifo", Access::Read, block);
        let open = blocked(scope, || pipes.fifo_waiters("fifo"), open);
        assert!(thread.interrupt());
        assert_eq!(ended(open), Err(Errno::Interrupted));
    });
    nobody_reads();
    let soon = Block::for_at_most(Duration::from_millis(1));
    assert_eq!(
        pipes.open_fifo("fifo", Access::Read, soon),
        Err(Errno::TimedOut)
    );
    nobody_reads();
    let mut dropped = Box::pin(pipes.open_fifo_async("fifo", Access::Read));
    assert!(poll(dropped.as_mut(), &Bell::new()).is_pending());
    drop(dropped);
    nobody_reads();
    end_all(pipes, &[]);
}

/// While a writer waits for a reader that gives up, nobody is told that there was one for it.
#[test]
fn the_last_reader_to_give_up_breaks_the_pipe() {
    let _watchdog = watchdog("the_last_reader_to_give_up_breaks_the_pipe");
    let pipes = pipes();
    let mut reading = Box::pin(pipes.open_fifo_async("fifo", Access::Read));
    assert!(poll(reading.as_mut(), &Bell::new()).is_pending());
    let writer = open(&pipes, Access::Write).expect("a reader waits");
    drop(reading);
    assert_eq!(pipes.write(writer, b"a", Block::FOREVER), Err(Errno::Pipe));
    end_all(&pipes, &[writer]);
}

/// What was not read goes with the last end; and so does a size.
#[test]
fn a_fifo_begins_anew() {
    let _watchdog = watchdog("a_fifo_begins_anew");
    let pipes = pipes();
    let both = open(&pipes, Access::Both).expect("it does not wait");
    assert_eq!(pipes.write(both, b"hello", Block::NO), Ok(5));
    assert_eq!(pipes.set_capacity(both, 4096), Ok(4096));
    assert_eq!(pipes.close(both), Ok(()));
    let both = open(&pipes, Access::Both).expect("it does not wait");
    assert_eq!(pipes.unread(both), Ok(0));
    assert_eq!(pipes.capacity(both), Ok(65_536));
    end_all(&pipes, &[both]);
}

/// A name that is removed is nobody's; who is opening it finds the others that are.
#[test]
fn a_name_that_is_removed_stays_with_those_who_have_it() {
    let _watchdog = watchdog("a_name_that_is_removed_stays_with_those_who_have_it");
    let pipes = &pipes();
    let mut old = pin!(pipes.open_fifo_async("fifo", Access::Read));
    assert!(poll(old.as_mut(), &Bell::new()).is_pending());
    let mut partner = pin!(pipes.open_fifo_async("fifo", Access::Write));
    assert_eq!(pipes.unlink_fifo("fifo"), Ok(()));
    assert_eq!(open(pipes, Access::Read), Err(Errno::NoEntry));
    // A future that was never polled has looked up nothing.
    assert_eq!(ready(partner.as_mut()), Err(Errno::NoEntry));
    assert_eq!(pipes.mkfifo("fifo"), Ok(()));
    let opened = pipes.open_fifo("fifo", Access::Write, Block::NO);
    assert_eq!(
        opened,
        Err(Errno::NoDevice),
        "the reader waits on the other one"
    );
    assert!(poll(old.as_mut(), &Bell::new()).is_pending());
    assert_eq!(pipes.fifo_waiters("fifo"), 0);
}

/// Names come and go while threads open them: all who got in as pairs move their bytes, and in the
/// end nothing is left.
#[test]
fn pairs_meet_on_names_that_come_and_go() {
    let _watchdog = watchdog("pairs_meet_on_names_that_come_and_go");
    let pipes = &PipeManager::new(Arc::new(Waits::new()));
    let moved = &AtomicUsize::new(0);
    scope(|scope| {
        for thread in 0..3 {
            scope.spawn(move || {
                for round in 0..100 {
                    let name = format!("{thread}-{round}");
                    assert_eq!(pipes.mkfifo(&name), Ok(()));
                    let open = |access| pipes.open_fifo(&name, access, Block::FOREVER);
                    std::thread::scope(|scope| {
                        scope.spawn(|| {
                            let writer = open(Access::Write).expect("the name is there");
                            assert_eq!(pipes.write(writer, &[1; 5000], Block::FOREVER), Ok(5000));
                            assert_eq!(pipes.close(writer), Ok(()));
                        });
                        let reader = open(Access::Read).expect("the name is there");
                        assert_eq!(pipes.unlink_fifo(&name), Ok(()));
                        let mut bytes = [0; 1000];
                        while let Ok(count @ 1..) = pipes.read(reader, &mut bytes, Block::FOREVER) {
                            moved.fetch_add(count, Ordering::Relaxed);
                        }
                        assert_eq!(pipes.close(reader), Ok(()));
                    });
                }
            });
        }
    });
    assert_eq!(moved.load(Ordering::Relaxed), 3 * 100 * 5000);
    assert!(pipes.is_empty());
}
