//! `slotpark bench`: workloads as data files, engines as adapters, and a report that says how sure
//! it is.
//!
//! A file of `workloads/` names a program ([`shape`], written in [`shapes`]), its parameters, the
//! engines that it asks ([`registry`]) and what is expected of them. [`runner`] takes the samples,
//! in interleaved rounds, each in a process of its own; [`summary`] makes the report of them.

mod definition;
mod draws;
mod files;
mod machine;
mod outside;
mod pace;
mod registry;
mod request;
mod resample;
mod runner;
mod shape;
mod shapes;
mod show;
mod summary;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use slotpark_report::Report;

use definition::Definition;
use runner::{Gathered, Settings};

/// What is drawn from unless the user says otherwise: a record and a run have the same keys.
const SEED: u64 = 0x51_07;
/// The arguments that say what is measured.
const MEASURES: [&str; 6] = ["quick", "list", "only", "file", "engine", "seed"];
/// Where `--json` writes without a file's name.
const STANDARD_OUTPUT: &str = "-";

/// The arguments of `slotpark bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A short run of under a minute; it has too few rounds to name winners.
    #[arg(long)]
    quick: bool,
    /// Say which workloads and engines there are, and measure nothing.
    #[arg(long)]
    list: bool,
    /// Take this workload only (may be given several times).
    #[arg(long, value_name = "WORKLOAD")]
    only: Vec<String>,
    /// Take the workload of this file instead of those of the program (may be given several times).
    #[arg(long, value_name = "FILE.toml")]
    file: Vec<PathBuf>,
    /// Ask this engine only (may be given several times).
    #[arg(long, value_name = "ENGINE")]
    engine: Vec<String>,
    /// What keys and times are drawn from.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Show a report that `--json` wrote before, and measure nothing.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = MEASURES)]
    show: Option<PathBuf>,
    /// Write the report as JSON to a file, or instead of the table.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = STANDARD_OUTPUT)]
    json: Option<PathBuf>,
    /// Write all figures as CSV.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write the report as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the report as a page with plots.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Take one sample in this process.
    #[arg(long, hide = true, requires = "request", value_name = "ENGINE")]
    sample: Option<String>,
    #[arg(long, hide = true)]
    request: Option<String>,
}

pub(crate) fn main(args: &Args) -> anyhow::Result<ExitCode> {
    if let (Some(engine), Some(request)) = (&args.sample, &args.request) {
        runner::serve(engine, request)?;
    }
    if let Some(file) = &args.show {
        write(&read(file)?, args)?;
        return Ok(ExitCode::SUCCESS);
    }
    let definitions = select(args)?;
    if args.list {
        return list(&definitions);
    }
    let report = measure(definitions, args)?;
    write(&report, args)?;
    Ok(ExitCode::SUCCESS)
}

/// The workloads that were asked for, in the order of the report.
fn select(args: &Args) -> anyhow::Result<Vec<Definition>> {
    let mut definitions = if args.file.is_empty() {
        files::all()?
    } else {
        let read = |path: &PathBuf| files::read(path);
        args.file.iter().map(read).collect::<anyhow::Result<_>>()?
    };
    let known = || {
        let names = definitions.iter().map(|definition| &*definition.name);
        names.collect::<Vec<_>>().join(", ")
    };
    for name in &args.only {
        ensure!(
            definitions
                .iter()
                .any(|definition| definition.name == *name),
            "no workload `{name}`; there are: {}",
            known()
        );
    }
    for name in &args.engine {
        let unknown = || format!("no engine `{name}`; there are: {}", registry::names());
        registry::find(name).with_context(unknown)?;
    }
    if !args.only.is_empty() {
        definitions.retain(|definition| args.only.contains(&definition.name));
    }
    if !args.engine.is_empty() {
        let asked = |name: &String| args.engine.contains(name);
        definitions.retain(|definition| definition.engines.iter().any(asked));
        ensure!(!definitions.is_empty(), "no workload asks these engines");
    }
    Ok(definitions)
}

fn list(definitions: &[Definition]) -> anyhow::Result<ExitCode> {
    let mut text = String::from("Workloads:\n");
    for definition in definitions {
        text += &format!(
            "  {:24} {} ({})\n",
            definition.name, definition.title, definition.shape
        );
    }
    text += "Engines:\n";
    for entry in registry::all() {
        text += &format!("  {:24} {}\n", entry.name, entry.about);
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn measure(definitions: Vec<Definition>, args: &Args) -> anyhow::Result<Report> {
    let settings = Settings {
        quick: args.quick,
        seed: args.seed,
    };
    let machine = machine::look(settings);
    let new = |definition| Gathered::new(definition, &args.engine, settings);
    let mut workloads: Vec<Gathered> = definitions
        .into_iter()
        .map(new)
        .collect::<anyhow::Result<_>>()?;
    let samples = workloads.iter().map(|workload| workload.samples(settings));
    let bar = progress_bar(samples.sum());
    runner::run(&mut workloads, settings, |workload, engine| {
        bar.set_message(format!("{workload}, {engine}"));
        bar.inc(1);
    })?;
    bar.finish_and_clear();
    Ok(summary::report(
        machine,
        command(args),
        args.seed,
        &workloads,
    ))
}

/// What makes the same run again.
fn command(args: &Args) -> Vec<String> {
    let mut command = vec!["slotpark".to_owned(), "bench".to_owned()];
    if args.quick {
        command.push("--quick".to_owned());
    }
    command.extend(["--seed".to_owned(), args.seed.to_string()]);
    let files = args
        .file
        .iter()
        .map(|path| ("--file", path.display().to_string()));
    let only = args.only.iter().map(|name| ("--only", name.clone()));
    let engines = args.engine.iter().map(|name| ("--engine", name.clone()));
    for (option, value) in files.chain(only).chain(engines) {
        command.extend([option.to_owned(), value]);
    }
    command
}

fn read(file: &Path) -> anyhow::Result<Report> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Report::from_json(&text).with_context(|| format!("{} is no report", file.display()))
}

fn write(report: &Report, args: &Args) -> anyhow::Result<()> {
    let json = || serde_json::to_string_pretty(report);
    match args.json.as_deref() {
        Some(path) if path == Path::new(STANDARD_OUTPUT) => print(&(json()? + "\n"))?,
        Some(path) => {
            save(path, &(json()? + "\n"))?;
            print(&(show::text(report) + "\n"))?;
        }
        None => print(&(show::text(report) + "\n"))?,
    }
    if let Some(path) = &args.csv {
        save(path, &slotpark_report::csv(report))?;
    }
    if let Some(path) = &args.markdown {
        save(path, &slotpark_report::markdown(report))?;
    }
    if let Some(path) = &args.html {
        save(path, &slotpark_report::html(report))?;
    }
    Ok(())
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .context("cannot print the report")
}

fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// On a terminal only; drawn between samples only, so that it takes nothing from them.
fn progress_bar(samples: usize) -> ProgressBar {
    let bar = ProgressBar::new(samples as u64);
    let template = "{wide_bar} {pos}/{len} {elapsed}/{duration} {msg:48}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
