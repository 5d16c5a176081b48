//! `header`: the C header of `slotpark-capi`, made from its source, and the check that the
//! committed one is what would be made.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};

use crate::repo::Repo;
use crate::step::{Outcome, Step};

const CRATE: &str = "slotpark-capi";
const FILE: &str = "include/slotpark.h";

/// What C programs see, in the header's order.
const FILES: [&str; 6] = [
    "src/types.rs",
    "src/table.rs",
    "src/waits.rs",
    "src/wakes.rs",
    "src/interrupter.rs",
    "src/numeric.rs",
];

/// Names in Rust, and in C.
const NAMES: [(&str, &str); 5] = [
    ("SlotTable", "slot_table"),
    ("SlotInterrupter", "slot_interrupter"),
    ("SlotTimespec", "slot_timespec"),
    ("SlotWaitvEntry", "slot_waitv_entry"),
    ("SlotTableStats", "slot_table_stats"),
];

const TITLE: &str = "\
/* slotpark: threads wait on the addresses of words, in a fixed table. The C ABI.
 *
 * Made from slotpark-capi/src by `cargo xtask header`; changes belong there.
 *
 * Results are 0 or a count, or a failure as a negative number of Linux's errno.h; errno itself is
 * not touched. A call with a bad argument, also a NULL handle, says -EINVAL.
 *
 * A table, or an interrupter, may be destroyed only after every call on it has returned. That a
 * waiter runs again is not enough: the call that has woken it may still be inside.
 *
 * No function may be called from a signal handler. None unwinds: what cannot be answered ends the
 * process with a message. Only the functions named create allocate.
 */";

/// Writes the header.
pub(crate) fn write() -> Step {
    Step::new("header", |repo| {
        let path = path(repo);
        fs::write(&path, made(repo)?).with_context(|| path.display().to_string())?;
        Ok(Outcome::Done)
    })
}

/// The committed header is what would be written.
pub(crate) fn check() -> Step {
    Step::new("header", |repo| {
        let committed = fs::read_to_string(path(repo)).unwrap_or_default();
        ensure!(
            committed == made(repo)?,
            "{CRATE}/{FILE} is not what its source says: `cargo xtask header` writes it anew"
        );
        Ok(Outcome::Done)
    })
}

fn path(repo: &Repo) -> PathBuf {
    repo.root().join(CRATE).join(FILE)
}

/// The header's text.
fn made(repo: &Repo) -> Result<String> {
    let mut config = Config {
        header: Some(TITLE.into()),
        include_guard: Some("SLOTPARK_H".into()),
        language: Language::C,
        cpp_compat: true,
        style: Style::Both,
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        documentation_style: DocumentationStyle::Doxy,
        usize_is_size_t: true,
        line_length: 100,
        tab_width: 4,
        ..Config::default()
    };
    let names = NAMES.map(|(rust, c)| (rust.to_string(), c.to_string()));
    config.export.rename = names.into();
    let mut builder = Builder::new().with_config(config);
    for file in FILES {
        builder = builder.with_src(repo.root().join(CRATE).join(file));
    }
    let mut text = Vec::new();
    builder
        .generate()
        .context("cbindgen cannot read the C ABI")?
        .write(&mut text);
    // Rust's heading of what a caller promises.
    Ok(String::from_utf8(text)?.replace(" * # Safety\n", " * The caller sees to it:\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use regex::Regex;

    use super::{CRATE, made, path};
    use crate::repo::Repo;
    use crate::tidy::tree::Tree;

    #[test]
    fn the_committed_header_is_the_sources() {
        let repo = Repo::here();
        let committed = fs::read_to_string(path(&repo)).unwrap();
        assert_eq!(committed, made(&repo).unwrap());
    }

    #[test]
    fn every_function_is_in_the_header_once() {
        let repo = Repo::here();
        let (tree, header) = (Tree::load(&repo).unwrap(), made(&repo).unwrap());
        let exported = Regex::new(r#"extern "C" fn (\w+)"#).unwrap();
        let folder = format!("{CRATE}/src/");
        let mut count = 0;
        for (_, text) in tree.files().filter(|(path, _)| path.starts_with(&folder)) {
            for function in exported.captures_iter(text) {
                let declared = Regex::new(&format!(r"(?m)^[a-z].*\b{}\(", &function[1])).unwrap();
                assert_eq!(declared.find_iter(&header).count(), 1, "{}", &function[1]);
                count += 1;
            }
        }
        assert!(count > 25, "{count}");
    }
}
