//! The report as a page.

mod pictures;

use maud::{Markup, html};

use crate::amount::{date, pace, place};
use crate::plot::forest;
use crate::{Report, Workload, page, tables};

/// A longer table is folded away: what is lost stands on top anyway.
const UNFOLDED_MAX: usize = 24;

/// The report as one page of HTML that needs nothing else: the machine and what makes the figures
/// doubtful first, then targets, what is lost, and every workload with plots and tables.
///
/// # Examples
///
/// ```
/// # use slotpark_report::Report;
/// # let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
/// let report = Report::from_json(text).expect("the sample is a report");
/// let page = slotpark_report::html(&report);
/// assert!(page.starts_with("<!DOCTYPE html>") && !page.contains("http://"));
/// ```
#[must_use]
pub fn html(report: &Report) -> String {
    let body = html! {
        header {
            h1 { "What " code { "slotpark bench" } " measured" }
            p class="quiet" { (date(report)) ", " (scale(report)) ", seed " (report.seed) }
            @for warning in &report.machine.warnings { (page::note(warning)) }
        }
        main {
            (page::section("machine", "The machine", &machine(report)))
            (contents(report))
            (targets(report))
            (page::section("losses", "Where slotpark loses", &losses(report)))
            @for workload in &report.workloads { (of_workload(report, workload)) }
            (page::section("method", "How to read this", &method(report)))
        }
    };
    page::page(&format!("slotpark bench, {}", date(report)), &body)
}

fn scale(report: &Report) -> &'static str {
    if report.machine.quick {
        "quick run"
    } else {
        "full run"
    }
}

fn machine(report: &Report) -> Markup {
    let machine = &report.machine;
    let built = if machine.optimized {
        "with optimization"
    } else {
        "without optimization"
    };
    let governor = machine.governor.clone();
    page::facts(&[
        ("CPU", format!("{}, {} at once", machine.cpu, machine.cores)),
        ("memory", format!("{} GiB", machine.memory_bytes >> 30)),
        (
            "system",
            format!("{}, Linux {}", machine.os, machine.kernel),
        ),
        (
            "governor",
            governor.unwrap_or_else(|| "not said by the machine".to_owned()),
        ),
        ("load before", machine.load_average.to_string()),
        ("compiler", format!("{}, {built}", machine.rustc)),
        (
            "slotpark",
            format!("{} {}", machine.slotpark, machine.commit),
        ),
    ])
}

fn contents(report: &Report) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                li { a href="#targets" { "Targets" } }
                li { a href="#losses" { "Where slotpark loses" } }
                @for workload in &report.workloads {
                    li { a href={ "#" (anchor(workload)) } { (workload.title) } }
                }
                li { a href="#method" { "How to read this" } }
            }
        }
    }
}

/// A name for links, whatever the workload is called.
fn anchor(workload: &Workload) -> String {
    let plain = |symbol: char| {
        if symbol.is_ascii_alphanumeric() {
            symbol
        } else {
            '-'
        }
    };
    format!("w-{}", workload.name.chars().map(plain).collect::<String>())
}

fn targets(report: &Report) -> Markup {
    let rows = pictures::target_rows(report);
    let grid = tables::targets(report);
    let limits = tables::limits(report);
    let body = html! {
        @if grid.rows.is_empty() && limits.rows.is_empty() {
            p { "None was set." }
        }
        @if !rows.is_empty() {
            div class="plots" {
                (forest("Ratios that have a target", "The table has the figures.", &rows))
            }
        }
        @if !grid.rows.is_empty() { (page::table("Targets, the missed ones first", &grid)) }
        @if !limits.rows.is_empty() { (page::table("What figures should be at most", &limits)) }
    };
    page::section("targets", "Targets", &body)
}

fn losses(report: &Report) -> Markup {
    let grid = tables::losses(report);
    html! {
        @if grid.rows.is_empty() {
            p { "In no comparison of this run." }
        } @else {
            p {
                "Every comparison whose whole interval is on the worse side of 1, the worst first."
            }
            (page::table("Comparisons lost", &grid))
        }
    }
}

fn of_workload(report: &Report, workload: &Workload) -> Markup {
    let skipped = tables::skipped(workload);
    let notes = tables::notes(workload);
    let body = html! {
        p { (with_code(&workload.about)) }
        p class="quiet" {
            code { (workload.name) } ", " (workload.shape) ", " (pace(workload.pace))
            @for (name, value) in &workload.parameters { ", " (name) " " (value) }
        }
        div class="plots" { (pictures::of_workload(report, workload)) }
        @for (title, grid) in tables::figures(workload) { (page::table(&title, &grid)) }
        @for at in workload.places() {
            @let latencies = tables::latencies(workload, at);
            @if !latencies.is_empty() {
                @let title = titled("Single operations", &workload.place_name(at));
                (page::table(&title, &tables::percentiles(&latencies)))
            }
        }
        @if let Some(grid) = tables::ratios(report, workload) {
            @let table = page::table("Ratios, paired within rounds", &grid);
            @if grid.rows.len() > UNFOLDED_MAX {
                (page::folded(&format!("All {} ratios", grid.rows.len()), &table))
            } @else {
                (table)
            }
        }
        @if !skipped.is_empty() {
            h3 { "Not measured" }
            ul { @for (engine, reason) in skipped { li { (engine) ": " (reason) } } }
        }
        @if !notes.is_empty() {
            h3 { "Remarks" }
            ul { @for note in notes { li { (note) } } }
        }
    };
    page::section(&anchor(workload), &workload.title, &body)
}

/// A text in which names stand between backticks.
fn with_code(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A title, and where on the axis if there is one.
fn titled(title: &str, at: &str) -> String {
    if at.is_empty() {
        title.to_owned()
    } else {
        format!("{title}, {at}")
    }
}

fn method(report: &Report) -> Markup {
    let count = report.comparisons.len();
    html! {
        p {
            "A figure is the median of its rounds, with the lowest and the highest round behind "
            "it. Rounds of all engines take turns, so that what disturbs one disturbs the others. "
            "A ratio is paired: each round of one engine with the same round of the other; its "
            "interval is a bootstrap confidence interval of 95 %. Where that contains 1 there is "
            "no winner. A round that hung enters with the time at which it was cut off."
        }
        p {
            "A latency counts from the intended start of its operation where the pace is an open "
            "loop. Absolute times do not travel between machines; ratios of one run do, as far as "
            "anything does. This page has all " (place(count as f64)) " comparisons of the run, "
            "whoever won."
        }
        p { "The same run again: " code { (report.command.join(" ")) } }
    }
}
