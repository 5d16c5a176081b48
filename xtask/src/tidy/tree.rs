//! The files that git knows or would take, read once; rules see nothing else of the disk.

use std::collections::BTreeMap;
use std::fs;

use crate::repo::{Repo, output};
use crate::tidy::source::Source;

pub(crate) struct Tree {
    /// Text by path from the root, with `/` on every system; what is no text is empty.
    files: BTreeMap<String, String>,
    sources: Vec<Source>,
}

impl Tree {
    /// The working tree: what is committed, and what is new and not ignored.
    pub(crate) fn load(repo: &Repo) -> anyhow::Result<Self> {
        let args = [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ];
        let listed = output(&mut repo.command("git", &args))?;
        let files = listed.split('\0').filter_map(|path| {
            // What is listed but deleted in the working tree cannot be read, and is not there.
            let bytes = fs::read(repo.root().join(path)).ok()?;
            Some((
                path.to_string(),
                String::from_utf8(bytes).unwrap_or_default(),
            ))
        });
        Ok(Self::new(files.collect()))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self::new(
            files
                .iter()
                .map(|(path, text)| (path.to_string(), text.to_string()))
                .collect(),
        )
    }

    fn new(files: BTreeMap<String, String>) -> Self {
        let mut sources: Vec<_> = files
            .iter()
            .filter(|(path, _)| path.ends_with(".rs"))
            .map(|(path, text)| Source::new(path, text))
            .collect();
        let test_modules: Vec<_> = sources
            .iter()
            .flat_map(Source::test_modules_elsewhere)
            .collect();
        for source in &mut sources {
            if test_modules
                .iter()
                .any(|module| is_of_module(&source.path, module))
            {
                source.mark_as_test();
            }
        }
        Self { files, sources }
    }

    pub(crate) fn sources(&self) -> &[Source] {
        &self.sources
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// A file or a directory of this path exists.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self.files.keys().any(|file| file.starts_with(&folder))
    }
}

/// The file is the module `module` (a path without its ending) or lies below it.
fn is_of_module(path: &str, module: &str) -> bool {
    path.strip_prefix(module)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn a_test_module_in_a_file_of_its_own_is_test_code() {
        let tree = Tree::of(&[
            ("a/src/lib.rs", "#[cfg(test)]\nmod model;\nmod real;\n"),
            ("a/src/model.rs", "fn f() {}\n"),
            ("a/src/model/deep.rs", "fn f() {}\n"),
            ("a/src/real.rs", "fn f() {}\n#[cfg(test)] mod tests;\n"),
            ("a/src/real/tests.rs", "fn f() {}\n"),
        ]);
        let is_test = |path: &str| {
            tree.sources()
                .iter()
                .find(|source| source.path == path)
                .map(|s| s.lines[0].is_test)
        };
        assert_eq!(is_test("a/src/model.rs"), Some(true));
        assert_eq!(is_test("a/src/model/deep.rs"), Some(true));
        assert_eq!(is_test("a/src/real.rs"), Some(false));
        assert_eq!(is_test("a/src/real/tests.rs"), Some(true));
    }

    #[test]
    fn folders_exist_by_their_files() {
        let tree = Tree::of(&[("bench/record/a.json", "{}")]);
        assert!(tree.exists("bench/record/a.json") && tree.exists("bench/record"));
        assert!(!tree.exists("bench/rec") && !tree.exists("bench/record/b.json"));
    }
}
