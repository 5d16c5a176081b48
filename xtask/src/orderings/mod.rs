//! `orderings`: weakens each memory ordering of the engine and removes each fence, one at a time,
//! and requires a loom test to fail.
//!
//! An ordering that no test misses is wrong, or not tested, or not needed. The weakened engine is a
//! copy, and each run proves that the weakened code was executed.

mod mutants;
mod trial;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::columns::table;
use crate::orderings::mutants::Mutant;
use crate::orderings::trial::{Ended, Tests};
use crate::repo::Repo;
use crate::step::{Outcome, Step};
use crate::tidy::orderings::pairs::is_test_of;
use crate::tidy::tree::Tree;
use crate::twin::{Build, Twin};

/// What is weakened, and the file that takes a mutant's witness.
const CRATE: &str = "slotpark-core";
const FIRST_FILE: &str = "slotpark-core/src/lib.rs";

/// The limit of a test of the engine as it is.
const SOUND_SECONDS_MAX: u64 = 300;
/// The limit of a test of a mutant: a multiple of what the test takes without it, and not less than
/// this.
const WEAK_SECONDS_MIN: u64 = 30;
const WEAK_FACTOR: u32 = 10;
/// A mutant that lasts too long in so many tests is given up: more of them tell no more.
const TIMED_OUT_MAX: usize = 2;

#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Only the orderings of this pair.
    #[arg(long)]
    pair: Option<String>,
    /// Print what would be weakened, and build nothing.
    #[arg(long)]
    list: bool,
}

pub(crate) fn steps(args: Args) -> Vec<Step> {
    vec![Step::new("orderings", move |repo| {
        let tree = Tree::load(repo)?;
        let mutants = chosen(&tree, args.pair.as_deref())?;
        if args.list {
            let row = |mutant: &Mutant| [site(mutant), mutant.change.clone()];
            print!("{}", table(&mutants.iter().map(row).collect::<Vec<_>>()));
            return Ok(Outcome::Done);
        }
        examine(repo, &tree, &mutants)?;
        Ok(Outcome::Done)
    })]
}

/// The engine's mutants, or those of one pair.
fn chosen(tree: &Tree, pair: Option<&str>) -> Result<Vec<Mutant>> {
    let folder = format!("{CRATE}/src/");
    let mut chosen = Vec::new();
    for source in tree.sources() {
        if source.path.starts_with(&folder) {
            chosen.extend(mutants::of(source)?);
        }
    }
    let is_wanted = |mutant: &Mutant| {
        let mut pairs = mutant.sides.iter().map(|(pair, _)| pair);
        pair.is_none_or(|wanted| pairs.any(|pair| pair == wanted))
    };
    chosen.retain(is_wanted);
    ensure!(!chosen.is_empty(), "no ordering of such a pair");
    Ok(chosen)
}

/// A test, and how long it takes without a mutant.
struct Timed {
    name: String,
    time: Duration,
}

/// What became of a mutant.
enum Fate {
    Caught { test: String, report: String },
    Survived(String),
}

/// Tries every mutant and prints the table.
fn examine(repo: &Repo, tree: &Tree, mutants: &[Mutant]) -> Result<()> {
    let twin = Twin::new(repo, tree, "orderings", &[CRATE])?;
    let tests = built(repo, &twin)?;
    let timed = sound(&tests)?;
    let mut rows = vec![
        ["site", "mutant", "caught by", "as"]
            .map(String::from)
            .to_vec(),
    ];
    let mut survivors = 0;
    for mutant in mutants {
        let begin = Instant::now();
        let fate = fate(repo, &twin, mutant, &timed)?;
        let told = match fate {
            Fate::Caught { test, report } => [test, report],
            Fate::Survived(reason) => {
                survivors += 1;
                ["SURVIVED".into(), reason]
            }
        };
        let seconds = begin.elapsed().as_secs_f64();
        let (site, change) = (site(mutant), &mutant.change);
        eprintln!("{site}: {change}: {} ({seconds:.1} s)", told.join(": "));
        let row = [site, change.clone()].into_iter().chain(told);
        rows.push(row.collect());
    }
    println!("\n{}", table(&rows));
    let count = mutants.len();
    println!("{} of {count} mutants were caught", count - survivors);
    if survivors > 0 {
        bail!("{survivors} of {count} mutants survived");
    }
    Ok(())
}

fn built(repo: &Repo, twin: &Twin) -> Result<Tests> {
    Ok(Tests {
        program: twin.build(repo, CRATE, "loom", Build::Loom)?,
        log: twin.log(),
    })
}

/// Runs every test of the engine as it is; the quickest come first.
fn sound(tests: &Tests) -> Result<Vec<Timed>> {
    let mut timed = Vec::new();
    for name in tests.names()? {
        let begin = Instant::now();
        let ended = tests.run(&name, Duration::from_secs(SOUND_SECONDS_MAX), "")?;
        let passed = matches!(ended, Ended::Passed { .. });
        ensure!(passed, "`{name}` fails without any mutant: {ended:?}");
        timed.push(Timed {
            name,
            time: begin.elapsed(),
        });
    }
    timed.sort_by_key(|test| test.time);
    let whole: Duration = timed.iter().map(|test| test.time).sum();
    let seconds = whole.as_secs_f64();
    eprintln!(
        "{} tests pass without any mutant, in {seconds:.1} s",
        timed.len()
    );
    Ok(timed)
}

