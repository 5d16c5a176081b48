//! Finds the program and makes sure that the dynamic linker will load a library into it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use object::read::ReadCache;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, FileKind, elf};
use rustix::fs::{Access, access};

use super::Refusal;

/// How many scripts the kernel lets be each other's interpreter.
const SCRIPTS_MAX: usize = 4;

/// Where programs are when there is no PATH, as in execvp(3).
const DEFAULT_PATH: &str = "/bin:/usr/bin";

#[cfg(target_arch = "x86_64")]
const MACHINE: u16 = elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: u16 = elf::EM_AARCH64;
#[cfg(target_arch = "riscv64")]
const MACHINE: u16 = elf::EM_RISCV;

fn missing(text: String) -> Refusal {
    Refusal {
        status: Refusal::NOT_FOUND,
        error: anyhow!(text),
    }
}

fn unfit(text: String) -> Refusal {
    Refusal {
        status: Refusal::NOT_EXECUTABLE,
        error: anyhow!(text),
    }
}

/// The file that execvp(3) would run under this name, if it is one that we can run.
pub(super) fn find(name: &OsStr) -> Result<PathBuf, Refusal> {
    let path = if name.as_bytes().contains(&b'/') {
        PathBuf::from(name)
    } else {
        search(
            name,
            &env::var_os("PATH").unwrap_or_else(|| OsString::from(DEFAULT_PATH)),
        )?
    };
    check(&path, SCRIPTS_MAX)?;
    Ok(path)
}

/// The first executable file of this name in a list of folders.
fn search(name: &OsStr, folders: &OsStr) -> Result<PathBuf, Refusal> {
    let mut found = None;
    for folder in env::split_paths(folders) {
        // An empty entry is the current folder.
        let folder = if folder.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            folder
        };
        let path = folder.join(name);
        if !name.is_empty() && path.is_file() {
            if access(&path, Access::EXEC_OK).is_ok() {
                return Ok(path);
            }
            found = found.or(Some(path));
        }
    }
    // One that may not be executed is refused in `check`, by its path.
    found.ok_or_else(|| missing(format!("`{}` is not in PATH", name.display())))
}

/// Refuses a file that the kernel would not execute or the dynamic linker would load nothing into.
fn check(path: &Path, scripts_left: usize) -> Result<(), Refusal> {
    let shown = path.display();
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            missing(format!("`{shown}` does not exist"))
        }
        _ => unfit(format!("`{shown}` cannot be looked at: {error}")),
    })?;
    if !metadata.is_file() {
        return Err(unfit(format!("`{shown}` is not a file")));
    }
    if access(path, Access::EXEC_OK).is_err() {
        return Err(unfit(format!("`{shown}` is not executable")));
    }
    // Whoever may execute a file need not be able to read it: then the kernel says what it is.
    let Ok(mut file) = File::open(path) else {
        return Ok(());
    };
    let mut start = Vec::new();
    let read = file.by_ref().take(256).read_to_end(&mut start);
    read.map_err(|error| unfit(format!("`{shown}` cannot be read: {error}")))?;
    if let Some(line) = start.strip_prefix(b"#!") {
        return check_script(path, line, scripts_left);
    }
    if !start.starts_with(&elf::ELFMAG) {
        // Another format that this system may know how to run.
        return Ok(());
    }
    // A script's bits count for nothing; a program's make the dynamic linker ignore LD_PRELOAD.
    let mode = metadata.permissions().mode();
    if mode & 0o4000 != 0 || mode & 0o2010 == 0o2010 {
        return Err(unfit(format!(
            "`{shown}` is setuid or setgid: the dynamic linker loads no library into it on request"
        )));
    }
    check_elf(path, file)
}

/// Checks the interpreter that a script names after `#!`.
fn check_script(path: &Path, line: &[u8], scripts_left: usize) -> Result<(), Refusal> {
    let shown = path.display();
    let line = line
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or(line)
        .trim_ascii();
    let interpreter = line
        .split(|byte| b" \t\0".contains(byte))
        .next()
        .unwrap_or(line);
    if interpreter.is_empty() {
        return Err(unfit(format!("the script `{shown}` names no interpreter")));
    }
    let Some(scripts_left) = scripts_left.checked_sub(1) else {
        return Err(unfit(format!(
            "the script `{shown}` has too many scripts as interpreters"
        )));
    };
    check(Path::new(OsStr::from_bytes(interpreter)), scripts_left).map_err(
        |Refusal { status, error }| Refusal {
            status,
            error: error.context(format!("the interpreter of the script `{shown}`")),
        },
    )
}

/// Checks that an ELF file is of this machine and has a dynamic linker, and that of glibc.
fn check_elf(path: &Path, file: File) -> Result<(), Refusal> {
    let shown = path.display();
    let broken = |error| unfit(format!("`{shown}` is not a sound ELF file: {error}"));
    let other = || {
        unfit(format!(
            "`{shown}` is a program for another kind of processor"
        ))
    };
    let cache = ReadCache::new(file);
    if FileKind::parse(&cache).map_err(broken)? != FileKind::Elf64 {
        return Err(other());
    }
    let header = elf::FileHeader64::<Endianness>::parse(&cache).map_err(broken)?;
    let endian = header.endian().map_err(broken)?;
    if header.e_machine(endian) != MACHINE {
        return Err(other());
    }
    for segment in header.program_headers(endian, &cache).map_err(broken)? {
        let Some(linker) = segment.interpreter(endian, &cache).map_err(broken)? else {
            continue;
        };
        let linker = linker.strip_suffix(b"\0").unwrap_or(linker);
        let musl = linker.windows(4).any(|part| part == b"musl");
        return if musl {
            Err(unfit(format!(
                "`{shown}` is linked with musl; slotpark's library needs glibc"
            )))
        } else {
            Ok(())
        };
    }
    Err(unfit(format!(
        "`{shown}` is statically linked: no dynamic linker could load slotpark's library into it"
    )))
}

#[cfg(test)]
mod tests;
