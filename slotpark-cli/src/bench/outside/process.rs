//! Programs that end in time, or are ended.

use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

/// Runs a program to its end and takes what it prints. `None`: it ran past the limit, and was ended
/// with all that it had started.
pub(super) fn output(mut command: Command, limit: Duration) -> io::Result<Option<Output>> {
    // A group of its own, so that what it starts ends with it.
    command.process_group(0);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let group = Pid::from_child(&child);
    let [stdout, stderr] = [
        child.stdout.take().map(reading),
        child.stderr.take().map(reading),
    ];
    let in_time = ends_within(group, limit);
    // Before its exit is waited for, so that its number is still its own. That it is gone with all
    // its group is no error.
    let _ = kill_process_group(group, Signal::KILL);
    let status = child.wait()?;
    let read = |pipe: Option<thread::JoinHandle<Vec<u8>>>| {
        pipe.and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    };
    let output = Output {
        status,
        stdout: read(stdout),
        stderr: read(stderr),
    };
    Ok(in_time?.then_some(output))
}

/// Reads a pipe while the program runs, which would block on one that is full. What cannot be read
/// is as if it had not been printed.
fn reading(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = pipe.read_to_end(&mut text);
        text
    })
}

/// Whether the process ends before the limit. It is not yet waited for.
fn ends_within(process: Pid, limit: Duration) -> io::Result<bool> {
    let process = pidfd_open(process, PidfdFlags::empty())?;
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = left.try_into().map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&left)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