/// Tries one mutant: first the tests of its pairs, then the others, up to the first that fails.
fn fate(repo: &Repo, twin: &Twin, mutant: &Mutant, timed: &[Timed]) -> Result<Fate> {
    twin.write(|path, text| mutated(path, text, mutant))?;
    let tests = match built(repo, twin) {
        Ok(tests) => tests,
        Err(error) => {
            eprintln!("{error:#}");
            return Ok(Fate::Survived("it does not build".into()));
        }
    };
    let (first, rest): (Vec<_>, Vec<_>) = timed
        .iter()
        .partition(|test| tests_pair(&test.name, mutant));
    let mut was_reached = false;
    let mut doubts = Vec::new();
    let mut timed_out = 0;
    for test in first.iter().chain(&rest) {
        let limit = (test.time * WEAK_FACTOR).max(Duration::from_secs(WEAK_SECONDS_MIN));
        let name = &test.name;
        match tests
            .run(name, limit, &mutant.says())
            .context("a mutant's test")?
        {
            Ended::Passed { reached } => was_reached |= reached,
            Ended::Caught(report) => {
                return Ok(Fate::Caught {
                    test: name.clone(),
                    report,
                });
            }
            Ended::TimedOut => {
                doubts.push(format!("{name} timed out"));
                timed_out += 1;
            }
            Ended::Unclear(what) => doubts.push(format!("{name}: {what}")),
        }
        if timed_out == TIMED_OUT_MAX {
            break;
        }
    }
    Ok(Fate::Survived(match (doubts.first(), was_reached) {
        (Some(doubt), _) => doubt.clone(),
        (None, true) => "every test passes".into(),
        (None, false) => "no test reaches it".into(),
    }))
}

/// The text of a file of the copy.
fn mutated(path: &str, text: &str, mutant: &Mutant) -> String {
    let mut text = if path == mutant.path {
        mutant.applied(text)
    } else {
        text.to_string()
    };
    if path == FIRST_FILE {
        text += &mutant.witness();
    }
    text
}

/// The test is one of a pair of the mutant.
fn tests_pair(test: &str, mutant: &Mutant) -> bool {
    let name = test.rsplit("::").next().unwrap_or(test);
    mutant.sides.iter().any(|(pair, _)| is_test_of(name, pair))
}

/// The file, the line, and the sides of pairs.
fn site(mutant: &Mutant) -> String {
    let sides = mutant
        .sides
        .iter()
        // What follows a comma explains the side.
        .map(|(pair, side)| format!("{pair} {}", side.split(',').next().unwrap_or(side)));
    let sides = sides.collect::<Vec<_>>().join(" + ");
    format!("{}:{}, {sides}", mutant.path, mutant.line)
}

#[cfg(test)]
mod tests {
    use super::{FIRST_FILE, chosen, mutated, site, tests_pair};
    use crate::repo::Repo;
    use crate::tidy::tree::Tree;

    const SITES: &str = "// ORDERING: LOCK release side, y: x.\nw.store(0, Ordering::Release);\n\n\
                         // ORDERING: SLEEP wake side: x.\nw.store(0, Ordering::Release);\n";

    #[test]
    fn only_the_code_of_the_engine_is_weakened() {
        let tree = Tree::of(&[
            ("slotpark-core/src/a.rs", SITES),
            ("slotpark-core/tests/a.rs", SITES),
            ("slotpark/src/a.rs", SITES),
        ]);
        let sites = |pair| {
            let mutants = chosen(&tree, pair).unwrap();
            mutants.iter().map(site).collect::<Vec<_>>()
        };
        let lock = "slotpark-core/src/a.rs:2, LOCK release side";
        let sleep = "slotpark-core/src/a.rs:5, SLEEP wake side";
        assert_eq!(sites(None), [lock, sleep]);
        assert_eq!(sites(Some("LOCK")), [lock]);
        assert!(
            chosen(&tree, Some("LOC")).is_err(),
            "a run of nothing fails"
        );
    }

    #[test]
    fn the_tests_of_a_pair_come_first() {
        let tree = Tree::of(&[("slotpark-core/src/a.rs", SITES)]);
        let mutant = &chosen(&tree, Some("LOCK")).unwrap()[0];
        assert!(tests_pair("pairs::pair_lock_two", mutant));
        assert!(!tests_pair("pairs::pair_locker", mutant));
        assert!(!tests_pair("sleeps::pair_sleep", mutant));
    }

    #[test]
    fn the_engine_has_orderings_of_every_pair() {
        let tree = Tree::load(&Repo::here()).unwrap();
        for pair in ["DEKKER", "LOCK", "HANDOFF", "SLEEP"] {
            assert!(chosen(&tree, Some(pair)).unwrap().len() >= 2, "{pair}");
        }
    }

    #[test]
    fn a_mutant_changes_its_file_and_brings_its_witness() {
        let tree = Tree::of(&[("slotpark-core/src/a.rs", SITES)]);
        let mutant = &chosen(&tree, Some("LOCK")).unwrap()[0];
        assert_eq!(mutated("slotpark-core/src/b.rs", SITES, mutant), SITES);
        let weakened = mutated("slotpark-core/src/a.rs", SITES, mutant);
        assert!(weakened.contains("Relaxed") && !weakened.contains("mod mutant"));
        let first = mutated(FIRST_FILE, SITES, mutant);
        assert!(first.starts_with(SITES) && first.ends_with(&mutant.witness()));
    }
}
