//! The files of workloads: those that the program brings, and the user's own.

use std::path::Path;

use anyhow::{Context, ensure};

use super::definition::Definition;

/// Puts files of `workloads/` into the program.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../workloads/", $name, ".toml")))),*]
    };
}

/// Names and texts, in the order of the report.
const FILES: [(&str, &str); 43] = files![
    "wake_nobody",
    "wake_uniform",
    "wake_scaling",
    "wait_stale",
    "wait_past_deadline",
    "timeout_storm",
    "ping_pong_idle",
    "ping_pong_busy",
    "ping_pong_pairs",
    "ping_pong_latency",
    "ping_pong_open",
    "answers_uniform",
    "answers_zipf",
    "answers_hot",
    "same_slot",
    "regime",
    "wake_storm",
    "grid",
    "crowd",
    "stride_wakes",
    "stride_tasks",
    "others_tasks",
    "others_threads",
    "cancel",
    "cancel_storm",
    "wake_tasks",
    "lock_fresh",
    "locks_uniform",
    "locks_zipf",
    "locks_hot",
    "locks_scaling",
    "locks_open",
    "lock_tasks",
    "semaphore",
    "flight_alone",
    "flight_shared",
    "wait_memory",
    "lock_memory",
    "detail_wake",
    "detail_stale",
    "detail_task",
    "detail_lock",
    "detail_round_trip",
];

/// All workloads that the program brings.
pub(crate) fn all() -> anyhow::Result<Vec<Definition>> {
    let parse = |(name, text): (&str, &str)| {
        let definition = Definition::parse(name, text)?;
        ensure!(
            definition.name == name,
            "the workload {name} calls itself otherwise"
        );
        Ok(definition)
    };
    FILES.into_iter().map(parse).collect()
}

/// The workload of this file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Definition> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    Definition::parse(&name, &text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_brought_and_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
        let names = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let there: BTreeSet<String> = names
            .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
            .collect();
        let brought = all().unwrap();
        let brought: BTreeSet<String> = brought.into_iter().map(|file| file.name).collect();
        assert_eq!(brought, there);
    }
}
