//! One loom test in a process of its own, with a limit, and what it says about a mutant.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::repo::output;

/// Two preemptions, as `cargo xtask loom` has; a test that needs more says so itself.
const PREEMPTIONS: &str = "2";
/// How often the end of a test is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(5);
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
        let log = File::create(&self.log).with_context(|| self.log.display().to_string())?;
        let mut command = Command::new(&self.program);
        command
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS)
            .stdout(log.try_clone().context("the log")?)
            .stderr(log);
        let mut child = command.spawn().with_context(|| test.to_string())?;
        let status = wait(&mut child, limit).with_context(|| test.to_string())?;
        let text = fs::read(&self.log).with_context(|| self.log.display().to_string())?;
        Ok(judge(status, &String::from_utf8_lossy(&text), mark))
    }
}

/// The status of a process that ends by itself within `limit`; it does not outlive this call.
fn wait(child: &mut Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begin.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn judge(status: Option<ExitStatus>, text: &str, mark: &str) -> Ended {
    let reached = text.contains(mark);
    match (status, report(text)) {
        (None, _) => Ended::TimedOut,
        (Some(status), _) if status.success() && text.contains("1 passed; 0 failed") => {
            Ended::Passed { reached }
        }
        (Some(_), Some(report)) if reached => Ended::Caught(report),
        (Some(_), Some(report)) => Ended::Unclear(format!("the mutant was not reached: {report}")),
        (Some(status), None) => Ended::Unclear(format!("no panic, {status}")),
    }
}

/// How the first panic's message begins.
fn report(text: &str) -> Option<String> {
    let mut lines = text.lines();
    lines.find(|line| line.contains("panicked at "))?;
    let message = lines.next()?.split([':', ';']).next()?;
    Some(message.trim().chars().take(REPORT_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, ExitStatus};
    use std::time::Duration;

    use super::{Ended, Tests, judge, wait};

    const PASSED: &str = "test result: ok. 1 passed; 0 failed; 0 ignored\n";
    const PANIC: &str = "thread 'a' panicked at a.rs:1:2:\ndeadlock; threads = [..]\n";

    fn status(program: &str) -> Option<ExitStatus> {
        Some(Command::new(program).status().unwrap())
    }

    #[test]
    fn only_a_reached_mutant_that_panics_is_caught() {
        let judged = |program: &str, text: &str| judge(status(program), text, "MARK");
        let caught = judged("false", &format!("MARK\n{PANIC}"));
        assert_eq!(caught, Ended::Caught("deadlock".into()));
        assert!(matches!(judged("false", PANIC), Ended::Unclear(_)));
        assert!(matches!(judged("false", "MARK\n"), Ended::Unclear(_)));
        let reached = Ended::Passed { reached: true };
        assert_eq!(judged("true", &format!("MARK\n{PASSED}")), reached);
        assert_eq!(judged("true", PASSED), Ended::Passed { reached: false });
        // A program that runs no test ends well too.
        assert!(matches!(judged("true", "MARK\n"), Ended::Unclear(_)));
        assert_eq!(judge(None, PANIC, "MARK"), Ended::TimedOut);
    }

    #[test]
    fn a_process_ends_with_its_limit() {
        let mut endless = Command::new("sh")
            .args(["-c", "read x"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        assert!(wait(&mut endless, Duration::ZERO).unwrap().is_none());
        assert!(endless.try_wait().unwrap().is_some(), "it is gone");
        let mut short = Command::new("true").spawn().unwrap();
        assert!(wait(&mut short, Duration::MAX).unwrap().unwrap().success());
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
