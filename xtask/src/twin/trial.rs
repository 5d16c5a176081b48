//! One test in a process of its own, with a limit, and what it said.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How often the end of a test is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A test that has ended, or was ended.
#[derive(Debug)]
pub(crate) struct Trial {
    /// None if it ran into its limit.
    pub(crate) status: Option<ExitStatus>,
    /// All that it wrote.
    pub(crate) text: String,
}

impl Trial {
    /// Runs `command`, which writes to the file `log`, for `limit` at most.
    pub(crate) fn of(command: &mut Command, log: &Path, limit: Duration) -> Result<Self> {
        let name = || log.display().to_string();
        let file = File::create(log).with_context(name)?;
        command
            .stdout(file.try_clone().with_context(name)?)
            .stderr(file);
        let mut child = command.spawn().context("starting a test")?;
        let status = wait(&mut child, limit).context("waiting for a test")?;
        let text = fs::read(log).with_context(name)?;
        Ok(Self {
            status,
            text: String::from_utf8_lossy(&text).into_owned(),
        })
    }

    /// It ended well. A program that runs no test ends well too, and has not passed.
    pub(crate) fn has_passed(&self) -> bool {
        let ended_well = self.status.is_some_and(|status| status.success());
        let some = |line: &str| !line.contains(" 0 passed") && line.contains(" passed; 0 failed");
        ended_well && self.text.lines().any(some)
    }

    /// The first line of each panic's message.
    pub(crate) fn panic_messages(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines();
        let pairs = lines.clone().zip(lines.skip(1));
        pairs
            .filter(|(line, _)| line.contains("panicked at "))
            .map(|(_, message)| message.trim())
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

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Trial, wait};

    fn trial(program: &str, text: &str) -> Trial {
        Trial {
            status: Some(Command::new(program).status().unwrap()),
            text: text.into(),
        }
    }

    #[test]
    fn a_program_has_passed_if_a_test_has() {
        let passed = "running 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
        assert!(trial("true", passed).has_passed());
        assert!(!trial("false", passed).has_passed());
        assert!(!trial("true", &passed.replace('1', "0")).has_passed());
        assert!(!trial("true", "").has_passed());
        let stopped = Trial {
            status: None,
            text: passed.into(),
        };
        assert!(!stopped.has_passed());
    }

    #[test]
    fn a_panic_is_told_by_its_first_line() {
        let text = "noise\nthread 'a' panicked at a.rs:1:2:\n  left: right\nmore\n\
                    thread 'b' panicked at b.rs:1:2:\nit ends\n";
        let trial = trial("false", text);
        let messages: Vec<_> = trial.panic_messages().collect();
        assert_eq!(messages, ["left: right", "it ends"]);
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
}
