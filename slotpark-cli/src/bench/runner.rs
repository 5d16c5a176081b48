//! Runs all workloads in interleaved rounds, each sample in a process of its own.
//!
//! Round 1 of every workload, point and engine, then round 2, each starting with another engine, so
//! that a slow minute of the machine falls on all of them. Engines of one point run one after the
//! other, so that a ratio is made of samples of the same second.

use std::process::{Command, Stdio};

use anyhow::Context;

use super::definition::Definition;
use super::registry::{self, Entry};
use super::request::{Answer, Request};
use crate::measure::Hung;
use crate::measure::child::{PATIENCE, finish, watch};

/// How a run is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) quick: bool,
    pub(crate) seed: u64,
}

/// The time without progress after which a sample counts as hung.
const CUT_OFF_MS: [u64; 2] = [5000, 1000];

/// A workload and the samples of its points.
pub(crate) struct Gathered {
    pub(crate) definition: Definition,
    pub(crate) points: Vec<Point>,
}

/// The samples of one point, of each engine.
pub(crate) struct Point {
    pub(crate) at: Option<f64>,
    request: Request,
    pub(crate) takers: Vec<Taker>,
}

/// The samples of one engine, one for each round.
pub(crate) struct Taker {
    entry: &'static Entry,
    /// Why there are none.
    pub(crate) skipped: Option<String>,
    pub(crate) answers: Vec<Answer>,
}

impl Taker {
    pub(crate) fn name(&self) -> &'static str {
        self.entry.name
    }
}

impl Gathered {
    /// Without samples yet. `only` names engines, or nobody for all.
    pub(crate) fn new(
        definition: Definition,
        only: &[String],
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let points = definition.points(settings.quick).into_iter();
        let points = points.map(|at| Point::new(&definition, at, only, settings));
        Ok(Self {
            points: points.collect::<anyhow::Result<_>>()?,
            definition,
        })
    }

    fn rounds(&self, settings: Settings) -> usize {
        self.definition.rounds.pick(settings.quick)
    }

    /// How many samples it takes at most.
    pub(crate) fn samples(&self, settings: Settings) -> usize {
        let takers = self.points.iter().flat_map(|point| &point.takers);
        let asked = takers.filter(|taker| taker.skipped.is_none()).count();
        asked * self.rounds(settings)
    }
}

impl Point {
    fn new(
        definition: &Definition,
        at: Option<f64>,
        only: &[String],
        settings: Settings,
    ) -> anyhow::Result<Self> {
        let quick = settings.quick;
        let request = Request {
            shape: definition.shape_at(at)?,
            at,
            pace: definition.pace,
            latency: definition.latency,
            quick,
            seed: settings.seed,
            window_ms: definition.window_ms.pick(quick),
            warm_up_ms: definition.warm_up_ms.pick(quick),
            cut_off_ms: CUT_OFF_MS[usize::from(quick)],
        };
        let engines = definition.engines.iter();
        let asked = engines.filter(|name| only.is_empty() || only.contains(name));
        let taker = |name: &String| {
            let entry = registry::find(name).with_context(|| format!("no engine `{name}`"))?;
            let skipped = match entry.outside() {
                Some(_) => None,
                None => entry.take(&request.shape).err(),
            };
            Ok(Taker {
                entry,
                skipped,
                answers: Vec::new(),
            })
        };
        let takers = asked.map(taker).collect::<anyhow::Result<_>>()?;
        Ok(Self {
            at,
            request,
            takers,
        })
    }

    /// One sample of every engine, beginning with another one in each round.
    fn round(&mut self, round: usize, mut progress: impl FnMut(&str)) -> anyhow::Result<()> {
        for turn in 0..self.takers.len() {
            let index = (round + turn) % self.takers.len();
            let taker = &mut self.takers[index];
            if taker.skipped.is_some() {
                continue;
            }
            progress(taker.entry.name);
            let mut answer = match taker.entry.outside() {
                Some(outside) => outside(&self.request)?,
                None => in_a_child(taker.entry, &self.request)?,
            };
            taker.skipped = answer.skipped.take();
            if taker.skipped.is_none() {
                taker.answers.push(answer);
            }
        }
        Ok(())
    }
}

/// Runs all rounds; `progress` hears of each sample before it is taken.
pub(crate) fn run(
    workloads: &mut [Gathered],
    settings: Settings,
    mut progress: impl FnMut(&str, &str),
) -> anyhow::Result<()> {
    let rounds = workloads.iter().map(|workload| workload.rounds(settings));
    for round in 0..rounds.max().unwrap_or(0) {
        for workload in &mut *workloads {
            if round >= workload.rounds(settings) {
                continue;
            }
            let name = &workload.definition.name;
            for point in &mut workload.points {
                let taken = point.round(round, |engine| progress(name, engine));
                taken.with_context(|| format!("the workload {name}"))?;
            }
        }
    }
    Ok(())
}

/// Runs one sample in a child process and waits for its answer.
fn in_a_child(entry: &Entry, request: &Request) -> anyhow::Result<Answer> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let output = Command::new(program)
        .args(["bench", "--sample", entry.name, "--request"])
        .arg(serde_json::to_string(request)?)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run the sample of {}", entry.name))?;
    anyhow::ensure!(
        output.status.success(),
        "the sample of {} ended with {}",
        entry.name,
        output.status
    );
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the sample of {} gave no figures", entry.name))
}

/// The child's side: takes the sample, prints it and ends the process with all its threads.
pub(crate) fn serve(engine: &str, request: &str) -> anyhow::Result<()> {
    let request: Request = serde_json::from_str(request).context("this is no request")?;
    let entry = registry::find(engine).with_context(|| format!("no engine `{engine}`"))?;
    let take = match entry.take(&request.shape) {
        Ok(take) => take,
        Err(reason) => finish(&Answer::skipped(reason)),
    };
    // What the windows take is no lack of progress.
    let spans = 2 * request.warm_up() + 4 * request.window();
    watch(Answer::hung(&request), request.cut_off() + spans + PATIENCE)?;
    finish(&take(&request).unwrap_or_else(|Hung| Answer::hung(&request)))
}
