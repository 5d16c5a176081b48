//! The machine and the build that a report was made with.

use std::fmt;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::{Scale, threads};

/// What a reader must know to judge the figures.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_bytes: u64,
    pub(crate) os: String,
    pub(crate) kernel: String,
    /// Over one minute, before the run.
    pub(crate) load_average: f64,
    pub(crate) rustc: &'static str,
    pub(crate) slotpark: &'static str,
    /// Empty where the program was not built from a checkout.
    pub(crate) commit: &'static str,
    pub(crate) optimized: bool,
    pub(crate) quick: bool,
    pub(crate) unix_time: u64,
}

impl Machine {
    /// This machine, now.
    pub(crate) fn look(scale: &Scale) -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            cpu: field("/proc/cpuinfo", "model name", ':').unwrap_or_else(unknown),
            cores: threads::cores(),
            memory_bytes: memory_bytes().unwrap_or(0),
            os: field("/etc/os-release", "PRETTY_NAME", '=').unwrap_or_else(unknown),
            kernel: first_word("/proc/sys/kernel/osrelease").unwrap_or_else(unknown),
            load_average: load_average(),
            rustc: env!("SLOTPARK_RUSTC"),
            slotpark: env!("CARGO_PKG_VERSION"),
            commit: env!("SLOTPARK_COMMIT"),
            optimized: !cfg!(debug_assertions),
            quick: scale.quick,
            unix_time: since.as_secs(),
        }
    }

    /// What makes the figures doubtful, if anything.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if !self.optimized {
            doubts
                .push("built without optimization: times mean nothing (use --release)".to_owned());
        }
        if self.cores < 2 {
            doubts.push("one core: rows of two threads measure the scheduler".to_owned());
        }
        if self.load_average > 0.5 {
            let load = self.load_average;
            doubts.push(format!(
                "the machine was not idle (load average {load}): expect wide spreads"
            ));
        }
        doubts
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            cpu,
            cores,
            os,
            kernel,
            load_average,
            rustc,
            slotpark,
            commit,
            ..
        } = self;
        let gib = self.memory_bytes >> 30;
        writeln!(
            f,
            "{cpu}, {cores} cores, {gib} GiB; {os}, Linux {kernel}, load {load_average}"
        )?;
        let scale = if self.quick { "quick run" } else { "full run" };
        let at = if commit.is_empty() { "" } else { " at " };
        write!(f, "slotpark {slotpark}{at}{commit}, {rustc}, {scale}")
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The value of the first line `name <separator> value`, without quotes.
fn field(path: &str, name: &str, separator: char) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut pairs = text.lines().filter_map(|line| line.split_once(separator));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn first_word(path: &str) -> Option<String> {
    fs::read_to_string(path)
        .ok()?
        .split_whitespace()
        .next()
        .map(str::to_owned)
}

fn memory_bytes() -> Option<u64> {
    let total = field("/proc/meminfo", "MemTotal", ':')?;
    let kib: u64 = total.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

fn load_average() -> f64 {
    first_word("/proc/loadavg")
        .and_then(|word| word.parse().ok())
        .unwrap_or(0.0)
}
