//! Calls that block, at the same moment as what must end them: none of it is missed.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::sync::{Arc, PoisonError, RwLock};

use common::{Numbers, Rounds, a_second, watchdog};
use slotpark_managers::{
    Access, Block, Channel, ChannelOptions, Errno, IpcChannels, PipeEnd, PipeManager, PipePoll,
    Readiness, Waits,
};

/// Makes two calls on something new at one moment, again and again for a second.
fn race<T: Send + Sync>(
    story: &'static str,
    new: impl Fn() -> T,
    (first, second): (impl Fn(&T), impl Fn(&T) + Send),
) {
    let _watchdog = watchdog(story);
    let (rounds, site) = (&Rounds::new(), &RwLock::new(None));
    let on_site = |call: &dyn Fn(&T)| {
        let site = site.read().unwrap_or_else(PoisonError::into_inner);
        call(site.as_ref().expect("it is made before the round"));
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut numbers = Numbers::new(7);
            while rounds.begin(1) {
                for _ in 0..numbers.below(400) {
                    std::hint::spin_loop();
                }
                on_site(&second);
                rounds.end(1);
            }
        });
        let mut goes_on = a_second();
        while goes_on() {
            *site.write().unwrap_or_else(PoisonError::into_inner) = Some(new());
            rounds.begin(0);
            on_site(&first);
            rounds.end(0);
        }
        rounds.stop();
    });
}

struct Pipe {
    pipes: PipeManager,
    reader: PipeEnd,
    writer: PipeEnd,
}

fn pipe() -> Pipe {
    let pipes = PipeManager::new(Arc::new(Waits::with_slots(4)));
    let (reader, writer) = pipes.pipe();
    Pipe {
        pipes,
        reader,
        writer,
    }
}

fn full_pipe() -> Pipe {
    let pipe = pipe();
    let written = pipe.pipes.write(pipe.writer, &[0; 65_536], Block::NO);
    assert_eq!(written, Ok(65_536));
    pipe
}

fn read(pipe: &Pipe) -> Result<usize, Errno> {
    pipe.pipes.read(pipe.reader, &mut [0; 4096], Block::FOREVER)
}

fn write(pipe: &Pipe) -> Result<usize, Errno> {
    pipe.pipes.write(pipe.writer, b"a", Block::FOREVER)
}

#[test]
fn a_read_races_a_write() {
    let reads = |pipe: &Pipe| assert_eq!(read(pipe), Ok(1));
    let writes = |pipe: &Pipe| assert_eq!(write(pipe), Ok(1));
    race("a_read_races_a_write", pipe, (reads, writes));
}

#[test]
fn a_write_races_a_read() {
    let writes = |pipe: &Pipe| assert_eq!(write(pipe), Ok(1));
    let reads = |pipe: &Pipe| assert_eq!(read(pipe), Ok(4096));
    race("a_write_races_a_read", full_pipe, (writes, reads));
}

/// The end is closed before the call looks it up, while it looks at the pipe, or while it waits.
#[test]
fn a_read_races_the_close_of_its_end() {
    let reads = |pipe: &Pipe| assert_eq!(read(pipe), Err(Errno::BadFd));
    let closes = |pipe: &Pipe| assert_eq!(pipe.pipes.close(pipe.reader), Ok(()));
    race("a_read_races_the_close_of_its_end", pipe, (reads, closes));
}

#[test]
fn a_write_races_the_close_of_its_end() {
    let writes = |pipe: &Pipe| assert_eq!(write(pipe), Err(Errno::BadFd));
    let closes = |pipe: &Pipe| assert_eq!(pipe.pipes.close(pipe.writer), Ok(()));
    race(
        "a_write_races_the_close_of_its_end",
        full_pipe,
        (writes, closes),
    );
}

fn polled(pipe: &Pipe) -> Readiness {
    let mut polls = [PipePoll::new(pipe.reader, Readiness::IN)];
    assert_eq!(pipe.pipes.poll(&mut polls, Block::FOREVER), Ok(1));
    polls[0].ready()
}

#[test]
fn a_poll_races_the_close_of_its_end() {
    let polls = |pipe: &Pipe| assert_eq!(polled(pipe), Readiness::NVAL);
    let closes = |pipe: &Pipe| assert_eq!(pipe.pipes.close(pipe.reader), Ok(()));
    race("a_poll_races_the_close_of_its_end", pipe, (polls, closes));
}

#[test]
fn a_poll_races_a_write() {
    let polls = |pipe: &Pipe| assert_eq!(polled(pipe), Readiness::IN);
    let writes = |pipe: &Pipe| assert_eq!(write(pipe), Ok(1));
    race("a_poll_races_a_write", pipe, (polls, writes));
}

/// Both sides wait for each other, and one name is all they have.
#[test]
fn the_opens_of_a_fifo_race() {
    let fifo = || {
        let pipes = PipeManager::new(Arc::new(Waits::with_slots(4)));
        pipes.mkfifo("fifo").expect("the name is free");
        pipes
    };
    let open = |access| {
        move |pipes: &PipeManager| {
            let end = pipes.open_fifo("fifo", access, Block::FOREVER);
            assert_eq!(pipes.close(end.expect("the other side comes")), Ok(()));
        }
    };
    let opens = (open(Access::Read), open(Access::Write));
    race("the_opens_of_a_fifo_race", fifo, opens);
}

fn queue() -> (IpcChannels, Channel) {
    let channels = IpcChannels::new(Arc::new(Waits::with_slots(4)));
    let options = ChannelOptions::new(Access::Both).create(None);
    let channel = channels.open("/jobs", options).expect("it can be made");
    (channels, channel)
}

type Queue = (IpcChannels, Channel);

fn receive((channels, channel): &Queue) -> Result<usize, Errno> {
    let received = channels.receive(*channel, &mut [0; 8192], Block::FOREVER);
    received.map(|received| received.bytes)
}

#[test]
fn a_receive_races_a_send() {
    let receives = |queue: &Queue| assert_eq!(receive(queue), Ok(3));
    let sends = |(channels, channel): &Queue| {
        assert_eq!(channels.send(*channel, b"one", 0, Block::FOREVER), Ok(()));
    };
    race("a_receive_races_a_send", queue, (receives, sends));
}

#[test]
fn a_receive_races_the_close_of_its_descriptor() {
    let receives = |queue: &Queue| assert_eq!(receive(queue), Err(Errno::BadFd));
    let closes = |(channels, channel): &Queue| assert_eq!(channels.close(*channel), Ok(()));
    let story = "a_receive_races_the_close_of_its_descriptor";
    race(story, queue, (receives, closes));
}

/// Whoever comes first, nothing is left to be told through a descriptor that is closed.
#[test]
fn a_notify_races_the_close_of_its_descriptor() {
    let two = || {
        let (channels, channel) = queue();
        let other = channels.dup(channel).expect("it is open");
        (channels, channel, other)
    };
    type Two = (IpcChannels, Channel, Channel);
    let notifies = |(channels, channel, other): &Two| {
        match channels.notify(*channel, || {}) {
            // It goes with the close, which may still come.
            Ok(()) => while channels.notify(*other, || {}) == Err(Errno::Busy) {},
            Err(errno) => {
                assert_eq!(errno, Errno::BadFd);
                assert_eq!(channels.notify(*other, || {}), Ok(()));
            }
        }
    };
    let closes = |(channels, channel, _): &Two| assert_eq!(channels.close(*channel), Ok(()));
    race(
        "a_notify_races_the_close_of_its_descriptor",
        two,
        (notifies, closes),
    );
}
