//! The planted bugs: what each takes out of the code, and the test that must notice.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;
use serde::Deserialize;

use crate::tidy::tree::Tree;
use crate::twin::Build;

const FOLDER: &str = "xtask/plants/";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    #[serde(default, rename = "plant")]
    pub(super) plants: Vec<Plant>,
    /// Stories of what does not exist yet.
    #[serde(default)]
    pub(super) absent: Vec<Absent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plant {
    pub(super) name: String,
    /// The number of the story.
    pub(super) story: u32,
    /// What is missing then, in words.
    pub(super) taken_out: String,
    /// `crate/target/test`; the target `doc` is the documentation tests.
    pub(super) test: String,
    /// The test is optimized code.
    #[serde(default)]
    pub(super) release: bool,
    /// How often the test may look: one that searches for a rare interleaving may miss it.
    #[serde(default = "once")]
    pub(super) tries: u32,
    #[serde(rename = "change")]
    pub(super) changes: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    file: String,
    /// Stands exactly once in the file.
    before: String,
    after: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Absent {
    pub(super) story: u32,
    pub(super) name: String,
    pub(super) needs: String,
}

fn once() -> u32 {
    1
}

/// A plant's test.
pub(super) struct Place<'p> {
    pub(super) package: &'p str,
    pub(super) target: &'p str,
    pub(super) name: &'p str,
}

impl List {
    /// The plants by story.
    pub(super) fn of(tree: &Tree) -> Result<Self> {
        let mut list = Self::default();
        for (path, text) in tree.files() {
            if path.starts_with(FOLDER) && path.ends_with(".toml") {
                let part: Self = toml::from_str(text).with_context(|| path.to_string())?;
                list.plants.extend(part.plants);
                list.absent.extend(part.absent);
            }
        }
        list.plants.sort_by_key(|plant| plant.story);
        let names: BTreeSet<_> = list.plants.iter().map(|plant| &plant.name).collect();
        ensure!(names.len() == list.plants.len(), "two plants of one name");
        for plant in &list.plants {
            plant.place()?;
        }
        Ok(list)
    }

    /// The tests of pitfall stories that no plant is for.
    pub(super) fn tests_without_a_plant(&self, tree: &Tree) -> Vec<String> {
        static TEST: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"#\[test\]\s+fn (\w+)").expect("the tests compile the pattern")
        });
        let planted: BTreeSet<_> = self
            .plants
            .iter()
            .map(|plant| plant.test.as_str())
            .collect();
        let mut bare = Vec::new();
        for (path, text) in tree.files() {
            let Some((package, file)) = path.split_once("/tests/pitfalls_") else {
                continue;
            };
            let file = file.strip_suffix(".rs").unwrap_or(file);
            // A target of several files: its tests are named by their modules.
            let (target, module) = match file.split_once('/') {
                None | Some((_, "main")) => (file.trim_end_matches("/main"), String::new()),
                Some((folder, module)) => (folder, format!("{module}::")),
            };
            for test in TEST.captures_iter(text) {
                let place = format!("{package}/pitfalls_{target}/{module}{}", &test[1]);
                let is_absent = |absent: &Absent| absent.name == test[1];
                if !planted.contains(place.as_str()) && !self.absent.iter().any(is_absent) {
                    bare.push(place);
                }
            }
        }
        bare
    }
}

impl Plant {
    pub(super) fn place(&self) -> Result<Place<'_>> {
        let parts: Vec<_> = self.test.splitn(3, '/').collect();
        let [package, target, name] = parts[..] else {
            bail!("`{}`: `{}` names no test", self.name, self.test);
        };
        Ok(Place {
            package,
            target,
            name,
        })
    }

    /// How the test is built.
    pub(super) fn build(&self) -> Build {
        if self.test.contains("/loom/") {
            Build::Loom
        } else if self.release {
            Build::Release
        } else {
            Build::Debug
        }
    }

    /// The test is named after its story.
    pub(super) fn story_name(&self) -> &str {
        self.test.rsplit(['/', ':']).next().unwrap_or(&self.test)
    }

    /// Number and name of the story.
    pub(super) fn story(&self) -> String {
        format!("{} {}", self.story, self.story_name())
    }

    /// Every change finds its place.
    pub(super) fn check(&self, tree: &Tree) -> Result<()> {
        for change in &self.changes {
            let text = tree.text(&change.file).unwrap_or_default();
            let places = text.matches(&change.before).count();
            ensure!(
                places == 1,
                "`{}`: what it takes out stands {places} times in {}",
                self.name,
                change.file
            );
        }
        Ok(())
    }

    /// The text of the file `path` with the bug in it.
    pub(super) fn applied(&self, path: &str, text: &str) -> String {
        let changes = self.changes.iter().filter(|change| change.file == path);
        changes.fold(text.to_string(), |text, change| {
            text.replacen(&change.before, &change.after, 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::List;
    use crate::tidy::tree::Tree;
    use crate::twin::Build;

    const PLANT: &str = "[[plant]]\nname = 'n'\nstory = 1\ntaken_out = 'x'\ntest = 'a/loom/c::d'\n\
                         [[plant.change]]\nfile = 'f'\nbefore = '''\nif a {\n'''\nafter = '''\n\
                         if true {\n'''\n";

    fn list(text: &str) -> anyhow::Result<List> {
        List::of(&Tree::of(&[("xtask/plants/a.toml", text)]))
    }

    #[test]
    fn a_plant_is_a_replacement_at_exactly_one_place() {
        let list = list(PLANT).unwrap();
        let plant = &list.plants[0];
        let check = |text| plant.check(&Tree::of(&[("f", text)]));
        assert!(check("x\nif a {\ny").is_ok());
        assert!(check("if b {\n").unwrap_err().to_string().contains("`n`"));
        assert!(check("if a {\nif a {\n").is_err());
        assert!(plant.check(&Tree::of(&[])).is_err(), "the file is gone");
        assert_eq!(plant.applied("f", "x\nif a {\ny"), "x\nif true {\ny");
        assert_eq!(plant.applied("g", "x\nif a {\ny"), "x\nif a {\ny");
    }

    #[test]
    fn a_plant_says_what_must_fail() {
        let read = list(PLANT).unwrap();
        let place = read.plants[0].place().unwrap();
        assert_eq!(
            (place.package, place.target, place.name),
            ("a", "loom", "c::d")
        );
        assert_eq!(read.plants[0].build(), Build::Loom);
        assert_eq!(read.plants[0].story(), "1 d");
        assert!(list(&PLANT.replace("a/loom/c::d", "c::d")).is_err());
        assert!(list(&PLANT.replace("story", "stori")).is_err());
        assert!(list(&PLANT.repeat(2)).is_err(), "the same name twice");
    }

    #[test]
    fn a_test_of_a_story_wants_a_plant() {
        let text = "#[test]\nfn one() {}\n#[test]\nfn two() {}\nfn three() {}\n";
        let tests = Tree::of(&[("a/tests/pitfalls_b.rs", text)]);
        let plant = PLANT.replace("a/loom/c::d", "a/pitfalls_b/two");
        let bare = |list: List| list.tests_without_a_plant(&tests);
        assert_eq!(bare(list(&plant).unwrap()), ["a/pitfalls_b/one"]);
        let absent = "[[absent]]\nstory = 2\nname = 'one'\nneeds = 'x'\n";
        assert!(bare(list(&(plant + absent)).unwrap()).is_empty());
    }
}
