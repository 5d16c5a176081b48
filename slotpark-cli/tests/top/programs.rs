//! Programs that know nothing of slotpark are looked at while they run under `slotpark run`.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use slotpark_inspect::{Snapshot, Table};

use crate::tools::{folder, run, slotpark, text, write};

/// What is not there by then will not come.
const HANG: Duration = Duration::from_secs(120);

/// From one look to the next: nobody tells of a program's progress.
const STEP: Duration = Duration::from_millis(20);

/// Looks until something is so of a process, and returns what it was.
fn until(folder: &Path, what: &str, find: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let begun = Instant::now();
    let mut last = String::new();
    while begun.elapsed() < HANG {
        let listed = text(&run(folder, &["inspect", "list"]).stdout);
        for line in listed.lines() {
            let Some(id) = line.split_whitespace().next() else {
                continue;
            };
            // It may end meanwhile.
            let json = text(&run(folder, &["inspect", "json", id]).stdout);
            if let Ok(snapshot) = Snapshot::from_json(&json) {
                if find(&snapshot) {
                    return snapshot;
                }
                last = json;
            }
        }
        thread::park_timeout(STEP);
    }
    panic!("{what}: not within {HANG:?}; last: {last}");
}

fn start(folder: &Path, arguments: &[&str]) -> Child {
    let mut command = slotpark(folder, &["run", "--inspect", "--"]);
    command.args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("slotpark starts")
}

fn end(child: Child) -> Output {
    let output = child.wait_with_output().expect("it is a child");
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}

/// The table that the program's futexes wait in.
fn futexes(seen: &Snapshot) -> &Table {
    let mut tables = seen.tables.iter();
    tables
        .find(|table| table.name == "futexes")
        .expect("it is registered")
}

fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

/// Nothing that processes have opened is left.
fn nothing_is_left(folder: &Path) {
    let sockets = fs::read_dir(folder.join("slotpark"));
    let left: Vec<_> = sockets.into_iter().flatten().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn ripgrep_is_watched() {
    if !is_installed("rg") {
        return;
    }
    let folder = folder();
    for file in 0..50 {
        write(folder.path(), &format!("{file}.txt"), "needle\n");
    }
    // More than a pipe takes: nobody reads what it prints, so who prints holds the lock of its
    // output for good, and who wants to print waits for that.
    let long = format!("needle {}\n", "x".repeat(100)).repeat(1_000);
    for file in 0..8 {
        write(folder.path(), &format!("long-{file}.txt"), &long);
    }
    // It reads its standard input for as long as that is open.
    let mut rg = start(folder.path(), &["rg", "-j4", "needle", "-", "."]);
    // Of its four threads one reads, one prints, and the others come to wait for that.
    let seen = until(folder.path(), "two of rg wait", |seen| {
        let waits = &futexes(seen).waits;
        let is_one_word = waits.windows(2).all(|pair| pair[0].key == pair[1].key);
        seen.program == "rg" && waits.len() >= 2 && is_one_word
    });
    let waits = &futexes(&seen).waits;
    let word = waits[0].key.text.as_deref().unwrap_or("");
    assert!(word.starts_with("word at 0x"), "{waits:?}");
    assert!(
        waits.iter().all(|wait| wait.since_ns.is_some()),
        "{waits:?}"
    );
    let mut input = rg.stdin.take().expect("it is piped");
    input.write_all(b"needle\nneedle\n").expect("it reads");
    drop(input);
    let output = end(rg);
    let found = text(&output.stdout);
    assert!(
        found.matches("<stdin>:needle").count() == 2 && found.lines().count() >= 8_052,
        "{} lines",
        found.lines().count()
    );
    nothing_is_left(folder.path());
}

/// A build whose script waits: cargo waits for it on a futex, and its thread's name is known. The
/// build script is a process of its own.
#[test]
fn cargo_is_watched() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let cargo = cargo.to_str().expect("the path of cargo is text");
    if !is_installed(cargo) {
        return;
    }
    let folder = folder();
    let manifest =
        "[package]\nname = \"watched\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    write(folder.path(), "Cargo.toml", manifest);
    fs::create_dir(folder.path().join("src")).expect("there is room");
    write(folder.path(), "src/lib.rs", "");
    let script = "fn main() { while !std::path::Path::new(\"go\").exists() { \
                  std::thread::sleep(std::time::Duration::from_millis(10)) } }\n";
    write(folder.path(), "build.rs", script);
    let build = start(folder.path(), &[cargo, "build", "--offline"]);
    let seen = until(folder.path(), "cargo waits", |seen| {
        let is_over = |table: &Table| !table.histograms.is_empty();
        let waits = |table: &Table| !table.waits.is_empty();
        seen.program == "cargo" && waits(futexes(seen)) && is_over(futexes(seen))
    });
    let over = futexes(&seen);
    let waited = &over.histograms[0];
    assert!(waited.of == "wait" && waited.count > 0, "{waited:?}");
    assert!(
        over.top_keys[0].waits > 0 && over.top_keys[0].waited_ns.is_some(),
        "{:?}",
        over.top_keys
    );
    let wait = &futexes(&seen).waits[0];
    let word = wait.key.text.as_deref().unwrap_or("");
    assert!(word.starts_with("word at 0x"), "{wait:?}");
    assert!(
        wait.by.name.is_some() && wait.since_ns.is_some(),
        "{wait:?}"
    );
    let child = until(folder.path(), "the script", |seen| {
        seen.program.starts_with("build-script")
    });
    assert_ne!(child.process, seen.process);
    write(folder.path(), "go", "");
    end(build);
    nothing_is_left(folder.path());
}

/// The two threads that serve the socket take no part in the program.
#[test]
fn a_program_is_not_disturbed() {
    let folder = folder();
    let script = "ls /proc/self/fd | wc -l; trap 'echo got it' USR1; kill -USR1 $$; umask; pwd";
    let plain = Command::new("bash")
        .args(["-c", script])
        .current_dir(folder.path())
        .output();
    let watched = end(start(folder.path(), &["bash", "-c", script]));
    assert_eq!(
        text(&watched.stdout),
        text(&plain.expect("bash starts").stdout)
    );
    nothing_is_left(folder.path());
}

/// Without being asked for it, no process opens anything.
#[test]
fn nothing_is_opened_unasked() {
    let folder = folder();
    let output = slotpark(
        folder.path(),
        &["run", "--", "bash", "-c", "ls -l /proc/self/task | wc -l"],
    )
    .output()
    .expect("slotpark starts");
    assert_eq!(text(&output.stdout), "2\n");
    assert!(!folder.path().join("slotpark").exists());
}
