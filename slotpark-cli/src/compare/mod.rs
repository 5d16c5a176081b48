//! `slotpark compare`: slotpark beside four other ways to block on a key, beside four ways to await
//! a wake by key, beside other locks by key, semaphores and single flights, and beside the kernel's
//! futex by the same numbers; and its managers beside the kernel's pipes and signals. In one run.

mod futex;
mod locks;
mod managers;
mod table;
pub(crate) mod workloads;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use crate::engines::tasks::{AsyncEvent, EventListener, Maitake, SlotparkTasks, TokioNotify};
use crate::engines::{DashMapArc, Futex, Kept, ParkingLotCore, Removed, SeedSlot, Slotpark};
use crate::measure::machine::Machine;
use crate::measure::report::Report;
use crate::measure::{
    Contest, Engine, Entrant, Scale, Side, TaskEngine as _, TaskWorkload, Workload, child, rounds,
};
use workloads::tasks::{OTHERS, OTHERS_512_SLOTS, Others, TaskCalls, TaskRoundTrip, TaskWakeAll};
use workloads::{Calls, Collisions, Handoff, HangDemo, Memory, RoundTrip, WakeAll};

/// The name of slotpark where it is measured against itself, with nobody else waiting.
const ALONE: &str = "slotpark_alone";
/// At most so many times what maitake takes for a wait and a wake.
const TO_MAITAKE_MAX: f64 = 1.05;
/// At most so many times what it takes alone, while others wait and there are slots for all.
const TO_ALONE_MAX: f64 = 1.3;

/// The arguments of `slotpark compare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A short run of under 20 seconds, of threads and tasks unless another side is asked for; the
    /// full one is of everything and takes under 10 minutes.
    #[arg(long)]
    quick: bool,
    /// Take this side only (may be given several times).
    #[arg(long, value_enum, conflicts_with = "only")]
    side: Vec<Side>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Take only the samples that fill this row (may be given several times).
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Take one sample in this process: `contest:engine`.
    #[arg(long, hide = true)]
    sample: Option<String>,
}

pub(crate) fn main(args: &Args) -> anyhow::Result<ExitCode> {
    let scale = if args.quick {
        Scale::QUICK
    } else {
        Scale::FULL
    };
    let contests = contests();
    if let Some(which) = &args.sample {
        child::serve(&contests, which, &scale)?;
    }
    let contests = select(contests, args)?;
    let machine = Machine::look(&scale);
    let bar = progress_bar(rounds::samples(&contests, &scale));
    let gathered = rounds::run(&contests, &scale, |contest, engine| {
        bar.set_message(format!("{contest}, {engine}"));
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    let report = Report::new(machine, &gathered);
    let text = if args.json {
        serde_json::to_string_pretty(&report)?
    } else {
        table::text(&report)
    };
    writeln!(std::io::stdout(), "{text}").context("cannot print the report")?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that is measured, in the order of the report.
fn contests() -> Vec<Contest> {
    let mut contests = of_threads();
    contests.extend(of_tasks());
    contests.extend(locks::contests());
    contests.extend(futex::contests());
    contests.extend(managers::contests());
    contests
}

fn of_threads() -> Vec<Contest> {
    vec![
        contest(Handoff::Allocations),
        contest(Memory),
        contest(Calls::WakeNone),
        contest(Calls::WaitStale),
        contest(Calls::WaitPastDeadline),
        contest(Handoff::Time),
        contest(RoundTrip::Idle),
        contest(RoundTrip::Busy),
        contest(RoundTrip::EightPairs),
        contest(WakeAll::Of8),
        contest(WakeAll::Of64),
        contest(WakeAll::Of512),
        contest(Collisions),
        contest_with::<_, DashMapArc<Removed>>(HangDemo),
    ]
}

fn contest<W: Workload>(workload: W) -> Contest {
    contest_with::<W, DashMapArc<Kept>>(workload)
}

/// All engines; the first is the one that the others are compared with.
fn contest_with<W: Workload, Map: Engine>(workload: W) -> Contest {
    let entrants = vec![
        Entrant::new::<W, Slotpark>(workload),
        Entrant::new::<W, Map>(workload),
        Entrant::new::<W, SeedSlot>(workload),
        Entrant::new::<W, ParkingLotCore>(workload),
        Entrant::new::<W, Futex>(workload),
    ];
    Contest::new(workload, entrants)
}

fn of_tasks() -> Vec<Contest> {
    let mut contests =
        vec![task_contest(TaskCalls::WaitWake).with_target(Maitake::NAME, TO_MAITAKE_MAX)];
    contests.extend(OTHERS.map(|others| {
        let mut entrants = every_task_engine(others);
        entrants.insert(1, alone(others));
        Contest::of_tasks(others, entrants).with_target(ALONE, TO_ALONE_MAX)
    }));
    contests.extend(OTHERS_512_SLOTS.map(|others| {
        let slotpark = Entrant::of_tasks::<_, SlotparkTasks>(others);
        Contest::of_tasks(others, vec![slotpark, alone(others)])
    }));
    // A key of maitake's has one waiter.
    let mut entrants = every_task_engine(TaskWakeAll);
    entrants.retain(|entrant| entrant.engine != Maitake::NAME);
    contests.push(Contest::of_tasks(TaskWakeAll, entrants));
    contests.push(task_contest(TaskCalls::Drop));
    contests.push(task_contest(TaskRoundTrip));
    contests
}

fn task_contest<W: TaskWorkload>(workload: W) -> Contest {
    Contest::of_tasks(workload, every_task_engine(workload))
}

fn every_task_engine<W: TaskWorkload>(workload: W) -> Vec<Entrant> {
    vec![
        Entrant::of_tasks::<W, SlotparkTasks>(workload),
        Entrant::of_tasks::<W, Maitake>(workload),
        Entrant::of_tasks::<W, TokioNotify>(workload),
        Entrant::of_tasks::<W, EventListener>(workload),
        Entrant::of_tasks::<W, AsyncEvent>(workload),
    ]
}

/// slotpark with nobody else, in the same rounds.
fn alone(others: Others) -> Entrant {
    Entrant::of_tasks::<_, SlotparkTasks>(others.nobody()).named(ALONE)
}

/// The contests that fill the given rows; where none is given, those of the given sides; where none
/// is given either, all of a full run.
fn select(mut contests: Vec<Contest>, args: &Args) -> anyhow::Result<Vec<Contest>> {
    let Args {
        only, side, quick, ..
    } = args;
    let fills = |contest: &Contest, name: &str| contest.rows.iter().any(|row| row.name == name);
    for name in only {
        let known = || {
            contests
                .iter()
                .flat_map(|contest| &contest.rows)
                .map(|row| row.name)
        };
        contests
            .iter()
            .find(|contest| fills(contest, name))
            .with_context(|| {
                format!(
                    "no row `{name}`; there are: {}",
                    known().collect::<Vec<_>>().join(", ")
                )
            })?;
    }
    if !only.is_empty() {
        contests.retain(|contest| only.iter().any(|name| fills(contest, name)));
    } else if !side.is_empty() {
        contests.retain(|contest| side.contains(&contest.side));
    } else if *quick {
        contests.retain(|contest| matches!(contest.side, Side::Threads | Side::Tasks));
    }
    Ok(contests)
}

/// On a terminal only; drawn between samples only, so that it takes nothing from them.
fn progress_bar(samples: usize) -> ProgressBar {
    let bar = ProgressBar::new(samples as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg:40}") {
        bar.set_style(style);
    }
    bar
}
