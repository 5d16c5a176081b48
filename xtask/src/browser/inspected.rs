//! The page of a process that hangs: the example `deadlock` is started, and what `slotpark inspect
//! html` says of it is looked at.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::Shown;
use crate::repo::{Repo, output, run};

/// A thread and a task wait for each other, and one more behind them: told in words, and drawn.
pub(super) const SHOWN: Shown = Shown {
    texts: &[
        "Deadlocks",
        "Two looks agree",
        "\"rent\"",
        "\"salary\"",
        "waits for the lock accounts/Account(9)",
        "waits for the lock accounts/Account(7)",
        "held by",
        "examples/deadlock.rs:",
        "Behind them: ",
    ],
    marks: &[
        ("#deadlocks svg rect", 2),
        ("#deadlocks svg path", 2),
        ("#deadlocks li .bad", 2),
    ],
};

/// Writes the page of a deadlocked process into `folder`. Where it is.
pub(super) fn page(repo: &Repo, folder: &Path) -> Result<PathBuf> {
    let parts = ["--bin", "slotpark", "--example", "deadlock"];
    let build = ["build", "-p", "slotpark-cli"];
    run(&mut repo.cargo(&[&build[..], &parts].concat()))?;
    let built = repo.target().join("debug");
    let hung = Hung::start(&built.join("examples/deadlock"))?;
    let mut slotpark = Command::new(built.join("slotpark"));
    slotpark.args(["inspect", "html", &hung.0.id().to_string()]);
    let page = output(slotpark.env("XDG_RUNTIME_DIR", hung.sockets()))?;
    let path = folder.join("deadlock.html");
    fs::write(&path, page)?;
    Ok(path)
}

/// The example, which ends with this.
struct Hung(Child, PathBuf);

impl Hung {
    fn start(example: &Path) -> Result<Self> {
        // The path of a socket is short.
        let sockets = std::env::temp_dir().join(format!("slotpark-page-{}", std::process::id()));
        fs::create_dir_all(&sockets)?;
        let mut command = Command::new(example);
        command.arg("mixed").env("XDG_RUNTIME_DIR", &sockets);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut hung = Self(
            child.with_context(|| example.display().to_string())?,
            sockets,
        );
        let mut line = String::new();
        if let Some(stdout) = hung.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        ensure!(line.starts_with("slotpark top"), "the example said: {line}");
        Ok(hung)
    }

    fn sockets(&self) -> &Path {
        &self.1
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        // Its end may be what went wrong.
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = fs::remove_dir_all(&self.1);
    }
}
