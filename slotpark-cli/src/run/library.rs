//! Finds the library that is preloaded.

use std::cmp::Reverse;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail, ensure};

/// The file that cargo makes of the crate `slotpark-preload`.
const FILE: &str = "libslotpark_preload.so";

/// The environment variable that names the library where it is in neither place.
const ENVIRONMENT: &str = "SLOTPARK_PRELOAD";

/// The library's absolute path: beside this program or in `deps/` beside it (where `cargo run` and
/// `cargo test` leave it), whichever is newer; or else where `$SLOTPARK_PRELOAD` says.
pub(super) fn find() -> anyhow::Result<PathBuf> {
    let program = env::current_exe().context("cannot find slotpark's own path")?;
    let folder = program
        .parent()
        .context("slotpark's own path has no folder")?;
    let mut places = vec![folder.join(FILE), folder.join("deps").join(FILE)];
    // One of another version would count in a layout of its own.
    places.sort_by_key(|place| Reverse(modified(place)));
    places.extend(
        env::var_os(ENVIRONMENT)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from),
    );
    let Some(library) = places.iter().find(|place| place.is_file()) else {
        let list: Vec<_> = places
            .iter()
            .map(|place| format!("`{}`", place.display()))
            .collect();
        bail!(
            "{FILE} is not at {}; build it with `cargo build -p slotpark-preload` and name it in \
             ${ENVIRONMENT}",
            list.join(" nor at ")
        );
    };
    let library = std::path::absolute(library)?;
    // The dynamic linker splits the list at both.
    ensure!(
        !library
            .as_os_str()
            .as_bytes()
            .iter()
            .any(|byte| b" :".contains(byte)),
        "the path of the library, `{}`, holds a blank or a colon, and LD_PRELOAD cannot carry it",
        library.display()
    );
    Ok(library)
}

/// When a file was made; none is the oldest.
fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|file| file.modified()).ok()
}

/// The value of LD_PRELOAD: ours before what is already there, since the first definition counts.
pub(super) fn preload_list(library: &OsStr, before: Option<OsString>) -> OsString {
    let mut list = library.to_owned();
    if let Some(before) = before.filter(|before| !before.is_empty()) {
        list.push(":");
        list.push(before);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_comes_first() {
        let ours = OsStr::new("/ours.so");
        assert_eq!(preload_list(ours, None), "/ours.so");
        assert_eq!(preload_list(ours, Some("".into())), "/ours.so");
        assert_eq!(
            preload_list(ours, Some("/a.so b.so".into())),
            "/ours.so:/a.so b.so"
        );
    }
}
