//! The tests of crates that are made of waiting pass under `slotpark run`, and say the same.
//!
//! Their sources are those that this workspace builds of anyway. What they need for their tests
//! beyond that is random numbers, and those have a stand-in here: the registry is not asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::tools::{Ended, Folder, Run, command, finish, rustc};

/// What the suites ask of rand.
const RAND: &str = "\
use std::hash::{BuildHasher, RandomState};

pub struct Numbers;
pub trait Rng {}
pub trait RngExt {}

pub fn rng() -> Numbers {
    Numbers
}
pub fn thread_rng() -> Numbers {
    Numbers
}

impl Numbers {
    pub fn random_bool(&mut self, probability: f64) -> bool {
        (self.gen_range(0..1 << 20) as f64) < probability * f64::from(1 << 20)
    }
    pub fn gen_range(&mut self, range: std::ops::Range<usize>) -> usize {
        range.start + RandomState::new().hash_one(0) as usize % range.len()
    }
}
";

/// A crate and what is run of it.
struct Suite {
    name: &'static str,
    manifest: &'static str,
    /// What cargo is told to build, and what the tests are told.
    targets: &'static [&'static str],
    arguments: &'static [&'static str],
}

const PARKING_LOT: Suite = Suite {
    name: "parking_lot",
    manifest: "\
edition = \"2024\"
[dependencies]
lock_api = \"0.5\"
parking_lot_core = \"0.10\"
",
    targets: &["--lib"],
    // They take most of the time.
    arguments: &["--skip", "rwlock"],
};

const CROSSBEAM_CHANNEL: Suite = Suite {
    name: "crossbeam-channel",
    manifest: "\
edition = \"2021\"
[features]
default = [\"std\"]
std = []
[dependencies]
crossbeam-utils = \"0.8\"
",
    targets: &[
        "--test",
        "golang",
        "--test",
        "list",
        "--test",
        "same_channel",
    ],
    // It counts what all tests of the program allocate meanwhile.
    arguments: &["--skip", "select2"],
};

fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The lines of JSON that a cargo command prints.
fn lines(output: &str) -> impl Iterator<Item = Value> {
    let lines = output.lines();
    lines.filter_map(|line| serde_json::from_str(line).ok())
}

/// The folder of the newest version that this workspace builds of, and the workspace's own.
fn source(name: &str) -> Option<(PathBuf, PathBuf)> {
    // Of this platform only: of the others there need be no sources.
    let version = finish(rustc().arg("-vV")).stdout;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))?;
    let mut metadata = command(cargo(), &["metadata", "--offline", "--format-version", "1"]);
    metadata.args(["--filter-platform", host]);
    let ended = finish(metadata.current_dir(env!("CARGO_MANIFEST_DIR")));
    let metadata = lines(&ended.stdout).next()?;
    let packages = metadata["packages"].as_array()?;
    let manifests = packages.iter().filter(|package| package["name"] == name);
    let newest = manifests
        .filter_map(|package| package["manifest_path"].as_str())
        .max()?;
    let root = metadata["workspace_root"].as_str()?;
    Some((Path::new(newest).parent()?.to_owned(), root.into()))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.unwrap().file_name()),
        );
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::write(to, fs::read(from).unwrap()).unwrap();
        }
    }
}

/// Builds the suite, and returns its programs.
fn build(folder: &Folder, suite: &Suite) -> Option<Vec<PathBuf>> {
    let Some((source, workspace)) = source(suite.name) else {
        println!("skipped: the source of {} is not here", suite.name);
        return None;
    };
    for part in ["src", "tests"] {
        copy(&source.join(part), &folder.path("suite").join(part));
    }
    let manifest = format!(
        "[package]\nname = \"{}\"\nversion = \"0.0.0\"\n{}[dev-dependencies]\n\
         rand = {{ path = \"../rand\" }}\n[workspace]\n",
        suite.name, suite.manifest
    );
    folder.write("suite/Cargo.toml", &manifest);
    let rand = "[package]\nname = \"rand\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";
    folder.write("rand/Cargo.toml", rand);
    folder.write("rand/src/lib.rs", RAND);
    // The versions that are here.
    let lock = fs::read(workspace.join("Cargo.lock")).unwrap();
    fs::write(folder.path("suite/Cargo.lock"), lock).unwrap();
    let mut build = command(
        cargo(),
        &[
            "test",
            "--offline",
            "--no-run",
            "--message-format",
            "json",
            "-j",
            "2",
        ],
    );
    let ended = finish(
        build
            .args(suite.targets)
            .current_dir(folder.path("suite"))
            .env("CARGO_INCREMENTAL", "0"),
    );
    assert!(ended.status.success(), "{}", ended.stderr);
    let programs = lines(&ended.stdout)
        .filter(|line| line["profile"]["test"] == true)
        .filter_map(|line| Some(PathBuf::from(line["executable"].as_str()?)));
    Some(programs.collect())
}

/// What a suite printed, but for what it says of tests that take long.
fn told(program: &mut Command) -> Ended {
    let mut ended = finish(program).masked();
    let lines = ended.stdout.lines();
    let kept = lines.filter(|line| !line.contains("has been running for over"));
    ended.stdout = kept.collect::<Vec<_>>().join("\n");
    ended
}

fn passes(suite: &Suite) {
    let folder = Folder::new(suite.name);
    let Some(programs) = build(&folder, suite) else {
        return;
    };
    assert!(!programs.is_empty());
    let run = Run::new(&folder);
    let mut counts = [0, 0];
    for program in programs {
        let native = command(&program, suite.arguments);
        let expected = told(&mut command(&program, suite.arguments));
        assert!(expected.status.success(), "{expected:?}");
        // Once: it takes seconds, and there are many tests in it.
        let got = told(&mut run.of(&native));
        assert_eq!(got, expected, "{}", program.display());
        counts[0] += run.total("waits");
        counts[1] += run.total("woken");
    }
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
}

#[test]
fn parking_lot_passes_its_tests() {
    passes(&PARKING_LOT);
}

#[test]
fn crossbeam_channel_passes_its_tests() {
    passes(&CROSSBEAM_CHANNEL);
}
