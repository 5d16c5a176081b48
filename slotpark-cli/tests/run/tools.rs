//! Runs programs under a watchdog, compiles the test programs, and compares what was left behind.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A program that has not ended by then hangs.
const HANG: Duration = Duration::from_secs(120);

/// What a program left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// With lines in order and times masked: what must not differ from run to run.
    pub(crate) fn masked(mut self) -> Self {
        self.stdout = masked(&self.stdout);
        self.stderr = masked(&self.stderr);
        self
    }
}

/// Runs a program to its end, without any of the test's own environment that could change it. One
/// that hangs is killed with all it started, and fails the test.
pub(crate) fn finish(command: &mut Command) -> Ended {
    finish_started(start(command), &format!("{command:?}"))
}

/// Starts a program in a process group of its own.
pub(crate) fn start(command: &mut Command) -> Child {
    for name in [
        "CARGO_TARGET_DIR",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "SLOTPARK_PRELOAD",
    ] {
        command.env_remove(name);
    }
    command
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Waits for what [`start`] started.
pub(crate) fn finish_started(mut child: Child, name: &str) -> Ended {
    let id = child.id();
    let stdout = read_all(child.stdout.take());
    let stderr = read_all(child.stderr.take());
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    let Ok(status) = ended.recv_timeout(HANG) else {
        let group = format!("-{id}");
        let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
        let text = stderr.join().unwrap_or_default();
        panic!("{name} hangs; killed: {killed:?}; standard error so far:\n{text}");
    };
    Ended {
        status: status.unwrap(),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

fn read_all(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.map(|mut pipe| pipe.read_to_end(&mut bytes).unwrap());
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// `slotpark run` of a program, with its report in a file.
pub(crate) struct Run {
    report: PathBuf,
    /// Where the processes open their sockets, if they do.
    sockets: Option<PathBuf>,
}

impl Run {
    pub(crate) fn new(folder: &Folder) -> Self {
        Self {
            report: folder.path("report.json"),
            sockets: None,
        }
    }

    /// With a socket in every process, in this folder.
    pub(crate) fn inspected(folder: &Folder) -> Self {
        Self {
            sockets: Some(folder.path("")),
            ..Self::new(folder)
        }
    }

    /// The command that does what `program` does.
    pub(crate) fn of(&self, program: &Command) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slotpark"));
        command
            .args(["run", "--json", "--report"])
            .arg(&self.report);
        if let Some(sockets) = &self.sockets {
            command.arg("--inspect").env("XDG_RUNTIME_DIR", sockets);
        }
        command.arg("--");
        command.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = program.get_current_dir() {
            command.current_dir(folder);
        }
        command
    }

    /// The report of the last run.
    pub(crate) fn report(&self) -> Value {
        let text = fs::read(&self.report).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// A count of the last run's totals.
    pub(crate) fn total(&self, name: &str) -> u64 {
        self.report()["totals"][name]
            .as_u64()
            .unwrap_or_else(|| panic!("no count {name}"))
    }
}

/// A folder of one test's own, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("run-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

pub(crate) fn rustc() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// Compiles one of the programs in `tests/programs`.
pub(crate) fn compile(folder: &Folder, name: &str, flags: &[&str]) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/programs")
        .join(name);
    let program = folder.path(name);
    let mut rustc = rustc();
    rustc
        .args(["--edition", "2024", "-O", "-D", "warnings"])
        .args(flags);
    let ended = finish(
        rustc
            .arg(source.with_extension("rs"))
            .arg("-o")
            .arg(&program),
    );
    if ended.status.success() {
        Ok(program)
    } else {
        Err(ended.stderr)
    }
}

/// One of the programs in `tests/programs`, as it is usually compiled.
pub(crate) fn program(folder: &Folder, name: &str) -> PathBuf {
    compile(folder, name, &[]).unwrap()
}

/// The command with its arguments.
pub(crate) fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// All files below a folder, with their contents.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Lines in order, each word that is a time replaced.
fn masked(text: &str) -> String {
    let is_time = |word: &str| {
        let number = word.strip_suffix('s').unwrap_or("");
        let number = number.strip_suffix(['m', 'u', 'n']).unwrap_or(number);
        number.parse::<f64>().is_ok()
    };
    let mask = |line: &str| {
        let words = line
            .split(' ')
            .map(|word| if is_time(word) { "TIME" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    let mut lines: Vec<_> = text.lines().map(mask).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn masks_times_and_sorts_lines() {
    assert_eq!(
        masked("b in 0.53s now\na 3ms 12 ps"),
        "a TIME 12 ps\nb in TIME now"
    );
}
