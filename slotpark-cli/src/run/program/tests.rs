//! Which files are found, and which are refused.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("slotpark-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &[u8], mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn refusal(path: &Path) -> (u8, String) {
    let Refusal { status, error } = check(path, SCRIPTS_MAX).unwrap_err();
    (status, format!("{error:#}"))
}

#[test]
fn the_first_executable_in_the_list_is_found() {
    let (one, two) = (Folder::new("first"), Folder::new("second"));
    one.file("tool", b"", 0o644);
    let tool = two.file("tool", b"", 0o755);
    let list = env::join_paths([&one.0, &two.0]).unwrap();
    assert_eq!(search(OsStr::new("tool"), &list).unwrap(), tool);
    assert_eq!(
        search(OsStr::new("none"), &list).unwrap_err().status,
        Refusal::NOT_FOUND
    );
    assert_eq!(
        search(OsStr::new(""), &list).unwrap_err().status,
        Refusal::NOT_FOUND
    );
}

#[test]
fn scripts_are_judged_by_their_interpreters() {
    let folder = Folder::new("scripts");
    let good = folder.file("good", b"#! /bin/sh -e\ntrue\n", 0o755);
    assert!(check(&good, SCRIPTS_MAX).is_ok());
    let gone = folder.file("gone", b"#!/no/such/interpreter\n", 0o755);
    let (status, text) = refusal(&gone);
    assert_eq!(status, Refusal::NOT_FOUND);
    assert!(
        text.contains("gone") && text.contains("/no/such/interpreter"),
        "{text}"
    );
    let endless = folder.0.join("endless");
    folder.file(
        "endless",
        format!("#!{}\n", endless.display()).as_bytes(),
        0o755,
    );
    assert!(refusal(&endless).1.contains("too many scripts"));
    assert!(
        refusal(&folder.file("empty", b"#!  \n", 0o755))
            .1
            .contains("no interpreter")
    );
}

#[test]
fn what_cannot_be_preloaded_is_refused() {
    let folder = Folder::new("elf");
    assert_eq!(refusal(&folder.0.join("none")).0, Refusal::NOT_FOUND);
    assert!(refusal(&folder.0).1.contains("not a file"));
    assert!(
        refusal(&folder.file("plain", b"#!/bin/sh\n", 0o644))
            .1
            .contains("not executable")
    );
    let shell = fs::read("/bin/sh").unwrap();
    assert!(check(&folder.file("shell", &shell, 0o755), SCRIPTS_MAX).is_ok());
    assert!(
        refusal(&folder.file("setuid", &shell, 0o4755))
            .1
            .contains("setuid")
    );
    assert!(
        refusal(&folder.file("setgid", &shell, 0o2755))
            .1
            .contains("setgid")
    );
    let mut other = shell.clone();
    other[18..20].copy_from_slice(&2_u16.to_le_bytes());
    assert!(
        refusal(&folder.file("sparc", &other, 0o755))
            .1
            .contains("another kind of processor")
    );
    assert!(
        refusal(&folder.file("cut", &shell[..40], 0o755))
            .1
            .contains("not a sound ELF file")
    );
    // Without the note of its interpreter the same file is static.
    let headers = usize::from(u16::from_le_bytes([shell[56], shell[57]]));
    let mut fixed = shell;
    for header in 0..headers {
        let kind = &mut fixed[64 + header * 56..][..4];
        if kind == elf::PT_INTERP.to_le_bytes() {
            kind.copy_from_slice(&elf::PT_NULL.to_le_bytes());
        }
    }
    assert!(
        refusal(&folder.file("static", &fixed, 0o755))
            .1
            .contains("statically linked")
    );
}
