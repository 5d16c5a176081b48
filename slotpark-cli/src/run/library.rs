//! Finds the library that is preloaded.

use std::cmp::Reverse;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

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
    newest_first(&mut places);
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

/// The library of an earlier build counts in another layout, and answers other calls. A file that
/// is not there comes last.
fn newest_first(places: &mut [PathBuf]) {
    let modified = |place: &PathBuf| place.metadata().and_then(|file| file.modified()).ok();
    places.sort_by_key(|place| Reverse(modified(place)));
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
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn an_older_library_is_passed_over() -> std::io::Result<()> {
        let folder = env::temp_dir().join(format!("slotpark-library-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let [old, new, none] = ["old", "new", "none"].map(|name| folder.join(name));
        for (path, age_s) in [(&old, 60), (&new, 0)] {
            let made = SystemTime::now() - Duration::from_secs(age_s);
            File::create(path)?.set_modified(made)?;
        }
        let mut places = [none.clone(), old.clone(), new.clone()];
        newest_first(&mut places);
        std::fs::remove_dir_all(&folder)?;
        assert_eq!(places, [new, old, none]);
        Ok(())
    }

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
