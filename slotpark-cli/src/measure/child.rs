//! One sample in a child process: the program calls itself with the hidden argument `--sample`.

use std::process::{Command, Stdio, exit};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;

use super::{Contest, Sample, Scale};

/// What a sample may take beside its cut-off time before the watchdog ends it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Runs one sample in a child process and waits for its figures.
pub(crate) fn sample(contest: &str, engine: &str, scale: &Scale) -> anyhow::Result<Sample> {
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(program);
    command
        .arg("compare")
        .arg("--sample")
        .arg(format!("{contest}:{engine}"));
    if scale.quick {
        command.arg("--quick");
    }
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run the sample {contest} of {engine}"))?;
    anyhow::ensure!(
        output.status.success(),
        "the sample {contest} of {engine} ended with {}",
        output.status
    );
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the sample {contest} of {engine} gave no figures"))
}

/// The child's side: takes the sample, prints it and ends the process with all its threads.
pub(crate) fn serve(contests: &[Contest], which: &str, scale: &Scale) -> anyhow::Result<()> {
    let unknown = || format!("no such sample: {which}");
    let (name, engine) = which.split_once(':').with_context(unknown)?;
    let contest = contests
        .iter()
        .find(|contest| contest.name() == name)
        .with_context(unknown)?;
    let mut entrants = contest.entrants.iter();
    let entrant = entrants
        .find(|entrant| entrant.engine == engine)
        .with_context(unknown)?;
    watch(
        Sample::cut_off(&contest.rows, scale),
        scale.cut_off + PATIENCE,
    )?;
    finish(&entrant.take(&contest.rows, scale));
}

/// Starts the watchdog that answers for a sample which never comes.
pub(crate) fn watch<T>(cut_off: T, limit: Duration) -> anyhow::Result<()>
where
    T: Serialize + Send + 'static,
{
    let running = Arc::new(Barrier::new(2));
    let started = Arc::clone(&running);
    std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || {
            started.wait();
            std::thread::sleep(limit);
            finish(&cut_off);
        })?;
    // What its start allocates must not be counted as the sample's.
    running.wait();
    Ok(())
}

/// Prints the sample once, whoever comes first, and ends the process: threads that hang hang no
/// longer.
pub(crate) fn finish(sample: &impl Serialize) -> ! {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let written = serde_json::to_writer(&mut out, sample).is_ok() && out.flush().is_ok();
    // The lock on the output is never released, so that the other one cannot print a second answer.
    exit(if written { 0 } else { 1 });
}
