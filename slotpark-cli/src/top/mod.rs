//! `slotpark top`: looks at a running process, again and again.

mod changes;
#[cfg(test)]
mod fixture;
mod heat;
mod hot;
mod keys;
mod live;
mod looks;
mod picker;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod tree;
mod views;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{bail, ensure};

use crate::inspect::look_twice;
use crate::source::Target;

/// What `--help` says below the options.
const KEYS_HELP: &str = "\
In the view ? shows the keys. Without PID it takes the process that has opened its socket, and asks
if there are several. A program opens its socket by `slotpark_inspect::socket::serve`; `slotpark run
--inspect` does it for any program. What is shown beyond slots, kinds and hashes is what the
program records: since when and by whom from Detail::Timing on, where in the source at Detail::Full.
Colours are off where NO_COLOR is set.";

/// The arguments of `slotpark top`.
#[derive(Debug, clap::Args)]
#[command(after_help = KEYS_HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// Seconds from one look to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    interval: f64,

    /// Print the overview as text and exit.
    #[arg(long)]
    once: bool,
}

pub(crate) fn main(args: &Args) -> anyhow::Result<ExitCode> {
    let is_sound = (0.01..=3600.0).contains(&args.interval);
    ensure!(is_sound, "the interval must be from 0.01 to 3600 seconds");
    let interval = Duration::from_secs_f64(args.interval);
    if args.once {
        return once(&args.target);
    }
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        bail!("`slotpark top` needs a terminal; with --once it prints text");
    }
    live::run(&args.target, interval)
}

fn once(target: &Target) -> anyhow::Result<ExitCode> {
    let mut state = state::State::default();
    match look_twice(target)? {
        (None, only) => state.take_only(only),
        (Some(before), now) => {
            state.take(before);
            state.take(now);
        }
    }
    // Nobody is left to tell when standard output is closed.
    let _ = io::stdout().write_all(text::overview(&state).as_bytes());
    Ok(ExitCode::SUCCESS)
}
