//! Tells the program which compiler and which commit it was built from, for the machine line of its
//! reports.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Moves with every commit; absent in a package from a registry.
    let head = "../.git/logs/HEAD";
    if Path::new(head).exists() {
        println!("cargo::rerun-if-changed={head}");
    }
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let compiler = first_line(&rustc, &["--version"]).unwrap_or_default();
    let commit = if Path::new(head).exists() {
        first_line("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_default()
    } else {
        String::new()
    };
    println!("cargo::rustc-env=SLOTPARK_RUSTC={compiler}");
    println!("cargo::rustc-env=SLOTPARK_COMMIT={commit}");
}

fn first_line(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| text.lines().next().unwrap_or_default().to_owned())
}
