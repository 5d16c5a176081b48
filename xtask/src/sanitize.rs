//! `sanitize`: tests and the stress program, built to report races (ThreadSanitizer) and touches of
//! memory that is gone (AddressSanitizer).
//!
//! ThreadSanitizer does not know fences. The engine's only fences stand between relaxed accesses of
//! atomics and order no other memory (DEKKER), so that it needs no suppression; the standard
//! library is built with it, since its own synchronization would not be seen otherwise.

use crate::nightly::{host, no_nightly, no_std_source};
use crate::repo::{Repo, run, run_tests};
use crate::step::{Outcome, Step};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How long each of the four runs of `slotpark stress` goes on.
    #[arg(long, value_name = "S", default_value_t = SECONDS)]
    seconds: u64,
}

const SECONDS: u64 = 20;

impl Default for Args {
    fn default() -> Self {
        Self { seconds: SECONDS }
    }
}

/// Left out: `model` switches stacks by itself, which neither tool follows; `pitfalls_memory` and
/// `pitfalls_allocator` bring an allocator and count its calls; `pitfalls_cost` counts visits and
/// system calls, of one thread; `pitfalls_signals` and `pitfalls_reentry` tell of debug builds;
/// `pitfalls_litmus` looks for a reordering by the machine, which the tools' own stores prevent.
const ENGINE: [&str; 11] = [
    "miri",
    "pitfalls_ends",
    "pitfalls_faults",
    "pitfalls_mailbox",
    "pitfalls_many",
    "pitfalls_permits",
    "pitfalls_requeue",
    "pitfalls_sleep",
    "pitfalls_tasks",
    "pitfalls_wakers",
    "pitfalls_wakes",
];
const LIBRARY: [&str; 3] = ["bad_input", "pitfalls_keys", "pitfalls_threads"];
/// `programs` would need a C compiler of the same kind.
const BORDER: [&str; 2] = ["pitfalls_abi", "structs"];

/// Many keys, and all keys in one slot.
const TABLES: [(&str, &[&str]); 2] = [("many slots", &[]), ("one slot", &["--one-slot"])];

#[derive(Clone, Copy)]
struct Sanitizer {
    name: &'static str,
    /// Of the compiler's flag, which is also the directory of its builds.
    flag: &'static str,
    options: (&'static str, &'static str),
    builds_std: bool,
    hosts: &'static [&'static str],
}

const SANITIZERS: [Sanitizer; 2] = [
    Sanitizer {
        name: "ThreadSanitizer",
        flag: "thread",
        options: ("TSAN_OPTIONS", "halt_on_error=1 exitcode=66"),
        builds_std: true,
        hosts: &["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"],
    },
    Sanitizer {
        name: "AddressSanitizer",
        flag: "address",
        // Nodes lie in stack frames. Tests leak tables on purpose: a failing one may end while
        // others still wait.
        options: (
            "ASAN_OPTIONS",
            "detect_stack_use_after_return=1 detect_leaks=0",
        ),
        builds_std: false,
        hosts: &["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"],
    },
];

pub(crate) fn steps(args: &Args) -> Vec<Step> {
    let seconds = args.seconds;
    let mut steps = Vec::new();
    for sanitizer in SANITIZERS {
        let name = sanitizer.name;
        for (package, tests) in [
            ("slotpark-core", &ENGINE[..]),
            ("slotpark", &LIBRARY[..]),
            ("slotpark-capi", &BORDER[..]),
        ] {
            steps.push(sanitizer.step(format!("{name}: {package}"), move |repo| {
                let mut command = sanitizer.cargo(repo, &["test", "-p", package]);
                command.args(tests.iter().flat_map(|test| ["--test", test]));
                // Everything takes ten times longer than the watchdogs expect.
                run_tests(command.env("SLOTPARK_WATCHDOG_S", "900"))
            }));
        }
        for (table, flags) in TABLES {
            steps.push(
                sanitizer.step(format!("{name}: stress, {table}"), move |repo| {
                    let seconds = seconds.to_string();
                    let args = [
                        "run",
                        "-p",
                        "slotpark-cli",
                        "--",
                        "stress",
                        "--threads",
                        "4",
                    ];
                    let mut command = sanitizer.cargo(repo, &args);
                    command.args(["--seconds", &seconds, "--patience", "60"]);
                    run(command.args(flags))
                }),
            );
        }
    }
    steps
}

impl Sanitizer {
    fn step(self, name: String, work: impl Fn(&Repo) -> anyhow::Result<()> + 'static) -> Step {
        Step::new(name, move |repo| {
            if let Some(reason) = self.missing(repo) {
                return Ok(Outcome::Skipped(reason));
            }
            work(repo)?;
            Ok(Outcome::Done)
        })
    }

    /// Why it does not run here, if it does not.
    fn missing(&self, repo: &Repo) -> Option<String> {
        let nightly = if self.builds_std {
            no_std_source(repo)
        } else {
            no_nightly(repo)
        };
        nightly.or_else(|| {
            let host = host(repo);
            let is_known = self.hosts.contains(&host.as_str());
            (!is_known).then(|| format!("no {} on {host}", self.name))
        })
    }

    /// Cargo with the sanitizer switched on. A target that is named keeps it out of build scripts.
    fn cargo(&self, repo: &Repo, args: &[&str]) -> std::process::Command {
        let (command, args) = args.split_first().expect("a command of cargo");
        let mut cargo = repo.cargo_of("nightly", &[command, "--release", "--target", &host(repo)]);
        if self.builds_std {
            cargo.arg("-Zbuild-std");
        }
        let folder = repo.target().join("sanitize").join(self.flag);
        cargo
            .args(args)
            .env("CARGO_TARGET_DIR", folder)
            .env("RUSTFLAGS", format!("-Zsanitizer={}", self.flag))
            .env(self.options.0, self.options.1);
        cargo
    }
}
