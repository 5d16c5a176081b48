//! Programs to look at, and folders for their sockets.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use tempfile::TempDir;

/// `slotpark` with arguments, among the sockets of this folder.
pub(crate) fn slotpark(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slotpark"));
    command.args(arguments).env("XDG_RUNTIME_DIR", folder);
    command.current_dir(folder);
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    slotpark(folder, arguments)
        .output()
        .expect("slotpark starts")
}

/// The path of `slotpark`, for a shell.
pub(crate) fn slotpark_path() -> &'static str {
    env!("CARGO_BIN_EXE_slotpark")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder for sockets: short, since the path of a socket must be.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("slp")
        .tempdir()
        .expect("there is room for a folder")
}

/// One of this package's examples, built.
fn example(name: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_slotpark"));
    let folder = program.parent().expect("a program is in a folder");
    let path = folder.join("examples").join(name);
    let shown = path.display();
    let is_there = path.is_file();
    assert!(
        is_there,
        "no {shown}: build it with `cargo build -p slotpark-cli --examples`"
    );
    path
}

/// An example that runs until this is dropped, and has said that it is ready.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Its end ends the example.
    _input: Option<ChildStdin>,
}

impl Running {
    pub(crate) fn start(folder: &Path, name: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(example(name));
        command.args(arguments).env("XDG_RUNTIME_DIR", folder);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        let read = BufReader::new(output).read_line(&mut line);
        assert!(
            read.is_ok() && line.contains("slotpark top"),
            "it said: {line:?}"
        );
        let input = child.stdin.take();
        Self {
            child,
            _input: input,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, so that it can clean nothing up.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it is a child");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A snapshot in a file.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("there is room for a file");
    path
}
