//! Runs the program and passes on what happens to it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;

use anyhow::Context;
use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, pidfd_open, pidfd_send_signal, setrlimit,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::shared::Shared;
use super::{Refusal, layout, library};

/// The program to run.
#[derive(Debug)]
pub(super) struct Child<'a> {
    /// The file.
    pub(super) path: &'a Path,
    /// What it is told to be called.
    pub(super) name: &'a OsStr,
    pub(super) arguments: &'a [OsString],
    pub(super) library: &'a Path,
    pub(super) shared: &'a Shared,
    /// Every process opens its socket.
    pub(super) inspect: bool,
}

impl Child<'_> {
    /// Runs it to its end.
    pub(super) fn run(&self) -> Result<ExitStatus, Refusal> {
        let preload =
            library::preload_list(self.library.as_os_str(), std::env::var_os("LD_PRELOAD"));
        let signals = catch_signals().context("cannot handle signals")?;
        let mut command = Command::new(self.path);
        let inspect = OsStr::from_bytes(layout::INSPECT.to_bytes());
        if self.inspect {
            command.env(inspect, "1");
        } else {
            // A program that runs another under `slotpark run` does not ask for that one.
            command.env_remove(inspect);
        }
        let mut child = command
            .arg0(self.name)
            .args(self.arguments)
            .env("LD_PRELOAD", preload)
            .env(
                OsStr::from_bytes(layout::ENVIRONMENT.to_bytes()),
                self.shared.path(),
            )
            .spawn()
            .with_context(|| format!("cannot run `{}`", self.path.display()))
            .map_err(|error| Refusal {
                status: Refusal::NOT_EXECUTABLE,
                error,
            })?;
        let program = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())
            .context("cannot reach the program")?;
        thread::spawn(move || forward(signals, &program));
        Ok(child.wait().context("cannot wait for the program")?)
    }
}

/// From here on no signal that asks `slotpark` to end does so before the program has ended. One
/// that is ignored stays so, since the program inherits that; a handler is not inherited.
fn catch_signals() -> anyhow::Result<Signals> {
    let status = fs::read_to_string("/proc/self/status")?;
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .context("/proc/self/status names no ignored signals")?;
    let caught = [SIGINT, SIGQUIT, SIGTERM, SIGHUP];
    let caught = caught
        .into_iter()
        .filter(|signal| ignored >> (signal - 1) & 1 == 0);
    Ok(Signals::new(caught)?)
}

/// Hands on SIGTERM and SIGHUP, which are often sent to one process alone. A terminal sends SIGINT
/// and SIGQUIT to the program too.
fn forward(mut signals: Signals, program: &OwnedFd) {
    for signal in signals.forever() {
        let signal = match signal {
            SIGTERM => Signal::TERM,
            SIGHUP => Signal::HUP,
            _ => continue,
        };
        // It fails only if the program has just ended: a descriptor, unlike a process id, never
        // comes to mean another process.
        let _ = pidfd_send_signal(program, signal);
    }
}

/// Ends this process as the program ended: with its exit status, or by the same signal.
pub(super) fn end_like(status: ExitStatus) -> ExitCode {
    if let Some(signal) = status.signal() {
        // The program has left its core, if any; ours would overwrite it. If the limit cannot be
        // set there is one core more.
        let _ = setrlimit(
            Resource::Core,
            Rlimit {
                current: Some(0),
                maximum: Some(0),
            },
        );
        // Returns only for a signal that it does not know, such as those of real time.
        let _ = emulate_default_handler(signal);
    }
    // What a shell says of a process that was ended by a signal.
    let code = status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
