//! One loom test in a process of its own, with a limit, and what it says about a mutant.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::repo::output;
use crate::twin::trial::Trial;

/// Two preemptions, as `cargo xtask loom` has; a test that needs more says so itself.
const PREEMPTIONS: &str = "2";
/// What a message is cut to.
const REPORT_CHARS_MAX: usize = 60;

/// The built tests.
pub(super) struct Tests {
    pub(super) program: PathBuf,
    pub(super) log: PathBuf,
}

/// How a test of a mutant has ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Passed {
        reached: bool,
    },
    /// The test or the model checker objects, in the words given here.
    Caught(String),
    TimedOut,
    /// It failed in a way that proves nothing.
    Unclear(String),
}

impl Tests {
    /// The names of all tests.
    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut list = Command::new(&self.program);
        let listed = output(list.args(["--list", "--format", "terse"]))?;
        let names: Vec<_> = listed
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(String::from)
            .collect();
        ensure!(!names.is_empty(), "no loom test");
        Ok(names)
    }

    /// Runs one test of a program that says `mark` when its mutant is active.
    pub(super) fn run(&self, test: &str, limit: Duration, mark: &str) -> Result<Ended> {
        let mut command = Command::new(&self.program);
        command
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS);
        let trial = Trial::of(&mut command, &self.log, limit).with_context(|| test.to_string())?;
        Ok(judge(&trial, mark))
    }
}

fn judge(trial: &Trial, mark: &str) -> Ended {
    let reached = trial.text.contains(mark);
    match (trial.status, report(trial)) {
        (None, _) => Ended::TimedOut,
        (Some(_), _) if trial.has_passed() => Ended::Passed { reached },
        (Some(_), Some(report)) if reached => Ended::Caught(report),
        (Some(_), Some(report)) => Ended::Unclear(format!("the mutant was not reached: {report}")),
        (Some(status), None) => Ended::Unclear(format!("no panic, {status}")),
    }
}

/// How the first panic's message begins.
fn report(trial: &Trial) -> Option<String> {
    let message = trial.panic_messages().next()?.split([':', ';']).next()?;
    Some(message.trim().chars().take(REPORT_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{Ended, Tests, judge};
    use crate::twin::trial::Trial;

    const PASSED: &str = "test result: ok. 1 passed; 0 failed; 0 ignored\n";
    const PANIC: &str = "thread 'a' panicked at a.rs:1:2:\ndeadlock; threads = [..]\n";

    fn trial(program: &str, text: &str) -> Trial {
        Trial {
            status: Some(Command::new(program).status().unwrap()),
            text: text.into(),
        }
    }

    #[test]
    fn only_a_reached_mutant_that_panics_is_caught() {
        let judged = |program: &str, text: &str| judge(&trial(program, text), "MARK");
        let caught = judged("false", &format!("MARK\n{PANIC}"));
        assert_eq!(caught, Ended::Caught("deadlock".into()));
        assert!(matches!(judged("false", PANIC), Ended::Unclear(_)));
        assert!(matches!(judged("false", "MARK\n"), Ended::Unclear(_)));
        let reached = Ended::Passed { reached: true };
        assert_eq!(judged("true", &format!("MARK\n{PASSED}")), reached);
        assert_eq!(judged("true", PASSED), Ended::Passed { reached: false });
        // A program that runs no test ends well too.
        assert!(matches!(judged("true", "MARK\n"), Ended::Unclear(_)));
        let stopped = Trial {
            status: None,
            text: PANIC.into(),
        };
        assert_eq!(judge(&stopped, "MARK"), Ended::TimedOut);
    }

    #[test]
    fn a_program_without_tests_is_an_error() {
        let tests = Tests {
            program: "true".into(),
            log: Path::new("unused").into(),
        };
        assert!(tests.names().is_err());
    }
}
