//! The repository: where it is, and how commands are run in it.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use regex::Regex;

/// The workspace this tool works on.
pub(crate) struct Repo {
    root: PathBuf,
    target: PathBuf,
}

impl Repo {
    /// The workspace of the running `cargo xtask`.
    pub(crate) fn here() -> Self {
        // Cargo sets the variable when it runs the tool; a build directory shared by two clones
        // would make the value from compile time point into the other one.
        let manifest = env::var("CARGO_MANIFEST_DIR");
        let manifest = manifest.as_deref().unwrap_or(env!("CARGO_MANIFEST_DIR"));
        let root = Path::new(manifest)
            .parent()
            .unwrap_or(Path::new("."))
            .to_path_buf();
        // Relative means relative to where cargo was called, so it is settled here, once.
        let chosen = env::var_os("CARGO_TARGET_DIR")
            .map(|folder| env::current_dir().unwrap_or_default().join(folder));
        let target = chosen.unwrap_or_else(|| root.join("target"));
        Self { root, target }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// `program` with `args`, run at the root.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root);
        command
    }

    /// Cargo of the toolchain that runs this tool.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command("cargo", args);
        command.env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Cargo of another toolchain. The caller knows that it is installed.
    pub(crate) fn cargo_of(&self, toolchain: &str, args: &[&str]) -> Command {
        let mut command = self.command("rustup", &["run", toolchain, "cargo"]);
        command.args(args).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Cargo with our own compiler flags, which also deny warnings, in a build directory of its
    /// own: in a shared one every change of flags would build everything anew.
    pub(crate) fn cargo_with_cfg(&self, cfg: &str, args: &[&str]) -> Command {
        let mut command = self.cargo(args);
        let flags = format!("--cfg {cfg}");
        command
            .env("RUSTFLAGS", format!("{flags} -D warnings"))
            .env("RUSTDOCFLAGS", flags);
        command.env(
            "CARGO_TARGET_DIR",
            self.target.join(cfg.trim_start_matches("slotpark_")),
        );
        command
    }

    /// The toolchain is installed. False too where there is no rustup.
    pub(crate) fn has_toolchain(&self, toolchain: &str) -> bool {
        output(&mut self.command("rustup", &["toolchain", "list"]))
            .is_ok_and(|list| has_toolchain(&list, toolchain))
    }

    /// The active toolchain has the standard library of `target`.
    pub(crate) fn has_target(&self, target: &str) -> bool {
        output(&mut self.command("rustup", &["target", "list", "--installed"]))
            .is_ok_and(|list| list.lines().any(|line| line == target))
    }
}

fn has_toolchain(list: &str, toolchain: &str) -> bool {
    list.lines().any(|line| {
        let name = line.split_whitespace().next().unwrap_or_default();
        name.strip_prefix(toolchain)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    })
}

/// Runs a command to its end, shown as it could be typed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", shown_with_environment(command));
    let status = command.status().with_context(|| shown(command))?;
    if !status.success() {
        bail!("`{}`: {status}", shown(command));
    }
    Ok(())
}

/// Runs a test command, and fails also when it passes without having run a test.
pub(crate) fn run_tests(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", shown_with_environment(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| shown(command))?;
    let mut passed = 0;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.context("reading the test command's output")?;
            println!("{line}");
            passed += tests_passed(&line);
        }
    }
    let status = child.wait().with_context(|| shown(command))?;
    if !status.success() {
        bail!("`{}`: {status}", shown(command));
    }
    if passed == 0 {
        bail!("`{}` ran no test", shown(command));
    }
    eprintln!("{passed} tests passed");
    Ok(())
}

/// The number of passed tests in one line of a test harness. Several harnesses may write at once
/// (Miri's seeds), so the report may begin anywhere.
fn tests_passed(line: &str) -> usize {
    static REPORT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(\d+) passed; 0 failed").expect("the tests below compile the pattern")
    });
    let report = REPORT.captures(line);
    report
        .and_then(|report| report[1].parse().ok())
        .unwrap_or(0)
}

/// What a command prints, or why it failed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| shown(command))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}`: {} {}",
            shown(command),
            output.status,
            complaint.trim()
        );
    }
    String::from_utf8(output.stdout).with_context(|| shown(command))
}

/// The words of the command, as they could be typed.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// The same behind the environment that repeating it takes.
fn shown_with_environment(command: &Command) -> String {
    let environment = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={} ", name.to_string_lossy(), quoted(value?)))
    });
    environment.chain([shown(command)]).collect()
}

fn quoted(text: &OsStr) -> String {
    let text = text.to_string_lossy();
    if text.contains(' ') {
        format!("'{text}'")
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Repo, has_toolchain, output, run, run_tests, tests_passed};

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let repo = Repo::here();
        assert!(run(&mut repo.command("true", &[])).is_ok());
        let error = run(&mut repo.command("false", &["x y"]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("false 'x y'"), "{error}");
        assert!(run(&mut repo.command("no-such-program-anywhere", &[])).is_err());
        assert!(output(&mut repo.command("false", &[])).is_err());
    }

    #[test]
    fn a_test_run_without_tests_fails() {
        let repo = Repo::here();
        let say = |text| run_tests(&mut repo.command("echo", &[text]));
        assert!(say("test result: ok. 3 passed; 0 failed; 0 ignored").is_ok());
        assert!(say("test result: ok. 0 passed; 0 failed; 2 ignored").is_err());
        assert!(say("").is_err());
        assert_eq!(tests_passed("test result: FAILED. 3 passed; 1 failed"), 0);
        assert_eq!(
            tests_passed("running 1 testok. 12 passed; 0 failed; 0 ignored"),
            12
        );
    }

    #[test]
    fn a_toolchain_is_found_by_its_whole_name() {
        let list =
            "stable-x86_64-unknown-linux-gnu (active, default)\n1.85-x86_64-unknown-linux-gnu\n";
        assert!(has_toolchain(list, "stable"));
        assert!(has_toolchain(list, "1.85"));
        assert!(!has_toolchain(list, "1.8"));
        assert!(!has_toolchain(list, "nightly"));
    }
}
