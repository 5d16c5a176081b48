//! Programs that cannot be run on slots, and what is said of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use object::{Object, ObjectSymbol};

use crate::tools::{Folder, command, compile, finish, program};

/// Where cargo leaves the library: the first of these places that `slotpark` looks at.
fn library() -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_slotpark")).parent().unwrap();
    let places = [folder.to_owned(), folder.join("deps")];
    let found = places.map(|place| place.join("libslotpark_preload.so"));
    found.into_iter().find(|place| place.is_file()).unwrap()
}

/// The status and the message of a run that is refused; nothing else may be printed.
fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let mut slotpark = command(env!("CARGO_BIN_EXE_slotpark"), &["run", "--"]);
    let ended = finish(slotpark.args(arguments));
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    (ended.status.code(), ended.stderr)
}

#[test]
fn missing_programs() {
    for name in ["no-such-program-anywhere", "/no/such/program", ""] {
        let (status, text) = refused(&[name]);
        assert_eq!(status, Some(127), "{text}");
        assert!(
            text.starts_with("slotpark: `") && text.contains(name),
            "{text}"
        );
    }
    let (status, text) = refused(&["/"]);
    assert!(status == Some(126) && text.contains("not a file"), "{text}");
}

#[test]
fn programs_without_a_dynamic_linker() {
    let folder = Folder::new("static");
    match compile(&folder, "threads", &["-C", "target-feature=+crt-static"]) {
        Ok(path) => {
            let (status, text) = refused(&[path.to_str().unwrap(), "exit", "0"]);
            assert_eq!(status, Some(126));
            assert!(text.contains("statically linked"), "{text}");
            let script = folder.path("script");
            fs::write(&script, format!("#!{}\n", path.display())).unwrap();
            fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
            let (status, text) = refused(&[script.to_str().unwrap()]);
            assert_eq!(status, Some(126));
            assert!(
                text.contains("interpreter") && text.contains("statically"),
                "{text}"
            );
        }
        Err(reason) => println!("skipped: no static libc to link with: {reason}"),
    }
}

#[test]
fn programs_with_more_rights_than_their_caller() {
    let folder = Folder::new("setuid");
    let path = program(&folder, "threads");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o4755)).unwrap();
    let (status, text) = refused(&[path.to_str().unwrap(), "exit", "0"]);
    assert_eq!(status, Some(126));
    assert!(text.contains("setuid"), "{text}");
}

#[test]
fn the_library_is_looked_for_in_three_places() {
    let folder = Folder::new("library");
    let slotpark = folder.path("slotpark");
    fs::copy(env!("CARGO_BIN_EXE_slotpark"), &slotpark).unwrap();
    let run = || command(&slotpark, &["run", "--", "/bin/sh", "-c", "exit 4"]);
    let ended = finish(&mut run());
    assert_eq!(ended.status.code(), Some(125));
    assert!(
        ended.stderr.contains("libslotpark_preload.so")
            && ended.stderr.contains("SLOTPARK_PRELOAD")
    );

    let elsewhere = folder.path("elsewhere.so");
    fs::copy(library(), &elsewhere).unwrap();
    // The test's own environment is cleared of this name, so it is set by another program.
    let mut named = Command::new("env");
    named
        .arg(format!("SLOTPARK_PRELOAD={}", elsewhere.display()))
        .arg(&slotpark);
    let ended = finish(named.args(["run", "--", "/bin/sh", "-c", "echo $LD_PRELOAD; exit 4"]));
    assert_eq!(
        (ended.status.code(), ended.stdout.trim()),
        (Some(4), elsewhere.to_str().unwrap())
    );

    for place in ["deps/libslotpark_preload.so", "libslotpark_preload.so"] {
        let place = folder.path(place);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(library(), &place).unwrap();
        let mut run = command(
            &slotpark,
            &["run", "--", "/bin/sh", "-c", "echo $LD_PRELOAD"],
        );
        assert_eq!(finish(&mut run).stdout.trim(), place.to_str().unwrap());
    }
    let blank = Folder::new("with blank");
    fs::copy(&slotpark, blank.path("slotpark")).unwrap();
    fs::copy(library(), blank.path("libslotpark_preload.so")).unwrap();
    let ended = finish(&mut command(
        blank.path("slotpark"),
        &["run", "--", "/bin/sh"],
    ));
    assert_eq!(ended.status.code(), Some(125));
    assert!(ended.stderr.contains("holds a blank"), "{}", ended.stderr);
}

#[test]
fn a_report_that_cannot_be_written_runs_nothing() {
    let mut slotpark = command(
        env!("CARGO_BIN_EXE_slotpark"),
        &["run", "--report", "/no/folder/x"],
    );
    let ended = finish(slotpark.args(["--", "/bin/echo", "ran"]));
    assert_eq!(
        (ended.status.code(), ended.stdout.as_str()),
        (Some(125), "")
    );
    assert!(ended.stderr.contains("/no/folder/x"), "{}", ended.stderr);
}

#[test]
fn the_library_defines_syscall_and_nothing_else() {
    let bytes = fs::read(library()).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let exported: Vec<_> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition() && symbol.is_global())
        .map(|symbol| symbol.name().unwrap().to_owned())
        .collect();
    assert_eq!(exported, ["syscall"]);
}
