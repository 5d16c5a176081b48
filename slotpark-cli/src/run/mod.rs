//! `slotpark run`: runs an unmodified program with its private futexes on slots, and reports.

mod child;
mod layout;
mod library;
mod program;
mod report;
mod shared;
mod table;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use report::Report;
use shared::Shared;

/// What `--help` says below the options.
const STATUS_HELP: &str = "\
The program keeps its standard input, output and error, its signals and its exit status. If a
signal ends it, the same signal ends slotpark. If slotpark fails it exits as env(1) does: 127 if
there is no such program, 126 if it cannot be run, 125 for anything else.";

/// The arguments of `slotpark run`.
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS_HELP)]
pub(crate) struct Args {
    /// Write the report to this file instead of standard error.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Write the report as JSON.
    #[arg(long)]
    json: bool,

    /// Open a socket in every process, through which `slotpark top` and `slotpark inspect` look at
    /// it while it runs. The processes have two threads more.
    #[arg(long)]
    inspect: bool,

    /// The program and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "PROGRAM"
    )]
    program: Vec<OsString>,
}

/// Why `slotpark` runs nothing, and the status that says so.
#[derive(Debug)]
struct Refusal {
    status: u8,
    error: anyhow::Error,
}

impl Refusal {
    const NOT_RUN: u8 = 125;
    const NOT_EXECUTABLE: u8 = 126;
    const NOT_FOUND: u8 = 127;
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self {
            status: Self::NOT_RUN,
            error,
        }
    }
}

pub(crate) fn main(args: &Args) -> anyhow::Result<ExitCode> {
    match run(args) {
        Ok(status) => Ok(child::end_like(status)),
        Err(Refusal { status, error }) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "slotpark: {error:#}");
            Ok(ExitCode::from(status))
        }
    }
}

fn run(args: &Args) -> Result<std::process::ExitStatus, Refusal> {
    let (name, arguments) = args.program.split_first().context("no program is given")?;
    let library = library::find()?;
    let path = program::find(name)?;
    let shared = Shared::new().context("cannot make the memory for the report")?;
    let mut target: Box<dyn Write> = match &args.report {
        // Before the program runs, so that no run is in vain.
        Some(path) => Box::new(
            File::create(path)
                .with_context(|| format!("cannot create the report `{}`", path.display()))?,
        ),
        None => Box::new(io::stderr()),
    };
    let status = child::Child {
        path: &path,
        name,
        arguments,
        library: &library,
        shared: &shared,
        inspect: args.inspect,
    }
    .run()?;
    if args.inspect {
        // Removes what killed processes have left.
        let _live = slotpark_inspect::socket::list();
    }
    let written = Report::read(&shared, &args.program, status)
        .map_err(anyhow::Error::from)
        .and_then(|report| Ok(target.write_all(&report.render(args.json)?)?));
    if let Err(error) = written {
        // The program has run, so its status is what counts.
        let _ = writeln!(io::stderr(), "slotpark: cannot write the report: {error:#}");
    }
    Ok(status)
}
