//! What the members of a family do. Each blocks, and none of them for ever: a writer and a reader
//! leave after so many calls, whoever else is left then reads the end or dies of SIGPIPE, who waits
//! for a signal gets one, and who waits for a child has one that leaves.

use std::sync::atomic::Ordering;

use slotpark_managers::*;

use crate::common::{Numbers, until};
use crate::world::{Guest, Trap};

/// The descriptors of a family: the ends of its pipe, and the end of the log.
const READER: i32 = 1;
const WRITER: i32 = 2;
pub(crate) const LOG: i32 = 0;

type Role = fn(&Guest, &mut Numbers) -> Result<i32, Trap>;

/// Those that use the pipe of the family, and others.
const ROLES: [(Role, bool); 6] = [
    (reader, true),
    (writer, true),
    (sleeper, false),
    (suspended, false),
    (threaded, false),
    (orphaner, false),
];

fn usr1() -> SignalSet {
    SignalSet::EMPTY.with(Signal::USR1)
}

/// A record in the log, which a guest that blocks there reads.
fn log(guest: &Guest) -> Result<(), Trap> {
    let record = u64::from(guest.pid.0).to_ne_bytes();
    let open = guest.table().get(LOG)?;
    // Counted with the write itself: a signal that has come meanwhile changes nothing about it.
    guest.call("log", Restart::ByFlag, |block| {
        let written = guest
            .world
            .pipes
            .write(*open, &record, block.through(&open))?;
        assert_eq!(written, record.len(), "small writes are not taken apart");
        guest.world.logged.fetch_add(1, Ordering::Relaxed);
        Ok(())
    })
}

fn reader(guest: &Guest, numbers: &mut Numbers) -> Result<i32, Trap> {
    guest.close(WRITER)?;
    let mut bytes = [0; 2048];
    for _ in 0..numbers.below(8) {
        if guest.read(READER, &mut bytes)? == 0 {
            log(guest)?;
            break;
        }
    }
    Ok(0)
}

fn writer(guest: &Guest, numbers: &mut Numbers) -> Result<i32, Trap> {
    guest.close(READER)?;
    let bytes = [0; 20_000];
    for _ in 0..numbers.below(8) {
        let count = numbers.below(bytes.len() as u64) as usize;
        let _written = guest.write(WRITER, &bytes[..count])?;
    }
    log(guest)?;
    Ok(0)
}

/// Its mask is its parent's: the signal is pending until it is taken.
fn sleeper(guest: &Guest, _: &mut Numbers) -> Result<i32, Trap> {
    let signals = &guest.world.signals;
    let info = guest.call("timed_wait", Restart::Never, |block| {
        signals.timed_wait(guest.tid, usr1(), block)
    })?;
    assert_eq!(info.signal, Signal::USR1);
    log(guest)?;
    Ok(0)
}

fn suspended(guest: &Guest, _: &mut Numbers) -> Result<i32, Trap> {
    let signals = &guest.world.signals;
    signals.set_action(guest.pid, Signal::USR1, SignalAction::call(0))?;
    let ended = guest.call("suspend", Restart::Unhandled, |block| {
        signals.suspend(guest.tid, SignalSet::EMPTY, block)
    });
    match ended {
        Err(Trap::Failed(Errno::Interrupted)) => {}
        Err(trap) => return Err(trap),
        Ok(never) => match never {},
    }
    log(guest)?;
    Ok(0)
}

