//! A plant's test, with the bug and without it, and how a bug shows.

use std::fmt;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::plants::list::Plant;
use crate::repo::Repo;
use crate::twin::trial::Trial;
use crate::twin::{Build, Twin};

/// The limit of a test without a bug.
const SOUND_SECONDS_MAX: u64 = 300;
/// When the tests' watchdog reports a hang: a multiple of what the test takes without the bug, and
/// not less than this.
const WATCHDOG_SECONDS_MIN: u64 = 8;
const WATCHDOG_FACTOR: u64 = 5;
/// What a message is cut to.
const REPORT_CHARS_MAX: usize = 90;

/// How a test has ended.
pub(super) enum Ended {
    /// It failed, in these words.
    Noticed(String),
    Passed,
    /// It failed in a way that proves nothing, or did not even build.
    Unclear(String),
    /// It could not be tried here.
    Skipped(String),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noticed(how) => f.write_str(how),
            Self::Passed => f.write_str("SURVIVED: its test passes"),
            Self::Unclear(how) => write!(f, "SURVIVED: {how}"),
            Self::Skipped(why) => write!(f, "not tried: {why}"),
        }
    }
}

pub(super) struct Trials<'r> {
    repo: &'r Repo,
    twin: &'r Twin,
}

impl<'r> Trials<'r> {
    pub(super) fn new(repo: &'r Repo, twin: &'r Twin) -> Self {
        Self { repo, twin }
    }

    /// Runs the test of a plant without the bug.
    pub(super) fn sound(&self, plant: &Plant) -> Result<(Duration, Ended)> {
        let mut test = self.built(plant).with_context(|| plant.test.clone())?;
        let begin = Instant::now();
        let limit = Duration::from_secs(SOUND_SECONDS_MAX);
        let trial = Trial::of(&mut test, &self.twin.log(), limit)?;
        Ok((begin.elapsed(), judge(&trial, plant.build())))
    }

    /// Plants the bug and runs its test, which takes `time` without it, until it fails.
    pub(super) fn planted(&self, plant: &Plant, time: Duration) -> Result<Ended> {
        self.twin.write(|path, text| plant.applied(path, text))?;
        let mut test = match self.built(plant) {
            Ok(test) => test,
            Err(error) => {
                eprintln!("{error:#}");
                return Ok(Ended::Unclear("it does not build".into()));
            }
        };
        let watchdog_s = (WATCHDOG_FACTOR * time.as_secs()).max(WATCHDOG_SECONDS_MIN);
        test.env("SLOTPARK_WATCHDOG_S", watchdog_s.to_string());
        // Twice that long for those whose hangs the watchdog does not see.
        let limit = Duration::from_secs(2 * watchdog_s);
        let mut ended = Ended::Passed;
        for _ in 0..plant.tries {
            let trial = Trial::of(&mut test, &self.twin.log(), limit)?;
            ended = judge(&trial, plant.build());
            if !matches!(ended, Ended::Passed) {
                break;
            }
        }
        Ok(ended)
    }

    /// Builds the test of a plant in the copy as it stands; what runs that test alone.
    fn built(&self, plant: &Plant) -> Result<Command> {
        let place = plant.place()?;
        if place.target == "doc" {
            let mut command = self.twin.cargo(self.repo, plant.build());
            command.args(["--package", place.package, "--doc", place.name]);
            return Ok(command);
        }
        let build = plant.build();
        let program = self
            .twin
            .build(self.repo, place.package, place.target, build)?;
        let mut command = Command::new(program);
        command
            .args(["--exact", place.name, "--nocapture", "--test-threads", "1"])
            .env("LOOM_MAX_PREEMPTIONS", "2");
        Ok(command)
    }
}

