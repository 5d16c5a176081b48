//! The report as Markdown.

use crate::amount::{date, pace};
use crate::grid::escaped;
use crate::{Report, Workload, tables};

/// The report as Markdown with tables: the machine and what makes the figures doubtful, targets,
/// what is lost, then every workload. Plots are on the page alone.
///
/// # Examples
///
/// ```
/// # use slotpark_report::Report;
/// # let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reports/sample.json"));
/// let report = Report::from_json(text).expect("the sample is a report");
/// let markdown = slotpark_report::markdown(&report);
/// assert!(markdown.contains("\n## Where slotpark loses\n"));
/// ```
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = format!("# What `slotpark bench` measured\n\n{}\n", machine(report));
    for warning in &report.machine.warnings {
        text += &format!("\n> **Note:** {}\n", escaped(warning));
    }
    let targets = tables::targets(report);
    if !targets.rows.is_empty() {
        text += &format!("\n## Targets\n\n{}", targets.to_markdown());
    }
    let limits = tables::limits(report);
    if !limits.rows.is_empty() {
        text += &format!("\n## Limits\n\n{}", limits.to_markdown());
    }
    text += "\n## Where slotpark loses\n\n";
    let losses = tables::losses(report);
    text += &if losses.rows.is_empty() {
        "In no comparison of this run.\n".to_owned()
    } else {
        losses.to_markdown()
    };
    for workload in &report.workloads {
        text += &of_workload(report, workload);
    }
    text
}

fn machine(report: &Report) -> String {
    let machine = &report.machine;
    let scale = if machine.quick {
        "quick run"
    } else {
        "full run"
    };
    let governor = machine
        .governor
        .as_deref()
        .map_or_else(String::new, |name| format!(", {name}"));
    let gib = machine.memory_bytes >> 30;
    let described = format!(
        "{}, {} cores, {gib} GiB{governor}; {}, Linux {}, load {}; slotpark {} {}, {}; \
         {scale}, {}.",
        machine.cpu,
        machine.cores,
        machine.os,
        machine.kernel,
        machine.load_average,
        machine.slotpark,
        machine.commit,
        machine.rustc,
        date(report),
    );
    let again = report.command.join(" ").replace('`', "'");
    format!(
        "{}\n\nAgain, with the same seed: `{again}`",
        escaped(&described)
    )
}

fn of_workload(report: &Report, workload: &Workload) -> String {
    let mut text = format!(
        "\n## {}\n\n`{}`, {}. {}\n",
        escaped(&workload.title),
        workload.name.replace('`', "'"),
        pace(workload.pace),
        escaped(&workload.about)
    );
    for (title, grid) in tables::figures(workload) {
        text += &format!("\n**{title}**\n\n{}", grid.to_markdown());
    }
    for at in workload.places() {
        let latencies = tables::latencies(workload, at);
        if !latencies.is_empty() {
            let grid = tables::percentiles(&latencies);
            let at = workload.place_name(at);
            let of = if at.is_empty() { at } else { format!(", {at}") };
            text += &format!(
                "\n**Single operations{}**\n\n{}",
                escaped(&of),
                grid.to_markdown()
            );
        }
    }
    if let Some(grid) = tables::ratios(report, workload) {
        text += &format!("\n**Ratios**\n\n{}", grid.to_markdown());
    }
    let skipped = tables::skipped(workload).into_iter();
    let skipped = skipped.map(|(engine, reason)| format!("{engine} was not measured: {reason}"));
    let remarks: Vec<_> = skipped.chain(tables::notes(workload)).collect();
    if !remarks.is_empty() {
        text += "\n";
    }
    for remark in remarks {
        text += &format!("- {}\n", escaped(&remark));
    }
    text
}