/// One thread is blocked through a descriptor of both, which the other closes; or they end.
fn threaded(guest: &Guest, numbers: &mut Numbers) -> Result<i32, Trap> {
    let (world, pid) = (guest.world, guest.pid);
    let table = guest.table();
    let (silent, _writer) = world.pipe(&table);
    // So the pipe stays when that number is closed.
    table.dup(silent)?;
    let second = loop {
        match world.processes.add_thread(guest.tid) {
            Err(Errno::Interrupted) => guest.deliver()?,
            begun => break begun?,
        };
    };
    let thread = Guest {
        world,
        pid,
        tid: second,
        threads: guest.threads.clone(),
    };
    thread.run(move |thread| match thread.read(silent, &mut [0]) {
        // It leaves; the first one goes on.
        Err(Trap::Failed(Errno::BadFd)) => Err(Trap::Ended),
        other => other.map(|_| 0),
    });
    if numbers.below(2) == 0 {
        // Or all are killed meanwhile.
        until("a thread is blocked, or ends", || {
            table.waiters(silent) == 1 || guest.deliver().is_err()
        });
        table.close(silent)?;
        until("that thread has left", || {
            world.processes.process_of(second) == Err(Errno::NoProcess)
        });
        log(guest)?;
    }
    Ok(0)
}

/// Its child reads what it never writes: until it has ended, and its end is closed by that.
fn orphaner(guest: &Guest, _: &mut Numbers) -> Result<i32, Trap> {
    let (reader, writer) = guest.world.pipe(&guest.table());
    guest.fork(move |child| {
        child.close(writer)?;
        let read = child.read(reader, &mut [0])?;
        assert_eq!(read, 0);
        log(child)?;
        Ok(0)
    })?;
    Ok(0)
}

/// The parent: three children in a group of their own, what befalls them, and the wait for each.
pub(crate) fn parent(guest: &Guest, numbers: &mut Numbers) -> Result<i32, Trap> {
    let (world, pid) = (guest.world, guest.pid);
    let _none = world.signals.set_mask(guest.tid, usr1())?;
    if numbers.below(2) == 0 {
        // Its waits are interrupted by its children.
        let action = SignalAction::call(0);
        world.signals.set_action(pid, Signal::CHLD, action)?;
    }
    let _ends = world.pipe(&guest.table());
    let mut children = Vec::new();
    for _ in 0..3 {
        let (role, uses_pipe) = ROLES[numbers.below(ROLES.len() as u64) as usize];
        let mut own = Numbers::new(numbers.below(u64::MAX));
        let child = guest.fork(move |child| {
            if !uses_pipe {
                child.close(READER)?;
                child.close(WRITER)?;
            }
            role(child, &mut own)
        })?;
        children.push(child);
        world.processes.set_group(pid, child, children[0])?;
    }
    befall(guest, &children, numbers)?;
    for own in [READER, WRITER] {
        guest.close(own)?;
    }
    for child in &children {
        // Who does not wait for it blocks it, and ends with it pending.
        world
            .processes
            .kill(pid, KillTarget::Process(*child), Some(Signal::USR1))?;
    }
    for _ in &children {
        reap(guest)?;
    }
    log(guest)?;
    Ok(0)
}

fn befall(guest: &Guest, children: &[Pid], numbers: &mut Numbers) -> Result<(), Trap> {
    let one = KillTarget::Process(children[numbers.below(3) as usize]);
    let all = KillTarget::Group(children[0]);
    let kill = |target, signal| guest.world.processes.kill(guest.pid, target, Some(signal));
    match numbers.below(6) {
        0 => kill(all, Signal::TERM)?,
        1 => kill(one, Signal::KILL)?,
        2 => {
            kill(all, Signal::STOP)?;
            kill(all, Signal::CONT)?;
        }
        3 => {
            kill(one, Signal::STOP)?;
            kill(one, Signal::KILL)?;
        }
        _ => {}
    }
    Ok(())
}

fn reap(guest: &Guest) -> Result<(), Trap> {
    let wait = |block: Block<'_>| {
        let (any, ended) = (Children::Any, WaitFor::EXITED);
        guest.world.processes.wait(guest.pid, any, ended, block)
    };
    loop {
        match guest.call("wait", Restart::ByFlag, wait) {
            Err(Trap::Failed(Errno::Interrupted)) => {}
            waited => {
                let _report = waited?;
                guest.world.reaped.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
        }
    }
}
