//! Programs that this project did not write do under `slotpark run` what they do without it, ten
//! times in a row.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{Ended, Folder, Run, command, files, finish, rustc};

const ROUNDS: usize = 10;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Runs a program without slots and then ten times with them, each time into an empty folder of the
/// same name, and compares everything. Returns the runs, for their last report.
fn same_ten_times(folder: &Folder, output: &Path, program: &Command) -> Run {
    let run = Run::new(folder);
    let fresh = |mut command: Command| -> (Ended, Files) {
        let _ = fs::remove_dir_all(output);
        fs::create_dir_all(output).unwrap();
        (finish(&mut command).masked(), files(output))
    };
    let mut native = Command::new(program.get_program());
    native.args(program.get_args());
    for (name, value) in program.get_envs() {
        native.env(name, value.unwrap_or_default());
    }
    if let Some(folder) = program.get_current_dir() {
        native.current_dir(folder);
    }
    let (expected, expected_files) = fresh(native);
    for round in 1..=ROUNDS {
        let (got, got_files) = fresh(run.of(program));
        assert_eq!(got, expected, "round {round}");
        let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&got_files), names(&expected_files), "round {round}");
        for (name, content) in &got_files {
            let same = same_content(content, &expected_files[name]);
            assert!(same, "{} differs, round {round}", name.display());
        }
    }
    run
}

/// The same bytes, or the same JSON: cargo writes `.rustc_info.json` in an order that changes from
/// run to run.
fn same_content(one: &[u8], other: &[u8]) -> bool {
    let json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
    one == other || json(one).is_some_and(|one| Some(one) == json(other))
}

fn write_modules(folder: &Folder) {
    let mut main = String::from("#![warn(unused)]\n");
    for module in 0..24 {
        let functions: String = (0..20)
            .map(|function| {
                format!(
                    "pub fn f{function}(x: u64) -> String {{\n    let unused = {function};\n    \
                     let all: std::collections::BTreeMap<u64, String> =\n        \
                     (0..x).map(|n| (n, format!(\"{module} {{n}}\"))).collect();\n    \
                     format!(\"{{all:?}}\")\n}}\n"
                )
            })
            .collect();
        folder.write(&format!("src/m{module}.rs"), &functions);
        main.push_str(&format!("mod m{module};\n"));
    }
    main.push_str("fn main() {\n    println!(\"{}\", m0::f0(3));\n}\n");
    folder.write("src/main.rs", &main);
}

#[test]
fn rustc_compiles_modules() {
    let folder = Folder::new("rustc");
    write_modules(&folder);
    let output = folder.path("out");
    let mut rustc = rustc();
    rustc.args(["--edition", "2021", "-C", "codegen-units=8", "-O"]);
    rustc
        .arg(folder.path("src/main.rs"))
        .arg("-o")
        .arg(output.join("program"));
    let run = same_ten_times(&folder, &output, &rustc);
    assert!(output.join("program").is_file());
    assert!(run.total("waits") > 0 && run.total("wakes") > 0);
}

#[test]
fn rustc_reports_errors() {
    let folder = Folder::new("rustc-errors");
    folder.write(
        "wrong.rs",
        "fn main() { let x: u32 = \"text\"; nowhere(x) }\n",
    );
    let output = folder.path("out");
    let mut rustc = rustc();
    rustc
        .arg(folder.path("wrong.rs"))
        .arg("-o")
        .arg(output.join("program"));
    let run = same_ten_times(&folder, &output, &rustc);
    assert_eq!(run.report()["exit"]["code"], 1);
}

/// A workspace of eight crates, one with a build script, each needing those before it by two.
fn write_workspace(folder: &Folder) {
    folder.write(
        "work/Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"part*\"]\n",
    );
    for part in 0..8 {
        let needed: Vec<_> = (0..part).filter(|other| (part - other) % 2 == 1).collect();
        let list: String = needed
            .iter()
            .map(|other| format!("part{other} = {{ path = \"../part{other}\" }}\n"))
            .collect();
        let manifest = format!(
            "[package]\nname = \"part{part}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
             [dependencies]\n{list}"
        );
        folder.write(&format!("work/part{part}/Cargo.toml"), &manifest);
        let calls: String = needed
            .iter()
            .map(|other| format!(" + part{other}::value()"))
            .collect();
        let source = format!(
            "pub fn value() -> u64 {{\n    let unused = 1;\n    \
             (0..{part}u64).sum::<u64>(){calls}\n}}\n"
        );
        folder.write(&format!("work/part{part}/src/lib.rs"), &source);
    }
    folder.write(
        "work/part3/build.rs",
        "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }\n",
    );
    folder.write(
        "work/part7/src/main.rs",
        "fn main() { println!(\"{}\", part7::value()); }\n",
    );
}

