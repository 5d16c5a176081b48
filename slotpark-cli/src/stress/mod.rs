//! `slotpark stress`: every primitive, at random, with exact accounting and a watchdog.
//!
//! The watchdog is this file's loop. It waits for nothing but the clock, calls nothing of the
//! library that could block it, and wakes nobody: a waiter that does not come home although its key
//! was woken is told with the table's contents, the seed and the command that repeats the phase.

mod actor;
mod director;
mod drive;
mod ended;
mod ledger;
mod looker;
mod planned;
mod scenes;
mod sight;
mod stage;
mod tables;
mod tally;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use actor::THREADS_MAX;
use director::{PHASE, Phase, Plan};
use tables::{Queue, Tables};
use tally::Tally;

/// The exit status of a run that has found something.
const FOUND: u8 = 2;
/// How long the watchdog tries to read the queues of a table that may be broken.
const DUMP: Duration = Duration::from_secs(3);

/// The arguments of `slotpark stress`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long to go on.
    #[arg(long, value_name = "S", default_value_t = 10)]
    seconds: u64,
    /// Threads that wait and wake.
    #[arg(long, value_name = "N", default_value_t = 4)]
    threads: usize,
    /// Where the random numbers begin; drawn and printed if not given.
    #[arg(long, value_name = "X")]
    seed: Option<u64>,
    /// All tables have one slot: every key collides with every other.
    #[arg(long)]
    one_slot: bool,
    /// Begin with this phase of the seed, to repeat a finding.
    #[arg(long, value_name = "P", default_value_t = 0)]
    phase: u64,
    /// How many seconds a waiter whose key was woken may take to come home.
    #[arg(long, value_name = "S", default_value_t = 10)]
    patience: u64,
    /// Make the run itself faulty, to see that it is found.
    #[arg(long, hide = true)]
    plant: Option<Plant>,
}

/// A fault of the run itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Plant {
    /// The keys are not woken at the end of a phase, although the watchdog is told so.
    Stuck,
}

/// What the director and the threads tell the watchdog.
enum Event {
    /// A phase begins.
    Begin(Arc<Phase>),
    /// The phase goes on with this.
    Step(&'static str),
    /// The phase has ended without a finding.
    Done(Box<Tally>),
    /// Something that must not be.
    Found(String),
    /// The time is up.
    Over,
}

pub(crate) fn main(args: &Args) -> anyhow::Result<ExitCode> {
    if !(2..=THREADS_MAX).contains(&args.threads) {
        bail!("--threads must be from 2 to {THREADS_MAX}: who waits needs somebody to wake it");
    }
    let seed = args.seed.unwrap_or_else(rand::random);
    let slots = if args.one_slot {
        1
    } else {
        slotpark::SLOTS_DEFAULT
    };
    println!(
        "slotpark stress: seed {seed}, {} threads, {slots} slots, {} s",
        args.threads, args.seconds
    );
    let plan = Plan {
        seed,
        threads: args.threads,
        length: Duration::from_secs(args.seconds),
        first_phase: args.phase,
        plant: args.plant,
    };
    let tables = Tables::new(slots, seed);
    let (sender, events) = mpsc::channel();
    std::thread::Builder::new()
        .name("director".to_owned())
        .spawn(move || director::direct(&plan, tables, &sender))
        .context("cannot start a thread")?;
    let begin = Instant::now();
    let mut watch = Watch::new(args);
    match watch.until_over(&events) {
        Ok(()) => {
            let table = watch.tally.table(begin.elapsed());
            let text = format!("{} phases, nothing found\n{table}", watch.phases);
            writeln!(std::io::stdout(), "{text}").context("cannot print the summary")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(finding) => {
            let report = watch.report(args, seed, tables, &finding);
            std::io::stderr()
                .write_all(report.as_bytes())
                .context("cannot print the finding")?;
            Ok(ExitCode::from(FOUND))
        }
    }
}

/// The watchdog.
struct Watch {
    patience: Duration,
    phase: Option<Arc<Phase>>,
    phases: u64,
    tally: Tally,
    bar: ProgressBar,
}

impl Watch {
    fn new(args: &Args) -> Self {
        // Shown on a terminal only.
        let bar = ProgressBar::new(args.seconds);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} s  {msg}") {
            bar.set_style(style);
        }
        Self {
            patience: Duration::from_secs(args.patience),
            phase: None,
            phases: 0,
            tally: Tally::new(),
            bar,
        }
    }

    /// Listens until the run is over, or until something is found.
    fn until_over(&mut self, events: &Receiver<Event>) -> Result<(), String> {
        let mut step = "the first phase is set up";
        let mut limit = self.patience;
        loop {
            match events.recv_timeout(limit) {
                Ok(Event::Begin(phase)) => {
                    step = "the threads act";
                    limit = PHASE + self.patience;
                    let calls = self.tally.calls() as f64 / 1e6;
                    self.bar
                        .set_message(format!("{calls:.1} M operations, {phase}"));
                    self.phase = Some(phase);
                }
                Ok(Event::Step(next)) => {
                    step = next;
                    limit = self.patience;
                }
                Ok(Event::Done(tally)) => {
                    self.tally.add(&tally);
                    self.phases += 1;
                    self.bar.inc(1);
                }
                Ok(Event::Found(finding)) => return Err(finding),
                Ok(Event::Over) => {
                    self.bar.finish_and_clear();
                    return Ok(());
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("stuck: {limit:?} ago it began that {step}"));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err("the director is gone".to_owned());
                }
            }
        }
    }

    fn report(&self, args: &Args, seed: u64, tables: &'static Tables, finding: &str) -> String {
        self.bar.finish_and_clear();
        let mut text = format!("slotpark stress: FOUND: {finding}\n");
        let Some(phase) = &self.phase else {
            return text;
        };
        let (threads, seconds) = (args.threads, args.seconds);
        let one_slot = if args.one_slot { " --one-slot" } else { "" };
        let _written = write!(
            text,
            "seed {seed}, {phase}, after {} phases\n\
             replay: slotpark stress --seed {seed} --threads {threads} --seconds {seconds}\
             {one_slot} --phase {}\nthreads:\n",
            self.phases, phase.number
        );
        for (number, board) in phase.stage.boards.iter().enumerate() {
            let waiting = board.waiting();
            let scene = waiting.map_or("", |waiting| phase.scenes[waiting.at.scene].name());
            let _written = writeln!(text, "  {number}: {scene:8} {board}");
        }
        text.push_str("waiters by key:\n");
        let queues = match queues_in_time(phase) {
            Some(queues) => queues,
            None => {
                text.push_str("  cannot be read: a slot lock does not come free\n");
                Vec::new()
            }
        };
        for (scene, queue) in &queues {
            let Queue {
                table,
                key,
                slot,
                waiters,
            } = queue;
            let _written = writeln!(
                text,
                "  {scene}: {waiters} of {key}, in slot {slot} of table {table:?}"
            );
        }
        let queues: Vec<Queue> = queues.into_iter().map(|(_, queue)| queue).collect();
        let _written = write!(text, "slots:\n{}", tables.show(&queues));
        text
    }
}

/// Reads the queues on a thread of its own: it may never get a slot lock.
fn queues_in_time(phase: &Arc<Phase>) -> Option<Vec<(&'static str, Queue)>> {
    let (sender, receiver) = mpsc::channel();
    let phase = Arc::clone(phase);
    std::thread::spawn(move || {
        // Nobody listens any more if it took too long.
        let _sent = sender.send(phase.queues());
    });
    receiver.recv_timeout(DUMP).ok()
}
