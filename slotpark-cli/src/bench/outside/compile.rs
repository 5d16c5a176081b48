//! Compiles the programs at their first use, and keeps them for the next run.
//!
//! A built program lies in the user's cache directory, under a name made of its sources, its
//! compiler's version and its arguments. It comes there by a rename, so that it is whole, whoever
//! else builds it at the same time.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use etcetera::{BaseStrategy as _, choose_base_strategy};
use tempfile::TempDir;

use super::process;

/// How long a compiler may take.
const LIMIT: Duration = Duration::from_secs(180);
/// The file that a compiler is told to write.
const PROGRAM: &str = "program";

/// How a program is built.
pub(super) struct Recipe {
    pub(super) compiler: &'static str,
    /// Its question for its version.
    pub(super) version: &'static str,
    /// Run where the files lie, with [`PROGRAM`] as the last one.
    pub(super) arguments: &'static [&'static str],
    pub(super) environment: &'static [(&'static str, &'static str)],
    /// Names and contents.
    pub(super) files: fn() -> Vec<(&'static str, String)>,
    pub(super) once: OnceLock<Result<Built, String>>,
}

/// A program that can be run.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub(super) program: PathBuf,
    /// As it calls itself.
    pub(super) compiler: String,
}

impl Recipe {
    /// The program, or why there is none. Built once in each process; other calls wait for that.
    pub(super) fn built(&self) -> Result<Built, String> {
        let build = || {
            let base = choose_base_strategy().map_err(|error| error.to_string())?;
            self.build(&base.cache_dir().join("slotpark"))
        };
        self.once.get_or_init(build).clone()
    }

    /// Builds it in this directory, unless it is there.
    pub(super) fn build(&self, cache: &Path) -> Result<Built, String> {
        let mut ask = Command::new(self.compiler);
        ask.arg(self.version);
        let compiler = self.run(ask)?;
        let compiler = compiler.lines().next().unwrap_or_default().to_owned();
        let files = (self.files)();
        let mut hasher = DefaultHasher::new();
        (self.arguments, self.environment, &files, &compiler).hash(&mut hasher);
        let directory = cache.join(format!("{:016x}", hasher.finish()));
        let program = directory.join(PROGRAM);
        if !program.exists() {
            self.compile(&directory, &files)?;
        }
        Ok(Built { program, compiler })
    }

    fn compile(&self, directory: &Path, files: &[(&str, String)]) -> Result<(), String> {
        let cache = directory.parent().unwrap_or(directory);
        let failed = |error: io::Error| format!("cannot write in {}: {error}", cache.display());
        fs::create_dir_all(cache).map_err(failed)?;
        // Gone at the end, but for what was moved away.
        let building = TempDir::new_in(cache).map_err(failed)?;
        for (name, content) in files {
            fs::write(building.path().join(name), content).map_err(failed)?;
        }
        let mut command = Command::new(self.compiler);
        command
            .args(self.arguments)
            .arg(PROGRAM)
            .envs(self.environment.iter().copied())
            .current_dir(&building);
        self.run(command)?;
        match fs::rename(&building, directory) {
            // Somebody else was faster.
            Err(_) if directory.join(PROGRAM).exists() => Ok(()),
            moved => moved.map_err(failed),
        }
    }

    /// What the compiler prints, or the reason why it fails.
    fn run(&self, command: Command) -> Result<String, String> {
        let name = self.compiler;
        let output = match process::output(command, LIMIT) {
            Ok(Some(output)) => output,
            Ok(None) => return Err(format!("{name} took more than {} s", LIMIT.as_secs())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(format!("{name} is not installed"));
            }
            Err(error) => return Err(format!("cannot run {name}: {error}")),
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        Err(format!("{name} fails: {}", gist(&text)))
    }
}

/// The line that says what is wrong: the first one with an error, else the first one that is
/// neither a heading nor tells of progress.
fn gist(text: &str) -> &str {
    let mut lines = text.lines().map(str::trim);
    let error = lines.clone().find(|line| line.contains("error"));
    let says_nothing = |line: &str| {
        line.is_empty() || line.starts_with('#') || line.starts_with("go: downloading")
    };
    let other = lines.find(|line| !says_nothing(line));
    error.or(other).unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(compiler: &'static str, files: fn() -> Vec<(&'static str, String)>) -> Recipe {
        Recipe {
            compiler,
            version: "--version",
            arguments: &["main.cpp", "-o"],
            environment: &[],
            files,
            once: OnceLock::new(),
        }
    }

    fn main_is(body: &str) -> Vec<(&'static str, String)> {
        vec![("main.cpp", format!("int main() {{ {body} }}\n"))]
    }

    #[test]
    fn what_cannot_be_built_says_why_and_what_is_built_is_kept() {
        let cache = tempfile::tempdir().unwrap();
        let absent = recipe("no-such-compiler", || main_is("")).build(cache.path());
        assert_eq!(absent.unwrap_err(), "no-such-compiler is not installed");
        let good = recipe("g++", || main_is("return 7;"));
        let built = match good.build(cache.path()) {
            Err(reason) if reason == "g++ is not installed" => return println!("{reason}"),
            built => built.unwrap(),
        };
        assert!(built.compiler.starts_with("g++"), "{built:?}");
        assert_eq!(
            Command::new(&built.program).status().unwrap().code(),
            Some(7)
        );
        let when = |built: &Built| fs::metadata(&built.program).unwrap().modified().unwrap();
        let first = when(&built);
        let again = good.build(cache.path()).unwrap();
        assert_eq!((&again.program, when(&again)), (&built.program, first));
        let other = recipe("g++", || main_is("return 8;"))
            .build(cache.path())
            .unwrap();
        assert_ne!(other.program, built.program, "its sources are others");
        let wrong = recipe("g++", || main_is("x;"))
            .build(cache.path())
            .unwrap_err();
        assert!(
            wrong.starts_with("g++ fails: main.cpp:1:14: error: "),
            "{wrong}"
        );
        assert_eq!(
            fs::read_dir(cache.path()).unwrap().count(),
            2,
            "nothing half built stays"
        );
    }

    #[test]
    fn many_who_build_the_same_at_once_all_have_it() {
        let cache = tempfile::tempdir().unwrap();
        let build = || recipe("g++", || main_is("return 7;")).build(cache.path());
        let built: Vec<_> = std::thread::scope(|scope| {
            let builders: Vec<_> = (0..4).map(|_| scope.spawn(build)).collect();
            builders
                .into_iter()
                .map(|builder| builder.join().unwrap())
                .collect()
        });
        if built[0]
            .as_ref()
            .is_err_and(|reason| reason == "g++ is not installed")
        {
            return println!("g++ is not installed");
        }
        for built in built {
            assert_eq!(
                Command::new(built.unwrap().program)
                    .status()
                    .unwrap()
                    .code(),
                Some(7)
            );
        }
    }

    #[test]
    fn the_gist_of_what_a_compiler_says_is_its_first_error() {
        let cpp =
            "In file included from a.cpp:1:\nb.hpp:3:7: error: no x\nb.hpp:4:7: error: no y\n";
        assert_eq!(gist(cpp), "b.hpp:3:7: error: no x");
        assert_eq!(
            gist("# slotpark/outside\n./main.go:7:2: undefined: x\n"),
            "./main.go:7:2: undefined: x"
        );
        let module = "go: downloading golang.org/x/sync v0.7.0\nflight.go:11:2: no such host\n";
        assert_eq!(gist(module), "flight.go:11:2: no such host");
        assert_eq!(gist(""), "it does not say why");
    }
}