#[test]
fn cargo_builds_a_workspace() {
    let folder = Folder::new("cargo");
    write_workspace(&folder);
    let output = folder.path("target");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = command(cargo, &["build", "--offline", "--workspace", "-j", "4"]);
    cargo
        .arg("--target-dir")
        .arg(&output)
        .env("CARGO_INCREMENTAL", "0");
    // A home of its own: cargo says when it waits for another cargo on the machine.
    cargo.env("CARGO_HOME", folder.path("home"));
    cargo.current_dir(folder.path("work"));
    let run = same_ten_times(&folder, &output, &cargo);
    assert!(output.join("debug/part7").is_file());
    let report = run.report();
    let rows = report["processes"].as_array().unwrap();
    let waits_of = |program: &str| -> u64 {
        let rows = rows.iter().filter(|row| row["program"] == program);
        rows.map(|row| row["waits"].as_u64().unwrap()).sum()
    };
    assert!(waits_of("cargo") > 0 && waits_of("rustc") > 0, "{report}");
}

/// A tree of files with words to be found.
fn write_tree(folder: &Folder) {
    for file in 0..300 {
        let lines: String = (0..50)
            .map(|line| format!("line {line} of file {file}: {}\n", (line * file) % 97))
            .collect();
        folder.write(
            &format!("tree/{}/{}/file{file}.txt", file % 7, file % 5),
            &lines,
        );
    }
}

/// The first of these names that is installed.
fn installed(names: &[&'static str]) -> Option<&'static str> {
    let found = names
        .iter()
        .copied()
        .find(|name| Command::new(name).arg("--version").output().is_ok());
    if found.is_none() {
        println!("skipped: {} is not installed", names.join(" or "));
    }
    found
}

#[test]
fn ripgrep_searches() {
    let Some(rg) = installed(&["rg"]) else { return };
    let folder = Folder::new("ripgrep");
    write_tree(&folder);
    for (pattern, status) in [("file 1.*: 42$", 0), ("not to be found", 1)] {
        let mut rg = command(rg, &["--no-config", "-n", "-j", "4", pattern]);
        rg.arg(folder.path("tree"));
        let run = same_ten_times(&folder, &folder.path("out"), &rg);
        assert_eq!(run.report()["exit"]["code"], status);
    }
}

#[test]
fn fd_finds() {
    let Some(fd) = installed(&["fdfind", "fd"]) else {
        return;
    };
    let folder = Folder::new("fd");
    write_tree(&folder);
    for arguments in [["-j4", "-tf", "7"], ["-j4", "-x", "basename"]] {
        let mut fd = command(fd, &arguments);
        fd.current_dir(folder.path("tree"));
        let run = same_ten_times(&folder, &folder.path("out"), &fd);
        assert_eq!(run.report()["exit"]["code"], 0);
    }
}

/// Python's threads wait by what glibc has, which is not ours: nothing changes.
const THREADS_PY: &str = "\
import queue, threading
from concurrent.futures import ThreadPoolExecutor

turn, changed, barrier = [0], threading.Condition(), threading.Barrier(4)
permits, done, tasks = threading.Semaphore(2), threading.Event(), queue.Queue(3)
total, lock = [0], threading.Lock()

def play(me):
    barrier.wait()
    for _ in range(200):
        with changed:
            changed.wait_for(lambda: turn[0] % 4 == me)
            turn[0] += 1
            changed.notify_all()
        with permits, lock:
            total[0] += 1

def work():
    for number in iter(tasks.get, None):
        with lock:
            total[0] += number
    done.set()

threads = [threading.Thread(target=play, args=(me,)) for me in range(4)]
threads.append(threading.Thread(target=work))
for thread in threads:
    thread.start()
for number in range(500):
    tasks.put(number)
tasks.put(None)
assert done.wait(60)
for thread in threads:
    thread.join()
with ThreadPoolExecutor(4) as pool:
    squares = sum(pool.map(lambda number: number * number, range(1000)))
print(turn[0], total[0], squares)
";

#[test]
fn python_threads_are_unaffected() {
    let Some(python) = installed(&["python3"]) else {
        return;
    };
    let folder = Folder::new("python");
    folder.write("threads.py", THREADS_PY);
    let mut python = command(python, &[]);
    python.arg(folder.path("threads.py"));
    let run = same_ten_times(&folder, &folder.path("out"), &python);
    assert_eq!(run.report()["exit"]["code"], 0);
}
