//! Where sockets lie: in a folder that only its user can enter.

use std::fs::{self, DirBuilder, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

/// The folders in which a socket may lie, the preferred first.
pub(crate) fn folders() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|path| path.is_absolute());
    let runtime = runtime.map(|path| path.join("slotpark"));
    let other = PathBuf::from(format!("/tmp/slotpark-{}", geteuid()));
    runtime.into_iter().chain([other]).collect()
}

/// What the socket of a process is called in its folder.
pub(crate) fn file(process: u32) -> String {
    format!("{process}.sock")
}

/// The process of a file's name.
pub(crate) fn process(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".sock")?.parse().ok()
}

/// Makes the folder if there is none, and checks that it is what it must be.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => check(path),
    }
}

/// A folder, no link to one, that belongs to this user and that nobody else can enter.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    let is_private = found.is_dir() && is_mine(&found) && found.mode() & 0o077 == 0;
    if is_private {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("{} is not a folder of this user's alone", path.display()),
    ))
}

fn is_mine(found: &Metadata) -> bool {
    found.uid() == geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_folder_that_others_can_enter_is_refused() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("slotpark");
        make(&path).unwrap();
        make(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let error = make(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn a_link_to_a_folder_is_refused() {
        let above = tempfile::tempdir().unwrap();
        let (real, link) = (above.path().join("real"), above.path().join("link"));
        make(&real).unwrap();
        symlink(&real, &link).unwrap();
        assert!(make(&link).is_err());
    }

    #[test]
    fn names_lead_to_processes_and_back() {
        assert_eq!(process(Path::new(&file(17))), Some(17));
        assert_eq!(process(Path::new("/a/x.sock")), None);
        assert_eq!(process(Path::new("/a/17")), None);
    }
}
