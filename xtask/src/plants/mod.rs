//! `plants`: takes the fix of each pitfall story out of a copy of the engine and of what is built
//! on it, one at a time, and requires the story's test to fail.
//!
//! A test that nobody has seen fail proves nothing. The bugs are data, in `xtask/plants/`; one
//! whose code has changed is an error, and so is one that its test does not notice.

mod list;
mod trial;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::columns::table;
use crate::plants::list::{List, Plant};
use crate::plants::trial::{Ended, Trials};
use crate::repo::Repo;
use crate::step::{Outcome, Step};
use crate::tidy::tree::Tree;
use crate::twin::Twin;

/// What the planted bugs are in, and what tests them.
const CRATES: [&str; 5] = [
    "slotpark-core",
    "slotpark",
    "slotpark-capi",
    "slotpark-inspect",
    // A part of the one before, where its page is built.
    "slotpark-report",
];

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Only the plant of this name, or those of the story that its test is named after.
    name: Option<String>,
    /// Print what would be planted and which stories are not here yet, and build nothing.
    #[arg(long)]
    list: bool,
}

pub(crate) fn steps(args: Args) -> Vec<Step> {
    vec![Step::new("plants", move |repo| {
        let tree = Tree::load(repo)?;
        let list = List::of(&tree)?;
        if args.list {
            print!("{}", contents(&list));
            return Ok(Outcome::Done);
        }
        let plants = chosen(&list.plants, args.name.as_deref())?;
        examine(repo, &tree, &plants)?;
        // Last, so that a test without a plant hides nothing of the others.
        let bare = list.tests_without_a_plant(&tree);
        ensure!(
            bare.is_empty(),
            "nothing is planted for {}",
            bare.join(", ")
        );
        Ok(Outcome::Done)
    })]
}

/// All plants, or those of one name.
fn chosen<'l>(plants: &'l [Plant], name: Option<&str>) -> Result<Vec<&'l Plant>> {
    let is_wanted =
        |plant: &&Plant| name.is_none_or(|name| plant.name == name || plant.story_name() == name);
    let chosen: Vec<_> = plants.iter().filter(is_wanted).collect();
    ensure!(!chosen.is_empty(), "no plant and no story of such a name");
    Ok(chosen)
}

/// Every story with its plants, and those whose subject does not exist.
fn contents(list: &List) -> String {
    let here = list.plants.iter().map(|plant| {
        let told = [plant.story(), plant.taken_out.clone()];
        (plant.story, told)
    });
    let missing = list.absent.iter().map(|absent| {
        let story = format!("{} {}", absent.story, absent.name);
        let told = [story, format!("not here yet: needs {}", absent.needs)];
        (absent.story, told)
    });
    let mut rows: Vec<_> = here.chain(missing).collect();
    rows.sort_by_key(|(story, _)| *story);
    table(&rows.into_iter().map(|(_, told)| told).collect::<Vec<_>>())
}

/// Tries every plant and prints the table.
fn examine(repo: &Repo, tree: &Tree, plants: &[&Plant]) -> Result<()> {
    // Before anything is built: a plant that finds no place must not cost the others' time.
    for plant in plants {
        plant.check(tree)?;
    }
    let twin = Twin::new(repo, tree, "plants", &CRATES)?;
    let trials = Trials::new(repo, &twin);
    let sound = sound(&trials, plants)?;
    let mut rows = vec![row(["story", "taken out", "test", "how it showed"])];
    let (mut survivors, mut skipped) = (0, 0);
    for plant in plants {
        let begin = Instant::now();
        let ended = match &sound[plant.test.as_str()] {
            Sound::In(time) => trials.planted(plant, *time)?,
            Sound::Skipped(why) => Ended::Skipped(why.clone()),
        };
        survivors += usize::from(matches!(ended, Ended::Passed | Ended::Unclear(_)));
        skipped += usize::from(matches!(ended, Ended::Skipped(_)));
        let seconds = begin.elapsed().as_secs_f64();
        eprintln!(
            "{}: {}: {ended} ({seconds:.1} s)",
            plant.story(),
            plant.name
        );
        let ended = ended.to_string();
        rows.push(row([&plant.story(), &plant.taken_out, &plant.test, &ended]));
    }
    println!("\n{}", table(&rows));
    let count = plants.len();
    let noticed = count - survivors - skipped;
    println!("{noticed} of {count} plants were noticed, {skipped} could not be tried");
    if survivors > 0 {
        bail!("{survivors} of {count} plants survived");
    }
    Ok(())
}

fn row(cells: [&str; 4]) -> Vec<String> {
    cells.map(String::from).to_vec()
}

/// What a test does without any plant.
enum Sound {
    /// It passes in this time.
    In(Duration),
    /// It says itself that it cannot tell its story here.
    Skipped(String),
}

/// Runs the plants' tests on the copy as it is.
fn sound<'p>(trials: &Trials<'_>, plants: &[&'p Plant]) -> Result<BTreeMap<&'p str, Sound>> {
    let mut sound = BTreeMap::new();
    for plant in plants {
        if sound.contains_key(plant.test.as_str()) {
            continue;
        }
        let (time, ended) = trials.sound(plant)?;
        let is_sound = match ended {
            Ended::Passed => {
                let seconds = time.as_secs_f64();
                eprintln!("{} passes ({seconds:.1} s)", plant.test);
                Sound::In(time)
            }
            Ended::Skipped(why) => Sound::Skipped(why),
            Ended::Noticed(how) | Ended::Unclear(how) => {
                bail!("`{}` fails without any plant: {how}", plant.test)
            }
        };
        sound.insert(plant.test.as_str(), is_sound);
    }
    eprintln!("{} tests pass without any plant", sound.len());
    Ok(sound)
}

#[cfg(test)]
mod tests {
    use super::{chosen, contents};
    use crate::plants::list::List;
    use crate::repo::Repo;
    use crate::tidy::tree::Tree;

    #[test]
    fn every_plant_finds_its_place() {
        let tree = Tree::load(&Repo::here()).unwrap();
        for plant in List::of(&tree).unwrap().plants {
            plant.check(&tree).unwrap();
        }
    }

    #[test]
    fn stories_are_listed_by_number_and_found_by_name() {
        let text = "[[plant]]\nname = 'late'\nstory = 9\ntaken_out = 'x'\ntest = 'a/b/c::tale'\n\
                    [[plant.change]]\nfile = 'f'\nbefore = 'a'\nafter = 'b'\n\
                    [[absent]]\nstory = 5\nname = 'other'\nneeds = 'tasks'\n";
        let list = List::of(&Tree::of(&[("xtask/plants/a.toml", text)])).unwrap();
        assert_eq!(
            contents(&list),
            "5 other  not here yet: needs tasks\n9 tale   x\n"
        );
        for name in ["late", "tale"] {
            assert_eq!(chosen(&list.plants, Some(name)).unwrap().len(), 1);
        }
        assert!(chosen(&list.plants, Some("tal")).is_err());
    }
}
