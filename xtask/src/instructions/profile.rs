//! What callgrind wrote about one path: the instructions of our own code.
//!
//! Where a path calls a library of the system (to copy memory, to read the clock), that library's
//! version and the processor decide how many instructions that takes. They are left out, so that
//! the same compiler counts the same everywhere.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

/// The instructions that were carried out in `program` itself.
pub(super) fn own(profile: &str, program: &str) -> Result<u64> {
    let mut by_object: BTreeMap<&str, u64> = BTreeMap::new();
    let mut object = "";
    let mut is_call = false;
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("ob=") {
            object = name;
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            // What the line below `calls=` costs is told once more where it is called.
            if !std::mem::take(&mut is_call) {
                *by_object.entry(object).or_default() += cost(line)?;
            }
        }
    }
    let told: u64 = by_object.values().sum();
    let total = total(profile)?;
    ensure!(
        told == total,
        "{told} instructions by object, {total} in all"
    );
    let own = by_object
        .iter()
        .filter(|(object, _)| object.ends_with(program));
    let own = own.map(|(_, count)| count).sum();
    ensure!(own > 0, "no instruction of {program}");
    Ok(own)
}

/// The last number of a line, the first being its place in the source.
fn cost(line: &str) -> Result<u64> {
    let cost = line.split_whitespace().nth(1);
    let cost = cost.and_then(|cost| cost.parse().ok());
    cost.with_context(|| format!("no cost in `{line}`"))
}

fn total(profile: &str) -> Result<u64> {
    let mut lines = profile.lines();
    let total = lines.find_map(|line| line.strip_prefix("summary: "));
    let total = total.and_then(|total| total.trim().parse().ok());
    total.context("no summary: nothing was counted")
}

#[cfg(test)]
mod tests {
    use super::own;

    const PROFILE: &str = "version: 1
positions: line
events: Ir
summary: 37

ob=/lib/ld.so
fn=0x1
cob=/target/paths-1
cfn=main
calls=1 0
0 37

ob=/target/paths-1
fn=main
26 16
0 4
cob=/lib/libc.so.6
cfn=memcpy
calls=2 0
12 7
13 10

ob=/lib/libc.so.6
fn=memcpy
0 7
";

    #[test]
    fn a_call_into_the_system_is_left_out() {
        assert_eq!(own(PROFILE, "paths-1").unwrap(), 30);
        assert_eq!(own(PROFILE, "libc.so.6").unwrap(), 7);
    }

    #[test]
    fn what_does_not_add_up_is_not_believed() {
        let of = |profile: String| own(&profile, "paths-1").map_err(|error| error.to_string());
        let halved = of(PROFILE.replace("26 16", "26 8"));
        assert_eq!(halved, Err("29 instructions by object, 37 in all".into()));
        assert!(of(PROFILE.replace("summary: 37", "")).is_err());
        assert!(of(PROFILE.replace("26 16", "26 many")).is_err());
        assert!(own(PROFILE, "paths-2").is_err());
    }
}
