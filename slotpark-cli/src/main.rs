//! The program `slotpark`: measures keyed blocking, and runs programs with their futexes on slots.

mod bench;
mod compare;
mod engines;
mod forms;
mod inspect;
mod measure;
mod run;
mod shown;
mod source;
mod stress;
mod top;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Block any thread or task on any key: measure it, run programs on it.
#[derive(Debug, Parser)]
#[command(name = "slotpark", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure slotpark and others on named workloads, with targets, intervals and latencies.
    Bench(bench::Args),
    /// Measure slotpark against other ways to block threads or await wakes by key, side by side.
    Compare(compare::Args),
    /// Print what there is to see in a running process: who waits and holds, deadlocks, metrics.
    Inspect(inspect::Args),
    /// Run an unmodified program with its private futexes on slotpark.
    Run(run::Args),
    /// Try to find a lost or a wrong wake: every primitive at random, with exact accounting.
    Stress(stress::Args),
    /// Look at a running process: who waits on what, since when, and why.
    Top(top::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Bench(args) => bench::main(&args),
        Command::Compare(args) => compare::main(&args),
        Command::Inspect(args) => inspect::main(&args),
        Command::Run(args) => run::main(&args),
        Command::Stress(args) => stress::main(&args),
        Command::Top(args) => top::main(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("slotpark: {error:#}");
            ExitCode::FAILURE
        }
    }
}
