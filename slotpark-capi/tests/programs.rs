//! C11 and C++17 programs, compiled by the system's compilers against the header and the library,
//! without a warning, and run: their output is checked, and that they end.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program that takes longer hangs: `timeout` ends it.
const HANG_S: &str = "120";
/// What a program of the static library is linked with, as `rustc --print native-static-libs` says.
const SYSTEM_LIBRARIES: [&str; 5] = ["-lgcc_s", "-lpthread", "-lm", "-ldl", "-lc"];
const WARNINGS: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// How a program comes to the library.
#[derive(Clone, Copy, Debug)]
enum Linked {
    Shared,
    Static,
}

/// A language, as its compiler is called.
struct Language {
    /// The environment variable that names another one.
    variable: &'static str,
    compiler: &'static str,
    standard: &'static str,
}

const C: Language = Language {
    variable: "CC",
    compiler: "cc",
    standard: "-std=c11",
};
const CPP: Language = Language {
    variable: "CXX",
    compiler: "c++",
    standard: "-std=c++17",
};

/// The folder where cargo puts the library before it builds this test.
fn libraries() -> PathBuf {
    let program = std::env::current_exe().expect("a test has a path");
    program.parent().expect("it lies in a folder").to_owned()
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

impl Language {
    fn compiler(&self) -> OsString {
        std::env::var_os(self.variable).unwrap_or_else(|| self.compiler.into())
    }

    fn is_here(&self) -> bool {
        let version = Command::new(self.compiler()).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    }

    /// Compiles a program; where it is.
    fn compile(&self, file: &Path, linked: Linked) -> PathBuf {
        let name = file.file_name().expect("a file has a name");
        let name = format!("{}-{linked:?}", name.to_string_lossy());
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut compile = Command::new(self.compiler());
        compile
            .args([self.standard, "-O1", "-g", "-pthread"])
            .args(WARNINGS)
            .arg("-I")
            .arg(source("include"))
            .arg(file)
            .arg("-o")
            .arg(&program);
        match linked {
            Linked::Shared => {
                let mut search = OsString::from("-Wl,-rpath,");
                search.push(libraries());
                compile.arg("-L").arg(libraries());
                compile.arg("-lslotpark_capi").arg(search);
            }
            Linked::Static => {
                compile.arg(libraries().join("libslotpark_capi.a"));
                compile.args(SYSTEM_LIBRARIES);
            }
        }
        let output = compile.output().expect("the compiler is here");
        assert!(output.status.success(), "{compile:?}\n{}", text(&output));
        program
    }
}

fn text(output: &Output) -> String {
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    format!("{}\n{stdout}{stderr}", output.status)
}

fn skip(test: &str, why: &str) {
    // Past the test harness, which shows no output of tests that pass.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// Runs one of the programs in `tests/c`.
fn check(test: &str, language: &Language, file: &str, lines: &[&str]) {
    check_file(test, language, &source("tests/c").join(file), lines);
}

/// Runs a program in both ways of linking; it prints these lines, and nothing else.
fn check_file(test: &str, language: &Language, file: &Path, lines: &[&str]) {
    if !cfg!(target_os = "linux") {
        return skip(test, "the linker's arguments are Linux's");
    }
    if !language.is_here() {
        return skip(test, &format!("no {} here", language.compiler));
    }
    for linked in [Linked::Shared, Linked::Static] {
        let program = language.compile(file, linked);
        let mut run = Command::new("timeout");
        let output = run.args(["-s", "KILL", HANG_S]).arg(program).output();
        let output = output.expect("`timeout` is one of the core utilities");
        assert!(output.status.success(), "{linked:?}: {}", text(&output));
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed.lines().collect::<Vec<_>>(), lines, "{linked:?}");
    }
}

#[test]
fn two_threads_take_turns() {
    check(
        "two_threads_take_turns",
        &C,
        "ping_pong.c",
        &["5000 rounds"],
    );
}

#[test]
fn tables_do_what_they_say() {
    let lines = [
        "wakes",
        "requeues",
        "times",
        "interrupts",
        "several words",
        "memory",
        "counts",
        "ends",
    ];
    check("tables_do_what_they_say", &C, "tables.c", &lines);
}

#[test]
fn errors_are_told() {
    let lines = [
        "structs",
        "handles",
        "tables",
        "words and times",
        "entries",
        "the kernel's answers",
        "shared calls",
    ];
    check("errors_are_told", &C, "errors.c", &lines);
}

#[test]
#[cfg(target_os = "linux")]
fn locks_of_owners_that_end_are_handed_over() {
    check(
        "locks_of_owners_that_end_are_handed_over",
        &C,
        "owners.c",
        &["handed over", "left behind"],
    );
}

#[test]
fn fork_child_starts_clean() {
    check("fork_child_starts_clean", &C, "fork.c", &["3 children"]);
}

#[test]
fn a_table_without_memory_is_refused() {
    check(
        "a_table_without_memory_is_refused",
        &C,
        "memory.c",
        &["refused"],
    );
}

/// The program in the chapter for C programmers.
#[test]
fn the_chapter_is_true() {
    let chapter = source("../slotpark/docs/c.md");
    let chapter = std::fs::read_to_string(chapter).expect("the chapter");
    let (_, program) = chapter.split_once("```c\n").expect("it has a program");
    let (program, _) = program.split_once("```\n").expect("which ends");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("chapter.c");
    std::fs::write(&file, program).expect("a file of our own");
    check_file("the_chapter_is_true", &C, &file, &["done"]);
}

#[test]
fn a_mutex_in_cpp() {
    check("a_mutex_in_cpp", &CPP, "mutex.cpp", &["mutex", "gate"]);
}
