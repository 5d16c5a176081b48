//! `bench`: a run against the record, by ratios; a new record; and the figures of documents from
//! their records.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use slotpark_report::{Finding, FindingKind, Machine, Report, check};

use crate::columns;
use crate::figures::fill;
use crate::records::{RECORDS, Records};
use crate::repo::{Repo, output, run};
use crate::step::{Outcome, Step};
use crate::tidy::tree::Tree;

/// A machine with more to do than this makes no record.
const LOAD_MAX: f64 = 0.5;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Compare a quick run with a record; fail where a ratio became worse, or is gone.
    #[arg(long, conflicts_with = "docs")]
    check: bool,
    /// With --check: the record to compare with, if not the newest of this machine. Without: make
    /// a new record, in FILE if it is given.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    record: Option<Option<PathBuf>>,
    /// With --check: a report that was made before, instead of a run.
    #[arg(long, value_name = "FILE", requires = "check")]
    run: Option<PathBuf>,
    /// With --check: how many times the record's interval a ratio may be.
    #[arg(long, default_value_t = 1.25, requires = "check")]
    tolerance: f64,
    /// Fill the figures of documents from the records that they name.
    #[arg(long, conflicts_with = "record")]
    docs: bool,
    /// Make a record on a loaded machine, too.
    #[arg(long)]
    force: bool,
}

pub(crate) fn steps(args: Args) -> Vec<Step> {
    let here = env::current_dir().unwrap_or_default();
    let record = args.record.map(|file| file.map(|file| here.join(file)));
    if args.check {
        let run = args.run.map(|file| here.join(file));
        let record = record.flatten();
        return vec![Step::new("bench --check", move |repo| {
            check_run(repo, record.as_deref(), run.as_deref(), args.tolerance)?;
            Ok(Outcome::Done)
        })];
    }
    if args.docs {
        return vec![Step::new("bench --docs", |repo| {
            fill_documents(repo)?;
            Ok(Outcome::Done)
        })];
    }
    vec![Step::new("bench --record", move |repo| {
        let Some(file) = &record else {
            bail!("one of --check, --record and --docs is asked");
        };
        make_record(repo, file.as_deref(), args.force)?;
        Ok(Outcome::Done)
    })]
}

fn check_run(repo: &Repo, record: Option<&Path>, run: Option<&Path>, tolerance: f64) -> Result<()> {
    let run = match run {
        Some(file) => read(file)?,
        None => parse(&measure(repo, &["--quick"])?)?,
    };
    let record = match record {
        Some(file) => file.to_path_buf(),
        None => newest(repo, &run.machine)?,
    };
    let findings = check(&read(&record)?, &run, tolerance);
    eprintln!("{} against {}", run.command.join(" "), record.display());
    eprint!("{}", table(&findings));
    let failures = findings
        .iter()
        .filter(|finding| finding.is_failure())
        .count();
    if failures > 0 {
        bail!("worse than the record, or gone: {failures}");
    }
    Ok(())
}

/// The findings, those that fail first.
fn table(findings: &[Finding]) -> String {
    let mut rows: Vec<(bool, Vec<String>)> = findings
        .iter()
        .map(|finding| {
            let level = if finding.is_failure() {
                "error"
            } else {
                "note"
            };
            let what = finding.to_string();
            let (place, what) = what.split_once(": ").unwrap_or((&what, ""));
            let by = match &finding.kind {
                FindingKind::Worse { record, run } => format!("{:.2}x", run.median / record.median),
                _ => String::new(),
            };
            let row = [level, place, what, &by].map(str::to_owned);
            (!finding.is_failure(), row.into())
        })
        .collect();
    rows.sort_by_key(|(is_note, _)| *is_note);
    let rows: Vec<_> = rows.into_iter().map(|(_, row)| row).collect();
    columns::table(&rows)
}

/// Builds the program and runs its benchmark; what it prints is a report.
fn measure(repo: &Repo, more: &[&str]) -> Result<String> {
    run(&mut repo.cargo(&["build", "--release", "-p", "slotpark-cli"]))?;
    let program = repo.target().join("release/slotpark");
    let program = program
        .to_str()
        .context("the build directory has a name in Unicode")?;
    let mut command = repo.command(program, &["bench", "--json"]);
    eprintln!("$ {program} bench --json {}", more.join(" "));
    // Its progress is for people, and a report is all that is wanted of its output.
    output(command.args(more).stderr(std::process::Stdio::inherit()))
}

fn make_record(repo: &Repo, file: Option<&Path>, force: bool) -> Result<()> {
    let load = load_average();
    if load > LOAD_MAX && !force {
        bail!("load average {load}: a record is made on an idle machine, or with --force");
    }
    let report = parse(&measure(repo, &[])?)?;
    let path = match file {
        Some(file) => file.to_path_buf(),
        None => new_path(repo, &report.machine)?,
    };
    fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
    // Without the spaces that would be two thirds of it.
    let text = serde_json::to_string(&report)? + "\n";
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

/// The first name of the day that is free.
fn new_path(repo: &Repo, machine: &Machine) -> Result<PathBuf> {
    let folder = repo.root().join(RECORDS).join(folder(machine));
    let day = day(machine)?;
    let mut names = (1..).map(|number| folder.join(format!("{day}-{number}.json")));
    names
        .find(|path| !path.exists())
        .context("numbers do not end")
}

/// The day of the run, in UTC.
fn day(machine: &Machine) -> Result<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(machine.unix_time)?)?;
    Ok(time.strftime("%Y-%m-%d").to_string())
}

/// What the folder of a machine is called.
fn folder(machine: &Machine) -> String {
    let mut cpu = machine
        .cpu
        .split('@')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    for noise in ["(r)", "(tm)", " cpu", " processor"] {
        cpu = cpu.replace(noise, "");
    }
    let words = cpu.split(|symbol: char| !symbol.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("{}-{}-cores", words.join("-"), machine.cores)
}

/// The last record of this machine that is a report of today's form.
fn newest(repo: &Repo, machine: &Machine) -> Result<PathBuf> {
    let folder = repo.root().join(RECORDS).join(folder(machine));
    let files = fs::read_dir(&folder).into_iter().flatten().flatten();
    let paths = files.map(|file| file.path());
    let reports = paths.filter_map(|path| Some((read(&path).ok()?.machine.unix_time, path)));
    let newest = reports.max_by_key(|(time, path)| (*time, path.clone()));
    let missing = || {
        let folder = folder.display();
        format!("no record in {folder}: `cargo xtask bench --record` makes one")
    };
    newest.map(|(_, path)| path).with_context(missing)
}

fn read(file: &Path) -> Result<Report> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    parse(&text).with_context(|| file.display().to_string())
}

fn parse(text: &str) -> Result<Report> {
    Ok(Report::from_json(text)?)
}

/// Fills the places of all documents, and fails if one cannot be filled.
fn fill_documents(repo: &Repo) -> Result<()> {
    let tree = Tree::load(repo)?;
    let records = Records::new(&tree);
    let mut wrong = 0;
    let mut changed = 0;
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".md")) {
        let filled = fill(text, &records);
        for (line, why) in &filled.wrong {
            eprintln!("error: {path}:{line}: {why}");
        }
        for (line, what) in &filled.changed {
            eprintln!("{path}:{line}: {what}");
        }
        wrong += filled.wrong.len();
        changed += filled.changed.len();
        if filled.text != text {
            fs::write(repo.root().join(path), &filled.text)?;
        }
    }
    eprintln!("{changed} places changed");
    if wrong > 0 {
        bail!("{wrong} places cannot be filled");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
