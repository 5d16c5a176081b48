//! A snapshot in the forms that other programs and people read.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Context;
use slotpark_inspect::{Deadlock, Snapshot, dump, dump_sure, folded, page, page_sure, prometheus};

use crate::shown;

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

/// The snapshot in this form. With a look before it, deadlocks are told surely.
///
/// # Errors
/// If the form cannot be made of it.
pub(crate) fn render(
    snapshot: &Snapshot,
    before: Option<&Snapshot>,
    form: Form,
) -> anyhow::Result<String> {
    Ok(match form {
        Form::Json => snapshot.to_json() + "\n",
        Form::Dump => plain_lines(&match before {
            Some(before) => dump_sure(before, snapshot),
            None => dump(snapshot),
        }),
        Form::Folded => plain_lines(&folded(snapshot)),
        Form::Prometheus => prometheus(snapshot),
        Form::Html => match before {
            Some(before) => page_sure(before, snapshot),
            None => page(snapshot),
        },
    })
}

/// What is said of deadlocks that nobody can look at again.
const SUSPECTS: &str = "in one look; a second would make it sure";

/// Deadlocks as text; two looks make them sure.
pub(crate) fn deadlocks(found: &[Deadlock], are_sure: bool) -> String {
    let mut text = String::new();
    if !are_sure && !found.is_empty() {
        text.push_str(SUSPECTS);
        text.push_str(":\n");
    }
    for deadlock in found {
        text.push_str(&plain_lines(&deadlock.to_string()));
        text.push('\n');
    }
    text
}

/// Without characters that a terminal would obey, but for ends of lines.
fn plain_lines(text: &str) -> String {
    let lines = text.lines().map(shown::plain);
    lines.map(|line| line + "\n").collect()
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
        let name = format!(
            "slotpark-{}-{number}.{}",
            snapshot.process,
            form.extension()
        );
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => break (file, path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot create `{}`", path.display()));
            }
        }
    };
    file.write_all(render(snapshot, before, form)?.as_bytes())
        .with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}