fn judge(trial: &Trial, build: Build) -> Ended {
    let lines = || trial.text.lines().map(str::trim);
    if trial.has_passed() {
        return match lines().find_map(|line| line.strip_prefix("skipped: ")) {
            Some(why) => Ended::Skipped(why.into()),
            None => Ended::Passed,
        };
    }
    // A story of panics has some before the one that ends it; in the model checker the first one
    // drags others along.
    let panic = || match build {
        Build::Loom => trial.panic_messages().next(),
        Build::Debug | Build::Release => trial.panic_messages().filter(is_of_code).last(),
    };
    let doctest = || lines().find(|line| is_doctest(line));
    let how = match (
        trial.status,
        last_words(&trial.text).or_else(panic).or_else(doctest),
    ) {
        (None, _) => "hangs until its limit".into(),
        (Some(_), Some(report)) => report.chars().take(REPORT_CHARS_MAX).collect(),
        // By a signal.
        (Some(status), None) if status.code().is_none() => status.to_string(),
        // It ended in a way that proves nothing.
        (Some(status), None) => return Ended::Unclear(format!("no report, {status}")),
    };
    Ended::Noticed(how)
}

/// Not what the runtime says of a panic that it cannot pass on.
fn is_of_code(message: &&str) -> bool {
    !message.starts_with("panic in a destructor") && !message.starts_with("panic in a function")
}

/// What the tests say before they end their own process, where nothing may panic.
fn last_words(text: &str) -> Option<&str> {
    let begins = [
        "watchdog: `",
        "counting platform: ",
        "the allocator was",
        "the lock of the",
    ];
    let at = begins.iter().filter_map(|begin| text.find(begin)).min()?;
    text[at..].lines().next()
}

/// What rustdoc says of a test that fails without running.
fn is_doctest(line: &str) -> bool {
    line.starts_with("Test compiled successfully")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::judge;
    use crate::twin::Build;
    use crate::twin::trial::Trial;

    const PASSED: &str = "test result: ok. 1 passed; 0 failed; 0 ignored\n";
    const PANIC: &str = "thread 'a' panicked at a.rs:1:2:\nassertion failed: x\n";

    fn judged(program: &str, text: &str) -> String {
        judged_of(program, text, Build::Debug)
    }

    fn judged_of(program: &str, text: &str, build: Build) -> String {
        let mut command = Command::new("sh");
        let trial = Trial {
            status: Some(command.args(["-c", program]).status().unwrap()),
            text: text.into(),
        };
        judge(&trial, build).to_string()
    }

    #[test]
    fn a_bug_shows_in_the_words_of_the_test() {
        assert_eq!(judged("false", PANIC), "assertion failed: x");
        let expected = PANIC.replace('x', "on purpose");
        let two = expected + PANIC;
        assert_eq!(judged("false", &two), "assertion failed: x");
        let aborted = PANIC.to_string() + &PANIC.replace("assertion", "panic in a destructor");
        assert_eq!(judged("false", &aborted), "assertion failed: x");
        let first = "assertion failed: on purpose";
        assert_eq!(judged_of("false", &two, Build::Loom), first);
        let hang = "watchdog: `tale` hangs after 8 s\n";
        assert_eq!(judged("false", &format!("{PANIC}{hang}")), hang.trim());
        let aborted = "test tale ... the allocator was called";
        assert_eq!(judged("kill -9 $$", aborted), "the allocator was called");
        assert!(judged("kill -9 $$", "noise\n").starts_with("signal: 9"));
        let compiled = "Test compiled successfully, but it's marked `compile_fail`.";
        assert_eq!(judged("false", compiled), compiled);
    }

    #[test]
    fn a_bug_survives_what_passes_or_tells_nothing() {
        assert_eq!(judged("true", PASSED), "SURVIVED: its test passes");
        assert!(judged("false", "noise\n").starts_with("SURVIVED: no report"));
        let skipped = format!("skipped: tale: no strace\n{PASSED}");
        assert_eq!(judged("true", &skipped), "not tried: tale: no strace");
        let stopped = Trial {
            status: None,
            text: PANIC.into(),
        };
        let ended = judge(&stopped, Build::Debug).to_string();
        assert_eq!(ended, "hangs until its limit");
    }
}
