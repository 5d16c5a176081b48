//! `slotpark inspect`: what there is to see in a process now, in forms for people and programs.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Subcommand;
use slotpark_inspect::{Snapshot, deadlocks};

use crate::forms::{self, Form};
use crate::source::Target;

/// The arguments of `slotpark inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// All threads and tasks that wait or hold: what, since when, where, behind whom; deadlocks.
    Dump(Target),
    /// The snapshot as JSON, which `--file` reads.
    Json(Target),
    /// A page that needs nothing but a browser.
    Html(Target),
    /// Folded stacks of those who wait, weighed by microseconds, for flame graphs.
    Folded(Target),
    /// Metrics in the text format of Prometheus.
    Prometheus(Target),
    /// Deadlocks, as two looks agree on them; the exit status is 1 if there is one.
    Deadlocks(Target),
    /// The processes that have an open socket.
    List,
}

/// A process gives the same look to all who ask within a shorter time.
pub(crate) const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

pub(crate) fn main(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Dump(target) => print(target, Form::Dump),
        What::Json(target) => print(target, Form::Json),
        What::Html(target) => print(target, Form::Html),
        What::Folded(target) => print(target, Form::Folded),
        What::Prometheus(target) => print(target, Form::Prometheus),
        What::Deadlocks(target) => tell_deadlocks(target),
        What::List => {
            let names = slotpark_inspect::socket::list();
            let lines = names.iter().map(crate::source::name);
            write(&lines.map(|line| line + "\n").collect::<String>());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn print(target: &Target, form: Form) -> anyhow::Result<ExitCode> {
    let (before, snapshot) = look_twice(target)?;
    write(&forms::render(&snapshot, before.as_ref(), form)?);
    Ok(ExitCode::SUCCESS)
}

fn tell_deadlocks(target: &Target) -> anyhow::Result<ExitCode> {
    let (before, snapshot) = look_twice(target)?;
    let found = match &before {
        Some(before) => deadlocks(before, &snapshot),
        None => snapshot.suspects(),
    };
    if found.is_empty() {
        write("no deadlock\n");
        return Ok(ExitCode::SUCCESS);
    }
    write(&forms::deadlocks(&found, before.is_some()));
    Ok(ExitCode::FAILURE)
}

/// A look, and the one before it; a file has but one.
pub(crate) fn look_twice(target: &Target) -> anyhow::Result<(Option<Snapshot>, Snapshot)> {
    let source = target.source()?;
    let is_file = source.is_file();
    let mut looker = source.open()?;
    let first = looker.look()?;
    if is_file {
        return Ok((None, first));
    }
    thread::sleep(BETWEEN_LOOKS);
    Ok((Some(first), looker.look()?))
}

fn write(text: &str) {
    // Nobody is left to tell when standard output is closed.
    let _ = io::stdout().write_all(text.as_bytes());
}
