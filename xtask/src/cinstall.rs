//! `cinstall`: what a C programmer does with the C ABI: installs it with cargo-c, finds it by
//! pkg-config, and runs a program on it.
//!
//! cargo-c is not among what `setup` installs: it contains a cargo of its own, which is built for
//! longer than everything else together, and nothing but this step uses it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::repo::{Repo, output, run};
use crate::step::{Outcome, Step};

/// The last that is built by the toolchain of this tool, or a newer one.
const CARGO_C: &str = "0.10.24";
/// A program that is run, with what it prints.
const PROGRAM: (&str, &str) = ("slotpark-capi/tests/c/ping_pong.c", "5000 rounds\n");

pub(crate) fn steps() -> Vec<Step> {
    vec![Step::new("cinstall", |repo| {
        for program in ["pkg-config", "cc"] {
            if output(&mut repo.command(program, &["--version"])).is_err() {
                return Ok(Outcome::Skipped(format!("no {program} here")));
            }
        }
        if output(&mut repo.cargo(&["cinstall", "--version"])).is_err() {
            let args = ["install", "cargo-c", "--locked", "--version", CARGO_C];
            if let Err(error) = run(&mut repo.command("cargo", &args)) {
                return Ok(Outcome::Skipped(format!("no cargo-c: {error:#}")));
            }
        }
        // Anew: what an earlier run has left must not stand for what is no longer installed.
        let root = repo.target().join("cinstall");
        let _ = fs::remove_dir_all(&root);
        install(repo, &root)?;
        for linked in ["shared", "static"] {
            run_program(repo, &root, linked).with_context(|| format!("the {linked} library"))?;
        }
        Ok(Outcome::Done)
    })]
}

fn install(repo: &Repo, root: &Path) -> Result<()> {
    let mut install = repo.cargo(&["cinstall", "--package", "slotpark-capi"]);
    install.arg("--prefix").arg(root);
    run(install.arg("--libdir").arg(root.join("lib")))
}

/// Compiles and runs a program that knows of the library what pkg-config says.
fn run_program(repo: &Repo, root: &Path, linked: &str) -> Result<()> {
    let mut words = Command::new("pkg-config");
    words.args(["--cflags", "--libs", "slotpark"]);
    if linked == "static" {
        words.arg("--static");
        // So that it is not found.
        for entry in fs::read_dir(root.join("lib"))? {
            let path = entry?.path();
            if path.to_string_lossy().contains(".so") {
                fs::remove_file(path)?;
            }
        }
    }
    let words = output(words.env("PKG_CONFIG_PATH", root.join("lib/pkgconfig")))?;
    let (source, expected) = PROGRAM;
    let program = root.join(linked);
    let mut compile = repo.command("cc", &["-std=c11", "-pthread", source]);
    run(compile
        .args(words.split_whitespace())
        .arg("-o")
        .arg(&program))?;
    let mut program = Command::new(program);
    let printed = output(program.env("LD_LIBRARY_PATH", root.join("lib")))?;
    ensure!(printed == expected, "it prints {printed:?}");
    Ok(())
}
