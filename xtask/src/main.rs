//! `cargo xtask`: the one tool that checks, tests and sets up this workspace.
//!
//! Each command is a list of steps in a module of its own; `step` runs them and prints the table.

#![forbid(unsafe_code)]

mod bench;
mod browser;
mod check;
mod ci;
mod cinstall;
mod columns;
mod examples;
mod features;
mod figures;
mod fuzz;
mod header;
mod instructions;
mod loom;
mod miri;
mod msrv;
mod mutants;
mod nightly;
mod nostd;
mod orderings;
mod package;
mod plants;
mod portable;
mod records;
mod repo;
mod sanitize;
mod setup;
mod shuttle;
mod step;
mod test;
mod tidy;
mod twin;
mod valgrind;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repo::Repo;

/// Checks, tests and sets up the slotpark workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the other commands use; what cannot be had is reported and left out.
    Setup,
    /// Formatting, lints, tidy and documentation: under a minute once built.
    Check,
    /// The style test of this repository.
    Tidy,
    /// All tests and documentation tests, on stable: the README's test command.
    Test,
    /// Write the header of the C ABI anew, from its source.
    Header,
    /// The C ABI as C programs install it, with cargo-c: a program that finds it by pkg-config.
    Cinstall,
    /// The programs that show the library at work, with real runtimes.
    Examples,
    /// What the libraries add on request: lints, tests, documentation.
    Features,
    /// The tests of the engine and the library on the portable platform.
    Portable,
    /// The model checker's tests of the engine.
    Loom,
    /// Random programs of the engine in random interleavings, against a naive model.
    Shuttle(shuttle::Args),
    /// The engine with each memory ordering weakened in turn: a loom test must fail.
    Orderings(orderings::Args),
    /// Programs and futex calls from bytes, as a fuzzer changes them.
    Fuzz(fuzz::Args),
    /// The bugs of the pitfall stories, planted one at a time: the story's test must fail.
    Plants(plants::Args),
    /// The engine with its code changed in one place at a time: a test must fail.
    Mutants(mutants::Args),
    /// The engine without the standard library.
    Nostd,
    /// Tests under Miri: once, and small programs of several threads with many seeds.
    Miri(miri::Args),
    /// Tests and the stress program under ThreadSanitizer and AddressSanitizer.
    Sanitize(sanitize::Args),
    /// The stress program under memcheck.
    Valgrind,
    /// What the hot paths cost in instructions, against the record.
    Instructions(instructions::Args),
    /// A run against the record, a new record, or the figures of documents.
    Bench(bench::Args),
    /// The page of a report in a real browser, as on a desktop and on a phone.
    Browser(browser::Args),
    /// The published crates with the oldest toolchain that they promise.
    Msrv,
    /// Pack the publishable crates, as `cargo publish` would.
    Package,
    /// Everything but the README's tests and what takes longer; ends with a table of the steps.
    Ci(ci::Args),
}

fn main() -> ExitCode {
    let repo = Repo::here();
    let command = Cli::parse().command;
    let tolerant = matches!(command, Command::Setup);
    let steps = match command {
        Command::Setup => setup::steps(&repo),
        Command::Check => check::steps(),
        Command::Tidy => vec![check::tidy()],
        Command::Test => test::steps(),
        Command::Header => vec![header::write()],
        Command::Cinstall => cinstall::steps(),
        Command::Examples => examples::steps(),
        Command::Features => features::steps(),
        Command::Portable => portable::steps(),
        Command::Loom => loom::steps(),
        Command::Shuttle(args) => shuttle::steps(&args),
        Command::Orderings(args) => orderings::steps(args),
        Command::Fuzz(args) => fuzz::steps(&args),
        Command::Plants(args) => plants::steps(args),
        Command::Mutants(args) => mutants::steps(args),
        Command::Nostd => nostd::steps(),
        Command::Miri(args) => miri::steps(&args),
        Command::Sanitize(args) => sanitize::steps(&args),
        Command::Valgrind => valgrind::steps(),
        Command::Instructions(args) => instructions::steps(args),
        Command::Bench(args) => bench::steps(args),
        Command::Browser(args) => browser::steps(args),
        Command::Msrv => msrv::steps(),
        Command::Package => package::steps(),
        Command::Ci(args) => ci::steps(&args),
    };
    let all_passed = step::run_all(&repo, &steps);
    // A machine that lacks an optional thing must not fail CI for it: each step that needs the
    // thing says itself that it was skipped.
    if all_passed || tolerant {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
