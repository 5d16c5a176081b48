//! A step of a command: its name, its work, and the table that tells how all of them ended.

use std::fmt;
use std::time::{Duration, Instant};

use crate::repo::Repo;

/// How a step that did not fail has ended.
pub(crate) enum Outcome {
    Done,
    /// The machine lacks what the step needs; the text names it.
    Skipped(String),
}

type Work = Box<dyn Fn(&Repo) -> anyhow::Result<Outcome>>;

/// A named piece of work.
pub(crate) struct Step {
    name: String,
    work: Work,
}

impl Step {
    pub(crate) fn new(
        name: impl Into<String>,
        work: impl Fn(&Repo) -> anyhow::Result<Outcome> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            work: Box::new(work),
        }
    }
}

enum Verdict {
    Done,
    Skipped(String),
    Failed(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("ok"),
            Self::Skipped(reason) => write!(f, "skipped ({reason})"),
            Self::Failed(reason) => write!(f, "FAILED: {reason}"),
        }
    }
}

struct Row {
    name: String,
    time: Duration,
    verdict: Verdict,
}

/// Runs every step, also after one has failed, and prints the table. True if none failed.
pub(crate) fn run_all(repo: &Repo, steps: &[Step]) -> bool {
    let rows: Vec<Row> = steps.iter().map(|step| run(repo, step)).collect();
    eprint!("\n{}", table(&rows));
    rows.iter()
        .all(|row| !matches!(row.verdict, Verdict::Failed(_)))
}

fn run(repo: &Repo, step: &Step) -> Row {
    eprintln!("\n== {}", step.name);
    let start = Instant::now();
    let verdict = match (step.work)(repo) {
        Ok(Outcome::Done) => Verdict::Done,
        Ok(Outcome::Skipped(reason)) => Verdict::Skipped(reason),
        Err(error) => Verdict::Failed(format!("{error:#}")),
    };
    Row {
        name: step.name.clone(),
        time: start.elapsed(),
        verdict,
    }
}

fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    rows.iter()
        .map(|row| {
            format!(
                "{:width$}  {:>6.1} s  {}\n",
                row.name,
                row.time.as_secs_f64(),
                row.verdict
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::{Outcome, Step, Verdict, run, run_all, table};
    use crate::repo::Repo;

    fn ok() -> Step {
        Step::new("good", |_| Ok(Outcome::Done))
    }

    fn skipped() -> Step {
        Step::new("absent", |_| Ok(Outcome::Skipped("no such tool".into())))
    }

    fn failed() -> Step {
        Step::new("bad", |_| bail!("it broke"))
    }

    #[test]
    fn one_failure_fails_the_command_and_a_skip_does_not() {
        let repo = Repo::here();
        assert!(run_all(&repo, &[ok(), skipped()]));
        assert!(!run_all(&repo, &[failed(), ok()]));
    }

    #[test]
    fn the_table_names_every_step_with_its_reason() {
        let repo = Repo::here();
        let rows: Vec<_> = [ok(), skipped(), failed()]
            .iter()
            .map(|s| run(&repo, s))
            .collect();
        let table = table(&rows);
        let lines: Vec<_> = table.lines().collect();
        assert!(lines[0].starts_with("good") && lines[0].ends_with("ok"));
        assert!(lines[1].starts_with("absent") && lines[1].ends_with("skipped (no such tool)"));
        assert!(lines[2].starts_with("bad") && lines[2].ends_with("FAILED: it broke"));
        assert!(matches!(rows[2].verdict, Verdict::Failed(_)));
    }
}
